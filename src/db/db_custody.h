/* custodyd's catalog as a whole; its rows are in db_token.h, db_vault.h, db_key.h and db_intent.h. */
#pragma once

#include "db.h"

#define DB_SCHEMA 1

extern const struct db_kind custody_catalog;

struct db_counts {
	int64_t vaults, keys, deleted_keys, versions, intents, tombstones;
};
bool db_counts(struct db *db, struct db_counts *ret_counts, struct err *err) MUST_USE;
