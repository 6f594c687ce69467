/*
 * Invariant: time is in the catalog before it is used. `paid_ms` is the moment, on the monotonic clock, up to which it is; what
 * was paid for and is lost by a restart stays paid.
 */
#include "blind.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"

#define NEVER (-1)

struct blind {
	struct db *db;
	int64_t limit_ms;
	struct db_dep_blind stored;
	bool silent;
	int64_t silent_since_ms;
	int64_t heard_since_ms; /* NEVER: not since the start, or silent */
	int64_t paid_ms;
};

struct blind *
blind_new(struct db *db, int64_t limit_ms, struct err *err)
{
	struct db_dep_blind stored;
	if (!db_dep_blind_get(db, &stored, err))
		return NULL;
	struct blind *blind = calloc(1, sizeof(*blind));
	if (blind == NULL)
		abort();
	*blind = (struct blind){
		.db = db, .limit_ms = limit_ms, .stored = stored, .heard_since_ms = NEVER};
	return blind;
}

void
blind_free(struct blind *blind)
{
	free(blind);
}

static int64_t
left_ms(const struct blind *blind)
{
	int64_t left = blind->limit_ms + blind->stored.allowed_ms - blind->stored.used_ms;
	return left > 0 ? left : 0;
}

static bool
store(struct blind *blind, const struct db_dep_blind *stored, struct err *err)
{
	if (!db_dep_blind_set(blind->db, stored, err))
		return false;
	blind->stored = *stored;
	return true;
}

/* Pays for what passed unpaid and for a slice ahead, as far as time is left. */
static bool
pay(struct blind *blind, struct err *err)
{
	int64_t now_ms = clock_monotonic_ms();
	if (now_ms < blind->paid_ms)
		return true;
	int64_t left = left_ms(blind);
	if (left == 0)
		return true; /* nothing to pay with; blind_allows() sees that */
	int64_t price = now_ms - blind->paid_ms + BLIND_SLICE_MS;
	if (price > left)
		price = left;
	struct db_dep_blind stored = blind->stored;
	stored.used_ms += price;
	if (!store(blind, &stored, err))
		return false;
	blind->paid_ms += price;
	return true;
}

void
blind_heard(struct blind *blind)
{
	int64_t now_ms = clock_monotonic_ms();
	struct err err = {0};
	if (blind->silent)
		log_info("owners.heard",
			LOG_INT("silent_s", (now_ms - blind->silent_since_ms) / 1000));
	blind->silent = false;
	if (blind->heard_since_ms == NEVER)
		blind->heard_since_ms = now_ms;
	bool spent = blind->stored.used_ms > 0 || blind->stored.allowed_ms > 0;
	if (!spent || now_ms - blind->heard_since_ms < blind->limit_ms)
		return;
	if (!store(blind, &(struct db_dep_blind){0}, &err)) /* and again at the next word */
		log_err(LOG_LEVEL_WARNING, "blind.not-stored", &err,
			(struct log_field){.key = "-"});
}

void
blind_silent(struct blind *blind)
{
	int64_t now_ms = clock_monotonic_ms();
	blind->heard_since_ms = NEVER;
	if (blind->silent)
		return;
	log_error("owners.silent", LOG_INT("left_s", left_ms(blind) / 1000));
	blind->silent = true;
	blind->silent_since_ms = now_ms;
	if (blind->paid_ms < now_ms)
		blind->paid_ms = now_ms;
	blind_tick(blind);
}

void
blind_tick(struct blind *blind)
{
	struct err err = {0};
	if (blind->silent && !pay(blind, &err))
		log_err(LOG_LEVEL_WARNING, "blind.not-stored", &err,
			(struct log_field){.key = "-"});
}

bool
blind_allows(struct blind *blind, int64_t *ret_left_ms, struct err *err)
{
	int64_t now_ms = clock_monotonic_ms();
	blind_silent(blind);
	if (!pay(blind, err))
		return false;
	if (now_ms >= blind->paid_ms)
		return err_set(err, ERR_UNAVAILABLE,
			"The key owners' custodyd cannot be reached, and the time to go on without "
			"it is used up.");
	*ret_left_ms = blind->paid_ms - now_ms + left_ms(blind);
	return true;
}

bool
blind_extend(struct blind *blind, int64_t more_ms, struct err *err)
{
	struct db_dep_blind stored = blind->stored;
	stored.allowed_ms += more_ms;
	/* what passed since the time was used up was not granted, and is not paid for */
	int64_t now_ms = clock_monotonic_ms();
	if (blind->paid_ms < now_ms)
		blind->paid_ms = now_ms;
	return store(blind, &stored, err);
}

struct blind_state
blind_state(const struct blind *blind)
{
	return (struct blind_state){
		.silent = blind->silent,
		.silent_ms = blind->silent ? clock_monotonic_ms() - blind->silent_since_ms : 0,
		.used_ms = blind->stored.used_ms,
		.allowed_ms = blind->limit_ms + blind->stored.allowed_ms,
	};
}
