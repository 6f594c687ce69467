/*
 * POST /policies/{policy}/purge: the first step out of the service (dep-semantics §7).
 *
 *   find     a mailbox policy, enough approvers, nothing left that is on its way from or to another policy
 *   vault    the availability key can be purged when the time has come
 *   ask      each generation's keys are tried: both must be denied, or nothing changes (threats G12)
 *   commit   the document is made; from now on nothing under the policy is opened, from memory neither (threats G13)
 */
#include <string.h>

#include "api/dep_purge.h"
#include "depd/custody_port.h"
#include "depd/dep_opening.h"
#include "depd/dep_operations.h"
#include "depd/purge_call.h"
#include "depd/purge_guard.h"

struct purge_request {
	struct purge_call purge; /* first */
	struct api_dep_purge_request wanted;
	struct db_dep_generation *generations;
	size_t count, next;
	int64_t last_approver;
	uint64_t call; /* to a custodyd; 0: none */
};

static op_step_fn step_ask;

static void
clear(struct dep_call *call)
{
	struct purge_request *request = (struct purge_request *)call;
	custody_port_cancel(call->depd->custody, request->call);
	policy_call_clear(call);
}

/* ---- find ---- */

static bool
check_approvers(struct purge_request *request)
{
	struct dep_call *call = &request->purge.policy.call;
	int64_t needed = call->depd->options->daemon.approvers_needed;
	struct db_dep_approver *approvers;
	size_t count;
	if (!db_dep_approver_list(call->depd->db, call->arena, &approvers, &count, &call->err))
		return false;
	for (size_t i = 0; i < count; i++)
		if (approvers[i].id > request->last_approver)
			request->last_approver = approvers[i].id;
	return (int64_t)count >= needed ||
	       err_set(&call->err, ERR_TOO_FEW_APPROVERS,
		       "%lld approvals are needed, and there are %zu approvers; add approvers "
		       "first.",
		       (long long)needed, count);
}

/* A key that is under another policy as well would be destroyed for both, or for neither. */
static bool
check_strays(struct purge_request *request)
{
	struct dep_call *call = &request->purge.policy.call;
	int64_t strays;
	if (!db_dep_purge_strays(call->depd->db, request->purge.policy.policy.id,
		    request->purge.mailboxes.slot, &strays, &call->err))
		return false;
	return strays == 0 ||
	       err_set(&call->err, ERR_CONFLICT,
		       "%lld mailboxes are on their way from or to another policy; give the "
		       "permissions back until they have moved.",
		       (long long)strays);
}

static bool
find(struct purge_request *request)
{
	struct policy_call *policy = &request->purge.policy;
	struct dep_call *call = &policy->call;
	if (!purge_call_find(&request->purge) || !http_request_check_json(call->http, &call->err) ||
		!api_dep_purge_request_decode(
			http_request_body(call->http), call->arena, &request->wanted, &call->err))
		return false;
	if (!request->wanted.exiting)
		return err_set(&call->err, ERR_BAD_PARAMETER,
			"A purge is for an organization that leaves the service, not for some of "
			"its "
			"data: say exitingService if that is meant.");
	if (!purge_guard_open(&policy->policy, &call->err) || !check_approvers(request) ||
		!check_strays(request))
		return false;
	return db_dep_generation_list(call->depd->db, policy->policy.id, call->arena,
		&request->generations, &request->count, &call->err);
}

/* ---- vault ---- */

static void
on_vault(void *ctx, struct custody_answer *answer)
{
	struct purge_request *request = ctx;
	struct dep_call *call = &request->purge.policy.call;
	request->call = 0;
	if (answer->err.code != ERR_NONE) {
		(void)err_set(&call->err, ERR_AVAILABILITY_KEY_UNUSABLE,
			"The service's custody does not say whether the availability key can be "
			"purged.");
		(void)err_origin(&call->err, "%s", err_name(answer->err.code));
	} else if (answer->vault.purge_protection) {
		(void)err_set(&call->err, ERR_PURGE_PROTECTED,
			"The vault of the availability keys has purge protection: they could not "
			"be "
			"destroyed.");
	}
	(void)op_resume(call->depd->ops, call->op.id);
}

static enum op_result
step_find(struct op *op)
{
	struct purge_request *request = (struct purge_request *)op;
	struct dep_call *call = &request->purge.policy.call;
	if (!find(request))
		return dep_call_fail(call);
	request->call = custody_port_vault_get(call->depd->custody, custody_service,
		call->depd->options->daemon.availability_vault, on_vault, request, &call->err);
	return request->call != 0 ? OP_WAIT : dep_call_fail(call);
}

/* ---- ask ---- */

static void
judge_key(struct purge_request *request, const struct custody_answer *answer, const char *kid)
{
	struct err *err = &request->purge.policy.call.err;
	const struct custody_attempt *told = NULL;
	for (size_t i = 0; i < answer->attempt_count && told == NULL; i++)
		if (strcmp(answer->attempts[i].kid, kid) == 0)
			told = &answer->attempts[i];
	if (err->code != ERR_NONE || (told != NULL && told->reason == DEP_DENIED))
		return;
	if (told != NULL && told->reason == DEP_OPENED)
		(void)err_set(err, ERR_PERMISSIONS_STILL_PRESENT,
			"The service can still use the key %s; remove wrapKey and unwrapKey.", kid);
	else
		(void)err_set(err, ERR_PERMISSIONS_STILL_PRESENT,
			"The key %s is not denied, it only cannot be used now (%s); remove wrapKey "
			"and unwrapKey, and try again when its token is there.",
			kid, told != NULL ? told->code : err_name(answer->err.code));
}

static void
on_checked(void *ctx, struct custody_answer *answer)
{
	struct purge_request *request = ctx;
	struct dep_call *call = &request->purge.policy.call;
	const struct db_dep_generation *row = &request->generations[request->next];
	request->call = 0;
	for (size_t i = 0; i < POLICY_KEYS; i++)
		judge_key(request, answer, row->kid[i]);
	(void)op_resume(call->depd->ops, call->op.id);
}

static enum op_result
step_ask(struct op *op)
{
	struct purge_request *request = (struct purge_request *)op;
	struct policy_call *policy = &request->purge.policy;
	struct dep_call *call = &policy->call;
	const struct db_dep_generation *row = &request->generations[request->next];
	struct keytree_generation identity = {
		.organization = policy->organization.name, .number = (uint64_t)row->number};
	CLEAN(buf)
	struct buf context;
	buf_init(&context, ENVELOPE_CONTEXT_MAX);
	if (call->err.code != ERR_NONE)
		return dep_call_fail(call);
	memcpy(identity.policy, policy->policy.guid, sizeof(identity.policy));
	memcpy(identity.generation, row->guid, sizeof(identity.generation));
	keytree_envelope_context(&identity, &context);
	request->call =
		custody_port_dual_check(call->depd->custody, custody_port_as(policy->policy.kind),
			row->envelope, buf_bytes(&context), on_checked, request, &call->err);
	return request->call != 0 ? OP_WAIT : dep_call_fail(call);
}

static enum op_result
step_asked(struct op *op)
{
	struct purge_request *request = (struct purge_request *)op;
	struct dep_call *call = &request->purge.policy.call;
	if (call->err.code != ERR_NONE)
		return dep_call_fail(call);
	if (++request->next < request->count)
		op_next_is(op, step_ask);
	return OP_NEXT;
}

/* ---- commit ---- */

/* Nothing that was looked at before the questions has changed since. */
static bool
look_again(struct purge_request *request)
{
	struct policy_call *policy = &request->purge.policy;
	struct dep_call *call = &policy->call;
	struct db *db = call->depd->db;
	int64_t current = policy->policy.current;
	if (!db_dep_policy_get(db, policy->policy.id, call->arena, &policy->policy, &call->err) ||
		!purge_guard_open(&policy->policy, &call->err) || !check_strays(request) ||
		!purge_document_mailboxes(
			db, &policy->policy, &request->purge.mailboxes, &call->err))
		return false;
	return policy->policy.current == current ||
	       err_set(&call->err, ERR_CONFLICT, "The policy was refreshed meanwhile; try again.");
}

static bool
commit(struct purge_request *request)
{
	struct policy_call *policy = &request->purge.policy;
	struct dep_call *call = &policy->call;
	struct depd *depd = call->depd;
	struct db_dep_purge purge = {
		.policy = policy->policy.id,
		.before = policy->policy.state,
		.mailboxes = request->purge.mailboxes.count,
		.last_approver = request->last_approver,
		.needed = depd->options->daemon.approvers_needed,
		.requested = calendar_now_s(depd->calendar),
	};
	memcpy(purge.names, request->purge.mailboxes.digest, sizeof(purge.names));
	purge.document = purge_document_make(policy, &request->purge.mailboxes,
		request->wanted.reason, request->wanted.contact, purge.requested);
	if (purge.document == NULL || !db_dep_purge_begin(depd->db, &purge, &call->err))
		return false;
	for (size_t i = 0; i < request->count; i++)
		dep_opener_forget(depd->opener, request->generations[i].id);
	call->audit_detail = arena_printf(call->arena, "%lld mailboxes; reason %s; contact %s",
		(long long)purge.mailboxes, request->wanted.reason, request->wanted.contact);
	return purge_call_answer(&request->purge);
}

static enum op_result
step_commit(struct op *op)
{
	struct purge_request *request = (struct purge_request *)op;
	struct dep_call *call = &request->purge.policy.call;
	return look_again(request) && commit(request) ? dep_call_finish(call, 200)
						      : dep_call_fail(call);
}

static const struct op_step steps[] = {
	{"admit",  dep_call_admit},
	{"find",   step_find     },
	{"ask",    step_ask      },
	{"asked",  step_asked    },
	{"commit", step_commit   },
};

const struct dep_call_type purge_request_type = {
	.op = DEP_CALL_OP_TYPE("purge.request", steps),
	.size = sizeof(struct purge_request),
	.clear = clear,
};
