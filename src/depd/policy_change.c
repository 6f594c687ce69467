/* PATCH /policies/{policy}: its description, and whether it may be assigned. What is assigned is not disabled. */
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

static bool
change(struct policy_call *policy)
{
	struct dep_call *call = &policy->call;
	struct api_dep_change wanted;
	enum db_dep_policy_state state = (enum db_dep_policy_state)0;
	if (!policy_call_find(policy, true) || !http_request_check_json(call->http, &call->err) ||
		!api_dep_change_decode(
			http_request_body(call->http), call->arena, &wanted, &call->err))
		return false;
	if (!purge_guard_open(&policy->policy, &call->err))
		return false;
	if (wanted.has_enabled)
		state = wanted.enabled ? DB_DEP_ENABLED : DB_DEP_DISABLED;
	if (state == DB_DEP_ENABLED && !check_room(policy))
		return false;
	if (wanted.has_enabled)
		call->audit_detail = wanted.enabled ? "enabled" : "disabled";
	if (!db_dep_policy_update(call->depd->db, policy->policy.id, wanted.description, state,
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
	return change(policy) ? dep_call_finish(&policy->call, 200) : dep_call_fail(&policy->call);
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
