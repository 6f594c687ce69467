/*
 * POST /dual/rewrapkey: opens an envelope with every key that can, makes a new one of its plaintext under given keys or the
 * newest versions of the same ones. Content key, iv and id are new; the plaintext does not leave the daemon.
 */
#include <string.h>

#include "api/dual.h"
#include "custodyd/dual_maker.h"
#include "custodyd/opening.h"
#include "custodyd/operations.h"

struct dual_rewrap {
	struct call call; /* first */
	struct api_dual_open wanted;
	struct opening opening;
	bool opening_made;
	struct dual_maker maker;
};

static struct dual_rewrap *
rewrap_of(struct op *op)
{
	return (struct dual_rewrap *)op;
}

static enum op_result
step_decode(struct op *op)
{
	struct dual_rewrap *rewrap = rewrap_of(op);
	struct call *call = &rewrap->call;
	dual_maker_init(&rewrap->maker, call);
	if (!http_request_check_json(call->http, &call->err) ||
		!api_dual_rewrap_decode(
			http_request_body(call->http), call->arena, &rewrap->wanted, &call->err))
		return call_fail(call);
	opening_init(&rewrap->opening, call, rewrap->wanted.envelope, rewrap->wanted.context);
	rewrap->wanted.envelope = NULL; /* the opening's now */
	rewrap->opening_made = true;
	call->task.daemon->openings++;
	opening_judge(&rewrap->opening);
	return OP_NEXT;
}

/* The newest versions of the keys that the envelope was made for: also of one whose recipient is missing. */
static bool
default_keys(struct dual_rewrap *rewrap, const char *kids[DUAL_KEYS], struct err *err)
{
	const struct envelope *envelope = rewrap->opening.envelope;
	if (envelope->listed_count != DUAL_KEYS)
		return err_set(err, ERR_BAD_PARAMETER,
			"The envelope lists other than two keys; name the two with 'keys'.");
	for (size_t i = 0; i < DUAL_KEYS; i++) {
		const char *kid = envelope->listed[i].kid;
		kids[i] = arena_strndup(rewrap->call.arena, kid, (size_t)(strrchr(kid, '/') - kid));
	}
	return true;
}

/* The new keys are chosen before the old envelope is opened: a rewrap that cannot end is not begun. */
static enum op_result
step_choose(struct op *op)
{
	struct dual_rewrap *rewrap = rewrap_of(op);
	struct call *call = &rewrap->call;
	const char *kids[DUAL_KEYS];
	if (rewrap->wanted.keys.set)
		memcpy(kids, rewrap->wanted.keys.text, sizeof(kids));
	else if (!default_keys(rewrap, kids, &call->err))
		return call_fail(call);
	return dual_maker_choose(&rewrap->maker, kids) ? OP_NEXT : call_fail(call);
}

static enum op_result
fail(struct dual_rewrap *rewrap)
{
	opening_audit(&rewrap->opening);
	opening_fail(&rewrap->opening);
	return call_fail(&rewrap->call);
}

static enum op_result
step_ask(struct op *op)
{
	struct dual_rewrap *rewrap = rewrap_of(op);
	struct err err = {0};
	if (!envelope_check_context(rewrap->opening.envelope, rewrap->opening.context, &err))
		opening_refuse(&rewrap->opening, &err);
	return opening_ask(&rewrap->opening, true) ? OP_WAIT : fail(rewrap);
}

static void
deliver(struct task *task, unsigned slot, const struct token_answer *answer)
{
	struct dual_rewrap *rewrap = (struct dual_rewrap *)task;
	if (slot >= DUAL_WRAP_SLOT)
		dual_maker_take(&rewrap->maker, slot, answer);
	else
		opening_take(&rewrap->opening, slot, answer);
}

static enum op_result
step_make(struct op *op)
{
	struct dual_rewrap *rewrap = rewrap_of(op);
	struct opening *opening = &rewrap->opening;
	if (opening_running(opening)) {
		op_next_is(op, step_make);
		return OP_WAIT;
	}
	if (opening->plaintext == NULL)
		return fail(rewrap);
	opening_audit(opening);
	if (!dual_maker_make(&rewrap->maker, opening->context, opening->plaintext))
		return call_fail(&rewrap->call);
	return dual_maker_ready(&rewrap->maker) ? OP_NEXT : OP_WAIT;
}

static enum op_result
step_answer(struct op *op)
{
	struct dual_rewrap *rewrap = rewrap_of(op);
	struct call *call = &rewrap->call;
	if (call->err.code != ERR_NONE)
		return call_fail(call);
	if (!dual_maker_ready(&rewrap->maker)) {
		op_next_is(op, step_answer);
		return OP_WAIT;
	}
	struct bytes envelope = dual_maker_text(&rewrap->maker);
	if (envelope.data == NULL)
		return call_fail(call);
	struct api_attempt attempts[ENVELOPE_RECIPIENTS_MAX];
	size_t count = opening_attempts(&rewrap->opening, attempts);
	api_dual_rewrapped_format(envelope, opening_degraded(&rewrap->opening), attempts, count,
		rewrap->maker.warnings, rewrap->maker.warning_count, &call->body);
	return call_finish(call, 200);
}

static void
clear(struct call *call)
{
	struct dual_rewrap *rewrap = (struct dual_rewrap *)call;
	if (rewrap->opening_made) {
		opening_cancel(&rewrap->opening);
		opening_clear(&rewrap->opening);
	}
	api_dual_open_clear(&rewrap->wanted);
	dual_maker_clear(&rewrap->maker);
}

static const struct op_step steps[] = {
	{"admit",  call_admit },
	{"decode", step_decode},
	{"choose", step_choose},
	{"ask",    step_ask   },
	{"make",   step_make  },
	{"answer", step_answer},
};

const struct call_type dual_rewrap_type = {
	.op = CALL_OP_TYPE("dual.rewrap", steps),
	.size = sizeof(struct dual_rewrap),
	.deliver = deliver,
	.clear = clear,
};
