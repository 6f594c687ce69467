/*
 * POST /keys/{name}/create: a new key, or a new version of a live one; PUT /keys/{name}: the same of material that the caller brings.
 * POST /keys/{name}/rotate: the next version of one.
 */
#include "base/log.h"
#include "custodyd/key_birth.h"
#include "custodyd/key_call.h"
#include "custodyd/operations.h"
#include "db/db_rotation.h"
#include "wire/wire.h"

struct key_create {
	struct call call; /* first */
	struct key_birth birth;
	struct api_key_import import; /* else zero */
};

static struct key_create *
create_of(struct op *op)
{
	return (struct key_create *)op;
}

static enum op_result
step_decode(struct op *op)
{
	struct key_create *create = create_of(op);
	struct call *call = &create->call;
	if (!key_name_check(call) || !http_request_check_json(call->http, &call->err) ||
		!api_key_create_decode(http_request_body(call->http), call->arena,
			&create->birth.wanted, &call->err))
		return call_fail(call);
	return OP_NEXT;
}

static enum op_result
step_import(struct op *op)
{
	struct key_create *create = create_of(op);
	struct call *call = &create->call;
	if (!key_name_check(call) || !http_request_check_json(call->http, &call->err) ||
		!api_key_import_decode(
			http_request_body(call->http), call->arena, &create->import, &call->err))
		return call_fail(call);
	create->birth.wanted = create->import.create;
	create->birth.material = &create->import.material;
	return OP_NEXT;
}

static enum op_result
step_repeat(struct op *op)
{
	struct key_create *create = create_of(op);
	struct call *call = &create->call;
	struct custodyd *daemon = call->task.daemon;
	struct db_key_item item;
	struct db_rotation rotation = {0};
	bool found;
	if (!key_find_live(call, &item) ||
		!db_rotation_find(daemon->db, item.key.id, &rotation, &found, &call->err) ||
		!key_birth_repeat(&create->birth, &item.newest, rotation.expiry, &call->err))
		return call_fail(call);
	return OP_NEXT;
}

static enum op_result
step_intend(struct op *op)
{
	struct key_create *create = create_of(op);
	struct call *call = &create->call;
	struct key_birth *birth = &create->birth;
	birth->vault = call->vault.name;
	birth->token = call->vault.token;
	birth->name = call->names[0];
	birth->extractable = call->vault.backup == DB_BACKUP_TRUSTED;
	if (!key_birth_intend(
		    &call->task, birth, call->vault.id, http_request_id(call->http), &call->err))
		return call_fail(call);
	call->finishing = true;
	return OP_NEXT;
}

static enum op_result
step_generate(struct op *op)
{
	struct key_create *create = create_of(op);
	struct call *call = &create->call;
	bool asked = key_birth_ask(&call->task, &create->birth, &call->err);
	api_key_material_clear(&create->import.material); /* the token has it, or nobody */
	return asked ? OP_WAIT : call_fail(call);
}

static void
deliver(struct task *task, unsigned slot, const struct token_answer *answer)
{
	struct key_create *create = (struct key_create *)task;
	struct call *call = &create->call;
	(void)slot;
	if (answer->err != NULL)
		call->err = *answer->err;
	else
		key_birth_take(task, &create->birth, answer->fields, call->arena);
}

static enum op_result
step_commit(struct op *op)
{
	struct key_create *create = create_of(op);
	struct call *call = &create->call;
	struct db_key_item item;
	if (call->err.code != ERR_NONE ||
		!key_birth_commit(&call->task, &create->birth, &item, &call->err) ||
		!key_answer(call, &item.key, &item.newest))
		return call_fail(call);
	return call_finish(call, 200);
}

static void
clear(struct call *call)
{
	struct key_create *create = (struct key_create *)call;
	api_key_material_clear(&create->import.material);
	key_birth_end(&call->task, &create->birth);
}

static const struct op_step steps[] = {
	{"admit",    call_admit   },
	{"decode",   step_decode  },
	{"intend",   step_intend  },
	{"generate", step_generate},
	{"commit",   step_commit  },
};

const struct call_type key_create_type = {
	.op = CALL_OP_TYPE("key.create", steps),
	.size = sizeof(struct key_create),
	.deliver = deliver,
	.clear = clear,
};

static const struct op_step rotate_steps[] = {
	{"admit",    call_admit   },
	{"repeat",   step_repeat  },
	{"intend",   step_intend  },
	{"generate", step_generate},
	{"commit",   step_commit  },
};

const struct call_type key_rotate_type = {
	.op = CALL_OP_TYPE("key.rotate", rotate_steps),
	.size = sizeof(struct key_create),
	.deliver = deliver,
	.clear = clear,
};

static const struct op_step import_steps[] = {
	{"admit",    call_admit   },
	{"decode",   step_import  },
	{"intend",   step_intend  },
	{"generate", step_generate},
	{"commit",   step_commit  },
};

const struct call_type key_import_type = {
	.op = CALL_OP_TYPE("key.import", import_steps),
	.size = sizeof(struct key_create),
	.deliver = deliver,
	.clear = clear,
};
