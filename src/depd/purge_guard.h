/* What may not be done with a policy whose purge was requested, and with its mailboxes. */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "base/attr.h"
#include "db/db_dep_policy.h"

/* ERR_POLICY_PURGING unless no purge of it was requested; the message names it. */
bool purge_guard_open(const struct db_dep_policy *policy, struct err *err) MUST_USE;
/* The same, or ERR_POLICY_DISABLED: to be assigned or refreshed, it is enabled. */
bool purge_guard_enabled(const struct db_dep_policy *policy, struct err *err) MUST_USE;
/*
 * Whether what a policy covers may be covered by another: until the purge is approved, which says exactly what is to be purged.
 * ERR_POLICY_PURGING.
 */
bool purge_guard_may_leave(
	struct db *db, int64_t policy, struct arena *arena, struct err *err) MUST_USE;
