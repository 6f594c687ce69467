/* Statements, rows and transactions. Invariant: no statement stays stepped when a function returns. */
#include "db_sql.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/b64.h"

/* Checkpoint when the WAL holds this many pages (4 MiB); sqlite's own default, without its silence. */
#define WAL_PAGES 1000

static bool
is_sync_failure(int rc)
{
	return rc == SQLITE_IOERR_FSYNC || rc == SQLITE_IOERR_DIR_FSYNC;
}

static enum err_code
code_of(int rc, int system)
{
	if (rc == SQLITE_FULL || rc == SQLITE_IOERR_SHMSIZE)
		return ERR_STORAGE_FULL;
	if ((rc & 0xff) == SQLITE_IOERR &&
		(system == ENOSPC || system == EDQUOT || system == EFBIG))
		return ERR_STORAGE_FULL;
	if (rc == SQLITE_IOERR_CORRUPTFS || rc == SQLITE_IOERR_DATA ||
		rc == SQLITE_IOERR_SHORT_READ)
		return ERR_CATALOG_INTEGRITY;
	switch (rc & 0xff) {
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_FORMAT:
	case SQLITE_CONSTRAINT: /* what can be asked before is asked before */
	case SQLITE_MISMATCH:
		return ERR_CATALOG_INTEGRITY;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return ERR_UNAVAILABLE; /* somebody's shell holds the file */
	default:
		return ERR_STORAGE;
	}
}

bool
db_fail(struct db *db, int rc, const char *what, struct err *err)
{
	int system = errno; /* sqlite3_system_errno() knows only what happened while opening */
	if (rc == SQLITE_NOMEM)
		abort();
	if (db->handle == NULL) {
		(void)err_set(err, ERR_STORAGE, "The catalog is closed after a failure.");
		return err_origin(err, "%s: closed", what);
	}

	if (is_sync_failure(rc))
		db->latched = true;
	(void)err_set(err, code_of(rc, system), NULL);
	return err_origin(
		err, "%s: %s (%d): %s", what, sqlite3_errstr(rc), rc, sqlite3_errmsg(db->handle));
}

sqlite3_stmt *
db_stmt(struct db *db, unsigned stmt)
{
	sqlite3_stmt *statement = db->statements[stmt];
	if (statement == NULL)
		return NULL;
	(void)sqlite3_reset(statement);
	(void)sqlite3_clear_bindings(statement);
	return statement;
}

/* A bind fails only for a wrong index or a statement in use, both bugs of ours; NULL stands for "closed". */
static void
bound(const sqlite3_stmt *statement, int rc)
{
	if (rc == SQLITE_NOMEM)
		abort();
	assert(statement == NULL || rc == SQLITE_OK);
}

void
db_bind_int(sqlite3_stmt *statement, int index, int64_t value)
{
	bound(statement, sqlite3_bind_int64(statement, index, value));
}

void
db_bind_text(sqlite3_stmt *statement, int index, const char *text)
{
	bound(statement, sqlite3_bind_text(statement, index, text, -1, SQLITE_STATIC));
}

void
db_bind_blob(sqlite3_stmt *statement, int index, const void *data, size_t len)
{
	if (len == 0 && data != NULL)
		bound(statement, sqlite3_bind_zeroblob(statement, index, 0));
	else
		bound(statement, sqlite3_bind_blob64(statement, index, data, len, SQLITE_STATIC));
}

void
db_bind_null(sqlite3_stmt *statement, int index)
{
	bound(statement, sqlite3_bind_null(statement, index));
}

bool
db_step(struct db *db, sqlite3_stmt *statement, bool *ret_row, struct err *err)
{
	errno = 0; /* for db_fail() */
	int rc = statement == NULL ? SQLITE_MISUSE : sqlite3_step(statement);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE) {
		(void)db_fail(
			db, rc, statement == NULL ? "statement" : sqlite3_sql(statement), err);
		(void)sqlite3_reset(statement);
		return false;
	}
	*ret_row = rc == SQLITE_ROW;
	return true;
}

bool
db_run(struct db *db, sqlite3_stmt *statement, struct err *err)
{
	bool row = false;
	bool done = db_step(db, statement, &row, err);
	(void)sqlite3_reset(statement);
	assert(!done || !row);
	return done;
}

bool
db_run_one(struct db *db, sqlite3_stmt *statement, struct err *err)
{
	if (!db_run(db, statement, err))
		return false;
	if (db_changes(db) == 1)
		return true;
	(void)err_set(err, ERR_CATALOG_INTEGRITY, NULL);
	return err_origin(err, "%lld rows: %s", (long long)db_changes(db), sqlite3_sql(statement));
}

bool
db_number(struct db *db, sqlite3_stmt *statement, int64_t *ret_number, struct err *err)
{
	bool row = false;
	if (!db_step(db, statement, &row, err))
		return false;
	assert(row);
	*ret_number = sqlite3_column_int64(statement, 0);
	(void)sqlite3_reset(statement);
	return true;
}

int64_t
db_changes(const struct db *db)
{
	return sqlite3_changes64(db->handle);
}

bool
db_begin(struct db *db, struct err *err)
{
	if (db->latched)
		return err_set(err, ERR_STORAGE,
			"The storage failed to keep what was written; the catalog is read-only.");
	if (db->held)
		return err_set(err, ERR_CATALOG_ROLLED_BACK, NULL);
	return db_run(db, db_stmt(db, STMT_BEGIN), err);
}

bool
db_rollback(struct db *db)
{
	if (db->handle == NULL || sqlite3_get_autocommit(db->handle) != 0)
		return false;
	sqlite3_stmt *statement = db_stmt(db, STMT_ROLLBACK);
	(void)sqlite3_step(statement); /* the error that led here is the one that counts */
	(void)sqlite3_reset(statement);
	return false;
}

static void
checkpoint(struct db *db)
{
	int rc = sqlite3_wal_checkpoint_v2(db->handle, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	struct err ignored; /* the WAL keeps it all; only a failed sync must not pass unnoticed */
	if (rc != SQLITE_OK)
		(void)db_fail(db, rc, "checkpoint", &ignored);
	db->wal_pages = 0;
}

bool
db_scrub(struct db *db, struct err *err)
{
	if (db->handle == NULL || db->latched)
		return err_set(err, ERR_STORAGE, NULL);
	int rc =
		sqlite3_wal_checkpoint_v2(db->handle, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	if (rc != SQLITE_OK)
		return db_fail(db, rc, "checkpoint", err);
	db->wal_pages = 0;
	return true;
}

bool
db_commit(struct db *db, struct err *err)
{
	sqlite3_stmt *meta = db_stmt(db, STMT_META_COMMIT);
	db_bind_int(meta, 1, (int64_t)(db->generation + 1));
	db_bind_int(meta, 2, (int64_t)db->head.records);
	db_bind_int(meta, 3, (int64_t)db->head.offset);
	db_bind_blob(meta, 4, db->head.hash, sizeof db->head.hash);
	if (!db_run_one(db, meta, err))
		return db_rollback(db);

	if (!db_run(db, db_stmt(db, STMT_COMMIT), err)) {
		/* The frames may have reached the disk though their sync failed: a restart tells. */
		if (db->latched)
			(void)err_set(err, ERR_OUTCOME_UNKNOWN,
				"The storage failed while the change was written; a restart tells "
				"whether it was.");
		(void)db_rollback(db);
		if (err->code == ERR_STORAGE_FULL)
			checkpoint(
				db); /* what the WAL holds, it can hold again: the next change may fit */
		return false;
	}
	db->generation++;
	db->stored_head = db->head;
	if (db->wal_pages >= WAL_PAGES)
		checkpoint(db);
	return true;
}

static bool
is_type(struct db_row *row, int type)
{
	if (sqlite3_column_type(row->statement, row->column) == type)
		return true;
	row->bad = true;
	return false;
}

int64_t
db_row_int(struct db_row *row, int64_t min, int64_t max)
{
	int64_t value = min;
	if (is_type(row, SQLITE_INTEGER))
		value = sqlite3_column_int64(row->statement, row->column);
	row->column++;
	if (value >= min && value <= max)
		return value;
	row->bad = true;
	return min;
}

bool
db_row_bool(struct db_row *row)
{
	return db_row_int(row, 0, 1) == 1;
}

/* Text of the next column, at most `max` octets and without NUL inside; "" for a bad one. */
static const char *
text_column(struct db_row *row, size_t max, size_t *ret_len)
{
	int column = row->column++;
	*ret_len = 0;
	if (sqlite3_column_type(row->statement, column) != SQLITE_TEXT) {
		row->bad = true;
		return "";
	}
	const char *text = (const char *)sqlite3_column_text(row->statement, column);
	if (text == NULL)
		abort(); /* out of memory */
	size_t len = (size_t)sqlite3_column_bytes(row->statement, column);
	if (len > max || strlen(text) != len) {
		row->bad = true;
		return "";
	}
	*ret_len = len;
	return text;
}

void
db_row_text(struct db_row *row, char *text, size_t size)
{
	size_t len;
	const char *value = text_column(row, size - 1, &len);
	memcpy(text, value, len);
	text[len] = '\0';
}

const char *
db_row_string(struct db_row *row, size_t max)
{
	size_t len;
	const char *value = text_column(row, max, &len);
	return arena_strndup(row->arena, value, len);
}

bool
db_row_optional(struct db_row *row, uint8_t *data, size_t len)
{
	int column = row->column;
	if (sqlite3_column_type(row->statement, column) == SQLITE_NULL) {
		memset(data, 0, len);
		row->column++;
		return false;
	}
	db_row_fixed(row, data, len);
	return true;
}

void
db_row_fixed(struct db_row *row, uint8_t *data, size_t len)
{
	bool right = is_type(row, SQLITE_BLOB) &&
		     (size_t)sqlite3_column_bytes(row->statement, row->column) == len;
	if (right)
		memcpy(data, sqlite3_column_blob(row->statement, row->column), len);
	else
		memset(data, 0, len);
	row->bad = row->bad || !right;
	row->column++;
}

struct bytes
db_row_bytes(struct db_row *row, size_t max)
{
	int column = row->column++;
	int type = sqlite3_column_type(row->statement, column);
	size_t len = type == SQLITE_BLOB ? (size_t)sqlite3_column_bytes(row->statement, column) : 0;
	if (type == SQLITE_NULL || len == 0) {
		row->bad = row->bad || (type != SQLITE_NULL && type != SQLITE_BLOB);
		return (struct bytes){NULL, 0};
	}
	if (len > max) {
		row->bad = true;
		return (struct bytes){NULL, 0};
	}
	return arena_bytes(row->arena, sqlite3_column_blob(row->statement, column), len);
}

bool
db_row_check(const struct db_row *row, const char *what, struct err *err)
{
	if (!row->bad)
		return true;
	(void)err_set(err, ERR_CATALOG_INTEGRITY, NULL);
	return err_origin(err, "a row of %s is not as it must be", what);
}

void *
db_grow(struct arena *arena, void *items, size_t count, size_t *capacity, size_t size)
{
	if (count < *capacity)
		return items;
	size_t larger = *capacity == 0 ? 16 : 2 * *capacity;
	void *grown = arena_array(arena, larger, size);
	if (count > 0)
		memcpy(grown, items, count * size);
	*capacity = larger;
	return grown;
}
