/* GET and PUT /keys/{name}/rotationpolicy. A change does not touch versions that are there (akv-contract §12). */
#include <stdio.h>

#include "api/rotation.h"
#include "custodyd/key_call.h"
#include "custodyd/operations.h"
#include "custodyd/rotator.h"
#include "db/db_rotation.h"

static const char *
none_if_empty(const char *text)
{
	return text[0] != '\0' ? text : NULL;
}

static enum op_result
answer(struct call *call, const struct db_key *key, const struct db_rotation *rotation, bool set)
{
	char url[256];
	keystore_vault_url(call->task.daemon->keys, call->vault.name, url);
	const struct api_rotation view = {
		.expiry = none_if_empty(rotation->expiry),
		.rotate_after = none_if_empty(rotation->rotate_after),
		.rotate_before = none_if_empty(rotation->rotate_before),
		.notify_before = none_if_empty(rotation->notify_before),
	};
	api_rotation_format(arena_printf(call->arena, "%s/keys/%s/rotationpolicy", url, key->name),
		&view, set ? rotation->created : -1, rotation->updated, &call->body);
	return call_finish(call, 200);
}

static enum op_result
step_get(struct op *op)
{
	struct call *call = (struct call *)op;
	struct db_key_item item;
	struct db_rotation rotation = {0};
	bool found;
	if (!key_find_live(call, &item) || !db_rotation_find(call->task.daemon->db, item.key.id,
						   &rotation, &found, &call->err))
		return call_fail(call);
	return answer(call, &item.key, &rotation, found);
}

static void
put_period(char out[static PERIOD_TEXT], const char *period)
{
	(void)snprintf(out, PERIOD_TEXT, "%s", period != NULL ? period : ""); /* it was parsed */
}

static enum op_result
step_set(struct op *op)
{
	struct call *call = (struct call *)op;
	struct custodyd *daemon = call->task.daemon;
	int64_t now_s = calendar_now_s(daemon->calendar);
	struct api_rotation wanted;
	struct db_key_item item;
	struct db_rotation rotation = {.updated = now_s};
	bool found;
	if (!key_name_check(call) || !http_request_check_json(call->http, &call->err) ||
		!api_rotation_decode(
			http_request_body(call->http), now_s, call->arena, &wanted, &call->err) ||
		!key_find_live(call, &item))
		return call_fail(call);
	put_period(rotation.expiry, wanted.expiry);
	put_period(rotation.rotate_after, wanted.rotate_after);
	put_period(rotation.rotate_before, wanted.rotate_before);
	put_period(rotation.notify_before, wanted.notify_before);
	if (!db_rotation_set(daemon->db, item.key.id, &rotation, &call->err) ||
		!db_rotation_find(daemon->db, item.key.id, &rotation, &found, &call->err))
		return call_fail(call);
	rotator_wake(daemon->rotator);
	return answer(call, &item.key, &rotation, found);
}

static const struct op_step get_steps[] = {
	{"admit", call_admit},
	{"get",   step_get  },
};
static const struct op_step set_steps[] = {
	{"admit", call_admit},
	{"set",   step_set  },
};

const struct call_type key_rotation_get_type = {
	.op = CALL_OP_TYPE("key.rotation.get", get_steps),
	.size = sizeof(struct call),
};
const struct call_type key_rotation_set_type = {
	.op = CALL_OP_TYPE("key.rotation.set", set_steps),
	.size = sizeof(struct call),
};
