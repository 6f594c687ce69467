/* Rows of enrolled tokens: what is remembered to recognise a token. Standard errors: db.h. */
#pragma once

#include "db.h"

#define DB_TOKEN_NAME 33 /* 1-32 of [0-9a-z-] and NUL */

struct db_token {
	char name[DB_TOKEN_NAME];
	char label[33], serial[17], manufacturer[33], model[17]; /* CK_TOKEN_INFO without padding */
	uint8_t identity_id[16]; /* CKA_ID of the identity key pair */
	struct bytes identity;   /* its SPKI, DER; empty: not enrolled */
	struct bytes capability; /* record as the worker encodes it; may be empty */
	int64_t enrolled_at;     /* Unix seconds; 0: not enrolled */
	int64_t counter;         /* what the counter on the token is, or is to be raised to */
	bool pin_refused;        /* pin_digest is that of a PIN the token refused */
	uint8_t pin_salt[16];
	uint8_t pin_digest[DB_HASH_BYTES];
};

/* ret_found false: no such row. Strings and bytes live in `arena`. */
bool db_token_find(struct db *db, const char *name, struct arena *arena, struct db_token *ret_token,
	bool *ret_found, struct err *err) MUST_USE;
bool db_token_list(struct db *db, struct arena *arena, struct db_token **ret_tokens,
	size_t *ret_count, struct err *err) MUST_USE;
/*
 * Records an enrolment (name, label…model, identity, capability, enrolled_at, counter) and ends `intent`
 * (0: none). ERR_TOKEN_IMPOSTOR when the token is enrolled already or another has the same identity (B24).
 */
bool db_token_enroll(
	struct db *db, const struct db_token *token, int64_t intent, struct err *err) MUST_USE;
bool db_token_set_capability(
	struct db *db, const char *name, struct bytes capability, struct err *err) MUST_USE;
/* A lower value than stored is ERR_TOKEN_IMPOSTOR and changes nothing. */
bool db_token_set_counter(
	struct db *db, const char *name, int64_t counter, struct err *err) MUST_USE;
/* A checkpoint: the counters of all enrolled tokens go up by one, as they do with each change that reduces (threats D9). */
bool db_token_count_up(struct db *db, struct err *err) MUST_USE;
/* Remembers a refused PIN's salt and digest, also for a token not yet enrolled; forgets it. */
bool db_token_set_pin_refused(struct db *db, const char *name, const uint8_t salt[static 16],
	const uint8_t digest[static DB_HASH_BYTES], struct err *err) MUST_USE;
bool db_token_clear_pin_refused(struct db *db, const char *name, struct err *err) MUST_USE;
