/* How a geo stands: what covers its sites, and how far that is. Read from the catalog at once, so that it is of one moment. */
#pragma once

#include <stdbool.h>

#include "api/dep_geo.h"
#include "base/arena.h"
#include "base/attr.h"
#include "db/db_dep_policy.h"
#include "db/db_dep_scope.h"
#include "depd/geos.h"

enum geo_state {
	GEO_UNREGISTERED = 1, /* the service-managed policy covers its sites */
	GEO_REGISTERING,      /* some sites are not encrypted under its policy yet */
	GEO_REGISTERED,
	GEO_ROLLING,    /* some sites are under an older generation */
	GEO_RECOVERING, /* the same, and its keys are lost */
};
const char *geo_state_name(enum geo_state state); /* "Rolling" */

struct geo_view {
	struct geo geo;
	struct db_dep_slot slot;
	struct db_dep_policy policy; /* that covers it */
	struct db_dep_generation current;
	enum geo_state state;
	int64_t sites;
	int64_t own;   /* of them, encrypted under any generation of its own policy */
	int64_t done;  /* of these, under the current one */
	int64_t clear; /* of them, whose data is in clear */
	int64_t keyed; /* of all, those with a key under its own policy; of these, under an older generation: */
	int64_t old;
	bool recovers; /* what is under an older one is being recovered */
};

/* ERR_UNAVAILABLE: the catalog does not have the geo yet. Text lives in `arena`. */
bool geo_view_read(struct db *db, const struct geo *geo, struct arena *arena,
	struct geo_view *ret_view, struct err *err) MUST_USE;
/* Percentage of the work of its state; rounded down: 100 only when nothing is left (threats G25). */
int geo_view_percentage(const struct geo_view *view);
/* As it is shown. Borrows from `view`. */
void geo_view_show(const struct geo_view *view, struct arena *arena, struct api_dep_geo *ret_geo);
