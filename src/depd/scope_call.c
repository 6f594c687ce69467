#include "scope_call.h"

bool
scope_call_admit(struct scope_call *work, enum keytree_scope_kind kind)
{
	bool system;
	if (!dep_call_check_workload(&work->call, kind, &system))
		return false;
	work->action = system ? DEP_SYSTEM : DEP_USER;
	return true;
}

struct dep_key *
scope_call_key(struct scope_call *work, int64_t generation)
{
	return scope_hold_find(&work->hold, work->call.depd->opener, generation);
}

static void
opened(void *ctx, struct dep_key *key, const struct err *err)
{
	struct scope_call *work = ctx;
	work->opening = 0;
	work->refusal = (struct err){.code = ERR_NONE};
	if (key != NULL)
		scope_hold_add(&work->hold, key);
	else
		work->refusal = *err;
	(void)op_resume(work->call.op.ops, work->call.op.id); /* it waits for this */
}

void
scope_call_open(struct scope_call *work, int64_t generation, const uint8_t *scope_key)
{
	const struct dep_opening_for why = {
		.action = work->action,
		.request = http_request_id(work->call.http),
		.scope_key = scope_key,
	};
	work->opening = dep_opener_start(work->call.depd->opener, generation, &why, opened, work);
}

void
scope_call_clear(struct dep_call *call)
{
	struct scope_call *work = (struct scope_call *)call;
	dep_opener_cancel(call->depd->opener, work->opening);
	scope_hold_clear(&work->hold);
	loop_defer_cancel(call->depd->loop, call);
}
