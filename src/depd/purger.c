/* Invariant: nothing about what is due is kept here but whose turn it is; the catalog has the rest. */
#include "purger.h"

#include <stdlib.h>

#include "db/db_dep_erase.h"
#include "depd/depd.h"
#include "depd/purge_execute.h"

#define LOOK_MS  1000
#define AGAIN_MS 10000 /* after one that could not go on */

struct purger {
	struct depd *depd;
	struct timer *timer;
	uint64_t running; /* purge_execute; 0: none */
	int64_t last;     /* policy whose turn it was */
	bool jumped;      /* the clock, and it was told */
};

static void
on_ended(void *ctx, bool done)
{
	struct purger *purger = ctx;
	purger->running = 0;
	timer_start(purger->timer, done ? LOOK_MS : AGAIN_MS);
}

/* A clock that jumped ahead makes nothing due before a person said that it is right; what is under way goes on (threats D14). */
static int64_t
due_time_s(struct purger *purger)
{
	struct err err = {.code = ERR_NONE};
	int64_t now_s;
	bool jumped = purger->jumped;
	purger->jumped = !calendar_purge_time_s(purger->depd->calendar, &now_s);
	if (!purger->jumped)
		return now_s;
	(void)err_set(&err, ERR_UNAVAILABLE,
		"The clock jumped ahead; approved purges wait until depctl clock confirm.");
	if (!jumped)
		depd_note(purger->depd, "clock.jumped", &err, NULL);
	return 0;
}

/* 0: none is due. */
static int64_t
next(struct purger *purger)
{
	struct depd *depd = purger->depd;
	struct err err = {.code = ERR_NONE};
	int64_t now_s = due_time_s(purger), policy = 0;
	if (!db_dep_erase_next(depd->db, purger->last, now_s, &policy, &err) ||
		(policy == 0 && !db_dep_erase_next(depd->db, 0, now_s, &policy, &err)))
		depd_note(depd, "purge.failed", &err, NULL);
	return policy;
}

static void
tick(void *ctx)
{
	struct purger *purger = ctx;
	struct depd *depd = purger->depd;
	if (depd->draining)
		return;
	timer_start(purger->timer, LOOK_MS);
	if (purger->running != 0 || db_read_only(depd->db) || audit_failed(depd->audit))
		return;
	int64_t policy = next(purger);
	if (policy == 0)
		return;
	purger->last = policy;
	purge_execute_start(depd, policy, &purger->running, on_ended, purger);
}

struct purger *
purger_new(struct depd *depd)
{
	struct purger *purger = calloc(1, sizeof(*purger));
	if (purger == NULL)
		abort();
	purger->depd = depd;
	purger->timer = timer_new(depd->loop, "purger", tick, purger);
	timer_start(purger->timer, LOOK_MS);
	return purger;
}

void
purger_free(struct purger *purger)
{
	if (purger == NULL)
		return;
	purge_execute_cancel(purger->depd, purger->running);
	timer_free(purger->timer);
	free(purger);
}
