/*
 * One worker process: started, spoken to over its socket, killed. What it sends is parsed as the word of a
 * stranger (threats A23): anything that is not a message of ours, or no answer to what was asked, ends it.
 *
 * A worker is alive until `gone`, then dead until `reaped`; between the two its process may still linger (a
 * process in an uninterruptible sleep cannot be killed, threats B3).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/attr.h"
#include "base/err.h"
#include "custodyd/request.h"
#include "loop/loop.h"

struct worker;

struct worker_spec {
	const char *name; /* of the token, for logs; borrowed as long as the worker lives */
	const char *path; /* of the program */
	const char *env;  /* words: NAME copies ours, NAME=value sets; all else is empty */
	bool credentials; /* it reads a systemd credential: it gets our CREDENTIALS_DIRECTORY */
};

/* Called from the loop only, none inside a worker_…() call. None but `reaped` may free the worker. */
struct worker_events {
	void *ctx;
	/* An answer to `request`, which is no longer in the table and the callee's to free. */
	void (*answer)(void *ctx, struct worker *worker, struct request *take_request,
		const struct wire_message *message);
	/* A message of the worker's own: WIRE_PROGRESS. */
	void (*told)(void *ctx, struct worker *worker, const struct wire_message *message);
	/* No use any more, and killed: take what runs (worker_running()). Once, before `reaped`. */
	void (*gone)(void *ctx, struct worker *worker, const struct err *why);
	/* The process has ended. Once; may free the worker. */
	void (*reaped)(void *ctx, struct worker *worker);
};

/* ERR_UNAVAILABLE: the program does not start, no descriptors. `events` is copied. */
struct worker *worker_new(struct loop *loop, const struct worker_spec *spec,
	const struct worker_events *events, struct err *err) MUST_USE;
/* Kills and reaps without a callback; what runs is freed. NULL is fine. */
void worker_free(struct worker *worker);

/*
 * Sends a request (or keeps it until the socket has room) and puts it in the table of what runs. Not after
 * `gone` (asserted); to a worker that is being killed it fails with the rest.
 */
void worker_send(struct worker *worker, struct request *take_request);
/* What runs, in order of sending. The owner may take requests out. */
struct request_list *worker_running(struct worker *worker);

/* Asks it to leave; after `grace_ms` it is killed (threats B5). */
void worker_stop(struct worker *worker, int64_t grace_ms);
/* Kills it; `gone` follows from the loop with this reason (copied). */
void worker_kill(struct worker *worker, const struct err *why);

bool worker_alive(const struct worker *worker);
pid_t worker_pid(const struct worker *worker);
int64_t worker_started_at(const struct worker *worker); /* Unix seconds */

DEFINE_CLEAN(worker, struct worker)
