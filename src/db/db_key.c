/* Rows of keys: finding, listing, soft deletion. Purging is in db_intent.c, versions in db_version.c. */
#include "db_key.h"

#include <assert.h>
#include <string.h>

#include "custody_stmt.h"
#include "db_row.h"

void
db_row_key(struct db_row *row, struct db_key *key)
{
	memset(key, 0, sizeof *key);
	key->id = db_row_int(row, 1, INT64_MAX);
	key->vault = db_row_int(row, 1, INT64_MAX);
	db_row_text(row, key->name, sizeof key->name);
	key->state = (enum db_key_state)db_row_int(row, DB_KEY_LIVE, DB_KEY_PURGING);
	key->created = db_row_int(row, 0, INT64_MAX);
	key->deleted_at = db_row_int(row, 0, INT64_MAX);
	key->scheduled_purge = db_row_int(row, 0, INT64_MAX);
	key->versions = db_row_int(row, 0, INT64_MAX);
	row->bad = row->bad || !id_key_name_valid(key->name);
}

bool
db_key_name_state(struct db *db, int64_t vault, const char *name, int64_t *ret_id,
	enum db_key_state *ret_state, struct err *err)
{
	CLEAN(db_stmt)
	sqlite3_stmt *statement = db_stmt(db, STMT_KEY_STATE);
	db_bind_int(statement, 1, vault);
	db_bind_text(statement, 2, name);
	bool found;
	if (!db_step(db, statement, &found, err))
		return false;
	*ret_id = 0;
	if (!found)
		return true;
	struct db_row row = {.statement = statement};
	int64_t id = db_row_int(&row, 1, INT64_MAX);
	enum db_key_state state = (enum db_key_state)db_row_int(&row, DB_KEY_LIVE, DB_KEY_PURGING);
	if (!db_row_check(&row, "key", err))
		return false;
	*ret_id = id;
	*ret_state = state;
	return true;
}

bool
db_key_get(struct db *db, int64_t id, struct db_key *ret_key, struct err *err)
{
	CLEAN(db_stmt)
	sqlite3_stmt *statement = db_stmt(db, STMT_KEY_GET);
	db_bind_int(statement, 1, id);
	bool found;
	if (!db_step(db, statement, &found, err))
		return false;
	if (!found)
		return err_set(err, ERR_KEY_NOT_FOUND, NULL);
	struct db_row row = {.statement = statement};
	struct db_key key;
	db_row_key(&row, &key);
	if (!db_row_check(&row, "key", err))
		return false;
	*ret_key = key;
	return true;
}

/* The next row of a statement of KEY_COLUMNS and VERSION_COLUMNS. */
static bool
read_item(struct db *db, sqlite3_stmt *statement, struct arena *arena, struct db_key_item *ret_item,
	bool *ret_found, struct err *err)
{
	if (!db_step(db, statement, ret_found, err))
		return false;
	if (!*ret_found)
		return true;
	struct db_row row = {.statement = statement, .arena = arena};
	db_row_key(&row, &ret_item->key);
	db_row_version(&row, &ret_item->newest);
	return db_row_check(&row, "key", err);
}

static bool
find(struct db *db, int64_t vault, const char *name, struct arena *arena,
	struct db_key_item *ret_item, bool *ret_found, struct err *err)
{
	CLEAN(db_stmt)
	sqlite3_stmt *statement = db_stmt(db, STMT_KEY_FIND);
	db_bind_int(statement, 1, vault);
	db_bind_text(statement, 2, name);
	return read_item(db, statement, arena, ret_item, ret_found, err);
}

bool
db_key_find(struct db *db, int64_t vault, const char *name, struct arena *arena,
	struct db_key_item *ret_item, struct err *err)
{
	struct db_key_item item;
	bool found;
	if (!find(db, vault, name, arena, &item, &found, err))
		return false;
	if (!found)
		return err_set(err, ERR_KEY_NOT_FOUND, NULL);
	if (item.key.state != DB_KEY_LIVE)
		return err_set(err, ERR_KEY_DELETED, NULL);
	*ret_item = item;
	return true;
}

bool
db_key_find_deleted(struct db *db, int64_t vault, const char *name, struct arena *arena,
	struct db_key_item *ret_item, struct err *err)
{
	struct db_key_item item;
	bool found;
	if (!find(db, vault, name, arena, &item, &found, err))
		return false;
	if (!found || item.key.state == DB_KEY_LIVE)
		return err_set(err, ERR_KEY_NOT_FOUND, "Deleted Key not found: %s", name);
	*ret_item = item;
	return true;
}

static bool
list(struct db *db, sqlite3_stmt *statement, size_t limit, struct arena *arena,
	struct db_key_item **ret_items, size_t *ret_count, bool *ret_more, struct err *err)
{
	assert(limit > 0 && limit <= DB_PAGE_MAX);
	struct db_key_item *items = arena_array(arena, limit, sizeof *items);
	size_t count = 0;
	bool found = true;
	for (; count < limit; count++) {
		if (!read_item(db, statement, arena, &items[count], &found, err))
			return false;
		if (!found)
			break;
	}
	bool more = false; /* was asked for one row more than the limit */
	if (found && !db_step(db, statement, &more, err))
		return false;
	*ret_items = items;
	*ret_count = count;
	*ret_more = more;
	return true;
}

bool
db_key_list(struct db *db, int64_t vault, const char *after, size_t limit, struct arena *arena,
	struct db_key_item **ret_items, size_t *ret_count, bool *ret_more, struct err *err)
{
	CLEAN(db_stmt)
	sqlite3_stmt *statement = db_stmt(db, STMT_KEY_LIST);
	db_bind_int(statement, 1, vault);
	db_bind_text(statement, 2, after);
	db_bind_int(statement, 3, (int64_t)limit + 1);
	return list(db, statement, limit, arena, ret_items, ret_count, ret_more, err);
}

bool
db_key_list_deleted(struct db *db, int64_t vault, const char *after, size_t limit,
	struct arena *arena, struct db_key_item **ret_items, size_t *ret_count, bool *ret_more,
	struct err *err)
{
	CLEAN(db_stmt)
	sqlite3_stmt *statement = db_stmt(db, STMT_KEY_LIST_DELETED);
	db_bind_int(statement, 1, vault);
	db_bind_text(statement, 2, after);
	db_bind_int(statement, 3, (int64_t)limit + 1);
	return list(db, statement, limit, arena, ret_items, ret_count, ret_more, err);
}

bool
db_key_list_due(struct db *db, int64_t now_s, size_t limit, struct arena *arena,
	struct db_key **ret_keys, size_t *ret_count, struct err *err)
{
	assert(limit > 0 && limit <= DB_PAGE_MAX);
	CLEAN(db_stmt)
	sqlite3_stmt *statement = db_stmt(db, STMT_KEY_LIST_DUE);
	db_bind_int(statement, 1, now_s);
	db_bind_int(statement, 2, (int64_t)limit);
	struct db_key *keys = arena_array(arena, limit, sizeof *keys);
	size_t count = 0;
	for (; count < limit; count++) {
		bool found;
		if (!db_step(db, statement, &found, err))
			return false;
		if (!found)
			break;
		struct db_row row = {.statement = statement, .arena = arena};
		db_row_key(&row, &keys[count]);
		if (!db_row_check(&row, "key", err))
			return false;
	}
	*ret_keys = keys;
	*ret_count = count;
	return true;
}

static bool
write_delete(struct db *db, int64_t id, int64_t now_s, struct db_key *ret_key, struct err *err)
{
	struct db_key key;
	if (!db_key_get(db, id, &key, err))
		return false;
	if (key.state != DB_KEY_LIVE)
		return err_set(err, ERR_KEY_DELETED, NULL);
	sqlite3_stmt *update = db_stmt(db, STMT_KEY_DELETE);
	db_bind_int(update, 1, id);
	db_bind_int(update, 2, now_s);
	return db_run_one(db, update, err) && db_key_get(db, id, ret_key, err);
}

bool
db_key_delete(struct db *db, int64_t id, int64_t now_s, struct db_key *ret_key, struct err *err)
{
	struct db_key key;
	if (!db_begin(db, err))
		return false;
	if (!write_delete(db, id, now_s, &key, err))
		return db_rollback(db);
	if (!db_commit(db, err))
		return false;
	*ret_key = key;
	return true;
}

static bool
write_recover(struct db *db, int64_t id, struct err *err)
{
	struct db_key key;
	if (!db_key_get(db, id, &key, err))
		return false;
	if (key.state == DB_KEY_PURGING)
		return err_set(err, ERR_BEING_DELETED, NULL);
	if (key.state == DB_KEY_LIVE)
		return err_set(err, ERR_KEY_NOT_FOUND, "Deleted Key not found: %s", key.name);
	sqlite3_stmt *update = db_stmt(db, STMT_KEY_RECOVER);
	db_bind_int(update, 1, id);
	return db_run_one(db, update, err);
}

bool
db_key_recover(struct db *db, int64_t id, struct err *err)
{
	if (!db_begin(db, err))
		return false;
	if (!write_recover(db, id, err))
		return db_rollback(db);
	return db_commit(db, err);
}
