/* What the row modules of depd's catalog share within a transaction. Internal to src/db. */
#pragma once

#include "db_dep_policy.h"

/* All slots `names` get `policy`. */
bool db_dep_row_assign(struct db *db, const char *const *names, size_t count, int64_t policy,
	int64_t now_s, struct err *err) MUST_USE;
/* The policy's state. */
bool db_dep_row_state(struct db *db, int64_t policy, enum db_dep_policy_state state, int64_t now_s,
	struct err *err) MUST_USE;
/* The next generation of a policy becomes its current one, whose keys are called `uri` from now on. */
bool db_dep_row_roll(struct db *db, const struct db_dep_generation *generation,
	const char *const uri[2], int64_t *ret_id, struct err *err) MUST_USE;
