/* Making dual envelopes: choosing and checking the two keys, wrapping the content key for each. */
#pragma once

#include "base/secret.h"
#include "custodyd/call.h"
#include "custodyd/keystore.h"
#include "jose/envelope.h"

#define DUAL_KEYS 2
#define DUAL_WRAP_SLOT                                                                             \
	16 /* answers to wrapping come as this slot plus the recipient; below are openings' */

struct dual_maker {
	struct call *call;
	struct key_version *keys[DUAL_KEYS];
	struct envelope *envelope;
	struct secret *cek;
	size_t waiting;                      /* recipients that a token wraps */
	const char *warnings[2 * DUAL_KEYS]; /* in the request's arena */
	size_t warning_count;
};

void dual_maker_init(struct dual_maker *maker, struct call *call);
void dual_maker_clear(struct dual_maker *maker);

/*
 * Resolves two key ids (without version: the newest) and checks all that makes an envelope safe: permission `wrapKey` on both
 * vaults, state, type (RSA with e = 65537, or a 256-bit oct key of the wrap family), two vaults, two tokens, and proof by
 * the token. Sets call->err: FORBIDDEN, SAME_VAULT, SAME_TOKEN, BAD_PARAMETER, UNAVAILABLE and those of key_find().
 */
bool dual_maker_choose(struct dual_maker *maker, const char *const kids[DUAL_KEYS]) MUST_USE;
/* Makes the envelope and wraps its key: RSA at once, oct by their tokens. dual_maker_ready() says when all is there. */
bool dual_maker_make(
	struct dual_maker *maker, struct bytes context, const struct secret *plaintext) MUST_USE;
/* An answer to slot DUAL_WRAP_SLOT + i; call->err is set on failure. */
void dual_maker_take(struct dual_maker *maker, unsigned slot, const struct token_answer *answer);
bool dual_maker_ready(const struct dual_maker *maker);
/* The finished envelope as JSON, in the request's arena. data NULL with call->err set: it did not fit. */
struct bytes dual_maker_text(struct dual_maker *maker);
