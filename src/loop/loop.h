/*
 * The one event loop of a daemon: timers, descriptors, signals and deferred calls over libevent.
 *
 * One thread. No callback runs inside the call that registered it. A callback may stop, restart or free
 * what it belongs to. A callback that takes over 5 ms is logged (loop.slow) with the name it was given.
 * Names are static strings. Out of memory aborts.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"

struct loop;
struct timer;
struct watch;
struct signal_watch;

typedef void loop_fn(void *ctx);

/* Also ignores SIGPIPE in the process: a peer that left is an errno of write(). NULL: ERR_INTERNAL. */
struct loop *loop_new(struct err *err) MUST_USE;
/* Timers, watches and signals must have been freed before; deferred calls that did not run are forgotten. */
void loop_free(struct loop *loop);
/* Runs until loop_stop(). false: the kernel refused to wait (ERR_INTERNAL). */
bool loop_run(struct loop *loop, struct err *err) MUST_USE;
/* Runs what is due now, waiting at most `wait_ms` for the first event; for tests and for draining. */
void loop_turn(struct loop *loop, int64_t wait_ms);
/* loop_run() returns after the callbacks of this turn; a later one after its first turn if none runs. */
void loop_stop(struct loop *loop);

/* The clock that deadlines are kept in: monotonic milliseconds. */
int64_t loop_now_ms(const struct loop *loop);

/* Calls fn(ctx) on the next turn, in the order of deferring. */
void loop_defer(struct loop *loop, const char *name, loop_fn *fn, void *ctx);
/* Forgets every deferred call with this `ctx`: to be called by what frees `ctx`. */
void loop_defer_cancel(struct loop *loop, const void *ctx);

/* Timers are stopped when made. One may be freed from within its own callback. */
struct timer *timer_new(struct loop *loop, const char *name, loop_fn *fn, void *ctx) MUST_USE;
/* Fires once after `after_ms` >= 0; a running timer is restarted. */
void timer_start(struct timer *timer, int64_t after_ms);
/* Fires every `every_ms` > 0, counted from the end of the callback before: no bursts after a delay. */
void timer_start_periodic(struct timer *timer, int64_t every_ms);
void timer_stop(struct timer *timer);
bool timer_running(const struct timer *timer);
void timer_free(struct timer *timer); /* NULL is fine */

enum watch_events {
	WATCH_NONE = 0,
	WATCH_READ = 1,  /* readable, end of file or error */
	WATCH_WRITE = 2, /* writable or error */
};

typedef void watch_fn(unsigned events, void *ctx);

/* Watches a descriptor that stays the caller's, for `events` (level-triggered). */
struct watch *watch_new(struct loop *loop, const char *name, int fd, unsigned events, watch_fn *fn,
	void *ctx) MUST_USE;
/* Changes what is watched for; WATCH_NONE pauses. No system call if nothing changes. */
void watch_set(struct watch *watch, unsigned events);
/* To be called before the descriptor is closed. NULL is fine. */
void watch_free(struct watch *watch);

/* Calls fn(ctx) from the loop after `number` (SIGTERM, SIGHUP…) arrived. One watch per signal and process. */
struct signal_watch *signal_watch_new(
	struct loop *loop, int number, loop_fn *fn, void *ctx) MUST_USE;
void signal_watch_free(struct signal_watch *watch); /* NULL is fine */

DEFINE_CLEAN(loop, struct loop)
