/* Which scope a request names, and the slot that a scope is in unless it has a policy of its own. */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "db/db_dep_scope.h"
#include "depd/dep_call.h"
#include "depd/keytree.h"

/*
 * From the captures of "/scopes/{kind}/{id}…", "/mailboxes/{id}…" or "/sites/{id}"; ret_id NULL: of a path that ends at the kind. Names the
 * scope for the audit. ERR_NOT_FOUND: no such kind; ERR_BAD_PARAMETER: no scope can have this name.
 */
bool scope_name_of(
	struct dep_call *call, enum keytree_scope_kind *ret_kind, const char **ret_id) MUST_USE;
/* "mailbox/default", "cloudpc/default", "workload/teams"; not of sites (asserted). ERR_SCOPE_NOT_FOUND: there is no such workload. */
bool scope_name_slot(struct db *db, enum keytree_scope_kind kind, const char *id,
	struct db_dep_slot *ret_slot, struct err *err) MUST_USE;
/* That of the sites of a geo; `geo` NULL: of the only one. ERR_GEO_NOT_FOUND, ERR_BAD_PARAMETER: it must be named. */
bool scope_name_site_slot(const struct depd *depd, const char *geo, struct db_dep_slot *ret_slot,
	struct err *err) MUST_USE;
