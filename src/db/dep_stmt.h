/* The statements of depd's catalog by name. Internal to src/db. */
#pragma once

#include "db_sql.h"

enum dep_stmt {
	STMT_BEFORE_DEP = STMT_OWN - 1,
#define STMT(symbol, text) STMT_##symbol,
#include "dep_stmt.tbl"
	STMT_AFTER_DEP
};

/* Also where there are none: they are no NULL. */
static inline void
dep_bind_bytes(sqlite3_stmt *statement, int index, struct bytes bytes)
{
	db_bind_blob(statement, index, bytes.len > 0 ? bytes.data : (const uint8_t *)"", bytes.len);
}
