/*
 * Intents: changes that touch token and catalog, recorded before the token is touched and ended in the
 * transaction of the outcome. What stands here at start was interrupted and is finished or undone by
 * comparing with the token. Standard errors: db.h.
 */
#pragma once

#include "db_key.h"

enum db_intent_kind {
	DB_INTENT_CREATE = 1, /* a key version: undo by destroying what has its id */
	DB_INTENT_PURGE,  /* all versions of a key: go on destroying, then db_key_purge_commit() */
	DB_INTENT_ENROLL, /* a token's identity key: undo by destroying it */
};

#define DB_DETAIL_MAX 1024

struct db_intent {
	int64_t id;
	enum db_intent_kind kind;
	char token[DB_TOKEN_NAME];
	int64_t vault; /* 0 for an enrolment */
	int64_t key;   /* of a purge; 0 otherwise */
	char vault_name[ID_VAULT_NAME_MAX + 1];
	char key_name[ID_KEY_NAME_MAX + 1];
	uint8_t (*versions)[ID_VERSION_BYTES]; /* CKA_IDs on the token */
	size_t version_count;
	int64_t created;
	const char *detail; /* the operation's own words, "" for none */
};

/* Intents of a token in order of birth, of all tokens when `token` is NULL. */
bool db_intent_list(struct db *db, const char *token, struct arena *arena,
	struct db_intent **ret_intents, size_t *ret_count, struct err *err) MUST_USE;

/*
 * Before a key version is made on the vault's token. `name` may be live (a new version) or free;
 * ERR_DELETED_BUT_RECOVERABLE, ERR_BEING_DELETED, ERR_VAULT_NOT_FOUND; ERR_CATALOG_INTEGRITY for an id that exists.
 */
bool db_create_begin(struct db *db, int64_t vault, const char *name,
	const uint8_t id[static ID_VERSION_BYTES], int64_t now_s, const char *detail,
	int64_t *ret_intent, struct err *err) MUST_USE;
/*
 * The version exists on the token: inserts it (id as in the intent; key and sequence are set here), the key too if it is new,
 * and ends the intent. ERR_DELETED_BUT_RECOVERABLE or ERR_BEING_DELETED when the key was deleted meanwhile: the
 * intent stays, destroy the object, then db_intent_abort(). ret_item: the rows, strings as in `version`.
 */
bool db_create_commit(struct db *db, int64_t intent, const struct db_version *version,
	struct db_key_item *ret_item, struct err *err) MUST_USE;
/* Nothing of a create or enrolment is left on the token: ends the intent. */
bool db_intent_abort(struct db *db, int64_t intent, struct err *err) MUST_USE;

/* Before the identity key of a token is made. */
bool db_enroll_begin(struct db *db, const char *token, const uint8_t id[static ID_VERSION_BYTES],
	int64_t now_s, int64_t *ret_intent,
	struct err *err) MUST_USE; /* ended by db_token_enroll() */

enum db_purge {
	DB_PURGE_REQUESTED, /* ERR_PURGE_PROTECTED under purge protection */
	DB_PURGE_SCHEDULED, /* ERR_PURGE_PROTECTED before the scheduled date, whatever the vault says */
};
/* Deleted -> purging. ERR_KEY_NOT_FOUND unless deleted; ERR_BEING_DELETED when purging already. */
bool db_key_purge_begin(struct db *db, int64_t key, enum db_purge kind, int64_t now_s,
	struct arena *arena, struct db_intent *ret_intent, struct err *err) MUST_USE;
/* All its versions are gone from the token: removes the rows, leaves tombstones, ends the intent. */
bool db_key_purge_commit(struct db *db, int64_t intent, int64_t now_s, struct err *err) MUST_USE;
