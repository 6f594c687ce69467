/* Rotation policies of keys in the dialect (akv-contract §12). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"

#define API_ROTATION_DAYS_MIN 7  /* of what triggers an action */
#define API_EXPIRY_DAYS_MIN   28 /* of what a version lives */

/* Periods as ISO 8601 has them; NULL where the policy has none. */
struct api_rotation {
	const char *expiry;        /* attributes.expiryTime */
	const char *rotate_after;  /* the action Rotate at timeAfterCreate … */
	const char *rotate_before; /* … or at timeBeforeExpiry, then expiry is set; not both */
	const char *notify_before; /* the action Notify at timeBeforeExpiry */
};

/*
 * ERR_BAD_PARAMETER, naming the member: no period, one that is too short, an action twice or of another kind, a trigger that
 * its action cannot have. `now_s`: how long months and years are.
 */
bool api_rotation_decode(struct bytes body, int64_t now_s, struct arena *arena,
	struct api_rotation *ret_rotation, struct err *err) MUST_USE;

/* RotationPolicy. `created` below 0: none was set, and what stands for none is written. */
void api_rotation_format(const char *id, const struct api_rotation *rotation, int64_t created,
	int64_t updated, struct buf *out);
