/*
 * Answers of a custodyd, as a daemon that is its client reads them. Strict where it matters: what is not as doc/api.md and the
 * dialect say is ERR_CLIENT_ANSWER, and nothing of it is used. Members that we do not know are ignored. Text lives in the arena,
 * without control characters; secrets go straight into locked memory.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/key.h"
#include "base/arena.h"
#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/id.h"
#include "base/secret.h"
#include "jose/envelope.h"
#include "json/json.h"

#define API_TOLD_MAX 131072 /* octets of an answer */

struct api_told_attempt {
	const char *kid;
	const char *outcome; /* a word of doc/api.md, or what was told instead */
	const char *code;    /* the error's name; "" if opened */
};

struct api_told_attempts {
	struct api_told_attempt items[ENVELOPE_RECIPIENTS_MAX];
	size_t count;
};

/*
 * Of an answer of 400 or more. `ret_err` is filled in any case: the error that was told, as the table knows it, or
 * ERR_CLIENT_ANSWER. true: error.details were attempts, and all of them could be read.
 */
bool api_told_error(int status, struct bytes body, struct arena *arena,
	struct api_told_attempts *ret_attempts, struct err *ret_err) MUST_USE;

struct api_told_key {
	const char *kid; /* with its version */
	enum kty kty;
	unsigned ops;          /* those that we know */
	struct pubkey *pubkey; /* NULL for oct; the caller's */
	bool enabled;
	int64_t expires; /* Unix seconds or API_NO_TIME */
	const char *recovery_level;
	int64_t recoverable_days;
};
/* KeyBundle. */
bool api_told_key(struct bytes body, struct arena *arena, struct api_told_key *ret_key,
	struct err *err) MUST_USE;

/* An access policy of a vault. */
struct api_told_grant {
	const char *principal;   /* "app:GUID" */
	const char *state;       /* "ok" or it grants nothing */
	struct json_texts words; /* "get", "wrapKey", … */
};

/* Custody of a key version. */
struct api_told_custody {
	const char *kid;
	const char *state; /* "ok", "purged" …; what follows is of the others, or of that */
	const char *token; /* "": not said */
	bool hardware, never_extractable;
	int64_t purged; /* Unix seconds */
};
bool api_told_custody(struct bytes body, struct arena *arena, struct api_told_custody *ret_custody,
	struct err *err) MUST_USE;

struct api_told_vault {
	const char *name;
	const char *uri;
	const char *token;
	const char *region; /* "": unknown */
	int64_t retention_days;
	bool purge_protection;
	const struct api_told_grant *grants;
	size_t grant_count;
};
bool api_told_vault(struct bytes body, struct arena *arena, struct api_told_vault *ret_vault,
	struct err *err) MUST_USE;

/* The envelope that wrapkey made; the caller's. */
struct envelope *api_told_envelope(
	struct bytes body, struct arena *arena, struct err *err) MUST_USE;
/* The plaintext that unwrapkey opened, the caller's, and the attempts. */
struct secret *api_told_opened(struct bytes body, struct arena *arena,
	struct api_told_attempts *ret_attempts, struct err *err) MUST_USE;
/* /dual/check */
bool api_told_check(struct bytes body, struct arena *arena, struct api_told_attempts *ret_attempts,
	struct err *err) MUST_USE;

/* KeyOperationResult: its value, in the arena; or as a secret, the caller's. `kid`: the version that must have been used. */
bool api_told_result(struct bytes body, struct arena *arena, const char *kid,
	struct bytes *ret_value, struct err *err) MUST_USE;
struct secret *api_told_secret(
	struct bytes body, struct arena *arena, const char *kid, struct err *err) MUST_USE;
