/*
 * How long depd may go on by availability keys when the owners' custodyd cannot be reached at all: silence must not outvote a
 * revocation (threats G2). Time is paid for in the catalog before it is used, so that neither a restart nor kill -9 nor the
 * wall clock gives any of it back. It is given back once the owners were heard for as long as the limit without a break.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "db/db_dep.h"

#define BLIND_FALLBACK_MS (INT64_C(4) * 3600 * 1000) /* default limit */
#define BLIND_SLICE_MS    (INT64_C(60) * 1000)       /* paid for at once */

struct blind;

struct blind_state {
	bool silent;        /* the owners were not heard when last asked */
	int64_t silent_ms;  /* for how long */
	int64_t used_ms;    /* of the time allowed, as the catalog has it */
	int64_t allowed_ms; /* the limit and what persons added */
};

/* `limit_ms` >= 0; 0: never blind. Blocking, like the catalog. */
struct blind *blind_new(struct db *db, int64_t limit_ms, struct err *err) MUST_USE;
void blind_free(struct blind *blind);

/* The owners' daemon answered, whatever it said. */
void blind_heard(struct blind *blind);
/* It did not. */
void blind_silent(struct blind *blind);
/* Call every second or so: pays on while silent, whether anybody asks or not. Failures to store are tried again. */
void blind_tick(struct blind *blind);

/*
 * May an availability key be used without the owners' word? true: until `ret_left_ms` from now at most. ERR_UNAVAILABLE: the time is used up;
 * ERR_STORAGE…: it cannot be paid for.
 */
bool blind_allows(struct blind *blind, int64_t *ret_left_ms, struct err *err) MUST_USE;
/* Adds to what is allowed; durable when true is returned. */
bool blind_extend(struct blind *blind, int64_t more_ms, struct err *err) MUST_USE;

struct blind_state blind_state(const struct blind *blind);

DEFINE_CLEAN(blind, struct blind)
