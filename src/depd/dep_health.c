/* GET /health: what keeps depd from its work, in words. */
#include "api/status.h"
#include "depd/dep_operations.h"

#define REASONS_MAX 4

static size_t
reasons_get(const struct depd *depd, const char *reasons[REASONS_MAX])
{
	size_t count = 0;
	if (audit_failed(depd->audit))
		reasons[count++] = "the audit cannot be written";
	if (db_read_only(depd->db))
		reasons[count++] = "the catalog is read-only";
	if (db_reserve_given(depd->db))
		reasons[count++] = "the catalog's disk is full";
	if (calendar_jump_s(depd->calendar) != 0)
		reasons[count++] =
			"the clock jumped ahead: what is scheduled waits for a confirmation";
	return count;
}

static enum op_result
step_health(struct op *op)
{
	struct dep_call *call = (struct dep_call *)op;
	const char *reasons[REASONS_MAX];
	size_t count = reasons_get(call->depd, reasons);
	api_health_format(reasons, count, &call->body);
	return dep_call_finish(call, count == 0 ? 200 : 503);
}

static const struct op_step health_steps[] = {
	{"admit",  dep_call_admit},
	{"health", step_health   },
};

const struct dep_call_type dep_health_type = {
	.op = DEP_CALL_OP_TYPE("health", health_steps),
	.size = sizeof(struct dep_call),
};
