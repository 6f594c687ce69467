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
/* The answer: the geo as it is now. */
bool geo_call_answer(struct geo_call *call) MUST_USE;

/*
 * Gives every geo of the configuration its place in the catalog, once the organization is set up. What fails is noted: a geo
 * without one cannot be used until the next start or reload.
 */
void geo_call_make_slots(struct depd *depd);
