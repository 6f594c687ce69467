/*
 * POST /clock/confirm: an administrator says that the wall clock is right after it jumped ahead. Only then are keys purged
 * whose retention ended by the jump (threats D14), and rotated.
 */
#include "custodyd/operations.h"
#include "custodyd/reconcile.h"
#include "custodyd/rotator.h"

static enum op_result
step_confirm(struct op *op)
{
	struct call *call = (struct call *)op;
	struct custodyd *daemon = call->task.daemon;
	call->audit_detail = arena_printf(
		call->arena, "jump of %lld s", (long long)calendar_jump_s(daemon->calendar));
	if (!calendar_confirm(daemon->calendar, &call->err))
		return call_fail(call);
	reconcile_purge_due(daemon->reconciler);
	rotator_wake(daemon->rotator);
	return call_finish(call, 204);
}

static const struct op_step steps[] = {
	{"admit",   call_admit  },
	{"confirm", step_confirm},
};

const struct call_type clock_confirm_type = {
	.op = CALL_OP_TYPE("clock.confirm", steps),
	.size = sizeof(struct call),
};
