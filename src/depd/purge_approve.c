/*
 * POST /policies/{policy}/purge/approve, GET and DELETE /policies/{policy}/purge. Who delivers a signature need not be who made it:
 * what counts is the signature of an approver who was one when the purge was requested, over the document's exact
 * octets, while it holds (threats G10, G11).
 */
#include <string.h>

#include "api/dep_purge.h"
#include "depd/approvers.h"
#include "depd/dep_operations.h"
#include "depd/purge_call.h"

static bool
check_document(struct purge_call *call, struct bytes document)
{
	struct err *err = &call->policy.call.err;
	if (!bytes_equal(document, bytes_of_text(call->purge.document)))
		return err_set(err, ERR_PURGE_DOCUMENT_VOID,
			"This is not the document of the purge that was requested.");
	return memcmp(call->purge.names, call->mailboxes.digest, sizeof(call->purge.names)) == 0 ||
	       err_set(err, ERR_PURGE_DOCUMENT_VOID,
		       "The mailboxes under the policy are not those of the document any more; "
		       "cancel the purge and request it again.");
}

/* Index into `approvers` of who signed. */
static bool
find_signer(struct purge_call *call, const struct approvers *approvers, struct bytes signature,
	size_t *ret_signer)
{
	struct dep_call *base = &call->policy.call;
	const struct certificate *signers[DB_DEP_APPROVERS_MAX];
	size_t rows[DB_DEP_APPROVERS_MAX], count = 0, signer;
	CLEAN(buf)
	struct buf authorities;
	buf_init(&authorities, APPROVERS_AUTHORITIES_MAX);
	for (size_t i = 0; i < approvers->count; i++) {
		if (approvers->rows[i].id > call->purge.last_approver)
			continue; /* who was added since does not decide this one */
		rows[count] = i;
		signers[count++] = approvers->certificates[i];
	}
	if (!approvers_authorities(base->depd, &authorities, &base->err) ||
		!certificate_verify(signature, bytes_of_text(call->purge.document), signers, count,
			buf_bytes(&authorities), calendar_now_s(base->depd->calendar), &signer,
			&base->err))
		return false;
	*ret_signer = rows[signer];
	return true;
}

static bool
check_first_time(struct purge_call *call, const char *approver, int64_t *ret_approvals)
{
	struct dep_call *base = &call->policy.call;
	struct db_dep_approval *approvals;
	size_t count;
	if (!db_dep_purge_approvals(base->depd->db, call->purge.policy, base->arena, &approvals,
		    &count, &base->err))
		return false;
	for (size_t i = 0; i < count; i++)
		if (strcmp(approvals[i].approver, approver) == 0)
			return err_set(
				&base->err, ERR_CONFLICT, "%s has approved it already.", approver);
	*ret_approvals = (int64_t)count;
	return true;
}

static bool
keep(struct purge_call *call, const struct approvers *approvers, size_t signer,
	struct bytes signature)
{
	struct dep_call *base = &call->policy.call;
	struct depd *depd = base->depd;
	const struct db_dep_approval approval = {
		.approver = approvers->rows[signer].name,
		.certificate = approvers->rows[signer].certificate,
		.signature = signature,
		.approved = calendar_now_s(depd->calendar),
	};
	int64_t before;
	base->audit_detail = arena_printf(base->arena, "approver %s, %s", approval.approver,
		certificate_get_subject(approvers->certificates[signer]));
	if (!check_first_time(call, approval.approver, &before))
		return false;
	int64_t due_s = approval.approved + depd->options->daemon.purge_wait / 1000;
	return db_dep_purge_approve(depd->db, call->purge.policy, &approval,
		before + 1 >= call->purge.needed ? due_s : 0, &base->err);
}

static bool
approve(struct purge_call *call)
{
	struct dep_call *base = &call->policy.call;
	struct api_dep_purge_approval given;
	CLEAN(approvers)
	struct approvers approvers = {NULL};
	size_t signer;
	return purge_call_find(call) && http_request_check_json(base->http, &base->err) &&
	       api_dep_purge_approval_decode(
		       http_request_body(base->http), base->arena, &given, &base->err) &&
	       purge_call_open(call) && check_document(call, given.document) &&
	       approvers_load(base->depd, base->arena, &approvers, &base->err) &&
	       find_signer(call, &approvers, given.signature, &signer) &&
	       keep(call, &approvers, signer, given.signature) && purge_call_answer(call);
}

static enum op_result
step_approve(struct op *op)
{
	struct purge_call *call = (struct purge_call *)op;
	struct dep_call *base = &call->policy.call;
	return approve(call) ? dep_call_finish(base, 200) : dep_call_fail(base);
}

static const struct op_step approve_steps[] = {
	{"admit",   dep_call_admit},
	{"approve", step_approve  },
};

const struct dep_call_type purge_approve_type = {
	.op = DEP_CALL_OP_TYPE("purge.approve", approve_steps),
	.size = sizeof(struct purge_call),
	.body_bytes = API_DEP_PURGE_BODY_MAX,
	.clear = policy_call_clear,
};

/* ---- show ---- */

static enum op_result
step_show(struct op *op)
{
	struct purge_call *call = (struct purge_call *)op;
	struct dep_call *base = &call->policy.call;
	return purge_call_find(call) && purge_call_answer(call) ? dep_call_finish(base, 200)
								: dep_call_fail(base);
}

static const struct op_step show_steps[] = {
	{"admit", dep_call_admit},
	{"show",  step_show     },
};

const struct dep_call_type purge_show_type = {
	.op = DEP_CALL_OP_TYPE("purge.show", show_steps),
	.size = sizeof(struct purge_call),
	.clear = policy_call_clear,
};

/* ---- cancel ---- */

static enum op_result
step_cancel(struct op *op)
{
	struct purge_call *call = (struct purge_call *)op;
	struct dep_call *base = &call->policy.call;
	struct depd *depd = base->depd;
	bool done = purge_call_find(call) && purge_call_open(call) &&
		    db_dep_purge_cancel(
			    depd->db, &call->purge, calendar_now_s(depd->calendar), &base->err) &&
		    purge_call_answer(call);
	return done ? dep_call_finish(base, 200) : dep_call_fail(base);
}

static const struct op_step cancel_steps[] = {
	{"admit",  dep_call_admit},
	{"cancel", step_cancel   },
};

const struct dep_call_type purge_cancel_type = {
	.op = DEP_CALL_OP_TYPE("purge.cancel", cancel_steps),
	.size = sizeof(struct purge_call),
	.clear = policy_call_clear,
};
