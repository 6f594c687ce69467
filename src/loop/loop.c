/*
 * libevent behind the few calls we need. Every callback goes through run(), which times it.
 *
 * Invariant: a callback may free its own object, so nothing of the object is touched after it, except
 * a timer that `loop->current` still names.
 */
#include "loop/loop.h"

#include <assert.h>
#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"

#define SLOW_US 5000 /* style §6: a handler over 5 ms is logged */

struct deferred {
	struct deferred *next;
	const char *name;
	loop_fn *fn;
	void *ctx;
};

struct loop {
	struct event_base *base;
	struct event *deferring; /* fires on the next turn */
	struct deferred *first;
	struct deferred **last;
	struct deferred *batch; /* those of this turn that did not run yet */
	struct timer *current;  /* whose callback runs */
	bool stopping;
};

struct timer {
	struct loop *loop;
	struct event *event;
	const char *name;
	loop_fn *fn;
	void *ctx;
	int64_t every_ms; /* 0: one shot */
	bool running;
};

struct watch {
	struct loop *loop;
	struct event *event;
	const char *name;
	watch_fn *fn;
	void *ctx;
	int fd;
	unsigned events;
};

struct signal_watch {
	struct event *event;
	loop_fn *fn;
	void *ctx;
};

static void *
new_object(size_t size)
{
	void *memory = calloc(1, size);
	if (memory == NULL)
		abort();
	return memory;
}

static struct timeval
timeval_of_ms(int64_t ms)
{
	return (struct timeval){.tv_sec = ms / 1000, .tv_usec = (ms % 1000) * 1000};
}

static void
note_slow(const char *name, int64_t start_us)
{
	int64_t took_us = clock_monotonic_us() - start_us;
	if (took_us > SLOW_US)
		log_warning(
			"loop.slow", LOG_TEXT("handler", name), LOG_INT("microseconds", took_us));
}

static void
run(const char *name, loop_fn *fn, void *ctx)
{
	int64_t start_us = clock_monotonic_us();
	fn(ctx);
	note_slow(name, start_us);
}

static void
on_deferred(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	struct loop *loop = ctx;

	/* Only those deferred before this turn: one that defers itself must not starve the sockets. */
	loop->batch = loop->first;
	loop->first = NULL;
	loop->last = &loop->first;
	while (loop->batch != NULL) {
		struct deferred call = *loop->batch;
		free(loop->batch);
		loop->batch = call.next;
		run(call.name, call.fn, call.ctx);
	}
}

struct loop *
loop_new(struct err *err)
{
	struct loop *loop = new_object(sizeof(*loop));
	loop->last = &loop->first;
	loop->base = event_base_new();
	if (loop->base != NULL)
		loop->deferring = evtimer_new(loop->base, on_deferred, loop);
	if (loop->deferring == NULL) {
		loop_free(loop);
		err_set(err, ERR_INTERNAL, NULL);
		err_origin(err, "event_base_new");
		return NULL;
	}
	signal(SIGPIPE, SIG_IGN);
	return loop;
}

static void
forget(struct deferred **list, const void *ctx, bool all)
{
	while (*list != NULL) {
		struct deferred *call = *list;
		if (all || call->ctx == ctx) {
			*list = call->next;
			free(call);
		} else {
			list = &call->next;
		}
	}
}

void
loop_free(struct loop *loop)
{
	if (loop == NULL)
		return;
	forget(&loop->first, NULL, true);
	forget(&loop->batch, NULL, true);
	if (loop->deferring != NULL)
		event_free(loop->deferring);
	if (loop->base != NULL)
		event_base_free(loop->base);
	free(loop);
}

bool
loop_run(struct loop *loop, struct err *err)
{
	bool ok = true;
	while (!loop->stopping && ok)
		ok = event_base_loop(loop->base, EVLOOP_ONCE | EVLOOP_NO_EXIT_ON_EMPTY) >= 0;
	loop->stopping = false;
	if (ok)
		return true;
	err_set(err, ERR_INTERNAL, NULL);
	return err_origin(err, "event_base_loop");
}

static void
on_nothing(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	(void)ctx;
}

void
loop_turn(struct loop *loop, int64_t wait_ms)
{
	struct event *limit = evtimer_new(loop->base, on_nothing, NULL);
	struct timeval wait = timeval_of_ms(wait_ms);
	if (limit == NULL || evtimer_add(limit, &wait) < 0)
		abort();
	(void)event_base_loop(loop->base, EVLOOP_ONCE); /* a failed wait is an empty turn */
	event_free(limit);
}

void
loop_stop(struct loop *loop)
{
	loop->stopping = true;
}

int64_t
loop_now_ms(const struct loop *loop)
{
	(void)loop;
	return clock_monotonic_ms();
}

void
loop_defer(struct loop *loop, const char *name, loop_fn *fn, void *ctx)
{
	struct deferred *call = new_object(sizeof(*call));
	*call = (struct deferred){.name = name, .fn = fn, .ctx = ctx};
	bool idle = loop->first == NULL;
	*loop->last = call;
	loop->last = &call->next;
	struct timeval now = {0, 0};
	if (idle && evtimer_add(loop->deferring, &now) < 0)
		abort();
}

void
loop_defer_cancel(struct loop *loop, const void *ctx)
{
	forget(&loop->batch, ctx, false);
	forget(&loop->first, ctx, false);
	loop->last = &loop->first;
	while (*loop->last != NULL)
		loop->last = &(*loop->last)->next;
}

static void
arm(struct timer *timer, int64_t ms)
{
	struct timeval after = timeval_of_ms(ms < 0 ? 0 : ms);
	timer->running = true;
	if (evtimer_add(timer->event, &after) < 0)
		abort();
}

static void
on_timer(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	struct timer *timer = ctx;
	struct loop *loop = timer->loop;

	timer->running = timer->every_ms > 0;
	loop->current = timer;
	run(timer->name, timer->fn, timer->ctx);
	if (loop->current != timer)
		return;
	loop->current = NULL;
	if (timer->running && timer->every_ms > 0)
		arm(timer, timer->every_ms);
}

struct timer *
timer_new(struct loop *loop, const char *name, loop_fn *fn, void *ctx)
{
	struct timer *timer = new_object(sizeof(*timer));
	*timer = (struct timer){.loop = loop, .name = name, .fn = fn, .ctx = ctx};
	timer->event = evtimer_new(loop->base, on_timer, timer);
	if (timer->event == NULL)
		abort();
	return timer;
}

void
timer_start(struct timer *timer, int64_t after_ms)
{
	timer->every_ms = 0;
	arm(timer, after_ms);
}

void
timer_start_periodic(struct timer *timer, int64_t every_ms)
{
	assert(every_ms > 0);
	timer->every_ms = every_ms;
	arm(timer, every_ms);
}

void
timer_stop(struct timer *timer)
{
	timer->running = false;
	timer->every_ms = 0;
	evtimer_del(timer->event);
}

bool
timer_running(const struct timer *timer)
{
	return timer->running;
}

void
timer_free(struct timer *timer)
{
	if (timer == NULL)
		return;
	if (timer->loop->current == timer)
		timer->loop->current = NULL;
	event_free(timer->event);
	free(timer);
}

static void
on_watch(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	struct watch *watch = ctx;
	unsigned events = (what & EV_READ ? WATCH_READ : WATCH_NONE) |
			  (what & EV_WRITE ? WATCH_WRITE : WATCH_NONE);
	const char *name = watch->name;
	int64_t start_us = clock_monotonic_us();

	watch->fn(events, watch->ctx);
	note_slow(name, start_us);
}

struct watch *
watch_new(struct loop *loop, const char *name, int fd, unsigned events, watch_fn *fn, void *ctx)
{
	struct watch *watch = new_object(sizeof(*watch));
	*watch = (struct watch){.loop = loop, .name = name, .fn = fn, .ctx = ctx, .fd = fd};
	watch->event = event_new(loop->base, fd, EV_PERSIST, on_watch, watch);
	if (watch->event == NULL)
		abort();
	watch_set(watch, events);
	return watch;
}

void
watch_set(struct watch *watch, unsigned events)
{
	if (events == watch->events)
		return;
	if (watch->events != WATCH_NONE)
		event_del(watch->event);
	watch->events = events;
	if (events == WATCH_NONE)
		return;
	short what = (short)(EV_PERSIST | (events & WATCH_READ ? EV_READ : 0) |
			     (events & WATCH_WRITE ? EV_WRITE : 0));
	if (event_assign(watch->event, watch->loop->base, watch->fd, what, on_watch, watch) < 0 ||
		event_add(watch->event, NULL) < 0)
		abort();
}

void
watch_free(struct watch *watch)
{
	if (watch == NULL)
		return;
	event_free(watch->event);
	free(watch);
}

static void
on_signal(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	struct signal_watch *watch = ctx;
	run("signal", watch->fn, watch->ctx);
}

struct signal_watch *
signal_watch_new(struct loop *loop, int number, loop_fn *fn, void *ctx)
{
	struct signal_watch *watch = new_object(sizeof(*watch));
	*watch = (struct signal_watch){.fn = fn, .ctx = ctx};
	watch->event = evsignal_new(loop->base, number, on_signal, watch);
	if (watch->event == NULL || evsignal_add(watch->event, NULL) < 0)
		abort();
	return watch;
}

void
signal_watch_free(struct signal_watch *watch)
{
	if (watch == NULL)
		return;
	event_free(watch->event);
	free(watch);
}
