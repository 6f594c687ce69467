/* GET /keys/{name}/{version}, GET /deletedkeys/{name}, and the routes of the dialect that are answered by "not served". */
#include "custodyd/key_call.h"
#include "custodyd/operations.h"

static enum op_result
step_get(struct op *op)
{
	struct call *call = (struct call *)op;
	CLEAN(key_version)
	struct key_version *key = key_find(call);
	if (key == NULL)
		return call_fail(call);
	struct api_key_view view;
	key_view(call, key, &view);
	api_key_bundle(&view, &call->body);
	return call_finish(call, 200);
}

static const struct op_step get_steps[] = {
	{"admit", call_admit},
	{"get",   step_get  },
};

const struct call_type key_get_type = {
	.op = CALL_OP_TYPE("key.get", get_steps),
	.size = sizeof(struct call),
};

static enum op_result
step_get_deleted(struct op *op)
{
	struct call *call = (struct call *)op;
	struct db_key_item item;
	call->audit_key = call->names[0];
	if (!key_find_deleted(call, &item) || !key_answer(call, &item.key, &item.newest))
		return call_fail(call);
	return call_finish(call, 200);
}

static const struct op_step get_deleted_steps[] = {
	{"admit", call_admit      },
	{"get",   step_get_deleted},
};

const struct call_type deleted_key_get_type = {
	.op = CALL_OP_TYPE("deletedkey.get", get_deleted_steps),
	.size = sizeof(struct call),
};

static enum op_result
step_not_served(struct op *op)
{
	struct call *call = (struct call *)op;
	(void)err_set(&call->err, ERR_NOT_SUPPORTED, NULL);
	return call_fail(call);
}

static const struct op_step not_served_steps[] = {
	{"admit",      call_admit     },
	{"not served", step_not_served},
};

const struct call_type not_served_type = {
	.op = CALL_OP_TYPE("not served", not_served_steps),
	.size = sizeof(struct call),
};
