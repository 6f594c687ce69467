/*
 * One configured token: its worker process, watched, replaced and spoken to. Everything runs in the
 * event loop, nothing blocks, and no callback runs inside a call that asked for it.
 *
 * A token is born, configured and freed by tokens.h; this header is what the operations use.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "custodyd/latency.h"
#include "wire/wire.h"

struct token;

enum token_state {
	TOKEN_STATE_STARTING,     /* a worker is on its way; see the step */
	TOKEN_STATE_LOGIN_NEEDED, /* waits for custodyctl token login */
	TOKEN_STATE_NOT_ENROLLED, /* logged in, without an identity: only token_enroll() is served */
	TOKEN_STATE_LEASED, /* logged in, but it is another catalog's: only token_enroll() that takes it over is served */
	TOKEN_STATE_READY,
	TOKEN_STATE_UNAVAILABLE, /* the last worker failed; another starts after the back-off */
	TOKEN_STATE_REFUSED, /* integrity or PIN: nothing is tried again until something changes */
	TOKEN_STATE_STOPPED, /* the daemon ends */
};

/* "starting", "login-needed", … as in doc/api.md. Static. */
const char *token_state_name(enum token_state state);

/* Names a request to whom it belongs; opaque here. An answer carries it back, never a pointer. */
struct token_ticket {
	uint64_t op_id;
	uint32_t slot; /* which of the operation's requests */
};

/* One request to a token. */
struct token_job {
	enum wire_type type;
	/* Struct of the type's request record; encoded before token_request() returns. */
	const void *request;
	struct token_ticket ticket;
	/* uid: queues are fair, and bounded, per caller. */
	uint32_t caller;
	/* clock_monotonic_ms() after which the answer is of no use. */
	int64_t deadline_ms;
	enum latency_kind kind;
	/*
	 * 32 octets that name the caller's input across tokens (the digest of a dual operation's envelope);
	 * NULL: the digest of the request itself. Bars what kills workers (threats B2).
	 */
	const uint8_t *digest;
};

/* What became of a request: exactly one of `fields` and `err` is set. All borrowed during the call. */
struct token_answer {
	enum wire_type type;
	/*
	 * Struct of the type's answer record. It points into a datagram that is wiped after the call: what
	 * is secret goes into a struct secret (secret_from).
	 */
	const void *fields;
	/* Ours (no worker, time-out) or the worker's. */
	const struct err *err;
	/* Since the request was sent to the worker; 0 if it never was. */
	int64_t elapsed_us;
};

/*
 * Takes a request. true: exactly one delivery follows, from the loop, unless it is cancelled. false,
 * at once and with no delivery: the state's own reason (PIN_NEEDED, PIN_REFUSED, PIN_LOCKED,
 * TOKEN_NOT_ENROLLED, TOKEN_IMPOSTOR, …), TOKEN_REDUCED (WIRE_GENERATE, threats B39), UNAVAILABLE (starting, breaker open, barred as poison),
 * THROTTLED (the caller has too much in flight), TIMEOUT (deadline passed already), BAD_PARAMETER (does
 * not fit a message). A mutation whose fate is not known is delivered as OUTCOME_UNKNOWN.
 */
bool token_request(struct token *token, const struct token_job *job, struct err *err) MUST_USE;

/* Nobody waits any longer: queued work is removed, an answer of running work is dropped. Unknown tickets are fine. */
void token_cancel(struct token *token, struct token_ticket ticket);

/*
 * Makes the identity key pair of a token that has none and stores it through the record callback; the
 * delivery (type WIRE_ENROLL) comes when the identity has been proved and the token is ready. For a token that
 * can do less than when it was enrolled (threats B39), and makes no keys for that, it accepts the loss.
 * With `take_over` also for one that is another catalog's, which may be enrolled here already (threats D12).
 * CONFLICT: enrolled already. Else as token_request().
 */
bool token_enroll(struct token *token, bool take_over, struct token_ticket ticket,
	int64_t deadline_ms, struct err *err) MUST_USE;

/* The instance that the lease of a token that is another's names, as hex; "" in every other case, or if it does not tell. */
const char *token_other_owner(const struct token *token);

/*
 * The counter on the token (threats D9). false: it has none that is ours, or no worker that could tell.
 */
bool token_counter(const struct token *token, uint64_t *ret_counter);
/*
 * Raises it, in the background: at most once a minute, and only on a ready token. false: not now. The catalog
 * has stored the value before.
 */
bool token_raise(struct token *token, uint64_t counter);

const char *token_name(const struct token *token);
const char *token_region(const struct token *token);
/* Its module calls it a device, as its worker said last; false: it does not, or no worker has come up yet. */
bool token_is_hardware(const struct token *token);
enum token_state token_state(const struct token *token);
/* Takes work now: ready, and the breaker not open. */
bool token_is_ready(const struct token *token);
/* It lacks hardening attributes, which the configuration accepts. */
bool token_is_reduced(const struct token *token);
/* Why it takes none: what token_request() would say. false when it is ready. */
bool token_trouble(const struct token *token, struct err *ret_err);

/* Expected wait in microseconds of an operation of this kind if it were asked for now: for choosing between two tokens. */
int64_t token_load_us(const struct token *token, enum latency_kind kind);
/* Quantile of recent operations of a kind, in microseconds; 0 as long as too few are known. */
int64_t token_latency_us(const struct token *token, enum latency_kind kind, unsigned percent);
/* No requests wait in its queue: a hedge may be sent to it (threats B17: never on an overloaded token). */
bool token_is_idle(const struct token *token);

#define TOKEN_TEXT_MAX       128
#define TOKEN_REDUCED_MAX    16
#define TOKEN_ALGORITHMS_MAX 48
#define TOKEN_ATTRIBUTES_MAX 32

struct token_algorithm {
	char alg[32];
	char operations[128]; /* words apart by one blank, in the dialect's spelling */
	char how[96];
};

struct token_attribute {
	char name[48];
	bool required; /* else hardening */
	bool honoured;
};

/* The members of Token in doc/api.md. Copied: valid as long as the caller keeps it. About 20 KiB. */
struct token_status {
	char name[33];
	char region[TOKEN_TEXT_MAX];
	const char *state; /* static */
	char detail[320];
	char label[TOKEN_TEXT_MAX], serial[TOKEN_TEXT_MAX], manufacturer[TOKEN_TEXT_MAX],
		model[TOKEN_TEXT_MAX], firmware[TOKEN_TEXT_MAX];
	bool enrolled;
	char identity[65];      /* SHA-256 of the identity's SPKI; "" without one */
	const char *lease;      /* "none", "ours", "other", "unsupported"; NULL: unknown */
	char owner[33];         /* the instance that the lease names, hex; "": none, or unknown */
	int64_t counter;        /* -1: the token keeps none, or it is unknown */
	const char *counter_in; /* "device", "host file"; NULL: it keeps none */
	struct {
		int64_t pid; /* 0: none */
		int64_t restarts;
		int64_t started_at; /* Unix seconds; 0: none */
		char step[64];
	} worker;
	int64_t sessions;
	int64_t in_flight;
	int64_t queued;
	const char *breaker; /* "closed", "open", "half-open" */
	bool flapping;
	int64_t objects_ours, objects_foreign;
	int64_t decrypt_us; /* median of recent private-key operations; 0: unknown */
	char reduced[TOKEN_REDUCED_MAX][TOKEN_TEXT_MAX];
	size_t reduced_count;
	struct err last_error; /* code ERR_NONE: none */
	int64_t last_error_at; /* Unix seconds */
	struct token_algorithm algorithms[TOKEN_ALGORITHMS_MAX];
	size_t algorithm_count;
	struct token_attribute attributes[TOKEN_ATTRIBUTES_MAX];
	size_t attribute_count;
	int64_t late_answers; /* counted and dropped */
};

void token_status_get(const struct token *token, struct token_status *ret_status);
