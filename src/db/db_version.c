/* Rows of key versions. Invariant: what a version is never changes after its birth (triggers in schema.tbl). */
#include <assert.h>
#include <string.h>

#include "custody_stmt.h"
#include "db_key.h"
#include "db_row.h"

#define BITS_MAX 16384

void
db_row_version(struct db_row *row, struct db_version *version)
{
	memset(version, 0, sizeof *version);
	db_row_fixed(row, version->id, sizeof version->id);
	version->key = db_row_int(row, 1, INT64_MAX);
	version->sequence = db_row_int(row, 1, INT64_MAX);
	db_row_text(row, version->kty, sizeof version->kty);
	db_row_text(row, version->curve, sizeof version->curve);
	version->bits = (int)db_row_int(row, 0, BITS_MAX);
	version->ops_born = (uint32_t)db_row_int(row, 0, UINT32_MAX);
	version->ops = (uint32_t)db_row_int(row, 0, UINT32_MAX);
	version->enabled = db_row_bool(row);
	version->nbf = db_row_int(row, DB_NO_TIME, INT64_MAX);
	version->exp = db_row_int(row, DB_NO_TIME, INT64_MAX);
	version->created = db_row_int(row, 0, INT64_MAX);
	version->updated = db_row_int(row, 0, INT64_MAX);
	version->tags = db_row_string(row, DB_TAGS_MAX);
	version->spki = db_row_bytes(row, DB_SPKI_MAX);
	db_row_fixed(row, version->fingerprint, sizeof version->fingerprint);
	version->attestation = db_row_bytes(row, DB_BLOB_MAX);
	version->provenance = (uint32_t)db_row_int(row, 0, UINT32_MAX);
	version->state =
		(enum db_version_state)db_row_int(row, DB_VERSION_OK, DB_VERSION_INTEGRITY);
	version->gcm_count = db_row_int(row, 0, INT64_C(1) << 32);
	row->bad = row->bad || (version->ops & ~version->ops_born) != 0;
}

bool
db_tombstone_find(struct db *db, const uint8_t id[static ID_VERSION_BYTES],
	struct db_tombstone *ret_tombstone, bool *ret_found, struct err *err)
{
	CLEAN(db_stmt)
	sqlite3_stmt *statement = db_stmt(db, STMT_TOMBSTONE_FIND);
	struct db_row row = {.statement = statement};
	bool found;
	db_bind_blob(statement, 1, id, ID_VERSION_BYTES);
	if (!db_step(db, statement, &found, err))
		return false;
	if (found) {
		struct db_tombstone tombstone;
		db_row_text(&row, tombstone.vault, sizeof(tombstone.vault));
		db_row_text(&row, tombstone.key, sizeof(tombstone.key));
		tombstone.purged = db_row_int(&row, 0, INT64_MAX);
		if (!db_row_check(&row, "tombstone", err))
			return false;
		*ret_tombstone = tombstone;
	}
	*ret_found = found;
	return true;
}

bool
db_version_find_by_id(struct db *db, const uint8_t id[static ID_VERSION_BYTES], struct arena *arena,
	struct db_key *ret_key, struct db_version *ret_version, struct err *err)
{
	CLEAN(db_stmt)
	sqlite3_stmt *statement = db_stmt(db, STMT_VERSION_FIND);
	db_bind_blob(statement, 1, id, ID_VERSION_BYTES);
	bool found;
	if (!db_step(db, statement, &found, err))
		return false;
	if (!found) {
		struct db_tombstone tombstone;
		if (!db_tombstone_find(db, id, &tombstone, &found, err))
			return false;
		return err_set(err, found ? ERR_KEY_PURGED : ERR_KEY_NOT_FOUND, NULL);
	}
	struct db_row row = {.statement = statement, .arena = arena};
	struct db_key key;
	struct db_version version;
	db_row_key(&row, &key);
	db_row_version(&row, &version);
	if (!db_row_check(&row, "version", err))
		return false;
	*ret_key = key;
	*ret_version = version;
	return true;
}

/* `name` in other letters is the same name. */
static bool
same_name(const char *a, const char *b)
{
	return sqlite3_stricmp(a, b) == 0;
}

bool
db_version_find(struct db *db, int64_t vault, const char *name, const uint8_t *id,
	struct arena *arena, struct db_key *ret_key, struct db_version *ret_version,
	struct err *err)
{
	if (id == NULL) {
		struct db_key_item item;
		if (!db_key_find(db, vault, name, arena, &item, err))
			return false;
		*ret_key = item.key;
		*ret_version = item.newest;
		return true;
	}

	struct db_key key;
	struct db_version version;
	if (!db_version_find_by_id(db, id, arena, &key, &version, err))
		return false;
	if (key.vault != vault || !same_name(key.name, name))
		return err_set(err, ERR_KEY_NOT_FOUND, NULL);
	if (key.state != DB_KEY_LIVE)
		return err_set(err, ERR_KEY_DELETED, NULL);
	*ret_key = key;
	*ret_version = version;
	return true;
}

/* The next row of a statement of VERSION_COLUMNS. */
static bool
read_version(struct db *db, sqlite3_stmt *statement, struct arena *arena,
	struct db_version *ret_version, bool *ret_found, struct err *err)
{
	if (!db_step(db, statement, ret_found, err))
		return false;
	if (!*ret_found)
		return true;
	struct db_row row = {.statement = statement, .arena = arena};
	db_row_version(&row, ret_version);
	return db_row_check(&row, "version", err);
}

static bool
list(struct db *db, sqlite3_stmt *statement, size_t limit, struct arena *arena,
	struct db_version **ret_versions, size_t *ret_count, bool *ret_more, struct err *err)
{
	assert(limit > 0 && limit <= DB_PAGE_MAX);
	struct db_version *versions = arena_array(arena, limit, sizeof *versions);
	size_t count = 0;
	bool found = true;
	for (; count < limit; count++) {
		if (!read_version(db, statement, arena, &versions[count], &found, err))
			return false;
		if (!found)
			break;
	}
	bool more = false; /* was asked for one row more than the limit */
	if (found && !db_step(db, statement, &more, err))
		return false;
	*ret_versions = versions;
	*ret_count = count;
	*ret_more = more;
	return true;
}

bool
db_version_list(struct db *db, int64_t vault, const char *name, int64_t after, size_t limit,
	struct arena *arena, struct db_key *ret_key, struct db_version **ret_versions,
	size_t *ret_count, bool *ret_more, struct err *err)
{
	struct db_key_item item;
	if (!db_key_find(db, vault, name, arena, &item, err))
		return false;
	CLEAN(db_stmt)
	sqlite3_stmt *statement = db_stmt(db, STMT_VERSION_LIST);
	db_bind_int(statement, 1, item.key.id);
	db_bind_int(statement, 2, after);
	db_bind_int(statement, 3, (int64_t)limit + 1);
	if (!list(db, statement, limit, arena, ret_versions, ret_count, ret_more, err))
		return false;
	*ret_key = item.key;
	return true;
}

bool
db_version_list_token(struct db *db, const char *token, const uint8_t *after, size_t limit,
	struct arena *arena, struct db_version **ret_versions, size_t *ret_count, struct err *err)
{
	CLEAN(db_stmt)
	sqlite3_stmt *statement = db_stmt(db, STMT_VERSION_LIST_TOKEN);
	db_bind_text(statement, 1, token);
	db_bind_blob(statement, 2, after == NULL ? (const uint8_t *)"" : after,
		after == NULL ? 0 : ID_VERSION_BYTES);
	db_bind_int(statement, 3, (int64_t)limit);
	bool more; /* the caller goes on until a page is short */
	return list(db, statement, limit, arena, ret_versions, ret_count, &more, err);
}

bool
db_version_insert(struct db *db, const struct db_version *version, int64_t key,
	int64_t *ret_sequence, struct err *err)
{
	sqlite3_stmt *next = db_stmt(db, STMT_VERSION_NEXT);
	db_bind_int(next, 1, key);
	int64_t sequence;
	if (!db_number(db, next, &sequence, err))
		return false;

	static const uint8_t nothing[1];
	sqlite3_stmt *insert = db_stmt(db, STMT_VERSION_INSERT);
	db_bind_blob(insert, 1, version->id, sizeof version->id);
	db_bind_int(insert, 2, key);
	db_bind_int(insert, 3, sequence);
	db_bind_text(insert, 4, version->kty);
	db_bind_text(insert, 5, version->curve);
	db_bind_int(insert, 6, version->bits);
	db_bind_int(insert, 7, version->ops_born);
	db_bind_int(insert, 8, version->ops);
	db_bind_int(insert, 9, version->enabled);
	if (version->nbf != DB_NO_TIME)
		db_bind_int(insert, 10, version->nbf);
	if (version->exp != DB_NO_TIME)
		db_bind_int(insert, 11, version->exp);
	db_bind_int(insert, 12, version->created);
	db_bind_int(insert, 13, version->updated);
	db_bind_text(insert, 14, version->tags);
	db_bind_blob(insert, 15, version->spki.len > 0 ? version->spki.data : nothing,
		version->spki.len);
	db_bind_blob(insert, 16, version->fingerprint, sizeof version->fingerprint);
	db_bind_blob(insert, 17, version->attestation.len > 0 ? version->attestation.data : nothing,
		version->attestation.len);
	db_bind_int(insert, 18, version->provenance);
	if (!db_run_one(db, insert, err))
		return false;
	*ret_sequence = sequence;
	return true;
}

/* What the constraints would refuse is refused with words. */
static bool
check_change(
	struct db *db, const uint8_t *id, const struct db_version_change *change, struct err *err)
{
	CLEAN(arena)
	struct arena *arena = arena_new();
	struct db_key key;
	struct db_version version;
	if (!db_version_find_by_id(db, id, arena, &key, &version, err))
		return false;
	if (key.state != DB_KEY_LIVE)
		return err_set(err, ERR_KEY_DELETED, NULL);
	int64_t nbf = change->has_nbf ? change->nbf : version.nbf;
	int64_t exp = change->has_exp ? change->exp : version.exp;
	if (nbf != DB_NO_TIME && exp != DB_NO_TIME && nbf > exp)
		return err_set(err, ERR_BAD_PARAMETER, "'nbf' must not be later than 'exp'.");
	if (change->has_ops && (change->ops & ~version.ops_born) != 0)
		return err_set(err, ERR_BAD_PARAMETER,
			"'key_ops' can only hold operations that the key was created with.");
	return true;
}

static bool
write_change(
	struct db *db, const uint8_t *id, const struct db_version_change *change, struct err *err)
{
	if (!check_change(db, id, change, err))
		return false;
	sqlite3_stmt *update = db_stmt(db, STMT_VERSION_UPDATE);
	db_bind_blob(update, 1, id, ID_VERSION_BYTES);
	if (change->has_enabled)
		db_bind_int(update, 2, change->enabled);
	db_bind_int(update, 3, change->has_nbf);
	if (change->nbf != DB_NO_TIME)
		db_bind_int(update, 4, change->nbf);
	db_bind_int(update, 5, change->has_exp);
	if (change->exp != DB_NO_TIME)
		db_bind_int(update, 6, change->exp);
	if (change->has_ops)
		db_bind_int(update, 7, change->ops);
	db_bind_text(update, 8, change->tags);
	db_bind_int(update, 9, change->updated);
	return db_run_one(db, update, err);
}

bool
db_version_update(struct db *db, const uint8_t id[static ID_VERSION_BYTES],
	const struct db_version_change *change, struct err *err)
{
	if (!db_begin(db, err))
		return false;
	if (!write_change(db, id, change, err))
		return db_rollback(db);
	return db_commit(db, err);
}

/* Runs an update of one version in a transaction of its own. */
static bool
update_one(struct db *db, sqlite3_stmt *update, struct err *err)
{
	if (!db_begin(db, err))
		return false;
	if (!db_run(db, update, err))
		return db_rollback(db);
	if (db_changes(db) != 1) {
		(void)err_set(err, ERR_KEY_NOT_FOUND, NULL);
		return db_rollback(db);
	}
	return db_commit(db, err);
}

bool
db_version_set_state(struct db *db, const uint8_t id[static ID_VERSION_BYTES],
	enum db_version_state state, struct err *err)
{
	sqlite3_stmt *update = db_stmt(db, STMT_VERSION_STATE);
	db_bind_blob(update, 1, id, ID_VERSION_BYTES);
	db_bind_int(update, 2, state);
	return update_one(db, update, err);
}

bool
db_version_set_attestation(struct db *db, const uint8_t id[static ID_VERSION_BYTES],
	struct bytes attestation, struct err *err)
{
	static const uint8_t nothing[1];
	sqlite3_stmt *update = db_stmt(db, STMT_VERSION_ATTEST);
	db_bind_blob(update, 1, id, ID_VERSION_BYTES);
	db_bind_blob(update, 2, attestation.len > 0 ? attestation.data : nothing, attestation.len);
	return update_one(db, update, err);
}
