/*
 * POST /tokens/{name}/enroll: makes the identity key pair of a token, once. Interrupted, it is simply asked for
 * again: the worker finds the lease and the pair that it made and takes them. A token that is another catalog's is
 * taken over only if that is asked for, and the audit says so before it is done (threats D12).
 */
#include <string.h>

#include "api/status.h"
#include "base/b64.h"
#include "custodyd/operations.h"
#include "custodyd/token_view.h"
#include "service/serve.h"
#include "wire/wire.h"

static bool
read_body(struct call *call, struct api_token_enroll *ret_wanted)
{
	return http_request_check_json(call->http, &call->err) &&
	       api_token_enroll_decode(
		       http_request_body(call->http), call->arena, ret_wanted, &call->err);
}

/* Synced before the token is touched: whoever is killed after it has said what he was about to do. */
static bool
announce(struct call *call, const struct token *token)
{
	struct custodyd *daemon = call->task.daemon;
	const char *owner = token_other_owner(token);
	if (token_state(token) != TOKEN_STATE_LEASED)
		return true; /* there is nobody to take it from */
	struct audit_record record = {
		.operation = "token.take-over",
		.detail = arena_printf(call->arena, "%s, in use by instance %s", call->names[0],
			owner[0] != '\0' ? owner : "unknown"),
	};
	return serve_record(
		daemon->audit, daemon->db, call->http, &call->caller, &record, true, &call->err);
}

static enum op_result
step_enroll(struct op *op)
{
	struct call *call = (struct call *)op;
	struct custodyd *daemon = call->task.daemon;
	struct api_token_enroll wanted;
	call->audit_detail = call->names[0];
	if (!read_body(call, &wanted))
		return call_fail(call);
	struct token *token = tokens_find(daemon->tokens, call->names[0]);
	if (token == NULL) {
		(void)err_set(&call->err, ERR_TOKEN_NOT_FOUND, NULL);
		return call_fail(call);
	}
	int64_t deadline_ms = loop_now_ms(daemon->loop) + daemon->options->daemon.create_timeout;
	if (wanted.take_over && !announce(call, token))
		return call_fail(call);
	op_set_deadline(op, 0);
	call->finishing = true;
	struct token_ticket ticket = {.op_id = op->id};
	if (!token_enroll(token, wanted.take_over, ticket, deadline_ms, &call->err))
		return call_fail(call);
	return OP_WAIT;
}

/* For the audit: from whom it was taken, now or by an enrolment that was interrupted. */
static void
tell_former(struct call *call, const struct wire_enroll_answer *answer)
{
	static const uint8_t nobody[sizeof(answer->former)];
	char hex[2 * sizeof(answer->former) + 1];
	if (memcmp(answer->former, nobody, sizeof(nobody)) == 0)
		return;
	hex_encode(answer->former, sizeof(answer->former), hex);
	call->audit_detail =
		arena_printf(call->arena, "%s, taken from instance %s", call->names[0], hex);
}

static void
deliver(struct task *task, unsigned slot, const struct token_answer *answer)
{
	(void)slot;
	struct call *call = (struct call *)task;
	if (answer->err != NULL)
		call->err = *answer->err;
	else
		tell_former(call, answer->fields);
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
