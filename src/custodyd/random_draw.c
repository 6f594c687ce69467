/*
 * POST /rng: random octets of the vault's token, mixed with ours (threats A24): neither a poor token nor a poor host makes them poor.
 */
#include "api/key_operation.h"
#include "crypto/random.h"
#include "custodyd/operations.h"
#include "wire/wire.h"

struct random_draw {
	struct call call; /* first */
	size_t count;
	struct secret *octets;
};

static enum op_result
step_decode(struct op *op)
{
	struct random_draw *draw = (struct random_draw *)op;
	struct call *call = &draw->call;
	if (!http_request_check_json(call->http, &call->err) ||
		!api_random_decode(
			http_request_body(call->http), call->arena, &draw->count, &call->err))
		return call_fail(call);
	return OP_NEXT;
}

static enum op_result
step_ask(struct op *op)
{
	struct random_draw *draw = (struct random_draw *)op;
	struct call *call = &draw->call;
	struct wire_random_request wire = {.length = (uint16_t)draw->count};
	struct token_job job = {.type = WIRE_RANDOM, .request = &wire, .kind = LATENCY_OTHER};
	return call_ask(call, call->vault.token, &job, 0) ? OP_WAIT : call_fail(call);
}

static void
deliver(struct task *task, unsigned slot, const struct token_answer *answer)
{
	struct random_draw *draw = (struct random_draw *)task;
	struct err *err = &draw->call.err;
	(void)slot; /* one request */
	if (answer->err != NULL) {
		*err = *answer->err;
		return;
	}
	const struct wire_random_answer *fields = answer->fields;
	if (fields->data.len != draw->count) {
		(void)err_set(err, ERR_INTERNAL, NULL); /* seen by the next step */
		return;
	}
	draw->octets = secret_from(fields->data.data, fields->data.len);
	if (draw->octets == NULL)
		(void)err_set(err, ERR_NO_MEMORY, NULL);
	else
		random_mix(secret_data(draw->octets), draw->count);
}

static enum op_result
step_answer(struct op *op)
{
	struct random_draw *draw = (struct random_draw *)op;
	struct call *call = &draw->call;
	if (call->err.code != ERR_NONE)
		return call_fail(call);
	api_random_format(draw->octets, &call->body);
	return call_finish(call, 200);
}

static void
clear(struct call *call)
{
	secret_free(((struct random_draw *)call)->octets);
}

static const struct op_step steps[] = {
	{"admit",  call_admit },
	{"decode", step_decode},
	{"ask",    step_ask   },
	{"answer", step_answer},
};

const struct call_type random_type = {
	.op = CALL_OP_TYPE("random", steps),
	.size = sizeof(struct random_draw),
	.deliver = deliver,
	.clear = clear,
};
