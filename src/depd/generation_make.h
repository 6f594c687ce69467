/*
 * Making a generation of a policy's DEP key: a random key, its dual envelope, opened with each customer key alone (threats
 * G9), its wrap under the availability key, opened too, the record of all that, signed by the service's key. Nothing is
 * in the catalog after that but what the caller then inserts.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "depd/depd.h"
#include "depd/keytree.h"
#include "depd/policy_check.h"

struct generation_wanted {
	enum db_dep_policy_kind kind;
	uint8_t policy[DB_DEP_GUID];
	int64_t number;
	struct policy_key *
		keys; /* with kids; the trial is noted in them; they stay where they are until the end */
	/* NULL: is to be made, as generation_availability_name() says. The service-managed policy has none. */
	const char *availability_kid;
	const char *signing_kid;
	/*
	 * A generation that is made anew, because what it is wrapped in was damaged: `key` is its DEP key. Both NULL: a new one.
	 * With `keep_envelope` the customers' keys are not asked. Borrowed until the end.
	 */
	const struct db_dep_generation *again;
	const struct secret *key;
	bool keep_envelope;
};

struct generation_made {
	struct arena *arena;
	struct db_dep_generation row; /* without id and policy; in `arena` */
	struct keytree_generation identity;
	struct secret *key; /* the DEP key; may be taken by setting it to NULL */
};
void generation_made_free(struct generation_made *made);

/* Name of a policy's availability key in the service's custody: "ak-" and its GUID. */
#define GENERATION_AVAILABILITY_NAME 40
void generation_availability_name(
	const uint8_t policy[static DB_DEP_GUID], char name[static GENERATION_AVAILABILITY_NAME]);
/* That of all geos together, a version of it for each time that it is made. */
#define GENERATION_GEO_AVAILABILITY "ak-geo"
/* Host of the service's vault for availability keys and the signing key. */
const char *generation_availability_host(const struct depd *depd, struct arena *arena);

/* `take_made` NULL: for `err`. It may come before generation_make_start() returns. */
typedef void generation_make_fn(
	void *ctx, struct generation_made *take_made, const struct err *err);

/* An operation of its own, ended after `deadline_ms` (0: never). *number names it until it ends, which sets it to 0. */
void generation_make_start(struct depd *depd, const struct generation_wanted *wanted,
	int64_t deadline_ms, uint64_t *number, generation_make_fn *fn, void *ctx);
/* Its callback does not come any more, *number is not touched any more. 0: nothing. */
void generation_make_cancel(struct depd *depd, uint64_t number);

DEFINE_CLEAN(generation_made, struct generation_made)
