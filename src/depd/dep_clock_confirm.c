/* POST /clock/confirm: an administrator says that the wall clock is right after it jumped ahead. Only then do purges begin whose time came by the jump. */
#include "depd/dep_operations.h"

static enum op_result
step_confirm(struct op *op)
{
	struct dep_call *call = (struct dep_call *)op;
	struct calendar *calendar = call->depd->calendar;
	call->audit_detail =
		arena_printf(call->arena, "jump of %lld s", (long long)calendar_jump_s(calendar));
	return calendar_confirm(calendar, &call->err) ? dep_call_finish(call, 204)
						      : dep_call_fail(call);
}

static const struct op_step steps[] = {
	{"admit",   dep_call_admit},
	{"confirm", step_confirm  },
};

const struct dep_call_type dep_clock_confirm_type = {
	.op = DEP_CALL_OP_TYPE("clock.confirm", steps),
	.size = sizeof(struct dep_call),
};
