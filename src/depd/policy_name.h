/* Policies as people name them: by name, by GUID, or by the GUID of any of their generations. */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "base/attr.h"
#include "db/db_dep_policy.h"

/* ERR_POLICY_NOT_FOUND, also for a policy of another kind; the message names it. */
bool policy_name_find(struct db *db, enum db_dep_policy_kind kind, const char *text,
	struct arena *arena, struct db_dep_policy *ret_policy, struct err *err) MUST_USE;
