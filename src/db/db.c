/*
 * Opening the catalog and what concerns it as a whole. Invariant: while `handle` is set, every statement is prepared,
 * the schema is the kind's last, and the numbers in struct db are those of the last commit.
 */
#include "db.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/b64.h"
#include "base/secret.h"
#include "db_file.h"
#include "db_gcm.h"
#include "db_gcm_table.h"
#include "db_sql.h"

enum question {
#define QUESTION(symbol, text) QUESTION_##symbol,
#define SETUP(text)
#define BIRTH(text)
#include "schema.tbl"
};

static const char *const questions[] = {
#define QUESTION(symbol, text) text,
#define SETUP(text)
#define BIRTH(text)
#include "schema.tbl"
};

static const char *const setup[] = {
#define QUESTION(symbol, text)
#define SETUP(text) text,
#define BIRTH(text)
#include "schema.tbl"
};

static const char *const birth[] = {
#define QUESTION(symbol, text)
#define SETUP(text)
#define BIRTH(text) text,
#include "schema.tbl"
};

static const char *const common[STMT_OWN] = {
#define STMT(symbol, text) text,
#include "stmt.tbl"
};

static size_t
statement_count(const struct db *db)
{
	return STMT_OWN + db->kind->statement_count;
}

static const char *
statement_text(const struct db *db, size_t stmt)
{
	return stmt < STMT_OWN ? common[stmt] : db->kind->statements[stmt - STMT_OWN];
}

static void
release(struct db *db)
{
	for (size_t i = 0; i < statement_count(db); i++) {
		(void)sqlite3_finalize(db->statements[i]); /* repeats the error of its last step */
		db->statements[i] = NULL;
	}
	if (db->handle != NULL && sqlite3_close(db->handle) != SQLITE_OK)
		assert(!"a statement outlives the catalog");
	db->handle = NULL;
}

static bool
execute(struct db *db, const char *text, struct err *err)
{
	int rc = sqlite3_exec(db->handle, text, NULL, NULL, NULL);
	return rc == SQLITE_OK || db_fail(db, rc, text, err);
}

/* Before the statements are prepared. */
static bool
ask(struct db *db, enum question question, int64_t *ret_number, struct err *err)
{
	sqlite3_stmt *statement = NULL;
	const char *text = questions[question];
	int rc = sqlite3_prepare_v2(db->handle, text, -1, &statement, NULL);
	if (rc != SQLITE_OK)
		return db_fail(db, rc, text, err);
	bool done = db_number(db, statement, ret_number, err);
	(void)sqlite3_finalize(statement);
	return done;
}

static bool
check_schema(struct db *db, int64_t *ret_version, struct err *err)
{
	int64_t application, version, objects;
	if (!ask(db, QUESTION_APPLICATION, &application, err) ||
		!ask(db, QUESTION_VERSION, &version, err) ||
		!ask(db, QUESTION_OBJECTS, &objects, err))
		return false;
	const struct db_kind *kind = db->kind;
	if (application != kind->application_id &&
		(application != 0 || version != 0 || objects != 0))
		return err_set(
			err, ERR_CONFIG, "%s is not a catalog of %s.", db->path, kind->program);
	if (version > kind->schema)
		return err_set(err, ERR_CONFIG,
			"The catalog has schema version %lld; this program knows up to %lld. Use "
			"the newer program.",
			(long long)version, (long long)kind->schema);
	if (version < 0 || (application == kind->application_id && version == 0))
		return err_set(err, ERR_CATALOG_INTEGRITY, NULL);
	*ret_version = version;
	return true;
}

/* One transaction for each step: an interrupted upgrade goes on where it was (threats D17). */
static bool
migrate(struct db *db, int64_t version, struct err *err)
{
	for (; version < db->kind->schema; version++) {
		bool done = execute(db, common[STMT_BEGIN], err) &&
			    (version > 0 || execute(db, birth[0], err)) &&
			    execute(db, db->kind->migrations[version], err) &&
			    execute(db, common[STMT_COMMIT], err);
		if (!done) {
			/* none may be open any more */
			(void)sqlite3_exec(db->handle, common[STMT_ROLLBACK], NULL, NULL, NULL);
			return false;
		}
	}
	return true;
}

static bool
prepare(struct db *db, struct err *err)
{
	for (size_t i = 0; i < statement_count(db); i++) {
		const char *text = statement_text(db, i);
		int rc = sqlite3_prepare_v3(
			db->handle, text, -1, SQLITE_PREPARE_PERSISTENT, &db->statements[i], NULL);
		if (rc != SQLITE_OK)
			return db_fail(db, rc, text, err);
	}
	return true;
}

static void
fill_random(uint8_t *data, size_t len)
{
	ssize_t got = getrandom(data, len, 0); /* up to 256 octets are never short (getrandom(2)) */
	assert(got == (ssize_t)len);
}

/* The one row of meta, made at birth: after a crash between migration and this, by the next open. */
static bool
insert_meta(struct db *db, struct err *err)
{
	uint8_t instance[16], paging[DB_SECRET_BYTES], pin[DB_SECRET_BYTES];
	fill_random(instance, sizeof instance);
	fill_random(paging, sizeof paging);
	fill_random(pin, sizeof pin);
	sqlite3_stmt *insert = db_stmt(db, STMT_META_INSERT);
	db_bind_blob(insert, 1, instance, sizeof instance);
	db_bind_blob(insert, 2, paging, sizeof paging);
	db_bind_blob(insert, 3, pin, sizeof pin);
	bool done = db_run(db, insert, err);
	secret_wipe(paging, sizeof paging);
	secret_wipe(pin, sizeof pin);
	return done;
}

static bool
read_meta(struct db *db, bool *ret_found, struct err *err)
{
	CLEAN(db_stmt)
	sqlite3_stmt *statement = db_stmt(db, STMT_META_GET);
	if (!db_step(db, statement, ret_found, err))
		return false;
	if (!*ret_found)
		return true;
	struct db_row row = {.statement = statement};
	uint8_t instance[16];
	db_row_fixed(&row, instance, sizeof instance);
	hex_encode(instance, sizeof instance, db->instance);
	db_row_fixed(&row, db->paging_key, sizeof db->paging_key);
	db_row_fixed(&row, db->pin_key, sizeof db->pin_key);
	db->generation = (uint64_t)db_row_int(&row, 0, INT64_MAX);
	db->time_mark = db_row_int(&row, 0, INT64_MAX);
	db->stored_head.records = (uint64_t)db_row_int(&row, 0, INT64_MAX);
	db->stored_head.offset = (uint64_t)db_row_int(&row, 0, INT64_MAX);
	db_row_fixed(&row, db->stored_head.hash, sizeof db->stored_head.hash);
	return db_row_check(&row, "meta", err);
}

static bool
load_meta(struct db *db, struct err *err)
{
	bool found;
	if (!read_meta(db, &found, err))
		return false;
	if (!found && (!insert_meta(db, err) || !read_meta(db, &found, err)))
		return false;
	db->head = db->stored_head;
	return true;
}

static int
note_wal_pages(void *context, sqlite3 *handle, const char *name, int pages)
{
	struct db *db = context;
	(void)handle;
	(void)name;
	db->wal_pages = pages;
	return SQLITE_OK;
}

static bool
too_large_to_check(const struct db *db)
{
	struct stat status;
	return db->kind->check_max > 0 && fstat(db->lock, &status) == 0 &&
	       status.st_size > db->kind->check_max;
}

/* Everything between the lock and the first request; on failure the caller releases. */
static bool
set_up(struct db *db, struct err *err)
{
	int rc = sqlite3_open_v2(db->path, &db->handle,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
	if (rc != SQLITE_OK)
		return db_fail(db, rc, "open", err);
	int64_t version = 0;
	if (!check_schema(
		    db, &version, err)) /* before anything is written to what may not be ours */
		return false;
	(void)sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	for (size_t i = 0; i < ARRAY_LEN(setup); i++)
		if (!execute(db, setup[i], err))
			return false;
	if (!migrate(db, version, err))
		return false;
	/* after the pragmas: setting wal_autocheckpoint takes the hook */
	(void)sqlite3_wal_hook(db->handle, note_wal_pages, db);
	return prepare(db, err) && (too_large_to_check(db) || db_check(db, err)) &&
	       load_meta(db, err);
}

/* A disk that is full stops changes, not the start: what can be read is served (threats D1). */
static bool
set_up_with_room(struct db *db, struct err *err)
{
	const struct db_settings *settings = &db->settings;
	struct err full = {0};
	if (!set_up(db, &full)) {
		db->reserve_given = full.code == ERR_STORAGE_FULL && db_file_release(db->path);
		release(db);
		if (db->reserve_given)
			return set_up(db, err);
		*err = full;
		return false;
	}
	db->reserve_given = !db_file_reserve(db->path, settings->reserve_bytes, &full);
	if (!db->reserve_given || full.code == ERR_STORAGE_FULL)
		return true;
	*err = full;
	return false;
}

struct db *
db_open(const struct db_settings *settings, struct err *err)
{
	int lock;
	if (!db_file_lock(settings, &lock, err))
		return NULL;
	struct db *db = calloc(1, sizeof *db);
	if (db == NULL || (db->path = strdup(settings->path)) == NULL)
		abort();
	db->kind = settings->kind;
	db->statements = calloc(statement_count(db), sizeof *db->statements);
	if (db->statements == NULL)
		abort();
	db->settings = *settings;
	db->settings.path = db->path;
	db->lock = lock;
	db->gcm = db_gcm_new();
	if (!set_up_with_room(db, err)) {
		db_close(db);
		return NULL;
	}
	return db;
}

void
db_close(struct db *db)
{
	if (db == NULL)
		return;
	release(db);
	db_gcm_free(db->gcm);
	(void)close(
		db->lock); /* last: SQLite's own locks would go with any descriptor of the file */
	secret_wipe(db->paging_key, sizeof db->paging_key);
	secret_wipe(db->pin_key, sizeof db->pin_key);
	free(db->statements);
	free(db->path);
	free(db);
}

bool
db_read_only(const struct db *db)
{
	return db->latched;
}

void
db_latch(struct db *db)
{
	db->latched = true;
}

void
db_hold(struct db *db)
{
	db->held = true;
}

bool
db_held(const struct db *db)
{
	return db->held;
}

static bool
accept_rows(struct db *db, int64_t now_s, struct err *err)
{
	for (size_t i = 0; i < db->kind->accept_count; i++) {
		sqlite3_stmt *statement = db_stmt(db, db->kind->accept[i]);
		if (sqlite3_bind_parameter_count(statement) > 0)
			db_bind_int(statement, 1, now_s);
		if (!db_run(db, statement, err))
			return false;
	}
	return true;
}

bool
db_accept(struct db *db, uint64_t generation, int64_t now_s, struct err *err)
{
	uint64_t was = db->generation;
	db->held = false;
	if (db_begin(db, err)) {
		if (db->generation < generation)
			db->generation = generation; /* the commit counts on from here */
		if (accept_rows(db, now_s, err) ? db_commit(db, err) : db_rollback(db))
			return true;
		db->generation = was;
	}
	db->held = true;
	return false;
}

bool
db_reopen(struct db *db, struct err *err)
{
	struct db_audit_head head = db->head;
	uint64_t generation = db->generation;
	if (db->handle != NULL) /* what could not be synced must not be copied about */
		(void)sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	release(db);
	db_file_forget(db->lock, db->path);
	db_gcm_forget(db->gcm);
	if (!set_up(db, err)) {
		release(db);
		db->latched = true;
		return false;
	}
	if (db->generation < generation) { /* what was answered is not there */
		release(db);
		db->latched = true;
		return err_set(err, ERR_CATALOG_INTEGRITY,
			"The storage lost changes that it had confirmed.");
	}
	db->head = head;
	db->latched = false;
	return true;
}

bool
db_release_reserve(struct db *db)
{
	if (db->reserve_given || db->settings.reserve_bytes == 0)
		return false;
	(void)db_file_release(db->path); /* not there is as good */
	db->reserve_given = true;
	return true;
}

bool
db_restore_reserve(struct db *db, struct err *err)
{
	if (!db_file_has_room(
		    db->path, db->settings.reserve_bytes)) /* it would take back what it gave */
		return err_set(err, ERR_STORAGE_FULL, NULL);
	db->reserve_given = !db_file_reserve(db->path, db->settings.reserve_bytes, err);
	return !db->reserve_given;
}

bool
db_reserve_given(const struct db *db)
{
	return db->reserve_given;
}

bool
db_check(struct db *db, struct err *err)
{
	CLEAN(db_stmt)
	sqlite3_stmt *quick = db_stmt(db, STMT_QUICK_CHECK);
	bool row;
	if (!db_step(db, quick, &row, err))
		return false;
	const char *finding = row ? (const char *)sqlite3_column_text(quick, 0) : NULL;
	if (finding == NULL || strcmp(finding, "ok") != 0) {
		(void)err_set(err, ERR_CATALOG_INTEGRITY, NULL);
		return err_origin(err, "quick_check: %s", finding == NULL ? "no answer" : finding);
	}
	CLEAN(db_stmt)
	sqlite3_stmt *foreign = db_stmt(db, STMT_FOREIGN_CHECK);
	if (!db_step(db, foreign, &row, err))
		return false;
	if (!row)
		return true;
	(void)err_set(err, ERR_CATALOG_INTEGRITY, NULL);
	return err_origin(err, "foreign_key_check: a row of %s points nowhere",
		(const char *)sqlite3_column_text(foreign, 0));
}

uint64_t
db_generation(const struct db *db)
{
	return db->generation;
}

void
db_set_audit_head(struct db *db, const struct db_audit_head *head)
{
	db->head = *head;
}

struct db_audit_head
db_audit_head(const struct db *db)
{
	return db->stored_head;
}

bool
db_store_audit_head(struct db *db, struct err *err)
{
	return db->head.records == db->stored_head.records ||
	       (db_begin(db, err) && db_commit(db, err));
}

const char *
db_instance(const struct db *db)
{
	return db->instance;
}

const uint8_t *
db_paging_key(const struct db *db)
{
	return db->paging_key;
}

const uint8_t *
db_pin_key(const struct db *db)
{
	return db->pin_key;
}

int64_t
db_time_mark(const struct db *db)
{
	return db->time_mark;
}

bool
db_set_time_mark(struct db *db, int64_t wall_s, struct err *err)
{
	if (wall_s <= db->time_mark)
		return true;
	if (!db_begin(db, err))
		return false;
	sqlite3_stmt *update = db_stmt(db, STMT_META_TIME);
	db_bind_int(update, 1, wall_s);
	if (!db_run_one(db, update, err))
		return db_rollback(db);
	if (!db_commit(db, err))
		return false;
	db->time_mark = wall_s;
	return true;
}
