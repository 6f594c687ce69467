/* PUT and DELETE /vaults/{vault}/policies/{principal}: in force with the answer, for requests on open connections too. */
#include "custodyd/operations.h"
#include "custodyd/vault_call.h"

static bool
decode_permissions(struct call *call, uint32_t *ret_permissions, struct err *err)
{
	struct api_policy_set wanted;
	if (!http_request_check_json(call->http, err) ||
		!api_policy_set_decode(http_request_body(call->http), call->arena, &wanted, err))
		return false;
	uint32_t permissions = 0;
	for (size_t i = 0; i < wanted.count; i++) {
		uint32_t bits;
		if (!permission_parse(wanted.words[i], &bits))
			return err_set(err, ERR_BAD_PARAMETER,
				"permissions.keys has an unknown word; see custodyctl help "
				"permissions.");
		permissions |= bits;
	}
	*ret_permissions = permissions;
	return true;
}

static bool
set(struct call *call, struct err *err)
{
	struct custodyd *daemon = call->task.daemon;
	call->audit_vault = call->names[0];
	call->audit_detail = arena_printf(call->arena, "%s %s", call->names[0], call->names[1]);
	const struct db_vault *vault = vault_find(call);
	struct principal principal;
	uint32_t permissions;
	bool reduced;
	if (vault == NULL || !decode_permissions(call, &permissions, err) ||
		!principal_parse(call->names[1], &principal, err))
		return false;
	if (permissions == 0)
		return err_set(err, ERR_BAD_PARAMETER,
			"permissions.keys is empty; delete the policy instead.");
	return access_set(daemon->access, vault->id, &principal, permissions,
		calendar_now_s(daemon->calendar), &reduced, err);
}

static enum op_result
step_set(struct op *op)
{
	struct call *call = (struct call *)op;
	return set(call, &call->err) ? vault_answer(call, 200) : call_fail(call);
}

static bool delete (struct call *call, struct err *err)
{
	struct custodyd *daemon = call->task.daemon;
	call->audit_vault = call->names[0];
	call->audit_detail = arena_printf(call->arena, "%s %s", call->names[0], call->names[1]);
	const struct db_vault *vault = vault_find(call);
	if (vault == NULL)
		return false;
	/* Stored principals are matched first, so that the policy of a user who left can be removed (threats C28). */
	const struct principal *stored = access_find(daemon->access, vault->id, call->names[1]);
	if (stored == NULL)
		return err_set(err, ERR_NOT_FOUND, "The vault has no policy for this principal.");
	struct principal principal = *stored;
	bool reduced;
	return access_set(daemon->access, vault->id, &principal, 0,
		calendar_now_s(daemon->calendar), &reduced, err);
}

static enum op_result
step_delete(struct op *op)
{
	struct call *call = (struct call *)op;
	return delete (call, &call->err) ? vault_answer(call, 200) : call_fail(call);
}

static const struct op_step set_steps[] = {
	{"admit", call_admit},
	{"set",   step_set  },
};

const struct call_type vault_policy_set_type = {
	.op = CALL_OP_TYPE("policy.set", set_steps),
	.size = sizeof(struct call),
};

static const struct op_step delete_steps[] = {
	{"admit",  call_admit },
	{"delete", step_delete},
};

const struct call_type vault_policy_delete_type = {
	.op = CALL_OP_TYPE("policy.delete", delete_steps),
	.size = sizeof(struct call),
};
