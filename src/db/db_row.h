/* Decoders of rows that more than one module of this folder reads; columns as in stmt.tbl. Internal to src/db. */
#pragma once

#include "db_key.h"
#include "db_sql.h"

/* KEY_COLUMNS, VERSION_COLUMNS and VAULT_COLUMNS; row->bad tells. */
void db_row_key(struct db_row *row, struct db_key *key);
void db_row_version(struct db_row *row, struct db_version *version);
void db_row_vault(struct db_row *row, struct db_vault *vault);

/* The row of a vault by id; ERR_VAULT_NOT_FOUND. */
bool db_vault_get(struct db *db, int64_t id, struct arena *arena, struct db_vault *ret_vault,
	struct err *err) MUST_USE;
/* The row of a key by id, in any state; ERR_KEY_NOT_FOUND. */
bool db_key_get(struct db *db, int64_t id, struct db_key *ret_key, struct err *err) MUST_USE;
/* State of a name: 0 if it is free. */
bool db_key_name_state(struct db *db, int64_t vault, const char *name, int64_t *ret_id,
	enum db_key_state *ret_state, struct err *err) MUST_USE;
/* Inserts with the sequence that is next; `version` as in db_create_commit(). */
bool db_version_insert(struct db *db, const struct db_version *version, int64_t key,
	int64_t *ret_sequence, struct err *err) MUST_USE;
