/* What makes a catalog custodyd's. Invariant: the tables are the only place where its SQL stands. */
#include "db_custody.h"

#include <assert.h>

#include "custody_stmt.h"

#define APPLICATION_ID 1128612932 /* "CUSD" */

static const char *const migrations[] = {
#define MIGRATION(version, text) [(version)-1] = (text),
#include "custody_schema.tbl"
};
static_assert(ARRAY_LEN(migrations) == DB_SCHEMA, "DB_SCHEMA is the last migration");

static const char *const statements[] = {
#define STMT(symbol, text) text,
#include "custody_stmt.tbl"
};

/*
 * What an old copy must not destroy by its word alone: the object of a creation that it believes unfinished may be a key in
 * use, and a key that it believes deleted may have been recovered, so its retention begins again.
 */
static const unsigned accept[] = {STMT_ACCEPT_CREATIONS, STMT_ACCEPT_RETENTION};

const struct db_kind custody_catalog = {
	.program = "custodyd",
	.application_id = APPLICATION_ID,
	.migrations = migrations,
	.schema = DB_SCHEMA,
	.statements = statements,
	.statement_count = ARRAY_LEN(statements),
	.accept = accept,
	.accept_count = ARRAY_LEN(accept),
};

bool
db_counts(struct db *db, struct db_counts *ret_counts, struct err *err)
{
	CLEAN(db_stmt)
	sqlite3_stmt *statement = db_stmt(db, STMT_COUNTS);
	bool found;
	if (!db_step(db, statement, &found, err))
		return false;
	struct db_row row = {.statement = statement};
	int64_t *const numbers[] = {&ret_counts->vaults, &ret_counts->keys,
		&ret_counts->deleted_keys, &ret_counts->versions, &ret_counts->intents,
		&ret_counts->tombstones};
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		*numbers[i] = db_row_int(&row, 0, INT64_MAX);
	return true;
}
