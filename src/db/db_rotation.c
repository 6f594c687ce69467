/* Rows of rotation policies. */
#include "db_rotation.h"

#include <assert.h>
#include <string.h>

#include "custody_stmt.h"
#include "db_row.h"

static void
read_period(struct db_row *row, char text[static PERIOD_TEXT])
{
	struct period period;
	db_row_text(row, text, PERIOD_TEXT);
	row->bad = row->bad || (text[0] != '\0' && !period_parse(text, &period));
}

static void
read_rotation(struct db_row *row, struct db_rotation *rotation)
{
	memset(rotation, 0, sizeof *rotation);
	read_period(row, rotation->expiry);
	read_period(row, rotation->rotate_after);
	read_period(row, rotation->rotate_before);
	read_period(row, rotation->notify_before);
	rotation->created = db_row_int(row, 0, INT64_MAX);
	rotation->updated = db_row_int(row, 0, INT64_MAX);
	(void)db_row_optional(row, rotation->notified, sizeof rotation->notified);
}

bool
db_rotation_find(struct db *db, int64_t key, struct db_rotation *ret_rotation, bool *ret_found,
	struct err *err)
{
	CLEAN(db_stmt)
	sqlite3_stmt *statement = db_stmt(db, STMT_ROTATION_FIND);
	db_bind_int(statement, 1, key);
	if (!db_step(db, statement, ret_found, err))
		return false;
	if (!*ret_found)
		return true;
	struct db_row row = {.statement = statement};
	read_rotation(&row, ret_rotation);
	return db_row_check(&row, "rotation policy", err);
}

static bool
change(struct db *db, sqlite3_stmt *statement, struct err *err)
{
	if (!db_begin(db, err))
		return false;
	if (!db_run_one(db, statement, err))
		return db_rollback(db);
	return db_commit(db, err);
}

bool
db_rotation_set(struct db *db, int64_t key, const struct db_rotation *rotation, struct err *err)
{
	sqlite3_stmt *set = db_stmt(db, STMT_ROTATION_SET);
	db_bind_int(set, 1, key);
	db_bind_text(set, 2, rotation->expiry);
	db_bind_text(set, 3, rotation->rotate_after);
	db_bind_text(set, 4, rotation->rotate_before);
	db_bind_text(set, 5, rotation->notify_before);
	db_bind_int(set, 6, rotation->updated);
	return change(db, set, err);
}

bool
db_rotation_list(struct db *db, int64_t after, size_t limit, struct arena *arena,
	struct db_rotation_item **ret_items, size_t *ret_count, struct err *err)
{
	assert(limit > 0 && limit <= DB_PAGE_MAX);
	CLEAN(db_stmt)
	sqlite3_stmt *statement = db_stmt(db, STMT_ROTATION_LIST);
	db_bind_int(statement, 1, after);
	db_bind_int(statement, 2, (int64_t)limit);
	struct db_rotation_item *items = arena_array(arena, limit, sizeof *items);
	size_t count = 0;
	for (; count < limit; count++) {
		bool found;
		if (!db_step(db, statement, &found, err))
			return false;
		if (!found)
			break;
		struct db_row row = {.statement = statement, .arena = arena};
		db_row_key(&row, &items[count].key.key);
		db_row_version(&row, &items[count].key.newest);
		read_rotation(&row, &items[count].rotation);
		if (!db_row_check(&row, "rotation policy", err))
			return false;
	}
	*ret_items = items;
	*ret_count = count;
	return true;
}

bool
db_rotation_told(
	struct db *db, int64_t key, const uint8_t version[static ID_VERSION_BYTES], struct err *err)
{
	sqlite3_stmt *told = db_stmt(db, STMT_ROTATION_TOLD);
	db_bind_int(told, 1, key);
	db_bind_blob(told, 2, version, ID_VERSION_BYTES);
	return change(db, told, err);
}
