/*
 * POST /dual/wrapkey and /dual/generatekey: an envelope of given or random octets under two keys on two tokens. With RSA keys
 * no token is needed; half an envelope is never answered.
 */
#include "api/dual.h"
#include "crypto/random.h"
#include "custodyd/dual_maker.h"
#include "custodyd/operations.h"

struct dual_make {
	struct call call; /* first */
	struct api_dual_make wanted;
	struct dual_maker maker;
	bool generate;
};

static struct dual_make *
make_of(struct op *op)
{
	return (struct dual_make *)op;
}

static bool
decode(struct dual_make *make, struct err *err)
{
	struct call *call = &make->call;
	struct bytes body = http_request_body(call->http);
	if (!http_request_check_json(call->http, err))
		return false;
	if (!make->generate)
		return api_dual_wrap_decode(body, call->arena, &make->wanted, err);
	if (!api_dual_generate_decode(body, call->arena, &make->wanted, err))
		return false;
	make->wanted.value = random_secret(make->wanted.length);
	return make->wanted.value != NULL || err_set(err, ERR_NO_MEMORY, NULL);
}

static enum op_result
step_decode(struct op *op)
{
	struct dual_make *make = make_of(op);
	make->generate = make->call.row->alg_op != 0;
	dual_maker_init(&make->maker, &make->call);
	return decode(make, &make->call.err) ? OP_NEXT : call_fail(&make->call);
}

static enum op_result
step_make(struct op *op)
{
	struct dual_make *make = make_of(op);
	const char *const *kids = make->wanted.keys.text;
	make->call.audit_detail = arena_printf(make->call.arena, "%s; %s", kids[0], kids[1]);
	if (!dual_maker_choose(&make->maker, kids) ||
		!dual_maker_make(&make->maker, make->wanted.context, make->wanted.value))
		return call_fail(&make->call);
	make->call.audit_detail = arena_printf(
		make->call.arena, "%s; %s", make->maker.keys[0]->kid, make->maker.keys[1]->kid);
	return dual_maker_ready(&make->maker) ? OP_NEXT : OP_WAIT;
}

static void
deliver(struct task *task, unsigned slot, const struct token_answer *answer)
{
	dual_maker_take(&((struct dual_make *)task)->maker, slot, answer);
}

static enum op_result
step_answer(struct op *op)
{
	struct dual_make *make = make_of(op);
	struct call *call = &make->call;
	if (call->err.code != ERR_NONE)
		return call_fail(call);
	if (!dual_maker_ready(&make->maker)) {
		op_next_is(op, step_answer);
		return OP_WAIT;
	}
	struct bytes envelope = dual_maker_text(&make->maker);
	if (envelope.data == NULL)
		return call_fail(call);
	api_dual_made_format(envelope, make->generate ? make->wanted.value : NULL,
		make->maker.warnings, make->maker.warning_count, &call->body);
	return call_finish(call, 200);
}

static void
clear(struct call *call)
{
	struct dual_make *make = (struct dual_make *)call;
	api_dual_make_clear(&make->wanted);
	dual_maker_clear(&make->maker);
}

static const struct op_step steps[] = {
	{"admit",  call_admit },
	{"decode", step_decode},
	{"make",   step_make  },
	{"answer", step_answer},
};

const struct call_type dual_make_type = {
	.op = CALL_OP_TYPE("dual.make", steps),
	.size = sizeof(struct dual_make),
	.deliver = deliver,
	.clear = clear,
};
