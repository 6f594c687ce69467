/* PATCH /keys/{name}/{version}, DELETE /keys/{name}, POST /deletedkeys/{name}/recover: the catalog alone changes. */
#include <string.h>

#include "base/b64.h"
#include "custodyd/key_call.h"
#include "custodyd/operations.h"

/* A row was just changed: nobody may see the old one, and the answer shows the new. */
static enum op_result
answer_version(struct call *call, const uint8_t id[static ID_VERSION_BYTES])
{
	struct custodyd *daemon = call->task.daemon;
	struct db_key key;
	struct db_version version;
	keystore_forget(daemon->keys, call->vault.id, call->names[0]);
	if (!db_version_find_by_id(daemon->db, id, call->arena, &key, &version, &call->err) ||
		!key_answer(call, &key, &version))
		return call_fail(call);
	return call_finish(call, 200);
}

static enum op_result
step_update(struct op *op)
{
	struct call *call = (struct call *)op;
	struct custodyd *daemon = call->task.daemon;
	struct api_key_update wanted;
	if (!http_request_check_json(call->http, &call->err) ||
		!api_key_update_decode(
			http_request_body(call->http), call->arena, &wanted, &call->err))
		return call_fail(call);
	CLEAN(key_version)
	struct key_version *key = key_find(call);
	if (key == NULL)
		return call_fail(call);
	const struct db_version_change change = {
		.has_enabled = wanted.attributes.has_enabled,
		.enabled = wanted.attributes.enabled,
		.has_nbf = wanted.attributes.has_nbf,
		.nbf = wanted.attributes.nbf,
		.has_exp = wanted.attributes.has_exp,
		.exp = wanted.attributes.exp,
		.has_ops = wanted.has_ops,
		.ops = wanted.ops,
		.tags = wanted.tags,
		.updated = calendar_now_s(daemon->calendar),
	};
	if (!db_version_update(daemon->db, key->version.id, &change, &call->err))
		return call_fail(call);
	return answer_version(call, key->version.id);
}

static enum op_result
step_delete(struct op *op)
{
	struct call *call = (struct call *)op;
	struct custodyd *daemon = call->task.daemon;
	struct db_key_item item;
	if (!key_name_check(call) ||
		!db_key_find(daemon->db, call->vault.id, call->names[0], call->arena, &item,
			&call->err) ||
		!db_key_delete(daemon->db, item.key.id, calendar_now_s(daemon->calendar), &item.key,
			&call->err))
		return call_fail(call);
	keystore_forget(daemon->keys, call->vault.id, call->names[0]);
	if (!key_answer(call, &item.key, &item.newest))
		return call_fail(call);
	return call_finish(call, 200);
}

static enum op_result
step_recover(struct op *op)
{
	struct call *call = (struct call *)op;
	struct custodyd *daemon = call->task.daemon;
	struct db_key_item item;
	if (!key_find_deleted(call, &item) || !db_key_recover(daemon->db, item.key.id, &call->err))
		return call_fail(call);
	return answer_version(call, item.newest.id);
}

static const struct op_step update_steps[] = {
	{"admit",  call_admit },
	{"update", step_update},
};

const struct call_type key_update_type = {
	.op = CALL_OP_TYPE("key.update", update_steps),
	.size = sizeof(struct call),
};

static const struct op_step delete_steps[] = {
	{"admit",  call_admit },
	{"delete", step_delete},
};

const struct call_type key_delete_type = {
	.op = CALL_OP_TYPE("key.delete", delete_steps),
	.size = sizeof(struct call),
};

static const struct op_step recover_steps[] = {
	{"admit",   call_admit  },
	{"recover", step_recover},
};

const struct call_type key_recover_type = {
	.op = CALL_OP_TYPE("key.recover", recover_steps),
	.size = sizeof(struct call),
};
