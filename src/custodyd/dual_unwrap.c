/*
 * POST /dual/unwrapkey and /dual/check.
 *
 * unwrapkey asks the less busy of the two tokens, the other one too when the first takes longer than usual, and the other
 * one whenever the first does not open it. check asks every recipient's token and tells of each.
 */
#include "api/dual.h"
#include "custodyd/opening.h"
#include "custodyd/operations.h"

struct dual_unwrap {
	struct call call; /* first */
	struct api_dual_open wanted;
	struct opening opening;
	bool opening_made;
};

static struct dual_unwrap *
unwrap_of(struct op *op)
{
	return (struct dual_unwrap *)op;
}

static enum op_result
step_decode(struct op *op)
{
	struct dual_unwrap *unwrap = unwrap_of(op);
	struct call *call = &unwrap->call;
	if (!http_request_check_json(call->http, &call->err) ||
		!api_dual_open_decode(
			http_request_body(call->http), call->arena, &unwrap->wanted, &call->err))
		return call_fail(call);
	opening_init(&unwrap->opening, call, unwrap->wanted.envelope, unwrap->wanted.context);
	unwrap->wanted.envelope = NULL; /* the opening's now */
	unwrap->opening_made = true;
	call->task.daemon->openings++;
	opening_judge(&unwrap->opening);
	return OP_NEXT;
}

static void
deliver(struct task *task, unsigned slot, const struct token_answer *answer)
{
	opening_take(&((struct dual_unwrap *)task)->opening, slot, answer);
}

static enum op_result
fail(struct dual_unwrap *unwrap)
{
	opening_audit(&unwrap->opening);
	opening_fail(&unwrap->opening);
	return call_fail(&unwrap->call);
}

/* The caller's context is compared before any token is asked, but after permission and state (threats E5, E20). */
static enum op_result
step_ask(struct op *op)
{
	struct dual_unwrap *unwrap = unwrap_of(op);
	struct err err = {0};
	if (!envelope_check_context(unwrap->opening.envelope, unwrap->opening.context, &err))
		opening_refuse(&unwrap->opening, &err);
	return opening_ask(&unwrap->opening, false) ? OP_WAIT : fail(unwrap);
}

static enum op_result
step_opened(struct op *op)
{
	struct dual_unwrap *unwrap = unwrap_of(op);
	struct opening *opening = &unwrap->opening;
	struct call *call = &unwrap->call;
	if (opening->plaintext == NULL) {
		/* The other one is asked, or answers already; the last "no" ends it. */
		if (!opening_ask(opening, false))
			return fail(unwrap);
		op_next_is(op, step_opened);
		return OP_WAIT;
	}
	opening_cancel(opening);
	opening_audit(opening);
	struct api_attempt attempts[ENVELOPE_RECIPIENTS_MAX];
	size_t count = opening_attempts(opening, attempts);
	api_dual_opened_format(opening->plaintext,
		opening->envelope->recipients[opening->opened_by].key.kid,
		opening_degraded(opening), attempts, count, &call->body);
	return call_finish(call, 200);
}

static enum op_result
step_ask_all(struct op *op)
{
	struct dual_unwrap *unwrap = unwrap_of(op);
	struct err err = {0};
	if (!envelope_check_context(unwrap->opening.envelope, unwrap->opening.context, &err))
		opening_refuse(&unwrap->opening, &err);
	return opening_ask(&unwrap->opening, true) ? OP_WAIT : OP_NEXT;
}

static enum op_result
step_checked(struct op *op)
{
	struct dual_unwrap *unwrap = unwrap_of(op);
	struct call *call = &unwrap->call;
	if (opening_running(&unwrap->opening)) {
		op_next_is(op, step_checked);
		return OP_WAIT;
	}
	opening_audit(&unwrap->opening);
	struct api_attempt attempts[ENVELOPE_RECIPIENTS_MAX];
	size_t count = opening_attempts(&unwrap->opening, attempts);
	api_dual_check_format(attempts, count, &call->body);
	return call_finish(call, 200);
}

static void
clear(struct call *call)
{
	struct dual_unwrap *unwrap = (struct dual_unwrap *)call;
	if (unwrap->opening_made) {
		opening_cancel(&unwrap->opening);
		opening_clear(&unwrap->opening);
	}
	api_dual_open_clear(&unwrap->wanted);
}

static const struct op_step unwrap_steps[] = {
	{"admit",  call_admit },
	{"decode", step_decode},
	{"ask",    step_ask   },
	{"opened", step_opened},
};

const struct call_type dual_unwrap_type = {
	.op = CALL_OP_TYPE("dual.unwrap", unwrap_steps),
	.size = sizeof(struct dual_unwrap),
	.deliver = deliver,
	.clear = clear,
};

static const struct op_step check_steps[] = {
	{"admit",   call_admit  },
	{"decode",  step_decode },
	{"ask",     step_ask_all},
	{"checked", step_checked},
};

const struct call_type dual_check_type = {
	.op = CALL_OP_TYPE("dual.check", check_steps),
	.size = sizeof(struct dual_unwrap),
	.deliver = deliver,
	.clear = clear,
};
