/* Invariant: what an approver signed for is what is purged, neither more nor less. */
#include "purge_guard.h"

#include "db/db_dep_purge.h"

bool
purge_guard_open(const struct db_dep_policy *policy, struct err *err)
{
	switch (policy->state) {
	case DB_DEP_ENABLED:
	case DB_DEP_DISABLED:
		return true;
	case DB_DEP_PURGING:
		return err_set(err, ERR_POLICY_PURGING,
			"A purge of policy %s was requested: nothing under it is opened, and it is "
			"not "
			"changed.",
			policy->name);
	case DB_DEP_PURGED:
		break;
	}
	return err_set(err, ERR_POLICY_PURGING, "Policy %s was purged.", policy->name);
}

bool
purge_guard_enabled(const struct db_dep_policy *policy, struct err *err)
{
	return purge_guard_open(policy, err) &&
	       (policy->state == DB_DEP_ENABLED ||
		       err_set(err, ERR_POLICY_DISABLED, "Policy %s is disabled; enable it first.",
			       policy->name));
}

bool
purge_guard_may_leave(struct db *db, int64_t policy, struct arena *arena, struct err *err)
{
	struct db_dep_policy row;
	struct db_dep_purge purge;
	bool found;
	if (!db_dep_policy_get(db, policy, arena, &row, err) ||
		!db_dep_purge_get(db, policy, arena, &purge, &found, err))
		return false;
	return !found || purge.phase < DB_DEP_PURGE_APPROVED || purge_guard_open(&row, err);
}
