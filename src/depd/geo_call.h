/*
 * What the operations on geos share: which geo is meant and how it stands, the keys that a request names, and the answer. A
 * struct geo_call is the first member of an operation's own struct, or all of it.
 */
#pragma once

#include <stdbool.h>

#include "api/dep_geo.h"
#include "base/attr.h"
#include "depd/geo_view.h"
#include "depd/policy_call.h"

struct geo_call {
	struct policy_call policy; /* first */
	struct geo_view view;      /* as it was found */
};

/*
 * The geo that the path names, by its name or its admin site's host: call->view, and what covers it as the call's policy. It is
 * what the audit says. ERR_GEO_NOT_FOUND.
 */
bool geo_call_find(struct geo_call *call) MUST_USE;
/* Takes what a request names as one of the call's keys. ERR_BAD_PARAMETER: no version; a geo's keys are pinned. */
bool geo_call_take_key(
	struct geo_call *call, size_t index, const struct api_dep_geo_key *key) MUST_USE;
/* ERR_GEO_UNREGISTERED. */
bool geo_call_check_registered(struct geo_call *call) MUST_USE;
/* ERR_GEO_UNREGISTERED; ERR_ROLL_IN_PROGRESS, with the percentage: something is left to be done for its sites. */
bool geo_call_check_quiet(struct geo_call *call) MUST_USE;
/* ERR_ROLL_IN_PROGRESS with how the geo stands, which is not quiet; false. */
bool geo_call_busy(struct geo_call *call);

/*
 * After policy_call_make(): the geo as it is now, the generation that was made and what its keys are called. ERR_CONFLICT: another
 * request was quicker.
 */
bool geo_call_made(struct geo_call *call, struct db_dep_generation *ret_generation,
	const char *ret_uri[static POLICY_KEYS]) MUST_USE;
/* After it was inserted: the DEP key is in memory from its birth, and what is under older ones moves. */
bool geo_call_rolled(struct geo_call *call) MUST_USE;

/* The answer: the geo as it is now. */
bool geo_call_answer(struct geo_call *call) MUST_USE;

/*
 * Gives every geo of the configuration its place in the catalog, once the organization is set up. What fails is noted: a geo
 * without one cannot be used until the next start or reload.
 */
void geo_call_make_slots(struct depd *depd);
