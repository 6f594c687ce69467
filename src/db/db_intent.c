/*
 * Intents and the changes they stand for. Invariant: an object that we make or destroy on a token is named by an
 * intent before the token is touched, and the intent ends in the transaction that says what became of it.
 */
#include "db_intent.h"

#include <string.h>

#include "custody_stmt.h"
#include "db_row.h"

#define INTENTS_MAX 65536

static void
read_columns(struct db_row *row, struct db_intent *intent)
{
	memset(intent, 0, sizeof *intent);
	intent->id = db_row_int(row, 1, INT64_MAX);
	intent->kind = (enum db_intent_kind)db_row_int(row, DB_INTENT_CREATE, DB_INTENT_ENROLL);
	db_row_text(row, intent->token, sizeof intent->token);
	intent->vault = db_row_int(row, 0, INT64_MAX);
	intent->key = db_row_int(row, 0, INT64_MAX);
	db_row_text(row, intent->vault_name, sizeof intent->vault_name);
	db_row_text(row, intent->key_name, sizeof intent->key_name);
	intent->created = db_row_int(row, 0, INT64_MAX);
	intent->detail = db_row_string(row, DB_DETAIL_MAX);
	intent->version_count = (size_t)db_row_int(row, 0, INT32_MAX);
}

static bool
read_versions(struct db *db, struct db_intent *intent, struct arena *arena, struct err *err)
{
	intent->versions = arena_array(arena, intent->version_count, sizeof *intent->versions);
	CLEAN(db_stmt)
	sqlite3_stmt *statement = db_stmt(db, STMT_INTENT_VERSIONS);
	db_bind_int(statement, 1, intent->id);
	struct db_row row = {.statement = statement, .arena = arena};
	for (size_t i = 0; i < intent->version_count; i++) {
		bool found;
		if (!db_step(db, statement, &found, err))
			return false;
		row.bad = row.bad || !found;
		row.column = 0;
		if (found)
			db_row_fixed(&row, intent->versions[i], ID_VERSION_BYTES);
	}
	return db_row_check(&row, "intent_version", err);
}

/* ERR_CATALOG_INTEGRITY when there is none: ids of intents come from us. */
static bool
get(struct db *db, int64_t id, struct arena *arena, struct db_intent *ret_intent, struct err *err)
{
	CLEAN(db_stmt)
	sqlite3_stmt *statement = db_stmt(db, STMT_INTENT_GET);
	db_bind_int(statement, 1, id);
	bool found;
	if (!db_step(db, statement, &found, err))
		return false;
	if (!found)
		return err_set(err, ERR_CATALOG_INTEGRITY, NULL);
	struct db_row row = {.statement = statement, .arena = arena};
	read_columns(&row, ret_intent);
	return db_row_check(&row, "intent", err) && read_versions(db, ret_intent, arena, err);
}

bool
db_intent_list(struct db *db, const char *token, struct arena *arena,
	struct db_intent **ret_intents, size_t *ret_count, struct err *err)
{
	CLEAN(db_stmt)
	sqlite3_stmt *statement = db_stmt(db, STMT_INTENT_LIST);
	db_bind_text(statement, 1, token);
	struct db_intent *intents = NULL;
	size_t count = 0, capacity = 0;
	for (bool more = true;;) {
		if (!db_step(db, statement, &more, err))
			return false;
		if (!more)
			break;
		if (count == INTENTS_MAX)
			return err_set(err, ERR_CATALOG_INTEGRITY, NULL);
		intents = db_grow(arena, intents, count, &capacity, sizeof *intents);
		struct db_row row = {.statement = statement, .arena = arena};
		read_columns(&row, &intents[count]);
		if (!db_row_check(&row, "intent", err) ||
			!read_versions(db, &intents[count], arena, err))
			return false;
		count++;
	}
	*ret_intents = intents;
	*ret_count = count;
	return true;
}

/* Inserts an intent; 0 and NULL columns are left NULL. */
static bool
insert(struct db *db, const struct db_intent *intent, int64_t *ret_id, struct err *err)
{
	sqlite3_stmt *statement = db_stmt(db, STMT_INTENT_INSERT);
	db_bind_int(statement, 1, intent->kind);
	db_bind_text(statement, 2, intent->token);
	if (intent->vault != 0)
		db_bind_int(statement, 3, intent->vault);
	if (intent->key != 0)
		db_bind_int(statement, 4, intent->key);
	db_bind_text(statement, 5, intent->key_name);
	db_bind_int(statement, 6, intent->created);
	db_bind_text(statement, 7, intent->detail);
	if (!db_run_one(db, statement, err))
		return false;
	*ret_id = sqlite3_last_insert_rowid(db->handle);
	return true;
}

static bool
add_version(struct db *db, int64_t intent, const uint8_t *id, struct err *err)
{
	sqlite3_stmt *exists = db_stmt(db, STMT_VERSION_EXISTS);
	db_bind_blob(exists, 1, id, ID_VERSION_BYTES);
	int64_t known;
	if (!db_number(db, exists, &known, err))
		return false;
	if (known != 0) {
		(void)err_set(err, ERR_CATALOG_INTEGRITY, NULL);
		return err_origin(err, "a new version's id exists already");
	}
	sqlite3_stmt *statement = db_stmt(db, STMT_INTENT_VERSION);
	db_bind_int(statement, 1, intent);
	db_bind_blob(statement, 2, id, ID_VERSION_BYTES);
	return db_run_one(db, statement, err);
}

static bool
end(struct db *db, int64_t intent, struct err *err)
{
	sqlite3_stmt *statement = db_stmt(db, STMT_INTENT_END);
	db_bind_int(statement, 1, intent);
	return db_run_one(db, statement, err);
}

/* The name is free or live; ret_key 0: free. */
static bool
check_name(struct db *db, int64_t vault, const char *name, int64_t *ret_key, struct err *err)
{
	enum db_key_state state = DB_KEY_LIVE;
	if (!db_key_name_state(db, vault, name, ret_key, &state, err))
		return false;
	switch (state) {
	case DB_KEY_DELETED:
		return err_set(err, ERR_DELETED_BUT_RECOVERABLE, NULL);
	case DB_KEY_PURGING:
		return err_set(err, ERR_BEING_DELETED, NULL);
	case DB_KEY_LIVE:
		break;
	}
	return true;
}

static bool
write_create(struct db *db, int64_t vault_id, const char *name, const uint8_t *id, int64_t now_s,
	const char *detail, int64_t *ret_intent, struct err *err)
{
	CLEAN(arena)
	struct arena *arena = arena_new();
	struct db_vault vault;
	int64_t key;
	if (!db_vault_get(db, vault_id, arena, &vault, err) ||
		!check_name(db, vault_id, name, &key, err))
		return false;
	struct db_intent intent = {
		.kind = DB_INTENT_CREATE, .vault = vault_id, .created = now_s, .detail = detail};
	memcpy(intent.token, vault.token, sizeof intent.token);
	memcpy(intent.key_name, name, strlen(name) + 1);
	return insert(db, &intent, ret_intent, err) && add_version(db, *ret_intent, id, err);
}

bool
db_create_begin(struct db *db, int64_t vault, const char *name,
	const uint8_t id[static ID_VERSION_BYTES], int64_t now_s, const char *detail,
	int64_t *ret_intent, struct err *err)
{
	if (!id_key_name_valid(name))
		return err_set(err, ERR_BAD_PARAMETER, "The request URI contains an invalid name.");
	int64_t intent;
	if (!db_begin(db, err))
		return false;
	if (!write_create(db, vault, name, id, now_s, detail, &intent, err))
		return db_rollback(db);
	if (!db_commit(db, err))
		return false;
	*ret_intent = intent;
	return true;
}

/* The row of the intent's key, inserted if the name is still free. */
static bool
ensure_key(struct db *db, const struct db_intent *intent, int64_t *ret_key, struct err *err)
{
	if (!check_name(db, intent->vault, intent->key_name, ret_key, err))
		return false;
	if (*ret_key != 0)
		return true;
	sqlite3_stmt *statement = db_stmt(db, STMT_KEY_INSERT);
	db_bind_int(statement, 1, intent->vault);
	db_bind_text(statement, 2, intent->key_name);
	db_bind_int(statement, 3, intent->created);
	if (!db_run_one(db, statement, err))
		return false;
	*ret_key = sqlite3_last_insert_rowid(db->handle);
	return true;
}

static bool
write_commit(struct db *db, int64_t id, const struct db_version *version,
	struct db_key_item *ret_item, struct err *err)
{
	CLEAN(arena)
	struct arena *arena = arena_new();
	struct db_intent intent;
	int64_t key;
	if (!get(db, id, arena, &intent, err))
		return false;
	if (intent.kind != DB_INTENT_CREATE || intent.version_count != 1 ||
		memcmp(intent.versions[0], version->id, ID_VERSION_BYTES) != 0)
		return err_set(err, ERR_CATALOG_INTEGRITY, NULL);
	ret_item->newest = *version;
	ret_item->newest.state = DB_VERSION_OK;
	ret_item->newest.gcm_count = 0;
	if (!ensure_key(db, &intent, &key, err) ||
		!db_version_insert(db, version, key, &ret_item->newest.sequence, err))
		return false;
	ret_item->newest.key = key;
	return db_key_get(db, key, &ret_item->key, err) && end(db, id, err);
}

bool
db_create_commit(struct db *db, int64_t intent, const struct db_version *version,
	struct db_key_item *ret_item, struct err *err)
{
	struct db_key_item item;
	if (!db_begin(db, err))
		return false;
	if (!write_commit(db, intent, version, &item, err))
		return db_rollback(db);
	if (!db_commit(db, err))
		return false;
	*ret_item = item;
	return true;
}

static bool
write_abort(struct db *db, int64_t id, struct err *err)
{
	CLEAN(arena)
	struct arena *arena = arena_new();
	struct db_intent intent;
	if (!get(db, id, arena, &intent, err))
		return false;
	if (intent.kind == DB_INTENT_PURGE) /* there is no way back from a purge */
		return err_set(err, ERR_CATALOG_INTEGRITY, NULL);
	return end(db, id, err);
}

bool
db_intent_abort(struct db *db, int64_t intent, struct err *err)
{
	if (!db_begin(db, err))
		return false;
	if (!write_abort(db, intent, err))
		return db_rollback(db);
	return db_commit(db, err);
}

bool
db_enroll_begin(struct db *db, const char *token, const uint8_t id[static ID_VERSION_BYTES],
	int64_t now_s, int64_t *ret_intent, struct err *err)
{
	struct db_intent intent = {.kind = DB_INTENT_ENROLL, .created = now_s, .detail = ""};
	size_t len = strlen(token);
	if (len >= sizeof intent.token)
		return err_set(err, ERR_TOKEN_NOT_FOUND, NULL);
	memcpy(intent.token, token, len + 1);
	int64_t number;
	if (!db_begin(db, err))
		return false;
	if (!insert(db, &intent, &number, err) || !add_version(db, number, id, err))
		return db_rollback(db);
	if (!db_commit(db, err))
		return false;
	*ret_intent = number;
	return true;
}

/* Whether this key may go now (threats F2, D14). */
static bool
check_purge(const struct db_key *key, const struct db_vault *vault, enum db_purge kind,
	int64_t now_s, struct err *err)
{
	if (key->state == DB_KEY_PURGING)
		return err_set(err, ERR_BEING_DELETED, NULL);
	if (key->state == DB_KEY_LIVE)
		return err_set(err, ERR_KEY_NOT_FOUND, "Deleted Key not found: %s", key->name);
	bool early = now_s < key->scheduled_purge;
	if (kind == DB_PURGE_SCHEDULED ? early : vault->purge_protection)
		return err_set(err, ERR_PURGE_PROTECTED, NULL);
	return true;
}

static bool
write_purge(struct db *db, int64_t id, enum db_purge kind, int64_t now_s, struct arena *arena,
	struct db_intent *ret_intent, struct err *err)
{
	struct db_key key;
	struct db_vault vault;
	if (!db_key_get(db, id, &key, err) || !db_vault_get(db, key.vault, arena, &vault, err) ||
		!check_purge(&key, &vault, kind, now_s, err))
		return false;
	struct db_intent intent = {.kind = DB_INTENT_PURGE,
		.vault = key.vault,
		.key = id,
		.created = now_s,
		.detail = kind == DB_PURGE_SCHEDULED ? "scheduled" : "requested"};
	memcpy(intent.token, vault.token, sizeof intent.token);
	memcpy(intent.key_name, key.name, sizeof intent.key_name);
	int64_t number;
	if (!insert(db, &intent, &number, err))
		return false;
	sqlite3_stmt *versions = db_stmt(db, STMT_INTENT_VERSIONS_OF);
	db_bind_int(versions, 1, number);
	db_bind_int(versions, 2, id);
	sqlite3_stmt *state = db_stmt(db, STMT_KEY_PURGING);
	db_bind_int(state, 1, id);
	return db_run(db, versions, err) && db_run_one(db, state, err) &&
	       get(db, number, arena, ret_intent, err);
}

bool
db_key_purge_begin(struct db *db, int64_t key, enum db_purge kind, int64_t now_s,
	struct arena *arena, struct db_intent *ret_intent, struct err *err)
{
	struct db_intent intent;
	if (!db_begin(db, err))
		return false;
	if (!write_purge(db, key, kind, now_s, arena, &intent, err))
		return db_rollback(db);
	if (!db_commit(db, err))
		return false;
	*ret_intent = intent;
	return true;
}

/* Runs a statement whose first parameter is a row number. */
static bool
run_for(struct db *db, enum custody_stmt stmt, int64_t id, struct err *err)
{
	sqlite3_stmt *statement = db_stmt(db, stmt);
	db_bind_int(statement, 1, id);
	return db_run(db, statement, err);
}

static bool
write_purged(struct db *db, int64_t id, int64_t now_s, struct err *err)
{
	CLEAN(arena)
	struct arena *arena = arena_new();
	struct db_intent intent;
	if (!get(db, id, arena, &intent, err))
		return false;
	if (intent.kind != DB_INTENT_PURGE)
		return err_set(err, ERR_CATALOG_INTEGRITY, NULL);
	sqlite3_stmt *tombstones = db_stmt(db, STMT_TOMBSTONE_MAKE);
	db_bind_int(tombstones, 1, intent.key);
	db_bind_int(tombstones, 2, now_s);
	return db_run(db, tombstones, err) && end(db, id, err) &&
	       run_for(db, STMT_VERSION_REMOVE, intent.key, err) &&
	       run_for(db, STMT_KEY_REMOVE, intent.key, err);
}

bool
db_key_purge_commit(struct db *db, int64_t intent, int64_t now_s, struct err *err)
{
	if (!db_begin(db, err))
		return false;
	if (!write_purged(db, intent, now_s, err))
		return db_rollback(db);
	return db_commit(db, err);
}
