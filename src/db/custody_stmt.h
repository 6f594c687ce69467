/* The statements of custodyd's catalog by name. Internal to src/db. */
#pragma once

#include "db_sql.h"

enum custody_stmt {
	STMT_BEFORE_CUSTODY = STMT_OWN - 1,
#define STMT(symbol, text) STMT_##symbol,
#include "custody_stmt.tbl"
	STMT_AFTER_CUSTODY
};
