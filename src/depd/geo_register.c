/*
 * POST /geos/{geo}/register: a policy over two pinned keys covers the sites of a geo from now on, if all of its rules hold
 * (dep-semantics §2), or nothing changes:
 *
 *   decode, probe   what is wanted, and what custody says of the keys
 *   judge           the rules; then the availability key is looked for, one for all geos
 *   make            the first generation; with it that key, if this is the first of the geos
 *   commit          policy, generation and the geo's slot, in one transaction
 *
 * Nothing needs to be undone whatever ends in between: the availability key is found again by the next registration.
 */
#include <string.h>

#include "crypto/random.h"
#include "depd/custody_port.h"
#include "depd/dep_operations.h"
#include "depd/geo_call.h"

struct geo_register {
	struct geo_call geo; /* first */
	uint64_t asking;     /* the service's custody; 0: not */
	struct err asked;    /* what came of it */
	char availability_kid[ENVELOPE_KID_MAX + 1];
};

static bool
check_state(struct geo_call *geo)
{
	struct dep_call *call = &geo->policy.call;
	const struct geo_view *view = &geo->view;
	if (view->state == GEO_UNREGISTERED)
		return true;
	if (view->state == GEO_REGISTERED)
		return err_set(&call->err, ERR_POLICY_EXISTS,
			"Geo %s is registered already; its keys are updated one at a time.",
			view->geo.name);
	return geo_call_busy(geo);
}

static void
begin_policy(struct geo_call *geo)
{
	struct policy_call *policy = &geo->policy;
	char guid[ID_UUID_TEXT];
	policy->policy = (struct db_dep_policy){
		.kind = DB_DEP_GEO,
		.description = "",
		.state = DB_DEP_ENABLED,
		.outage_fallback_s = DB_DEP_OUTAGE_UNLIMITED, /* there is no fallback */
		.uri = {policy->keys[0].uri, policy->keys[1].uri},
	};
	strncpy(policy->policy.name, geo->view.geo.name, sizeof(policy->policy.name) - 1);
	random_uuid(guid);
	if (!id_uuid_parse(guid, policy->policy.guid))
		abort(); /* we wrote it */
}

static bool
decode(struct geo_call *geo)
{
	struct dep_call *call = &geo->policy.call;
	struct api_dep_geo_register wanted;
	if (!geo_call_find(geo) || !http_request_check_json(call->http, &call->err) ||
		!api_dep_geo_register_decode(
			http_request_body(call->http), call->arena, &wanted, &call->err) ||
		!check_state(geo))
		return false;
	for (size_t i = 0; i < POLICY_KEYS; i++)
		if (!geo_call_take_key(geo, i, &wanted.keys[i]))
			return false;
	begin_policy(geo);
	return true;
}

static enum op_result
step_decode(struct op *op)
{
	struct geo_call *geo = (struct geo_call *)op;
	return decode(geo) ? OP_NEXT : dep_call_fail(&geo->policy.call);
}

/* ---- the availability key of all geos; two first registrations at once may make two versions of it, both good ---- */

static void
on_availability(void *ctx, struct custody_answer *answer)
{
	struct geo_register *reg = ctx;
	struct dep_call *call = &reg->geo.policy.call;
	reg->asking = 0;
	reg->asked = answer->err;
	if (answer->err.code == ERR_NONE && kty_key(answer->key.kty) != ALG_KEY_RSA)
		(void)err_set(&reg->asked, ERR_KEY_TYPE_NOT_SUPPORTED,
			"it is not an RSA key but of another type");
	else if (answer->err.code == ERR_NONE)
		memcpy(reg->availability_kid, answer->key.kid, sizeof(reg->availability_kid));
	(void)op_resume(call->depd->ops, call->op.id);
}

static enum op_result
fail_availability(struct geo_register *reg)
{
	struct dep_call *call = &reg->geo.policy.call;
	(void)err_set(&call->err, ERR_AVAILABILITY_KEY_UNUSABLE,
		"The availability key of the geos cannot be made or used in the service's custody: "
		"%.200s",
		reg->asked.message);
	return dep_call_fail(call);
}

static enum op_result
step_judge(struct op *op)
{
	struct geo_register *reg = (struct geo_register *)op;
	struct policy_call *policy = &reg->geo.policy;
	struct dep_call *call = &policy->call;
	struct depd *depd = call->depd;
	if (!policy_check_first(policy->keys, POLICY_BEFORE_TRIAL, &call->err))
		return dep_call_fail(call);
	call->finishing = true;
	const char *uri = arena_printf(call->arena, "https://%s/keys/" GENERATION_GEO_AVAILABILITY,
		generation_availability_host(depd, call->arena));
	reg->asking = custody_port_key_get(
		depd->custody, custody_service, uri, on_availability, reg, &reg->asked);
	return reg->asking != 0 ? OP_WAIT : fail_availability(reg);
}

static enum op_result
step_make(struct op *op)
{
	struct geo_register *reg = (struct geo_register *)op;
	bool made = reg->asked.code != ERR_KEY_NOT_FOUND;
	if (made && reg->asked.code != ERR_NONE)
		return fail_availability(reg);
	return policy_call_make(&reg->geo.policy, 1, made ? reg->availability_kid : NULL);
}

/* ---- the end ---- */

static enum op_result
step_commit(struct op *op)
{
	struct geo_register *reg = (struct geo_register *)op;
	struct policy_call *policy = &reg->geo.policy;
	struct dep_call *call = &policy->call;
	struct depd *depd = call->depd;
	int64_t id;
	if (policy->made == NULL)
		return dep_call_fail(call);
	const struct db_dep_generation *row = &policy->made->row;
	policy->policy.availability_kid = row->availability_kid;
	policy->policy.created = row->created;
	call->audit_detail = arena_printf(
		call->arena, "%s %s %s", row->kid[0], row->kid[1], row->availability_kid);
	if (!db_dep_policy_insert(depd->db, &policy->policy, row, &id, &call->err) ||
		!db_dep_policy_get(depd->db, id, call->arena, &policy->policy, &call->err))
		return dep_call_fail(call);
	policy_call_made(policy);
	return geo_call_answer(&reg->geo) ? dep_call_finish(call, 201) : dep_call_fail(call);
}

static void
clear(struct dep_call *call)
{
	struct geo_register *reg = (struct geo_register *)call;
	custody_port_cancel(call->depd->custody, reg->asking);
	policy_call_clear(call);
}

static const struct op_step steps[] = {
	{"admit",  dep_call_admit   },
	{"decode", step_decode      },
	{"probe",  policy_call_probe},
	{"judge",  step_judge       },
	{"make",   step_make        },
	{"commit", step_commit      },
};

const struct dep_call_type geo_register_type = {
	.op = DEP_CALL_OP_TYPE("geo.register", steps),
	.size = sizeof(struct geo_register),
	.clear = clear,
};
