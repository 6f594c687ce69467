/*
 * POST /catalog/accept: an administrator takes an old copy for the catalog (threats D8). That he does is in the audit before it
 * is done, with what is given up and why; the answer's own record follows as with every change.
 */
#include "api/catalog.h"
#include "custodyd/operations.h"
#include "custodyd/rollback.h"
#include "custodyd/witness.h"
#include "service/serve.h"

/* Evidence first: the audit must not be short of this one by a crash. */
static bool
record_before(struct call *call)
{
	struct custodyd *daemon = call->task.daemon;
	struct audit_record record = {
		.operation = "catalog.accept.begin",
		.detail = call->audit_detail,
	};
	return serve_record(
		daemon->audit, daemon->db, call->http, &call->caller, &record, true, &call->err);
}

static enum op_result
step_accept(struct op *op)
{
	struct call *call = (struct call *)op;
	struct custodyd *daemon = call->task.daemon;
	struct api_catalog_accept wanted;
	if (!http_request_check_json(call->http, &call->err) ||
		!api_catalog_accept_decode(
			http_request_body(call->http), call->arena, &wanted, &call->err))
		return call_fail(call);
	if (rollback_why(daemon) == NULL) {
		(void)err_set(&call->err, ERR_CONFLICT,
			"The catalog is not an old copy; there is nothing to accept.");
		return call_fail(call);
	}
	call->audit_detail = arena_printf(
		call->arena, "%s: %s", rollback_detail(daemon, call->arena), wanted.reason);
	if (!record_before(call) || !rollback_accept(daemon, &call->err))
		return call_fail(call);
	witness_accept(daemon->witness);
	return call_finish(call, 204);
}

static const struct op_step steps[] = {
	{"admit",  call_admit },
	{"accept", step_accept},
};

const struct call_type catalog_accept_type = {
	.op = CALL_OP_TYPE("catalog.accept", steps),
	.size = sizeof(struct call),
};
