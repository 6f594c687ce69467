/*
 * All configured tokens by name: what starts them, tells them what the catalog knows, and stops them.
 * custodyd never loads a PKCS#11 module and never holds a PIN; both are the workers'.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "custodyd/token.h"

struct loop;
struct options;
struct tokens;

#define TOKEN_CAPABILITY_MAX 8192 /* octets of record capabilities_answer */
#define TOKEN_SPKI_MAX       1024 /* DER of an identity public key */
#define TOKEN_PIN_DIGEST     32 /* keyed digest of a refused PIN source's content, made by the worker */
#define TOKEN_PIN_SALT       16

/* What the catalog remembers of a token. */
struct token_record {
	uint8_t spki[TOKEN_SPKI_MAX]; /* of the enrolled identity */
	size_t spki_len;              /* 0: not enrolled */
	/* What it could do when it was enrolled, as token_enrolment said; length 0: unknown. */
	uint8_t capability[TOKEN_CAPABILITY_MAX];
	size_t capability_len;
	bool pin_refused; /* the PIN that this digest names was refused: it is never tried again */
	uint8_t pin_salt[TOKEN_PIN_SALT];
	uint8_t pin_digest[TOKEN_PIN_DIGEST];
};

/* What an enrolment records. Borrowed during the call. */
struct token_enrolment {
	const char *label, *serial, *manufacturer, *model;
	struct bytes spki;       /* of the identity key, just proved */
	struct bytes capability; /* as the worker encodes it: record capabilities_answer */
	uint64_t counter;        /* of the token's lease */
};

/* What the tokens need of the daemon. Every function is called from the loop, none from inside a token_…() call. */
struct tokens_host {
	void *ctx;
	uint8_t instance[16]; /* of the catalog: whose the tokens are to be (threats D12) */
	/* The one delivery of an accepted request. */
	void (*deliver)(void *ctx, struct token_ticket ticket, const struct token_answer *answer);
	/* A worker logged in and proved the token's identity: reconcile intents, forget what was proved before. */
	void (*ready)(void *ctx, struct token *token);
	/* May the peer of this connection log in? Administrators only. */
	bool (*may_login)(void *ctx, int fd);
	/* The record of a token; all zero for one never seen. A failure leaves the token unavailable, with back-off. */
	bool (*load)(void *ctx, const char *name, struct token_record *ret_record, struct err *err);
	/* The rest stores, durably, before it returns. */
	bool (*enrol)(void *ctx, const char *name, const struct token_enrolment *enrolment,
		struct err *err);
	/* An administrator accepted that an enrolled token can do less than it could: it is compared with this from now on. */
	bool (*accept_capability)(
		void *ctx, const char *name, struct bytes capability, struct err *err);
	/* A token that is taken over comes with this counter: the catalog knows it before the token is taken (threats D9). */
	bool (*know_counter)(void *ctx, const char *name, uint64_t counter, struct err *err);
	bool (*refuse_pin)(void *ctx, const char *name, const uint8_t salt[static TOKEN_PIN_SALT],
		const uint8_t digest[static TOKEN_PIN_DIGEST], struct err *err);
	bool (*accept_pin)(void *ctx, const char *name, struct err *err);
};

/*
 * Starts a worker for each token and returns; a token that cannot start is no error (threats B35).
 * ERR_CONFIG: a login socket that cannot be made. `host` is copied, of `options` what is needed.
 */
struct tokens *tokens_new(struct loop *loop, const struct tokens_host *host,
	const struct options *options, struct err *err) MUST_USE;
/* Kills what still runs; no delivery is made any more. */
void tokens_free(struct tokens *tokens);

/* Borrowed until tokens_free(); NULL if none of that name is configured. */
struct token *tokens_find(struct tokens *tokens, const char *name);
size_t tokens_count(const struct tokens *tokens);
/* In order of configuration; `index` below the count. */
struct token *tokens_get(struct tokens *tokens, size_t index);

/*
 * Takes over the limits and each token's section. A token whose section changed, other than in its region, gets
 * a new worker, logged in before the old one goes; one that was refused or waits is tried again now. Tokens neither come
 * nor go.
 */
void tokens_reload(struct tokens *tokens, const struct options *options);

/*
 * Takes no new requests (SHUTTING_DOWN), lets running work end, then stops the workers. done(ctx) is called
 * once, from the loop, when all workers are gone: at the latest `limit_ms` and 1.5 s of grace from now.
 */
void tokens_stop(struct tokens *tokens, int64_t limit_ms, void (*done)(void *ctx), void *ctx);

static inline void
tokens_clean(struct tokens **pointer)
{
	tokens_free(*pointer);
	*pointer = NULL;
}
