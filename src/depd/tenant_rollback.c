/*
 * POST /assignments/tenant/rollback: back to service-managed keys, with the data of the ticket (dep-semantics §6). Both keys must
 * open the DEP key, as they must until all is moved; then the tenant's slots are the service-managed policy's, in one transaction
 * with the ticket, and scopes' keys move in the background. The assignment shows how far that is.
 */
#include <string.h>

#include "api/dep_leaving.h"
#include "db/db_dep_leaving.h"
#include "db/db_dep_scope.h"
#include "depd/dep_operations.h"
#include "depd/organization.h"
#include "depd/owners_word.h"
#include "depd/rewrapper.h"
#include "depd/tenant_assignment.h"
#include "depd/tenant_slots.h"

struct tenant_rollback {
	struct dep_call call; /* first */
	struct api_dep_rollback ticket;
	struct db_dep_policy policy, service;
	struct owners_word word;
};

static void
clear(struct dep_call *call)
{
	owners_word_cancel(&((struct tenant_rollback *)call)->word);
}

/* All of the tenant's slots are assigned together; any of them tells the policy. */
static bool
find_assigned(struct tenant_rollback *rollback, int64_t *ret_policy)
{
	struct dep_call *call = &rollback->call;
	struct db_dep_slot slot;
	if (!db_dep_slot_find(call->depd->db, tenant_slots[0].name, &slot, &call->err))
		return false;
	*ret_policy = slot.policy;
	return slot.policy != rollback->service.id ||
	       err_set(&call->err, ERR_POLICY_NOT_ASSIGNED, NULL);
}

static bool
find(struct tenant_rollback *rollback)
{
	struct dep_call *call = &rollback->call;
	struct db *db = call->depd->db;
	struct db_dep_organization organization;
	int64_t assigned;
	if (!http_request_check_json(call->http, &call->err) ||
		!api_dep_rollback_decode(
			http_request_body(call->http), call->arena, &rollback->ticket, &call->err))
		return false;
	const struct api_dep_rollback *ticket = &rollback->ticket;
	call->audit_detail = arena_printf(call->arena, "incident %s, tenant %s, contact %s: %s",
		ticket->incident, ticket->fqdn, ticket->contact, ticket->reason);
	if (!organization_get(call->depd, call->arena, &organization, &call->err) ||
		!db_dep_policy_find(db, DB_DEP_SERVICE, ORGANIZATION_SERVICE_POLICY, call->arena,
			&rollback->service, &call->err) ||
		!find_assigned(rollback, &assigned) ||
		!db_dep_policy_get(db, assigned, call->arena, &rollback->policy, &call->err))
		return false;
	call->audit_subject = rollback->policy.name;
	return owners_word_start(&rollback->word, call->depd, call->op.id, &rollback->policy,
		call->arena, &call->err);
}

static enum op_result
step_find(struct op *op)
{
	struct tenant_rollback *rollback = (struct tenant_rollback *)op;
	return find(rollback) ? OP_WAIT : dep_call_fail(&rollback->call);
}

/* What does not open names its key; both of a generation are named if neither opens. */
static bool
check_keys(struct tenant_rollback *rollback)
{
	struct err *err = &rollback->call.err;
	for (size_t i = 0; i < rollback->word.count; i++) {
		const struct owners_word_item *item = &rollback->word.items[i];
		const char *names[2] = {"", ""};
		size_t bad = 0;
		for (size_t k = 0; k < ARRAY_LEN(item->attempts); k++)
			if (item->attempts[k].reason != DEP_OPENED)
				names[bad++] = item->row->kid[k];
		if (bad > 0)
			return err_set(err, ERR_KEYS_UNUSABLE,
				"%s%s%s of policy %s %s not open its DEP key now; keep keys and "
				"permissions until the rollback is over.",
				names[0], bad > 1 ? " and " : "", names[1], rollback->policy.name,
				bad > 1 ? "do" : "does");
	}
	return true;
}

static bool
commit(struct tenant_rollback *rollback)
{
	struct dep_call *call = &rollback->call;
	const char *names[TENANT_SLOTS];
	int64_t assigned;
	for (size_t i = 0; i < TENANT_SLOTS; i++)
		names[i] = tenant_slots[i].name;
	if (!find_assigned(rollback, &assigned))
		return false;
	if (assigned != rollback->policy.id)
		return err_set(&call->err, ERR_CONFLICT,
			"Another policy than %s was assigned meanwhile.", rollback->policy.name);
	const struct db_dep_leaving leaving = {
		.kind = DB_DEP_ROLLBACK,
		.policy = rollback->policy.id,
		.reason = rollback->ticket.reason,
		.fqdn = rollback->ticket.fqdn,
		.contact = rollback->ticket.contact,
		.incident = rollback->ticket.incident,
		.started = calendar_now_s(call->depd->calendar),
	};
	return db_dep_rollback_begin(
		call->depd->db, &leaving, names, TENANT_SLOTS, rollback->service.id, &call->err);
}

static enum op_result
step_commit(struct op *op)
{
	struct tenant_rollback *rollback = (struct tenant_rollback *)op;
	struct dep_call *call = &rollback->call;
	call->err = rollback->word.err;
	if (call->err.code != ERR_NONE || !check_keys(rollback) || !commit(rollback) ||
		!tenant_assignment_view(call))
		return dep_call_fail(call);
	rewrapper_wake(call->depd->rewrapper);
	return dep_call_finish(call, 200);
}

static const struct op_step steps[] = {
	{"admit",  dep_call_admit},
	{"find",   step_find     },
	{"commit", step_commit   },
};

const struct dep_call_type tenant_rollback_type = {
	.op = DEP_CALL_OP_TYPE("assignment.rollback", steps),
	.size = sizeof(struct tenant_rollback),
	.clear = clear,
};
