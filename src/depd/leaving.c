/* Invariant: a rollback or recovery is over in the catalog before the audit says so; killed between, only that record is missing. */
#include "leaving.h"

#include "base/log.h"
#include "db/db_dep_leaving.h"
#include "db/db_dep_policy.h"
#include "service/audit.h"
#include "service/serve.h"

static bool
end(struct depd *depd, const struct db_dep_leaving *leaving, struct arena *arena, struct err *err)
{
	bool rollback = leaving->kind == DB_DEP_ROLLBACK;
	struct db_dep_policy policy;
	if (!db_dep_policy_get(depd->db, leaving->policy, arena, &policy, err) ||
		!db_dep_leaving_end(depd->db, leaving->id, calendar_now_s(depd->calendar), err))
		return false;
	const struct audit_record record = {
		.by_daemon = true,
		.operation = rollback                    ? "assignment.rolled-back"
			     : policy.kind == DB_DEP_GEO ? "geo.recovered"
							 : "policy.recovered",
		.subject = policy.kind == DB_DEP_GEO ? arena_printf(arena, "geo/%s", policy.name)
						     : policy.name,
		.detail = rollback ? arena_printf(arena, "incident %s", leaving->incident)
				   : leaving->reason,
		.catalog = db_generation(depd->db),
	};
	if (!audit_append(depd->audit, &record, false, err))
		return false;
	serve_tell_head(depd->audit, depd->db);
	log_info(record.operation, LOG_TEXT("policy", policy.name));
	return true;
}

void
leaving_settle(struct depd *depd)
{
	CLEAN(arena)
	struct arena *arena = arena_new();
	struct db_dep_leaving *leavings;
	struct err err = {.code = ERR_NONE};
	size_t count;
	bool done = db_dep_leaving_list(depd->db, arena, &leavings, &count, &err);
	for (size_t i = 0; done && i < count; i++)
		done = leavings[i].left > 0 || end(depd, &leavings[i], arena, &err);
	if (!done)
		depd_note(depd, "leaving.failed", &err, NULL);
}
