/*
 * POST /policies/{policy}/purge/certify: the second certificate, that nothing is left that could ever open the data (dep-semantics §7).
 *
 *   find    the first certificate was issued, the second was not
 *   ask     the owners' custodyd, of each version of a customer key: only its word that it was purged counts, not that it knows none
 *   told    until all were asked
 *   sign    all that is stated
 *   store   before it is told
 *
 * GET /policies/{policy}/purge/certificates/{which}: one that was issued.
 */
#include <string.h>

#include "api/dep_certificate.h"
#include "depd/custody_port.h"
#include "depd/dep_operations.h"
#include "depd/purge_call.h"
#include "depd/purge_certificate.h"

struct purge_certify {
	struct purge_call purge; /* first */
	struct api_dep_certify wanted;
	const char *const *kids;
	size_t kid_count, next;
	struct api_dep_purged_key *purged;
	uint64_t call; /* to the owners' custodyd; 0: none */
	struct purge_certificate certificate;
};

static void
clear(struct dep_call *call)
{
	struct purge_certify *certify = (struct purge_certify *)call;
	custody_port_cancel(call->depd->custody, certify->call);
	purge_certificate_clear(&certify->certificate);
	policy_call_clear(call);
}

/* ---- find ---- */

static bool
check_phase(struct purge_call *purge)
{
	struct err *err = &purge->policy.call.err;
	if (!purge->found)
		return err_set(err, ERR_PURGE_NOT_REQUESTED, NULL);
	if (purge->purge.phase < DB_DEP_PURGE_CERTIFIED)
		return err_set(err, ERR_PURGE_NOT_DONE, NULL);
	return purge->purge.phase == DB_DEP_PURGE_CERTIFIED ||
	       err_set(err, ERR_CONFLICT, "The certificate was issued already.");
}

static bool
find(struct purge_certify *certify)
{
	struct policy_call *policy = &certify->purge.policy;
	struct dep_call *call = &policy->call;
	if (!purge_call_find(&certify->purge) || !http_request_check_json(call->http, &call->err) ||
		!api_dep_certify_decode(
			http_request_body(call->http), call->arena, &certify->wanted, &call->err) ||
		!check_phase(&certify->purge) ||
		!purge_certificate_keys(call->depd, policy->policy.id, call->arena, &certify->kids,
			&certify->kid_count, &call->err))
		return false;
	certify->purged = arena_array(call->arena, certify->kid_count, sizeof(*certify->purged));
	return true;
}

static enum op_result
step_find(struct op *op)
{
	struct purge_certify *certify = (struct purge_certify *)op;
	return find(certify) ? OP_NEXT : dep_call_fail(&certify->purge.policy.call);
}

/* ---- ask ---- */

static void
on_told(void *ctx, struct custody_answer *answer)
{
	struct purge_certify *certify = ctx;
	struct dep_call *call = &certify->purge.policy.call;
	const char *kid = certify->kids[certify->next];
	certify->call = 0;
	if (answer->unreachable)
		call->err = answer->err;
	else if (answer->err.code != ERR_NONE || !answer->place.purged)
		(void)err_set(&call->err, ERR_KEYS_NOT_PURGED,
			"The owners' custody does not say that the key %s was purged (%s); the "
			"service needs the permission get to be told.",
			kid,
			answer->err.code != ERR_NONE ? err_name(answer->err.code) : "it is there");
	else
		certify->purged[certify->next] =
			(struct api_dep_purged_key){.kid = kid, .purged = answer->place.purged_s};
	(void)op_resume(call->depd->ops, call->op.id);
}

static op_step_fn step_ask;

static enum op_result
step_ask(struct op *op)
{
	struct purge_certify *certify = (struct purge_certify *)op;
	struct policy_call *policy = &certify->purge.policy;
	struct dep_call *call = &policy->call;
	certify->call =
		custody_port_place(call->depd->custody, custody_port_as(policy->policy.kind),
			certify->kids[certify->next], on_told, certify, &call->err);
	return certify->call != 0 ? OP_WAIT : dep_call_fail(call);
}

static enum op_result
step_told(struct op *op)
{
	struct purge_certify *certify = (struct purge_certify *)op;
	struct dep_call *call = &certify->purge.policy.call;
	if (call->err.code != ERR_NONE)
		return dep_call_fail(call);
	if (++certify->next < certify->kid_count)
		op_next_is(op, step_ask);
	return OP_NEXT;
}

/* ---- sign ---- */

static void
on_signed(void *ctx, struct custody_answer *answer)
{
	struct purge_certify *certify = ctx;
	struct dep_call *call = &certify->purge.policy.call;
	purge_certificate_take(&certify->certificate, answer, &call->err);
	(void)op_resume(call->depd->ops, call->op.id);
}

static enum op_result
step_sign(struct op *op)
{
	struct purge_certify *certify = (struct purge_certify *)op;
	struct policy_call *policy = &certify->purge.policy;
	struct dep_call *call = &policy->call;
	const struct purge_certificate_more more = {
		.purged = certify->purged,
		.purged_count = certify->kid_count,
		.attested_by = arena_printf(call->arena, "uid %u", (unsigned)call->caller.uid),
		.attested = certify->wanted.attestation,
	};
	return purge_certificate_start(&certify->certificate, call->depd, call->arena,
		       &policy->policy, &certify->purge.purge, &more, on_signed, certify,
		       &call->err)
		       ? OP_WAIT
		       : dep_call_fail(call);
}

static enum op_result
step_store(struct op *op)
{
	struct purge_certify *certify = (struct purge_certify *)op;
	struct dep_call *call = &certify->purge.policy.call;
	const struct db_dep_certificate *row = &certify->certificate.row;
	/* somebody else may have asked meanwhile */
	bool stored = call->err.code == ERR_NONE && purge_call_find(&certify->purge) &&
		      check_phase(&certify->purge) &&
		      db_dep_erase_certify(
			      call->depd->db, certify->purge.policy.policy.id, row, &call->err);
	if (!stored)
		return dep_call_fail(call);
	call->audit_detail = arena_printf(call->arena, "certificate sha256 %s; backups: %s",
		purge_certificate_digest(row->certificate, call->arena),
		certify->wanted.attestation);
	api_dep_certificate_format(true, row->issued, row->certificate, &call->body);
	return dep_call_finish(call, 201);
}

static const struct op_step certify_steps[] = {
	{"admit", dep_call_admit},
	{"find",  step_find     },
	{"ask",   step_ask      },
	{"told",  step_told     },
	{"sign",  step_sign     },
	{"store", step_store    },
};

const struct dep_call_type purge_certify_type = {
	.op = DEP_CALL_OP_TYPE("purge.certify", certify_steps),
	.size = sizeof(struct purge_certify),
	.clear = clear,
};

/* ---- show ---- */

static bool
show(struct purge_call *purge)
{
	struct dep_call *call = &purge->policy.call;
	struct db_dep_certificate *rows;
	size_t count;
	bool irrecoverable;
	if (!api_dep_certificate_find(call->names[1], &irrecoverable))
		return err_set(&call->err, ERR_NOT_FOUND, NULL);
	if (!purge_call_find(purge) ||
		!db_dep_erase_certificates(call->depd->db, purge->policy.policy.id, call->arena,
			&rows, &count, &call->err))
		return false;
	if (!purge->found)
		return err_set(&call->err, ERR_PURGE_NOT_REQUESTED, NULL);
	for (size_t i = 0; i < count; i++) {
		if ((rows[i].number == DB_DEP_CERTIFICATE_IRRECOVERABLE) != irrecoverable)
			continue;
		api_dep_certificate_format(
			irrecoverable, rows[i].issued, rows[i].certificate, &call->body);
		return true;
	}
	return err_set(&call->err, ERR_PURGE_NOT_DONE, "This certificate was not issued yet.");
}

static enum op_result
step_show(struct op *op)
{
	struct purge_call *purge = (struct purge_call *)op;
	struct dep_call *call = &purge->policy.call;
	return show(purge) ? dep_call_finish(call, 200) : dep_call_fail(call);
}

static const struct op_step show_steps[] = {
	{"admit", dep_call_admit},
	{"show",  step_show     },
};

const struct dep_call_type purge_certificate_type = {
	.op = DEP_CALL_OP_TYPE("purge.certificate", show_steps),
	.size = sizeof(struct purge_call),
	.clear = policy_call_clear,
};
