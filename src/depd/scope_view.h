/* Scopes as answers show them: rows of the catalog with the names of the policies and generations that they point to. */
#pragma once

#include <stdbool.h>

#include "api/dep_scope.h"
#include "base/arena.h"
#include "base/attr.h"
#include "db/db_dep_policy.h"
#include "db/db_dep_scope.h"

struct scope_view; /* remembers what it looked up; lives in its arena */

struct scope_view *scope_view_new(struct db *db, struct arena *arena);
/* `scope` is borrowed by the result. ret_since: Unix seconds since when its key should be where it belongs; NULL: not asked. */
bool scope_view_of(struct scope_view *view, const struct db_dep_scope *scope,
	struct api_dep_scope *ret_scope, int64_t *ret_since, struct err *err) MUST_USE;

/* "m365", "mailbox", "geo", "service" */
const char *scope_view_policy_kind(enum db_dep_policy_kind kind);
