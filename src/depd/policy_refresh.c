/*
 * POST /policies/{policy}/refresh: when its keys have newer versions, a new generation of its DEP key under them (dep-semantics §4).
 * The versions that the URIs resolve to keep every rule, or nothing is done (threats G9). Scopes' keys move by themselves; the
 * old generation stays as long as one is under it.
 */
#include <string.h>

#include "depd/dep_operations.h"
#include "depd/organization.h"
#include "depd/policy_call.h"
#include "depd/purge_guard.h"

#define NOTHING_NEWER "Neither key has a newer version; nothing was done."
#define REFRESHED     "A new generation was made; what is under older ones moves to it."

struct policy_refresh {
	struct policy_call policy; /* first */
	struct db_dep_generation current;
};

static enum op_result
step_find(struct op *op)
{
	struct policy_refresh *refresh = (struct policy_refresh *)op;
	struct policy_call *policy = &refresh->policy;
	struct dep_call *call = &policy->call;
	if (!policy_call_find(policy, true) ||
		!organization_get(call->depd, call->arena, &policy->organization, &call->err))
		return dep_call_fail(call);
	if (!purge_guard_enabled(&policy->policy, &call->err))
		return dep_call_fail(call);
	if (!db_dep_generation_get(call->depd->db, policy->policy.current, call->arena,
		    &refresh->current, &call->err))
		return dep_call_fail(call);
	for (size_t i = 0; i < POLICY_KEYS; i++)
		policy_key_init(&policy->keys[i], policy->policy.uri[i]);
	return OP_NEXT;
}

static enum op_result
answer(struct policy_call *policy, bool refreshed)
{
	struct dep_call *call = &policy->call;
	struct api_dep_policy view;
	if (!db_dep_policy_get(
		    call->depd->db, policy->policy.id, call->arena, &policy->policy, &call->err) ||
		!policy_call_view(policy, &policy->policy, POLICY_KEYS, &view))
		return dep_call_fail(call);
	api_dep_refresh_format(
		refreshed, refreshed ? REFRESHED : NOTHING_NEWER, &view, &call->body);
	if (refreshed)
		policy_call_made(policy);
	return dep_call_finish(call, 200);
}

static enum op_result
step_judge(struct op *op)
{
	struct policy_refresh *refresh = (struct policy_refresh *)op;
	struct policy_call *policy = &refresh->policy;
	struct dep_call *call = &policy->call;
	bool newer = false;
	if (!policy_check_first(policy->keys, POLICY_BEFORE_TRIAL, &call->err))
		return dep_call_fail(call);
	for (size_t i = 0; i < POLICY_KEYS; i++)
		newer = newer || strcmp(policy->keys[i].kid, refresh->current.kid[i]) != 0;
	if (!newer)
		return answer(policy, false);
	call->audit_detail = arena_printf(call->arena, "%s %s, before %s %s", policy->keys[0].kid,
		policy->keys[1].kid, refresh->current.kid[0], refresh->current.kid[1]);
	return policy_call_make(
		policy, refresh->current.number + 1, policy->policy.availability_kid);
}

/* Another refresh may have been quicker: its generation is the one to build on. */
static bool
is_still_current(struct policy_refresh *refresh)
{
	struct dep_call *call = &refresh->policy.call;
	struct db_dep_policy now;
	if (!db_dep_policy_get(
		    call->depd->db, refresh->current.policy, call->arena, &now, &call->err))
		return false;
	if (!purge_guard_enabled(&now, &call->err)) /* meanwhile */
		return false;
	return now.current == refresh->current.id ||
	       err_set(&call->err, ERR_CONFLICT,
		       "Policy %s was refreshed by another request meanwhile.", now.name);
}

static enum op_result
step_commit(struct op *op)
{
	struct policy_refresh *refresh = (struct policy_refresh *)op;
	struct policy_call *policy = &refresh->policy;
	struct dep_call *call = &policy->call;
	if (policy->made == NULL || !is_still_current(refresh))
		return dep_call_fail(call);
	struct db_dep_generation row = policy->made->row;
	row.policy = policy->policy.id;
	if (!db_dep_generation_insert(call->depd->db, &row, &call->err))
		return dep_call_fail(call);
	return answer(policy, true);
}

static const struct op_step steps[] = {
	{"admit",  dep_call_admit   },
	{"find",   step_find        },
	{"probe",  policy_call_probe},
	{"judge",  step_judge       },
	{"commit", step_commit      },
};

const struct dep_call_type policy_refresh_type = {
	.op = DEP_CALL_OP_TYPE("policy.refresh", steps),
	.size = sizeof(struct policy_refresh),
	.clear = policy_call_clear,
};
