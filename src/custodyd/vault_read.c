/*
 * GET /vaults and GET /vaults/{vault}: administrators see all, others the vaults on which they have a permission.
 * GET /vaults/{vault}/availability: whether one could be made under that name.
 */
#include "custodyd/operations.h"
#include "custodyd/rollback.h"
#include "custodyd/vault_call.h"

/* Whether he could see it. In an old copy (threats D8) his permission may be one that was taken away; `err` then says so. */
static bool
may_see(const struct call *call, const char *name, struct err *err)
{
	struct custodyd *daemon = call->task.daemon;
	bool administrator = access_is_administrator(daemon->access, &call->caller);
	if (!administrator && !rollback_check(daemon, name, "", err))
		return false;
	const struct db_vault *vault = vaults_find(daemon->vaults, name);
	/* One answer for a vault that is not there and one that is not for this caller (threats C21). */
	if (vault == NULL || (!administrator && access_permissions(daemon->access, &call->caller,
							vault->id) == 0))
		return err_set(err, administrator ? ERR_VAULT_NOT_FOUND : ERR_FORBIDDEN, NULL);
	return true;
}

static enum op_result
step_get(struct op *op)
{
	struct call *call = (struct call *)op;
	if (!may_see(call, call->names[0], &call->err))
		return call_fail(call);
	struct api_vault view;
	vault_view(call, vaults_find(call->task.daemon->vaults, call->names[0]), &view);
	api_vault_format(&view, &call->body);
	return call_finish(call, 200);
}

static const struct op_step get_steps[] = {
	{"admit", call_admit},
	{"get",   step_get  },
};

const struct call_type vault_get_type = {
	.op = CALL_OP_TYPE("vault.get", get_steps),
	.size = sizeof(struct call),
};

static enum op_result
step_list(struct op *op)
{
	struct call *call = (struct call *)op;
	const struct vaults *vaults = call->task.daemon->vaults;
	struct api_vault *views = arena_array(call->arena, vaults_count(vaults), sizeof(*views));
	size_t count = 0;
	for (size_t i = 0; i < vaults_count(vaults); i++) {
		const struct db_vault *vault = vaults_get(vaults, i);
		struct err hidden = {0};
		if (may_see(call, vault->name, &hidden))
			vault_view(call, vault, &views[count++]);
	}
	api_vault_list_format(views, count, &call->body);
	return call_finish(call, 200);
}

static const struct op_step list_steps[] = {
	{"admit", call_admit},
	{"list",  step_list },
};

const struct call_type vault_list_type = {
	.op = CALL_OP_TYPE("vault.list", list_steps),
	.size = sizeof(struct call),
};

/* For administrators alone: to others, which vaults there are is no news (threats C21). */
static enum op_result
step_availability(struct op *op)
{
	struct call *call = (struct call *)op;
	enum api_vault_name found = API_VAULT_NAME_AVAILABLE;
	if (!id_vault_name_valid(call->names[0]))
		found = API_VAULT_NAME_INVALID;
	else if (vaults_find(call->task.daemon->vaults, call->names[0]) != NULL)
		found = API_VAULT_NAME_EXISTS;
	api_vault_name_format(found, &call->body);
	return call_finish(call, 200);
}

static const struct op_step availability_steps[] = {
	{"admit",        call_admit       },
	{"availability", step_availability},
};

const struct call_type vault_availability_type = {
	.op = CALL_OP_TYPE("vault.availability", availability_steps),
	.size = sizeof(struct call),
};
