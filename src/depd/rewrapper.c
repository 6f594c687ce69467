/*
 * Invariant: nothing about what is left to do is kept here; it is what the catalog says at each turn. A generation whose DEP
 * key cannot be had is passed over until the next attempt, so that it does not hold up the others.
 */
#include "rewrapper.h"

#include <stdlib.h>

#include "db/db_dep_leaving.h"
#include "depd/depd.h"
#include "depd/leaving.h"
#include "depd/scope_key.h"

#define BATCH       128   /* scopes in one transaction: a few milliseconds */
#define RETRY_MS    30000 /* until what could not be done is tried again */
#define BLOCKED_MAX 32

struct job {
	int64_t slot;
	int64_t from, to; /* generations */
};

struct rewrapper {
	struct depd *depd;
	struct timer *timer;
	struct scope_hold hold;
	uint64_t opening; /* 0: none */
	int64_t opened;   /* generation that is being opened */
	int64_t blocked[BLOCKED_MAX];
	size_t blocked_count;
	struct rewrapper_state state;
};

/* ---- what cannot be done now ---- */

static bool
is_blocked(const struct rewrapper *rewrapper, int64_t generation)
{
	for (size_t i = 0; i < rewrapper->blocked_count; i++) {
		if (rewrapper->blocked[i] == generation)
			return true;
	}
	return false;
}

static void
block(struct rewrapper *rewrapper, int64_t generation, const struct err *err)
{
	rewrapper->state.wait = *err;
	if (rewrapper->blocked_count < BLOCKED_MAX)
		rewrapper->blocked[rewrapper->blocked_count++] = generation;
}

/* Everything is tried again in a while. */
static void
rest(struct rewrapper *rewrapper)
{
	rewrapper->state.working = false;
	rewrapper->blocked_count = 0;
	scope_hold_clear(&rewrapper->hold);
	timer_start(rewrapper->timer, RETRY_MS);
}

static void
fail(struct rewrapper *rewrapper, const struct err *err)
{
	rewrapper->state.wait = *err;
	depd_note(rewrapper->depd, "rewrapper.failed", err, NULL);
	rest(rewrapper);
}

/* ---- finding work ---- */

static bool
find_in_slot(struct rewrapper *rewrapper, const struct db_dep_slot *slot, struct arena *arena,
	struct job *ret_job, bool *ret_found, struct err *err)
{
	struct db_dep_count *counts;
	size_t count;
	*ret_found = false;
	if (is_blocked(rewrapper, slot->current))
		return true;
	if (!db_dep_slot_counts(rewrapper->depd->db, slot->id, arena, &counts, &count, err))
		return false;
	for (size_t i = 0; i < count && !*ret_found; i++) {
		*ret_found = counts[i].generation != 0 && counts[i].count > 0 &&
			     counts[i].generation != slot->current &&
			     !is_blocked(rewrapper, counts[i].generation);
		*ret_job = (struct job){slot->id, counts[i].generation, slot->current};
	}
	return true;
}

static bool
find_job(struct rewrapper *rewrapper, struct job *ret_job, bool *ret_found, struct err *err)
{
	CLEAN(arena)
	struct arena *arena = arena_new();
	struct db_dep_slot *slots;
	size_t count;
	*ret_found = false;
	if (!db_dep_slot_list(rewrapper->depd->db, arena, &slots, &count, err))
		return false;
	for (size_t i = 0; i < count && !*ret_found; i++) {
		if (!find_in_slot(rewrapper, &slots[i], arena, ret_job, ret_found, err))
			return false;
	}
	return true;
}

/* ---- doing it ---- */

static void
key_came(void *ctx, struct dep_key *key, const struct err *err)
{
	struct rewrapper *rewrapper = ctx;
	rewrapper->opening = 0;
	if (key != NULL)
		scope_hold_add(&rewrapper->hold, key);
	else
		block(rewrapper, rewrapper->opened, err);
	timer_start(rewrapper->timer, 0);
}

/* As a user's action, what owners deny stays shut: unless somebody said that the keys are lost (policy_recover.c). */
static enum dep_action
action_of(struct rewrapper *rewrapper, int64_t generation)
{
	struct err err = {.code = ERR_NONE};
	bool recovers = false;
	if (!db_dep_recovers(rewrapper->depd->db, generation, &recovers, &err))
		depd_note(rewrapper->depd, "rewrapper.failed", &err, NULL);
	return recovers ? DEP_RECOVERY : DEP_USER;
}

/* NULL: it is being opened; the timer goes on when that is decided. */
static struct dep_key *
get_key(struct rewrapper *rewrapper, int64_t generation)
{
	const struct dep_opening_for why = {.action = action_of(rewrapper, generation)};
	struct dep_opener *opener = rewrapper->depd->opener;
	struct dep_key *key = scope_hold_find(&rewrapper->hold, opener, generation);
	if (key != NULL)
		return key;
	rewrapper->opened = generation;
	rewrapper->opening = dep_opener_start(opener, generation, &why, key_came, rewrapper);
	return NULL;
}

/* A scope that does not open stays where it is; the others are moved. ret_err: of the last that did not. */
static size_t
move_all(struct dep_key *from, struct dep_key *to, const struct db_dep_scope *scopes, size_t count,
	struct db_dep_rewrap *items, struct err *ret_err)
{
	size_t made = 0;
	for (size_t i = 0; i < count; i++) {
		if (scope_key_move(from, to, &scopes[i], &items[made], ret_err))
			made++;
	}
	return made;
}

static void
move_batch(struct rewrapper *rewrapper, const struct job *job, struct dep_key *from,
	struct dep_key *to)
{
	struct depd *depd = rewrapper->depd;
	CLEAN(arena)
	struct arena *arena = arena_new();
	struct db_dep_scope *scopes;
	struct db_dep_rewrap items[BATCH];
	struct err err = {.code = ERR_NONE};
	size_t count, moved = 0;
	if (!db_dep_scope_under(
		    depd->db, job->slot, job->from, BATCH, arena, &scopes, &count, &err)) {
		fail(rewrapper, &err);
		return;
	}
	size_t made = move_all(from, to, scopes, count, items, &err);
	if (made == 0 && count > 0) {
		block(rewrapper, job->from, &err);
		depd_note(depd, "rewrapper.blocked", &err, scopes[0].name);
	} else if (made > 0 && !db_dep_scope_rewrap(depd->db, items, made,
				       calendar_now_s(depd->calendar), &moved, &err)) {
		fail(rewrapper, &err);
		return;
	}
	rewrapper->state.moved += moved;
	timer_start(rewrapper->timer, (int64_t)made * 1000 / depd->options->daemon.rewrap_rate);
}

static void
work(struct rewrapper *rewrapper, const struct job *job)
{
	rewrapper->state.working = true;
	struct dep_key *to = get_key(rewrapper, job->to);
	struct dep_key *from = to != NULL ? get_key(rewrapper, job->from) : NULL;
	if (from != NULL)
		move_batch(rewrapper, job, from, to);
}

static bool
may_work(struct rewrapper *rewrapper, struct err *err)
{
	struct depd *depd = rewrapper->depd;
	if (depd->options->daemon.rewrap_rate == 0)
		return err_set(err, ERR_UNAVAILABLE, "rewrap-rate is 0: it is paused.");
	if (db_read_only(depd->db))
		return err_set(err, ERR_STORAGE, "The catalog is read-only.");
	return true;
}

static void
tick(void *ctx)
{
	struct rewrapper *rewrapper = ctx;
	struct err err = {.code = ERR_NONE};
	struct job job;
	bool found;
	if (rewrapper->opening != 0 || rewrapper->depd->draining)
		return;
	if (!find_job(rewrapper, &job, &found, &err)) {
		fail(rewrapper, &err);
	} else if (!found && rewrapper->blocked_count > 0) {
		leaving_settle(rewrapper->depd);
		rest(rewrapper);
	} else if (!found) {
		rewrapper->state.working = false;
		rewrapper->state.wait = (struct err){.code = ERR_NONE};
		scope_hold_clear(&rewrapper->hold);
		leaving_settle(rewrapper->depd);
	} else if (!may_work(rewrapper, &err)) {
		rewrapper->state.wait = err;
		rest(rewrapper);
	} else {
		work(rewrapper, &job);
	}
}

/* ---- life ---- */

struct rewrapper *
rewrapper_new(struct depd *depd)
{
	struct rewrapper *rewrapper = calloc(1, sizeof(*rewrapper));
	if (rewrapper == NULL)
		abort();
	rewrapper->depd = depd;
	rewrapper->timer = timer_new(depd->loop, "rewrapper", tick, rewrapper);
	timer_start(rewrapper->timer, 0);
	return rewrapper;
}

void
rewrapper_free(struct rewrapper *rewrapper)
{
	if (rewrapper == NULL)
		return;
	dep_opener_cancel(rewrapper->depd->opener, rewrapper->opening);
	scope_hold_clear(&rewrapper->hold);
	timer_free(rewrapper->timer);
	free(rewrapper);
}

void
rewrapper_wake(struct rewrapper *rewrapper)
{
	if (rewrapper->state.working)
		return; /* it looks again after what it is doing */
	rewrapper->blocked_count = 0;
	timer_start(rewrapper->timer, 0);
}

struct rewrapper_state
rewrapper_state(const struct rewrapper *rewrapper)
{
	return rewrapper->state;
}

bool
rewrapper_progress(struct db *db, const struct db_dep_slot *slot, struct arena *arena,
	struct rewrapper_progress *ret_progress, struct err *err)
{
	struct rewrapper_progress progress = {.scopes = 0};
	struct db_dep_count *counts;
	size_t count;
	if (!db_dep_slot_counts(db, slot->id, arena, &counts, &count, err))
		return false;
	for (size_t i = 0; i < count; i++) {
		if (counts[i].state == DB_DEP_REMEMBERED || counts[i].state == DB_DEP_ERASED)
			continue;
		progress.scopes += counts[i].count;
		if (counts[i].state == DB_DEP_CLEAR)
			progress.clear += counts[i].count;
		else if (counts[i].generation == slot->current)
			progress.done += counts[i].count;
	}
	progress.percent = progress.scopes > 0 ? (int)(progress.done * 100 / progress.scopes) : 100;
	*ret_progress = progress;
	return true;
}
