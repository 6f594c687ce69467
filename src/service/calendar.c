/*
 * Trusted time. Invariant: the mark moves by what the monotonic clock saw, or by less than the limit from one run to the
 * next; anything beyond waits for a person.
 */
#include "calendar.h"

#include <stdlib.h>

#include "base/clock.h"

#define STORE_EVERY_S 60

struct calendar {
	struct db *db;
	int64_t limit_s;
	int64_t mark_s; /* trusted, never lowered; at least what is stored */
	int64_t base_s; /* what time it was at base_ms: small steps of the wall clock do not move it */
	int64_t base_ms;
	bool settled;   /* the wall clock was accepted once since the start */
	int64_t jump_s; /* unconfirmed */
};

static void
settle(struct calendar *calendar, int64_t wall_s)
{
	calendar->base_s = wall_s > calendar->mark_s ? wall_s : calendar->mark_s;
	calendar->base_ms = clock_monotonic_ms();
	calendar->settled = true;
}

struct calendar *
calendar_new(struct db *db, int64_t jump_limit_s)
{
	struct calendar *calendar = calloc(1, sizeof *calendar);
	if (calendar == NULL)
		abort();
	calendar->db = db;
	calendar->limit_s = jump_limit_s;
	calendar->mark_s = db_time_mark(db);
	if (calendar->mark_s == 0) /* a new catalog: there is nothing to compare with */
		calendar->mark_s = clock_wall_s();
	settle(calendar, calendar->mark_s);
	calendar->settled = false;
	return calendar;
}

void
calendar_free(struct calendar *calendar)
{
	free(calendar);
}

void
calendar_set_limit(struct calendar *calendar, int64_t jump_limit_s)
{
	calendar->limit_s = jump_limit_s;
}

/* What time it is by the monotonic clock, from the base. */
static int64_t
expected_s(const struct calendar *calendar)
{
	return calendar->base_s + (clock_monotonic_ms() - calendar->base_ms) / 1000;
}

static int64_t
later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

int64_t
calendar_now_s(const struct calendar *calendar)
{
	return later(clock_wall_s(), later(calendar->mark_s, expected_s(calendar)));
}

/* Moves the mark, as far as what elapsed and the limit of jumps allow. */
static void
look(struct calendar *calendar)
{
	int64_t wall = clock_wall_s();
	int64_t expected = expected_s(calendar);
	/* a clock set back lengthens no retention: the mark goes on with what elapsed (threats D15) */
	calendar->mark_s = later(calendar->mark_s, expected);
	if (wall - expected > calendar->limit_s) {
		calendar->jump_s = wall - expected; /* put right again, it has done no harm */
	} else {
		calendar->jump_s = 0;
		calendar->mark_s = later(calendar->mark_s, wall);
		if (!calendar->settled)
			settle(calendar, wall);
	}
}

/* The catalog of an old copy keeps its mark: trusted time is here meanwhile. */
static bool
store(struct calendar *calendar, struct err *err)
{
	return db_held(calendar->db) || db_set_time_mark(calendar->db, calendar->mark_s, err);
}

bool
calendar_tick(struct calendar *calendar, struct err *err)
{
	look(calendar);
	if (calendar->mark_s - db_time_mark(calendar->db) < STORE_EVERY_S)
		return true;
	return store(calendar, err);
}

bool
calendar_keep(struct calendar *calendar, struct err *err)
{
	look(calendar);
	if (calendar->mark_s <= db_time_mark(calendar->db))
		return true;
	return store(calendar, err);
}

bool
calendar_purge_time_s(const struct calendar *calendar, int64_t *ret_now_s)
{
	if (calendar->jump_s != 0 || !calendar->settled)
		return false;
	*ret_now_s = calendar->mark_s;
	return true;
}

int64_t
calendar_jump_s(const struct calendar *calendar)
{
	return calendar->jump_s;
}

bool
calendar_confirm(struct calendar *calendar, struct err *err)
{
	int64_t wall = clock_wall_s();
	if (!db_set_time_mark(calendar->db, wall, err))
		return false;
	calendar->mark_s = later(calendar->mark_s, wall);
	settle(calendar, wall);
	calendar->jump_s = 0;
	return true;
}
