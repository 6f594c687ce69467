/*
 * POST /geos/{geo}/update: another version of one of a geo's two keys, or another key in its place: a new generation of its DEP key
 * (TIK) under the pair as it is then, if every rule holds that held at registration (dep-semantics §4). One key at a time:
 * not before every site is under the current generation. Sites' keys move by themselves, and go on after a crash.
 */
#include <string.h>

#include "depd/dep_operations.h"
#include "depd/geo_call.h"

#define THE_SAME "This version of the key is in use already; nothing was done."
#define UPDATED  "A new generation was made; the sites' keys move to it."

static bool
decode(struct geo_call *geo)
{
	struct policy_call *policy = &geo->policy;
	struct dep_call *call = &policy->call;
	struct api_dep_geo_update wanted;
	if (!geo_call_find(geo) || !http_request_check_json(call->http, &call->err) ||
		!api_dep_geo_update_decode(
			http_request_body(call->http), call->arena, &wanted, &call->err) ||
		!geo_call_check_quiet(geo))
		return false;
	for (size_t i = 0; i < POLICY_KEYS; i++)
		policy_key_init(&policy->keys[i], geo->view.current.kid[i]);
	return geo_call_take_key(geo, wanted.index, &wanted.key);
}

static enum op_result
step_decode(struct op *op)
{
	struct geo_call *geo = (struct geo_call *)op;
	return decode(geo) ? OP_NEXT : dep_call_fail(&geo->policy.call);
}

static enum op_result
answer(struct geo_call *geo, bool updated)
{
	struct dep_call *call = &geo->policy.call;
	struct geo_view view;
	struct api_dep_geo shown;
	if (!geo_view_read(call->depd->db, &geo->view.geo, call->arena, &view, &call->err))
		return dep_call_fail(call);
	geo_view_show(&view, call->arena, &shown);
	api_dep_geo_update_format(updated, updated ? UPDATED : THE_SAME, &shown, &call->body);
	return dep_call_finish(call, 200);
}

static enum op_result
step_judge(struct op *op)
{
	struct geo_call *geo = (struct geo_call *)op;
	struct policy_call *policy = &geo->policy;
	struct dep_call *call = &policy->call;
	const struct db_dep_generation *current = &geo->view.current;
	bool other = false;
	if (!policy_check_first(policy->keys, POLICY_BEFORE_TRIAL, &call->err))
		return dep_call_fail(call);
	for (size_t i = 0; i < POLICY_KEYS; i++)
		other = other || strcmp(policy->keys[i].kid, current->kid[i]) != 0;
	if (!other)
		return answer(geo, false);
	call->audit_detail = arena_printf(call->arena, "%s %s, before %s %s", policy->keys[0].kid,
		policy->keys[1].kid, current->kid[0], current->kid[1]);
	return policy_call_make(policy, current->number + 1, policy->policy.availability_kid);
}

static enum op_result
step_commit(struct op *op)
{
	struct geo_call *geo = (struct geo_call *)op;
	struct dep_call *call = &geo->policy.call;
	const char *uri[POLICY_KEYS];
	struct db_dep_generation row;
	if (!geo_call_made(geo, &row, uri) || !geo_call_check_quiet(geo) ||
		!db_dep_generation_roll(call->depd->db, &row, uri, &call->err) ||
		!geo_call_rolled(geo))
		return dep_call_fail(call);
	return answer(geo, true);
}

static const struct op_step steps[] = {
	{"admit",  dep_call_admit   },
	{"decode", step_decode      },
	{"probe",  policy_call_probe},
	{"judge",  step_judge       },
	{"commit", step_commit      },
};

const struct dep_call_type geo_update_type = {
	.op = DEP_CALL_OP_TYPE("geo.update", steps),
	.size = sizeof(struct geo_call),
	.clear = policy_call_clear,
};
