/* GET /policies/{policy} and GET /policies: what policies there are, a page at a time by name. */
#include <string.h>

#include "api/dep_scope.h"
#include "depd/dep_operations.h"
#include "depd/policy_call.h"

#define GENERATIONS_LISTED 1

static enum op_result
step_show(struct op *op)
{
	struct policy_call *call = (struct policy_call *)op;
	if (!policy_call_find(call, false) || !policy_call_answer(call, call->policy.id))
		return dep_call_fail(&call->call);
	return dep_call_finish(&call->call, 200);
}

static const struct op_step show_steps[] = {
	{"admit", dep_call_admit},
	{"show",  step_show     },
};

const struct dep_call_type policy_show_type = {
	.op = DEP_CALL_OP_TYPE("policy.show", show_steps),
	.size = sizeof(struct policy_call),
	.clear = policy_call_clear,
};

static bool
list(struct policy_call *policy)
{
	struct dep_call *call = &policy->call;
	const char *after = http_request_param(call->http, "after");
	enum db_dep_policy_kind kind;
	struct db_dep_policy *rows;
	size_t top, count;
	if (!policy_call_kind(policy, &kind) || !policy_call_may_read(policy, kind) ||
		!api_dep_page_size(http_request_param(call->http, "top"), &top, &call->err))
		return false;
	if (after != NULL && !api_dep_name_valid(after))
		return err_set(&call->err, ERR_BAD_PARAMETER, "after: no policy has this name.");
	if (!db_dep_policy_list(call->depd->db, kind, after != NULL ? after : "", top, call->arena,
		    &rows, &count, &call->err))
		return false;
	struct api_dep_policy *views = arena_array(call->arena, count, sizeof(*views));
	for (size_t i = 0; i < count; i++)
		if (!policy_call_view(policy, &rows[i], GENERATIONS_LISTED, &views[i]))
			return false;
	api_dep_policy_list_format(
		views, count, count == top ? views[count - 1].name : NULL, &call->body);
	return true;
}

static enum op_result
step_list(struct op *op)
{
	struct policy_call *policy = (struct policy_call *)op;
	return list(policy) ? dep_call_finish(&policy->call, 200) : dep_call_fail(&policy->call);
}

static const struct op_step list_steps[] = {
	{"admit", dep_call_admit},
	{"list",  step_list     },
};

const struct dep_call_type policy_list_type = {
	.op = DEP_CALL_OP_TYPE("policy.list", list_steps),
	.size = sizeof(struct policy_call),
	.clear = policy_call_clear,
};
