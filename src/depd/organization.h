/*
 * The organization that depd serves: its signing key, its service-managed policy and its slots, made at the first start in the
 * service's own custody, which may take any number of tries; until then nothing but health and status is served.
 */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "base/attr.h"
#include "depd/depd.h"

#define ORGANIZATION_SERVICE_POLICY "service-managed"

/*
 * Before serving: ERR_CONFIG if the catalog is another organization's than the configuration names. Then starts setting it up if
 * that was not done yet, and undoing what was begun and not ended (policy_undo.h).
 */
bool organization_start(struct depd *depd, struct err *err) MUST_USE;
/* ERR_UNAVAILABLE: it is not set up yet. */
bool organization_get(const struct depd *depd, struct arena *arena,
	struct db_dep_organization *ret_organization, struct err *err) MUST_USE;
