/*
 * POST /geos/{geo}/rollback and /geos/{geo}/purge: what is not done with a geo (dep-semantics §2). Asked for by name, so that the answer says
 * what there is instead.
 */
#include "depd/dep_operations.h"
#include "depd/geo_call.h"
#include "depd/purge_call.h"

static enum op_result
step_rollback(struct op *op)
{
	struct geo_call *geo = (struct geo_call *)op;
	struct dep_call *call = &geo->policy.call;
	if (geo_call_find(geo))
		(void)err_set(&call->err, ERR_ROLLBACK_NOT_SUPPORTED,
			"Geo %s is not rolled back to service-managed keys; depctl geo update "
			"exchanges its keys one at a time, depctl geo recover lost ones.",
			geo->view.geo.name);
	return dep_call_fail(call);
}

static const struct op_step rollback_steps[] = {
	{"admit",    dep_call_admit},
	{"rollback", step_rollback },
};

const struct dep_call_type geo_rollback_type = {
	.op = DEP_CALL_OP_TYPE("geo.rollback", rollback_steps),
	.size = sizeof(struct geo_call),
	.clear = policy_call_clear,
};

static enum op_result
step_purge(struct op *op)
{
	struct geo_call *geo = (struct geo_call *)op;
	struct dep_call *call = &geo->policy.call;
	if (geo_call_find(geo))
		(void)err_set(&call->err, ERR_PURGE_NOT_SUPPORTED,
			"The policy of geo %s is not purged, " PURGE_INSTEAD, geo->view.geo.name);
	return dep_call_fail(call);
}

static const struct op_step purge_steps[] = {
	{"admit", dep_call_admit},
	{"purge", step_purge    },
};

const struct dep_call_type geo_purge_type = {
	.op = DEP_CALL_OP_TYPE("geo.purge", purge_steps),
	.size = sizeof(struct geo_call),
	.clear = policy_call_clear,
};
