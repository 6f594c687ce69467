/* GET /geos/{geo} and GET /geos: how a geo stands, whether it is registered or not. */
#include "depd/dep_operations.h"
#include "depd/geo_call.h"

static enum op_result
step_show(struct op *op)
{
	struct geo_call *geo = (struct geo_call *)op;
	struct dep_call *call = &geo->policy.call;
	if (!geo_call_find(geo) || !geo_call_answer(geo))
		return dep_call_fail(call);
	return dep_call_finish(call, 200);
}

static const struct op_step show_steps[] = {
	{"admit", dep_call_admit},
	{"show",  step_show     },
};

const struct dep_call_type geo_show_type = {
	.op = DEP_CALL_OP_TYPE("geo.show", show_steps),
	.size = sizeof(struct geo_call),
	.clear = policy_call_clear,
};

static bool
list(struct dep_call *call)
{
	const struct geos *geos = &call->depd->options->geos;
	struct api_dep_geo *shown = arena_array(call->arena, GEOS_MAX, sizeof(*shown));
	struct geo_view *views = arena_array(call->arena, GEOS_MAX, sizeof(*views));
	for (size_t i = 0; i < geos->count; i++) {
		if (!geo_view_read(
			    call->depd->db, &geos->items[i], call->arena, &views[i], &call->err))
			return false;
		geo_view_show(&views[i], call->arena, &shown[i]);
	}
	api_dep_geo_list_format(shown, geos->count, &call->body);
	return true;
}

static enum op_result
step_list(struct op *op)
{
	struct dep_call *call = (struct dep_call *)op;
	return list(call) ? dep_call_finish(call, 200) : dep_call_fail(call);
}

static const struct op_step list_steps[] = {
	{"admit", dep_call_admit},
	{"list",  step_list     },
};

const struct dep_call_type geo_list_type = {
	.op = DEP_CALL_OP_TYPE("geo.list", list_steps),
	.size = sizeof(struct dep_call),
};
