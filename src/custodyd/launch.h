/*
 * A worker on its way from its program's start to a token that is logged in, proved and known:
 *
 *	start -> (a person logs in) -> prove -> capabilities -> list
 *
 * Each step has its deadline, and a worker that tells of its progress within a step gets it anew (threats B4).
 * A token without identity skips the proof. The owner feeds in what happens and does what the result says.
 */
#pragma once

#include "custodyd/device.h"
#include "custodyd/proof.h"
#include "custodyd/tokens.h"
#include "custodyd/worker.h"

enum launch_result {
	LAUNCH_WAITS = 1,
	LAUNCH_NEEDS_LOGIN, /* launch_login() makes it go on */
	LAUNCH_DONE,        /* take worker and device */
	LAUNCH_FAILED,      /* launch->err says why; kill the worker */
};

enum launch_phase {
	LAUNCH_START,
	LAUNCH_ASKS, /* waits for launch_login() */
	LAUNCH_LOGIN,
	LAUNCH_PROVE,
	LAUNCH_CAPABILITIES,
	LAUNCH_LIST,
};

struct launch {
	struct worker *worker; /* owned until taken */
	struct device *device; /* owned until taken */
	enum launch_phase phase;
	char step[64];         /* what the worker does, for people */
	int64_t deadline_ms;   /* of the step; INT64_MAX: none */
	int64_t step_ms;       /* what a step gets */
	unsigned told;         /* progress messages so far */
	bool typing;           /* a person is, as far as we know */
	uint64_t *ids;         /* the owner's counter of request ids */
	struct bytes identity; /* expected, borrowed; empty: not enrolled */
	uint8_t challenge[PROOF_CHALLENGE];
	struct err err;
	bool pin_digest_known; /* LAUNCH_FAILED or LAUNCH_NEEDS_LOGIN: the token refused the PIN of this digest */
	uint8_t pin_digest[TOKEN_PIN_DIGEST];
};

/*
 * Begins with a worker just made (owned from here on). `start` as the wire wants it, borrowed during the call.
 * `identity` and `ids` are borrowed as long as the launch lives. NULL: the message cannot be made, the worker is freed.
 */
struct launch *launch_new(struct worker *take_worker, const struct wire_start_request *start,
	struct bytes identity, uint64_t *ids, int64_t step_ms, struct err *err) MUST_USE;
void launch_free(struct launch *launch); /* with the worker, if not taken */

/* An answer to one of its requests (purpose REQUEST_LAUNCH), and a progress message. */
enum launch_result launch_answer(struct launch *launch, const struct wire_message *message);
void launch_told(struct launch *launch, const struct wire_message *message);
/* Hands a connection from which the PIN is read to the worker. Only in phase LAUNCH_ASKS (asserted). */
void launch_login(struct launch *launch, int take_fd);
/* LAUNCH_FAILED when a step took too long, else LAUNCH_WAITS. */
enum launch_result launch_tick(struct launch *launch, int64_t now_ms);

DEFINE_CLEAN(launch, struct launch)
