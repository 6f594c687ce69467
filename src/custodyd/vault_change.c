/* PUT, PATCH and DELETE /vaults/{vault}. A vault lives in the catalog alone; its token must be configured and enrolled. */
#include <string.h>

#include "custodyd/operations.h"
#include "custodyd/vault_call.h"

static bool
check_token(const struct call *call, const char *name, struct err *err)
{
	if (tokens_find(call->task.daemon->tokens, name) == NULL)
		return err_set(err, ERR_TOKEN_NOT_FOUND, "No token %s is configured.", name);
	struct db_token row;
	bool found;
	if (!db_token_find(call->task.daemon->db, name, call->arena, &row, &found, err))
		return false;
	if (!found || row.identity.len == 0)
		return err_set(err, ERR_TOKEN_NOT_ENROLLED,
			"Token %s is not enrolled; run custodyctl token enroll --name %s.", name,
			name);
	return true;
}

static bool
create(struct call *call, struct err *err)
{
	struct custodyd *daemon = call->task.daemon;
	struct api_vault_create wanted;
	call->audit_vault = call->names[0];
	call->audit_detail = call->names[0];
	if (!id_vault_name_valid(call->names[0]))
		return err_set(err, ERR_BAD_PARAMETER, API_VAULT_NAME_RULE);
	if (!http_request_check_json(call->http, err) ||
		!api_vault_create_decode(
			http_request_body(call->http), call->arena, &wanted, err) ||
		!check_token(call, wanted.token, err))
		return false;
	int64_t now_s = calendar_now_s(daemon->calendar);
	struct db_vault row = {
		.retention_days = wanted.retention_days,
		.purge_protection = wanted.purge_protection,
		.backup = wanted.backup == API_BACKUP_NEVER ? DB_BACKUP_NEVER : DB_BACKUP_TRUSTED,
		.created = now_s,
		.updated = now_s,
		.tags = wanted.tags,
	};
	strncpy(row.name, call->names[0], sizeof(row.name) - 1);
	strncpy(row.token, wanted.token, sizeof(row.token) - 1);
	int64_t id;
	return db_vault_insert(daemon->db, &row, &id, err);
}

static enum op_result
step_create(struct op *op)
{
	struct call *call = (struct call *)op;
	return create(call, &call->err) ? vault_answer(call, 201) : call_fail(call);
}

static bool
update(struct call *call, struct err *err)
{
	struct custodyd *daemon = call->task.daemon;
	struct api_vault_update wanted;
	call->audit_vault = call->names[0];
	call->audit_detail = call->names[0];
	const struct db_vault *vault = vault_find(call);
	if (vault == NULL || !http_request_check_json(call->http, err) ||
		!api_vault_update_decode(http_request_body(call->http), call->arena, &wanted, err))
		return false;
	const struct db_vault_change change = {
		.retention_days = wanted.retention_days,
		.protect = wanted.protect,
		.tags = wanted.tags,
		.updated = calendar_now_s(daemon->calendar),
	};
	return db_vault_update(daemon->db, vault->id, &change, err);
}

static enum op_result
step_update(struct op *op)
{
	struct call *call = (struct call *)op;
	return update(call, &call->err) ? vault_answer(call, 200) : call_fail(call);
}

static bool delete (struct call *call, struct err *err)
{
	struct custodyd *daemon = call->task.daemon;
	call->audit_vault = call->names[0];
	call->audit_detail = call->names[0];
	const struct db_vault *vault = vault_find(call);
	if (vault == NULL)
		return false;
	int64_t id = vault->id;
	if (!db_vault_delete(daemon->db, id, err))
		return false;
	access_forget_vault(daemon->access, id);
	keystore_forget_all(daemon->keys);
	return vaults_reload(daemon->vaults, err);
}

static enum op_result
step_delete(struct op *op)
{
	struct call *call = (struct call *)op;
	return delete (call, &call->err) ? call_finish(call, 204) : call_fail(call);
}

static const struct op_step create_steps[] = {
	{"admit",  call_admit },
	{"create", step_create},
};

const struct call_type vault_create_type = {
	.op = CALL_OP_TYPE("vault.create", create_steps),
	.size = sizeof(struct call),
};

static const struct op_step update_steps[] = {
	{"admit",  call_admit },
	{"update", step_update},
};

const struct call_type vault_update_type = {
	.op = CALL_OP_TYPE("vault.update", update_steps),
	.size = sizeof(struct call),
};

static const struct op_step delete_steps[] = {
	{"admit",  call_admit },
	{"delete", step_delete},
};

const struct call_type vault_delete_type = {
	.op = CALL_OP_TYPE("vault.delete", delete_steps),
	.size = sizeof(struct call),
};
