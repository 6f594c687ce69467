/* PATCH /policies/{policy}: its description, and whether it may be assigned. What is assigned is not disabled. */
#include <inttypes.h>

#include "depd/dep_operations.h"
#include "depd/policy_call.h"
#include "depd/purge_guard.h"

/* An active one more. */
static bool
check_room(struct policy_call *policy)
{
	struct dep_call *call = &policy->call;
	int64_t count;
	if (policy->policy.kind != DB_DEP_MAILBOX || policy->policy.state == DB_DEP_ENABLED)
		return true;
	if (!db_dep_policy_count_enabled(call->depd->db, DB_DEP_MAILBOX, &count, &call->err))
		return false;
	return count < POLICY_MAILBOX_MAX || err_set(&call->err, ERR_TOO_MANY_POLICIES, NULL);
}

static const char *
say(struct arena *arena, const struct api_dep_change *wanted)
{
	const char *enabled = wanted->enabled ? "enabled" : "disabled";
	if (!wanted->has_enabled)
		enabled = "";
	if (!wanted->has_outage_fallback)
		return enabled[0] != '\0' ? enabled : NULL;
	const char *comma = enabled[0] != '\0' ? ", " : "";
	if (wanted->outage_fallback_s == DB_DEP_OUTAGE_UNLIMITED)
		return arena_printf(arena, "%s%soutage fallback unlimited", enabled, comma);
	return arena_printf(arena, "%s%soutage fallback %" PRId64 " s", enabled, comma,
		wanted->outage_fallback_s);
}

static bool
apply(struct policy_call *policy)
{
	struct dep_call *call = &policy->call;
	struct api_dep_change wanted;
	if (!policy_call_find(policy, true) || !http_request_check_json(call->http, &call->err) ||
		!api_dep_change_decode(
			http_request_body(call->http), call->arena, &wanted, &call->err) ||
		!purge_guard_open(&policy->policy, &call->err))
		return false;
	struct db_dep_policy_change change = {
		.description = wanted.description,
		.has_outage_fallback = wanted.has_outage_fallback,
		.outage_fallback_s = wanted.outage_fallback_s,
	};
	if (wanted.has_enabled)
		change.state = wanted.enabled ? DB_DEP_ENABLED : DB_DEP_DISABLED;
	if (change.state == DB_DEP_ENABLED && !check_room(policy))
		return false;
	call->audit_detail = say(call->arena, &wanted);
	if (!db_dep_policy_update(call->depd->db, policy->policy.id, &change,
		    calendar_now_s(call->depd->calendar), &call->err)) {
		if (call->err.code == ERR_POLICY_ASSIGNED)
			(void)err_set(&call->err, ERR_POLICY_ASSIGNED,
				"Policy %s is assigned; assign another one and wait until nothing "
				"is "
				"left under it.",
				policy->policy.name);
		return false;
	}
	return policy_call_answer(policy, policy->policy.id);
}

static enum op_result
step_change(struct op *op)
{
	struct policy_call *policy = (struct policy_call *)op;
	return apply(policy) ? dep_call_finish(&policy->call, 200) : dep_call_fail(&policy->call);
}

static const struct op_step steps[] = {
	{"admit",  dep_call_admit},
	{"change", step_change   },
};

const struct dep_call_type policy_change_type = {
	.op = DEP_CALL_OP_TYPE("policy.set", steps),
	.size = sizeof(struct policy_call),
	.clear = policy_call_clear,
};
