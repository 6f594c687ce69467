/* A ring. Invariant: entries are in order of their time, `count` of them from `first` on; the timer runs while there is one. */
#include "http/refusal.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct refusal {
	int fd;
	int64_t until_ms;
};

struct refusals {
	struct loop *loop;
	struct timer *timer;
	int64_t hold_ms;
	size_t first, count;
	struct refusal ring[REFUSALS_MAX];
};

static void
close_first(struct refusals *refusals)
{
	close(refusals->ring[refusals->first].fd);
	refusals->first = (refusals->first + 1) % REFUSALS_MAX;
	refusals->count--;
}

static void
on_timer(void *ctx)
{
	struct refusals *refusals = ctx;
	int64_t now_ms = loop_now_ms(refusals->loop);
	while (refusals->count > 0 && refusals->ring[refusals->first].until_ms <= now_ms)
		close_first(refusals);
	if (refusals->count > 0)
		timer_start(refusals->timer, refusals->ring[refusals->first].until_ms - now_ms);
}

struct refusals *
refusals_new(struct loop *loop, int64_t hold_ms)
{
	struct refusals *refusals = calloc(1, sizeof(*refusals));
	if (refusals == NULL)
		abort();
	refusals->loop = loop;
	refusals->hold_ms = hold_ms;
	refusals->timer = timer_new(loop, "http.refusals", on_timer, refusals);
	return refusals;
}

void
refusals_free(struct refusals *refusals)
{
	if (refusals == NULL)
		return;
	while (refusals->count > 0)
		close_first(refusals);
	timer_free(refusals->timer);
	free(refusals);
}

void
refusals_add(struct refusals *refusals, int take_fd)
{
	(void)shutdown(take_fd, SHUT_WR);
	if (refusals->count == REFUSALS_MAX)
		close_first(refusals);
	size_t place = (refusals->first + refusals->count++) % REFUSALS_MAX;
	refusals->ring[place] =
		(struct refusal){take_fd, loop_now_ms(refusals->loop) + refusals->hold_ms};
	if (!timer_running(refusals->timer))
		timer_start(refusals->timer, refusals->hold_ms);
}
