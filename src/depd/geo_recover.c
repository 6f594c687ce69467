/*
 * POST /geos/{geo}/recover: both keys of a geo are lost, and two new ones take their place (dep-semantics §6). A new generation of
 * its DEP key under these, and its sites' keys move to it, opened by the availability key: the only time that a geo's is used, for
 * nothing but that (threats G21). Explicit, with a reason; no way around a revocation (threats G20).
 *
 *   find     what is wanted; the owners' custodyd is asked for each generation that is needed
 *   lost     nothing is denied, and a generation is lost
 *   probe, judge, make   as at registration
 *   commit   generation and recovery, in one transaction; the rewrapper does the rest
 */
#include "base/log.h"
#include "db/db_dep_leaving.h"
#include "depd/dep_operations.h"
#include "depd/geo_call.h"
#include "depd/owners_word.h"

struct geo_recover {
	struct geo_call geo; /* first */
	const char *reason;
	struct owners_word word;
};

static void
clear(struct dep_call *call)
{
	owners_word_cancel(&((struct geo_recover *)call)->word);
	policy_call_clear(call);
}

static bool
find(struct geo_recover *recover)
{
	struct geo_call *geo = &recover->geo;
	struct dep_call *call = &geo->policy.call;
	struct api_dep_geo_recover wanted;
	if (!geo_call_find(geo) || !http_request_check_json(call->http, &call->err) ||
		!api_dep_geo_recover_decode(
			http_request_body(call->http), call->arena, &wanted, &call->err) ||
		!geo_call_check_registered(geo))
		return false;
	recover->reason = wanted.reason;
	for (size_t i = 0; i < POLICY_KEYS; i++)
		if (!geo_call_take_key(geo, i, &wanted.keys[i]))
			return false;
	return owners_word_start(&recover->word, call->depd, call->op.id, &geo->policy.policy,
		call->arena, &call->err);
}

static enum op_result
step_find(struct op *op)
{
	struct geo_recover *recover = (struct geo_recover *)op;
	return find(recover) ? OP_WAIT : dep_call_fail(&recover->geo.policy.call);
}

/* While it rolled one generation may have been lost and another one not: what opens is moved by its own keys. */
static bool
check_lost(struct geo_recover *recover)
{
	struct dep_call *call = &recover->geo.policy.call;
	size_t lost = 0;
	call->err = recover->word.err;
	if (call->err.code != ERR_NONE)
		return false;
	for (size_t i = 0; i < recover->word.count; i++) {
		struct err err = {.code = ERR_NONE};
		if (owners_word_check_lost(
			    &recover->word.items[i], recover->geo.policy.policy.name, &err))
			lost++;
		else if (call->err.code != ERR_ACCESS_DENIED)
			call->err = err;
	}
	if (lost == 0 || call->err.code == ERR_ACCESS_DENIED)
		return false;
	err_clear(&call->err);
	return true;
}

static enum op_result
step_lost(struct op *op)
{
	struct geo_recover *recover = (struct geo_recover *)op;
	return check_lost(recover) ? OP_NEXT : dep_call_fail(&recover->geo.policy.call);
}

static enum op_result
step_judge(struct op *op)
{
	struct geo_recover *recover = (struct geo_recover *)op;
	struct policy_call *policy = &recover->geo.policy;
	struct dep_call *call = &policy->call;
	if (!policy_check_first(policy->keys, POLICY_BEFORE_TRIAL, &call->err))
		return dep_call_fail(call);
	call->audit_detail = arena_printf(call->arena, "%s; %s %s", recover->reason,
		policy->keys[0].kid, policy->keys[1].kid);
	return policy_call_make(
		policy, recover->geo.view.current.number + 1, policy->policy.availability_kid);
}

static bool
commit(struct geo_recover *recover)
{
	struct geo_call *geo = &recover->geo;
	struct dep_call *call = &geo->policy.call;
	struct db_dep_generation row;
	const char *uri[POLICY_KEYS];
	const struct db_dep_leaving leaving = {
		.kind = DB_DEP_RECOVERY,
		.policy = geo->policy.policy.id,
		.reason = recover->reason,
		.fqdn = "",
		.contact = "",
		.incident = "",
		.started = calendar_now_s(call->depd->calendar),
	};
	return geo_call_made(geo, &row, uri) &&
	       db_dep_geo_recovery_begin(call->depd->db, &leaving, &row, uri, &call->err) &&
	       geo_call_rolled(geo) && geo_call_answer(geo);
}

static enum op_result
step_commit(struct op *op)
{
	struct geo_recover *recover = (struct geo_recover *)op;
	struct dep_call *call = &recover->geo.policy.call;
	if (!commit(recover))
		return dep_call_fail(call);
	log_error("recovery.begun", LOG_TEXT("geo", recover->geo.view.geo.name),
		LOG_TEXT("reason", recover->reason));
	return dep_call_finish(call, 200);
}

static const struct op_step steps[] = {
	{"admit",  dep_call_admit   },
	{"find",   step_find        },
	{"lost",   step_lost        },
	{"probe",  policy_call_probe},
	{"judge",  step_judge       },
	{"commit", step_commit      },
};

const struct dep_call_type geo_recover_type = {
	.op = DEP_CALL_OP_TYPE("geo.recover", steps),
	.size = sizeof(struct geo_recover),
	.clear = clear,
};
