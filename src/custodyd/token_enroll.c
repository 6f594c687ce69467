/*
 * POST /tokens/{name}/enroll: makes the identity key pair of a token, once. Interrupted, it is simply asked for
 * again: the worker finds the pair that it made and takes it.
 */
#include "custodyd/operations.h"
#include "custodyd/token_view.h"

static enum op_result
step_enroll(struct op *op)
{
	struct call *call = (struct call *)op;
	struct custodyd *daemon = call->task.daemon;
	call->audit_detail = call->names[0];
	struct token *token = tokens_find(daemon->tokens, call->names[0]);
	if (token == NULL) {
		(void)err_set(&call->err, ERR_TOKEN_NOT_FOUND, NULL);
		return call_fail(call);
	}
	int64_t deadline_ms = loop_now_ms(daemon->loop) + daemon->options->daemon.create_timeout;
	op_set_deadline(op, 0);
	call->finishing = true;
	if (!token_enroll(token, (struct token_ticket){.op_id = op->id}, deadline_ms, &call->err))
		return call_fail(call);
	return OP_WAIT;
}

static void
deliver(struct task *task, unsigned slot, const struct token_answer *answer)
{
	(void)slot;
	if (answer->err != NULL)
		((struct call *)task)->err = *answer->err;
}

static enum op_result
step_answer(struct op *op)
{
	struct call *call = (struct call *)op;
	const struct token *token = tokens_find(call->task.daemon->tokens, call->names[0]);
	if (token == NULL && call->err.code == ERR_NONE)
		(void)err_set(
			&call->err, ERR_TOKEN_NOT_FOUND, NULL); /* a reload removed it meanwhile */
	if (call->err.code != ERR_NONE)
		return call_fail(call);
	struct api_token view;
	token_view(call, token, &view);
	api_token_format(&view, &call->body);
	return call_finish(call, 200);
}

static const struct op_step steps[] = {
	{"admit",  call_admit },
	{"enroll", step_enroll},
	{"answer", step_answer},
};

const struct call_type token_enroll_type = {
	.op = CALL_OP_TYPE("token.enroll", steps),
	.size = sizeof(struct call),
	.deliver = deliver,
};
