/* An operation that may ask tokens: requests and the daemon's own work (reconciling, scheduled purges). */
#pragma once

#include "base/err.h"
#include "custodyd/custodyd.h"
#include "custodyd/token.h"
#include "loop/op.h"

struct task;

/* Takes over an answer: copies or steals what it needs of it. The task goes on afterwards. */
typedef void task_deliver_fn(struct task *task, unsigned slot, const struct token_answer *answer);

struct task {
	struct op op; /* first */
	struct custodyd *daemon;
	task_deliver_fn *deliver;
	uint32_t caller; /* uid that the tokens count the work for */
};

/*
 * Asks a token by name. true: an answer will come to `deliver`, the step returns OP_WAIT. The job's type, call,
 * kind and deadline are the caller's; ticket and caller are set here. false: as token_request().
 */
bool task_ask(struct task *task, const char *token, struct token_job *job, unsigned slot,
	struct err *err) MUST_USE;
/* tokens_host's deliver: finds the task, gives it the answer, resumes it. ctx: struct custodyd. */
void task_deliver(void *ctx, struct token_ticket ticket, const struct token_answer *answer);
