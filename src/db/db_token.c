/* Rows of tokens. Invariant: a token is enrolled once, and no identity belongs to two. */
#include "db_token.h"

#include <string.h>

#include "custody_stmt.h"

#define TOKENS_MAX 1024 /* rows, also of tokens no longer configured */

static bool
read_row(struct db_row *row, struct db_token *token, struct err *err)
{
	memset(token, 0, sizeof *token);
	row->column = 0;
	db_row_text(row, token->name, sizeof token->name);
	db_row_text(row, token->label, sizeof token->label);
	db_row_text(row, token->serial, sizeof token->serial);
	db_row_text(row, token->manufacturer, sizeof token->manufacturer);
	db_row_text(row, token->model, sizeof token->model);
	(void)db_row_optional(
		row, token->identity_id, sizeof token->identity_id); /* with identity or not */
	token->identity = db_row_bytes(row, DB_SPKI_MAX);
	token->capability = db_row_bytes(row, DB_BLOB_MAX);
	token->enrolled_at = db_row_int(row, 0, INT64_MAX);
	token->counter = db_row_int(row, 0, INT64_MAX);
	token->pin_refused = db_row_optional(row, token->pin_salt, sizeof token->pin_salt);
	(void)db_row_optional(row, token->pin_digest, sizeof token->pin_digest); /* as pin_salt */
	return db_row_check(row, "token", err);
}

bool
db_token_find(struct db *db, const char *name, struct arena *arena, struct db_token *ret_token,
	bool *ret_found, struct err *err)
{
	CLEAN(db_stmt)
	sqlite3_stmt *statement = db_stmt(db, STMT_TOKEN_FIND);
	db_bind_text(statement, 1, name);
	struct db_row row = {.statement = statement, .arena = arena};
	bool found;
	if (!db_step(db, statement, &found, err))
		return false;
	struct db_token token;
	if (found && !read_row(&row, &token, err))
		return false;
	if (found)
		*ret_token = token;
	*ret_found = found;
	return true;
}

bool
db_token_list(struct db *db, struct arena *arena, struct db_token **ret_tokens, size_t *ret_count,
	struct err *err)
{
	CLEAN(db_stmt)
	sqlite3_stmt *statement = db_stmt(db, STMT_TOKEN_LIST);
	struct db_row row = {.statement = statement, .arena = arena};
	struct db_token *tokens = NULL;
	size_t count = 0, capacity = 0;
	for (bool more = true;;) {
		if (!db_step(db, statement, &more, err))
			return false;
		if (!more)
			break;
		if (count == TOKENS_MAX)
			return err_set(err, ERR_CATALOG_INTEGRITY, NULL);
		tokens = db_grow(arena, tokens, count, &capacity, sizeof *tokens);
		if (!read_row(&row, &tokens[count], err))
			return false;
		count++;
	}
	*ret_tokens = tokens;
	*ret_count = count;
	return true;
}

/* Makes sure that there is a row to update. */
static bool
note_seen(struct db *db, const char *name, struct err *err)
{
	sqlite3_stmt *statement = db_stmt(db, STMT_TOKEN_SEEN);
	db_bind_text(statement, 1, name);
	return db_run(db, statement, err);
}

/* Threats B23, B24: an enrolled token is not enrolled over, a clone is not a second token. */
static bool
check_new(struct db *db, const struct db_token *token, struct err *err)
{
	CLEAN(arena)
	struct arena *arena = arena_new();
	struct db_token old;
	bool found;
	if (!db_token_find(db, token->name, arena, &old, &found, err))
		return false;
	if (found && old.identity.len > 0)
		return err_set(
			err, ERR_TOKEN_IMPOSTOR, "The token %s is enrolled already.", token->name);
	CLEAN(db_stmt)
	sqlite3_stmt *statement = db_stmt(db, STMT_TOKEN_BY_IDENTITY);
	db_bind_blob(statement, 1, token->identity.data, token->identity.len);
	if (!db_step(db, statement, &found, err))
		return false;
	if (!found)
		return true;
	return err_set(err, ERR_TOKEN_IMPOSTOR, "The token %s is a copy of the token %s.",
		token->name, (const char *)sqlite3_column_text(statement, 0));
}

static bool
write_enrolment(struct db *db, const struct db_token *token, int64_t intent, struct err *err)
{
	if (!check_new(db, token, err) || !note_seen(db, token->name, err))
		return false;
	sqlite3_stmt *update = db_stmt(db, STMT_TOKEN_ENROLL);
	db_bind_text(update, 1, token->name);
	db_bind_text(update, 2, token->label);
	db_bind_text(update, 3, token->serial);
	db_bind_text(update, 4, token->manufacturer);
	db_bind_text(update, 5, token->model);
	db_bind_blob(update, 6, token->identity_id, sizeof token->identity_id);
	db_bind_blob(update, 7, token->identity.data, token->identity.len);
	db_bind_blob(update, 8,
		token->capability.len > 0 ? token->capability.data : (const uint8_t *)"",
		token->capability.len);
	db_bind_int(update, 9, token->enrolled_at);
	db_bind_int(update, 10, token->counter);
	if (!db_run_one(db, update, err))
		return false;
	if (intent == 0)
		return true;
	sqlite3_stmt *end = db_stmt(db, STMT_INTENT_END);
	db_bind_int(end, 1, intent);
	return db_run_one(db, end, err);
}

bool
db_token_enroll(struct db *db, const struct db_token *token, int64_t intent, struct err *err)
{
	if (!db_begin(db, err))
		return false;
	if (!write_enrolment(db, token, intent, err))
		return db_rollback(db);
	return db_commit(db, err);
}

bool
db_token_set_capability(struct db *db, const char *name, struct bytes capability, struct err *err)
{
	if (!db_begin(db, err))
		return false;
	sqlite3_stmt *update = db_stmt(db, STMT_TOKEN_CAPABILITY);
	db_bind_text(update, 1, name);
	db_bind_blob(update, 2, capability.len > 0 ? capability.data : (const uint8_t *)"",
		capability.len);
	if (!note_seen(db, name, err) || !db_run_one(db, update, err))
		return db_rollback(db);
	return db_commit(db, err);
}

bool
db_token_set_counter(struct db *db, const char *name, int64_t counter, struct err *err)
{
	if (!db_begin(db, err))
		return false;
	sqlite3_stmt *update = db_stmt(db, STMT_TOKEN_COUNTER);
	db_bind_text(update, 1, name);
	db_bind_int(update, 2, counter);
	if (!note_seen(db, name, err) || !db_run(db, update, err))
		return db_rollback(db);
	if (db_changes(db) == 0) {
		(void)err_set(
			err, ERR_TOKEN_IMPOSTOR, "The counter of the token %s went back.", name);
		return db_rollback(db);
	}
	return db_commit(db, err);
}

bool
db_token_count_up(struct db *db, struct err *err)
{
	if (!db_begin(db, err))
		return false;
	if (!db_run(db, db_stmt(db, STMT_TOKEN_COUNT_UP), err))
		return db_rollback(db);
	return db_commit(db, err);
}

static bool
set_pin(struct db *db, const char *name, const uint8_t *salt, const uint8_t *digest,
	struct err *err)
{
	if (!db_begin(db, err))
		return false;
	sqlite3_stmt *update = db_stmt(db, STMT_TOKEN_PIN);
	db_bind_text(update, 1, name);
	db_bind_blob(update, 2, salt, salt == NULL ? 0 : 16);
	db_bind_blob(update, 3, digest, digest == NULL ? 0 : DB_HASH_BYTES);
	if (!note_seen(db, name, err) || !db_run_one(db, update, err))
		return db_rollback(db);
	return db_commit(db, err);
}

bool
db_token_set_pin_refused(struct db *db, const char *name, const uint8_t salt[static 16],
	const uint8_t digest[static DB_HASH_BYTES], struct err *err)
{
	return set_pin(db, name, salt, digest, err);
}

bool
db_token_clear_pin_refused(struct db *db, const char *name, struct err *err)
{
	return set_pin(db, name, NULL, NULL, err);
}
