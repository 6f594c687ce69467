/*
 * What the row modules of this folder share and nobody else includes: prepared statements, reading rows,
 * transactions, and the one place where an SQLite result becomes an error.
 */
#pragma once

#include <sqlite3.h>

#include "db.h"

enum stmt {
#define STMT(symbol, text) STMT_##symbol,
#include "stmt.tbl"
	STMT_OWN /* the first of the catalog's own */
};

/* What makes a catalog that of one program; see custody_stmt.h. */
struct db_kind {
	const char *program; /* for messages */
	int64_t application_id;
	const char *const *migrations;
	int64_t schema;                /* number of migrations */
	const char *const *statements; /* its own, numbered from STMT_OWN */
	size_t statement_count;
	const unsigned *accept; /* statements of db_accept(); ?1, if they have it, is the time */
	size_t accept_count;
	int64_t check_max; /* octets: a larger file is not read whole when it is opened; 0: it always is */
};

struct db_gcm; /* db_gcm.c */

struct db {
	char *path;
	struct db_settings settings; /* path is `path` */
	int lock;                    /* flock()ed descriptor of the catalog, held for life */
	sqlite3 *handle;             /* NULL after a failed db_reopen() */
	const struct db_kind *kind;
	sqlite3_stmt **statements; /* STMT_OWN + kind->statement_count */
	int wal_pages;             /* in the WAL after the last commit */
	bool reserve_given;        /* to a full disk */
	bool latched;
	bool held; /* an old copy */

	uint64_t generation;
	int64_t time_mark;
	struct db_audit_head stored_head,
		head; /* in the catalog; to be stored by the next change */
	char instance[2 * 16 + 1];
	uint8_t paging_key[DB_SECRET_BYTES], pin_key[DB_SECRET_BYTES];
	struct db_gcm *gcm;
};

/* Translates `rc` of `what` and latches after a failed sync. Returns false. */
bool db_fail(struct db *db, int rc, const char *what, struct err *err);

/* The statement, reset and unbound; NULL while closed (binding and stepping NULL fail cleanly). */
sqlite3_stmt *db_stmt(struct db *db, unsigned stmt);

static inline void
db_stmt_clean(sqlite3_stmt **statement)
{
	(void)sqlite3_reset(*statement); /* repeats the error of the step, which was reported */
}

/* Binding. Text and blobs are borrowed until the statement is reset. NULL text and NULL data bind NULL. */
void db_bind_int(sqlite3_stmt *statement, int index, int64_t value);
void db_bind_text(sqlite3_stmt *statement, int index, const char *text);
void db_bind_blob(sqlite3_stmt *statement, int index, const void *data, size_t len);
void db_bind_null(sqlite3_stmt *statement, int index);

/* One step: ret_row tells a row from the end. */
bool db_step(struct db *db, sqlite3_stmt *statement, bool *ret_row, struct err *err) MUST_USE;
/* Runs a statement without rows and resets it. */
bool db_run(struct db *db, sqlite3_stmt *statement, struct err *err) MUST_USE;
/* db_run() that must change exactly one row: otherwise ERR_CATALOG_INTEGRITY. */
bool db_run_one(struct db *db, sqlite3_stmt *statement, struct err *err) MUST_USE;
/* Runs a statement of one row and one number. */
bool db_number(
	struct db *db, sqlite3_stmt *statement, int64_t *ret_number, struct err *err) MUST_USE;
int64_t db_changes(const struct db *db);

/* One transaction for each change. commit raises the generation and stores the audit's head. */
bool db_begin(struct db *db, struct err *err) MUST_USE;
bool db_commit(struct db *db, struct err *err) MUST_USE;
bool db_rollback(struct db *db); /* returns false, for `return db_rollback(db);` */

/*
 * Reading the columns of a row in order. What is not as it must be makes the whole row bad; rows come from a file that
 * others may have edited.
 */
struct db_row {
	sqlite3_stmt *statement;
	struct arena *arena;
	int column; /* the next to read */
	bool bad;
};
int64_t db_row_int(struct db_row *row, int64_t min, int64_t max);
bool db_row_bool(struct db_row *row);
void db_row_text(struct db_row *row, char *text, size_t size);       /* bounded copy */
const char *db_row_string(struct db_row *row, size_t max);           /* in the arena */
void db_row_fixed(struct db_row *row, uint8_t *data, size_t len);    /* exactly len octets */
bool db_row_optional(struct db_row *row, uint8_t *data, size_t len); /* false: NULL */
struct bytes db_row_bytes(struct db_row *row, size_t max); /* in the arena; NULL is empty */
/* ERR_CATALOG_INTEGRITY naming `what` if anything was bad. */
bool db_row_check(const struct db_row *row, const char *what, struct err *err) MUST_USE;

/* Grows an arena array of `size`-octet items for lists without a limit; contents are copied. */
void *db_grow(struct arena *arena, void *items, size_t count, size_t *capacity, size_t size);
