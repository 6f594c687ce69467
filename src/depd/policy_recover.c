/*
 * POST /policies/{policy}/recover: the policy's keys are lost, and what is under it moves to the policies that were assigned instead,
 * its DEP key opened by the availability key (dep-semantics §6). Explicit, with a reason. No way around a revocation: a key that
 * its owner denies, or that works, or that nobody says anything of, is not lost (threats G20).
 */
#include "api/dep_leaving.h"
#include "base/log.h"
#include "db/db_dep_leaving.h"
#include "depd/dep_operations.h"
#include "depd/owners_word.h"
#include "depd/policy_call.h"
#include "depd/purge_guard.h"
#include "depd/rewrapper.h"

struct policy_recover {
	struct policy_call policy; /* first */
	const char *reason;
	struct owners_word word;
};

static void
clear(struct dep_call *call)
{
	owners_word_cancel(&((struct policy_recover *)call)->word);
	policy_call_clear(call);
}

static bool
check_kind(struct policy_recover *recover)
{
	enum db_dep_policy_kind kind = recover->policy.policy.kind;
	return kind == DB_DEP_M365 || kind == DB_DEP_MAILBOX ||
	       err_set(&recover->policy.call.err, ERR_NOT_SUPPORTED,
		       "Multi-workload and mailbox policies are recovered; policy %s is none.",
		       recover->policy.policy.name);
}

static enum op_result
step_find(struct op *op)
{
	struct policy_recover *recover = (struct policy_recover *)op;
	struct dep_call *call = &recover->policy.call;
	if (!policy_call_find(&recover->policy, false) || !check_kind(recover) ||
		!purge_guard_open(&recover->policy.policy, &call->err) ||
		!http_request_check_json(call->http, &call->err) ||
		!api_dep_recover_decode(
			http_request_body(call->http), call->arena, &recover->reason, &call->err))
		return dep_call_fail(call);
	call->audit_detail = recover->reason;
	if (!owners_word_start(&recover->word, call->depd, op->id, &recover->policy.policy,
		    call->arena, &call->err))
		return dep_call_fail(call);
	return OP_WAIT;
}

static bool
begin(struct policy_recover *recover)
{
	struct dep_call *call = &recover->policy.call;
	const struct db_dep_policy *policy = &recover->policy.policy;
	struct db_dep_policy now; /* a purge may have been requested meanwhile */
	call->err = recover->word.err;
	if (call->err.code != ERR_NONE ||
		!db_dep_policy_get(call->depd->db, policy->id, call->arena, &now, &call->err) ||
		!purge_guard_open(&now, &call->err))
		return false;
	for (size_t i = 0; i < recover->word.count; i++)
		if (!owners_word_check_lost(&recover->word.items[i], policy->name, &call->err))
			return false;
	const struct db_dep_leaving leaving = {
		.kind = DB_DEP_RECOVERY,
		.policy = policy->id,
		.reason = recover->reason,
		.fqdn = "",
		.contact = "",
		.incident = "",
		.started = calendar_now_s(call->depd->calendar),
	};
	return db_dep_recovery_begin(call->depd->db, &leaving, &call->err) &&
	       policy_call_answer(&recover->policy, policy->id);
}

static enum op_result
step_begin(struct op *op)
{
	struct policy_recover *recover = (struct policy_recover *)op;
	struct dep_call *call = &recover->policy.call;
	if (!begin(recover))
		return dep_call_fail(call);
	log_error("recovery.begun", LOG_TEXT("policy", recover->policy.policy.name),
		LOG_TEXT("reason", recover->reason));
	rewrapper_wake(call->depd->rewrapper);
	return dep_call_finish(call, 200);
}

static const struct op_step steps[] = {
	{"admit", dep_call_admit},
	{"find",  step_find     },
	{"begin", step_begin    },
};

const struct dep_call_type policy_recover_type = {
	.op = DEP_CALL_OP_TYPE("policy.recover", steps),
	.size = sizeof(struct policy_recover),
	.clear = clear,
};
