/* The statements of depd's catalog by name. Internal to src/db. */
#pragma once

#include "db_sql.h"

enum dep_stmt {
	STMT_BEFORE_DEP = STMT_OWN - 1,
#define STMT(symbol, text) STMT_##symbol,
#include "dep_stmt.tbl"
	STMT_AFTER_DEP
};
