/*
 * GET and PUT /assignments/tenant: which multi-workload policy covers what has no policy of its own, and how far each workload is.
 * Assigning changes one row for each slot, however many scopes that concerns; their keys move in the background.
 */
#include "depd/tenant_assignment.h"

#include "api/dep_policy.h"
#include "base/id.h"
#include "db/db_dep_leaving.h"
#include "depd/dep_operations.h"
#include "depd/organization.h"
#include "depd/policy_name.h"
#include "depd/rewrapper.h"
#include "depd/tenant_slots.h"

const struct tenant_slot tenant_slots[TENANT_SLOTS] = {
	{"workload/teams",      "teams",      "new data"},
	{"workload/exchange",   "exchange",   "all data"},
	{"workload/mip-edm",    "mip-edm",    "new data"},
	{"workload/mip-labels", "mip-labels", "all data"},
	{"workload/windows365", "windows365", "all data"},
	{"mailbox/default",     "mailbox",    "all data"},
	{"cloudpc/default",     "cloudpc",    "all data"},
};

/* A rollback is over when nothing is under the policy any more; what a workload has to move in clear does not count. */
static bool
view_rollback(struct dep_call *call, const struct db_dep_slot *slot,
	struct api_dep_assignment *assignment)
{
	struct db *db = call->depd->db;
	struct db_dep_leaving *leavings;
	int64_t done;
	size_t count;
	if (!db_dep_leaving_list(db, call->arena, &leavings, &count, &call->err) ||
		!db_dep_generation_scopes(db, slot->current, &done, &call->err))
		return false;
	for (size_t i = 0; i < count; i++) {
		struct db_dep_policy policy;
		if (leavings[i].kind != DB_DEP_ROLLBACK || leavings[i].left == 0)
			continue;
		if (!db_dep_policy_get(db, leavings[i].policy, call->arena, &policy, &call->err))
			return false;
		assignment->state = API_DEP_ROLLING_BACK;
		assignment->rolling_back = arena_strdup(call->arena, policy.name);
		assignment->incident = leavings[i].incident;
		assignment->percent = done * 100 / (done + leavings[i].left);
	}
	return true;
}

bool
tenant_assignment_view(struct dep_call *call)
{
	struct db *db = call->depd->db;
	struct db_dep_organization organization;
	struct db_dep_slot slot;
	struct db_dep_policy policy;
	struct api_dep_workload workloads[TENANT_SLOTS];
	char guid[ID_UUID_TEXT];
	if (!organization_get(call->depd, call->arena, &organization, &call->err))
		return false;
	for (size_t i = 0; i < TENANT_SLOTS; i++) {
		struct rewrapper_progress progress;
		if (!db_dep_slot_find(db, tenant_slots[i].name, &slot, &call->err) ||
			!db_dep_policy_get(db, slot.policy, call->arena, &policy, &call->err) ||
			!rewrapper_progress(db, &slot, call->arena, &progress, &call->err))
			return false;
		workloads[i] = (struct api_dep_workload){
			.name = tenant_slots[i].workload,
			.policy = arena_strdup(call->arena, policy.name),
			.covers = tenant_slots[i].covers,
			.scopes = progress.scopes,
			.done = progress.done,
		};
	}
	id_uuid_format(policy.guid, guid);
	struct api_dep_assignment assignment = {
		.state = policy.kind == DB_DEP_SERVICE ? API_DEP_UNASSIGNED : API_DEP_ASSIGNED,
		.policy = guid,
		.name = policy.name,
		.kind = (enum api_dep_kind)policy.kind,
		.assigned = slot.assigned,
		.workloads = workloads,
		.workload_count = TENANT_SLOTS,
	};
	if (!view_rollback(call, &slot, &assignment))
		return false;
	api_dep_assignment_format(&assignment, &call->body);
	return true;
}

static enum op_result
step_show(struct op *op)
{
	struct dep_call *call = (struct dep_call *)op;
	return tenant_assignment_view(call) ? dep_call_finish(call, 200) : dep_call_fail(call);
}

static const struct op_step show_steps[] = {
	{"admit", dep_call_admit},
	{"show",  step_show     },
};

const struct dep_call_type tenant_show_type = {
	.op = DEP_CALL_OP_TYPE("assignment.show", show_steps),
	.size = sizeof(struct dep_call),
};

/* What is assigned already stays as it is, its date too. */
static bool
is_assigned(struct dep_call *call, int64_t policy, bool *ret_assigned)
{
	*ret_assigned = true;
	for (size_t i = 0; i < TENANT_SLOTS; i++) {
		struct db_dep_slot slot;
		if (!db_dep_slot_find(call->depd->db, tenant_slots[i].name, &slot, &call->err))
			return false;
		*ret_assigned = *ret_assigned && slot.policy == policy;
	}
	return true;
}

static bool
assign(struct dep_call *call)
{
	struct depd *depd = call->depd;
	struct db_dep_organization organization;
	struct db_dep_policy policy;
	const char *names[TENANT_SLOTS], *name;
	bool assigned;
	if (!http_request_check_json(call->http, &call->err) ||
		!api_dep_assign_decode(
			http_request_body(call->http), call->arena, &name, &call->err))
		return false;
	call->audit_subject = name;
	if (!organization_get(depd, call->arena, &organization, &call->err) ||
		!policy_name_find(depd->db, DB_DEP_M365, name, call->arena, &policy, &call->err) ||
		!is_assigned(call, policy.id, &assigned))
		return false;
	call->audit_subject = arena_strdup(call->arena, policy.name);
	if (policy.state != DB_DEP_ENABLED)
		return err_set(&call->err, ERR_POLICY_DISABLED,
			"Policy %s is disabled; enable it first.", policy.name);
	for (size_t i = 0; i < TENANT_SLOTS; i++)
		names[i] = tenant_slots[i].name;
	return assigned || db_dep_slot_assign(depd->db, names, TENANT_SLOTS, policy.id,
				   calendar_now_s(depd->calendar), &call->err);
}

static enum op_result
step_assign(struct op *op)
{
	struct dep_call *call = (struct dep_call *)op;
	if (!assign(call) || !tenant_assignment_view(call))
		return dep_call_fail(call);
	rewrapper_wake(call->depd->rewrapper);
	return dep_call_finish(call, 200);
}

static const struct op_step assign_steps[] = {
	{"admit",  dep_call_admit},
	{"assign", step_assign   },
};

const struct dep_call_type tenant_assign_type = {
	.op = DEP_CALL_OP_TYPE("assignment.set", assign_steps),
	.size = sizeof(struct dep_call),
};
