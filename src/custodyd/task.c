#include "task.h"

bool
task_ask(struct task *task, const char *token_name, struct token_job *job, unsigned slot,
	struct err *err)
{
	struct token *token = tokens_find(task->daemon->tokens, token_name);
	if (token == NULL)
		return err_set(err, ERR_UNAVAILABLE, "Token %s is not configured.", token_name);
	job->ticket = (struct token_ticket){.op_id = task->op.id, .slot = slot};
	job->caller = task->caller;
	return token_request(token, job, err);
}

void
task_deliver(void *ctx, struct token_ticket ticket, const struct token_answer *answer)
{
	struct custodyd *daemon = ctx;
	struct op *op = op_find(daemon->ops, ticket.op_id);
	if (op == NULL)
		return; /* it ended before; op_find() counted the answer as late */
	struct task *task = (struct task *)op;
	task->deliver(task, ticket.slot, answer);
	(void)op_resume(daemon->ops, ticket.op_id); /* found above, so it is there */
}
