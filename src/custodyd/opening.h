/*
 * Opening the content key of a dual envelope: which recipients may be tried, which token is asked first, when the
 * other one is asked too, what each attempt came to. Used by unwrapkey, rewrapkey and check.
 *
 * The path depends on which recipients exist, what the catalog says of them and which tokens are up, never on why a
 * ciphertext was bad (threats A17). Permission and state are decided before any token is asked (E20).
 */
#pragma once

#include <stdbool.h>

#include "base/secret.h"
#include "custodyd/call.h"
#include "custodyd/keystore.h"
#include "jose/envelope.h"

enum opening_outcome {
	OPENING_PENDING, /* not asked yet, or asked and not answered */
	OPENING_OPENED,
	OPENING_BAD,
	OPENING_DENIED,
	OPENING_UNAVAILABLE,
	OPENING_INTEGRITY,
};

struct opening_attempt {
	enum opening_outcome outcome;
	struct err err;          /* why it did not open */
	struct key_version *key; /* NULL if it could not be resolved */
	char token
		[DB_TOKEN_NAME]; /* of the key's vault; "" for a vault that the caller may not know */
	bool asked;              /* a token works on it */
	bool tried;              /* a token was asked, or the catalog answered */
};

struct opening {
	struct call *call;
	struct envelope *envelope;
	struct bytes context;
	uint8_t digest[32]; /* of the envelope: what a poison request is known by */
	struct opening_attempt attempts[ENVELOPE_RECIPIENTS_MAX];
	struct secret *plaintext; /* of the first that opened; the owner may steal it */
	size_t opened_by;         /* index of that recipient */
	struct timer *hedge;
};

/* Takes the envelope; `context` is borrowed for the life of the opening. */
void opening_init(struct opening *opening, struct call *call, struct envelope *take_envelope,
	struct bytes context);
void opening_clear(struct opening *opening);

/* Resolves and judges each recipient by the catalog: permission `unwrapKey`, state, algorithm. Asks no token. */
void opening_judge(struct opening *opening);

/* Every recipient that is still to be asked is refused for this reason instead. */
void opening_refuse(struct opening *opening, const struct err *err);

/*
 * Asks the next best token; with `all` every recipient's that is pending. false: nobody is left to ask and nothing
 * is running.
 */
bool opening_ask(struct opening *opening, bool all);
/* An answer to what was asked as `slot`; recipients are slots 0 to 7. */
void opening_take(struct opening *opening, unsigned slot, const struct token_answer *answer);
bool opening_running(const struct opening *opening);
/* Nobody waits for the rest any longer. */
void opening_cancel(struct opening *opening);

/* When nothing opened: ERR of the whole, and the attempts as details where the contract wants them (doc/api.md). */
void opening_fail(struct opening *opening);
/* Attempts that were tried or judged, for the answer and the audit. */
struct api_attempt;
size_t opening_attempts(const struct opening *opening, struct api_attempt *attempts);
/* A recipient is missing, or one that was tried did not open. */
bool opening_degraded(const struct opening *opening);
/* Sets the request's audit detail: which kids came to what. */
void opening_audit(struct opening *opening);
