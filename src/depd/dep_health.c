/* GET /health: what keeps depd from its work, in words. GET /status: the rest. POST /flush: forget opened keys. */
#include "api/dep_policy.h"
#include "api/dep_status.h"
#include "api/status.h"
#include "base/b64.h"
#include "base/id.h"
#include "db/db_dep_check.h"
#include "db/db_dep_scope.h"
#include "depd/dep_opening.h"
#include "depd/dep_operations.h"
#include "depd/rewrapper.h"

#define REASONS_MAX      4
#define REDUNDANCY_SHOWN 100 /* policies, the worst first */

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

/* ---- status ---- */

static void
add_count(
	const struct db_dep_slot *slot, const struct db_dep_count *count, struct api_dep_slot *view)
{
	switch (count->state) {
	case DB_DEP_REMEMBERED:
		view->remembered += count->count;
		return;
	case DB_DEP_CLEAR:
		view->clear += count->count;
		return;
	case DB_DEP_ERASED:
		view->erased += count->count;
		return;
	case DB_DEP_ENCRYPTED:
		if (count->generation == slot->current)
			view->encrypted += count->count;
		else
			view->pending += count->count;
		return;
	}
}

static bool
view_slot(struct dep_call *call, const struct db_dep_slot *slot, struct api_dep_slot *view)
{
	struct db *db = call->depd->db;
	struct db_dep_policy policy;
	struct db_dep_count *counts;
	size_t count;
	if (!db_dep_policy_get(db, slot->policy, call->arena, &policy, &call->err) ||
		!db_dep_slot_counts(db, slot->id, call->arena, &counts, &count, &call->err))
		return false;
	*view = (struct api_dep_slot){
		.name = slot->name,
		.policy = arena_strdup(call->arena, policy.name),
		.assigned = slot->assigned,
	};
	for (size_t i = 0; i < count; i++)
		add_count(slot, &counts[i], view);
	return true;
}

static bool
view_slots(struct dep_call *call, struct api_dep_status *status)
{
	struct db_dep_slot *slots;
	size_t count;
	if (!db_dep_slot_list(call->depd->db, call->arena, &slots, &count, &call->err))
		return false;
	struct api_dep_slot *views = arena_array(call->arena, count, sizeof(*views));
	for (size_t i = 0; i < count; i++)
		if (!view_slot(call, &slots[i], &views[i]))
			return false;
	status->slots = views;
	status->slot_count = count;
	return true;
}

static bool
view_redundancy(struct dep_call *call, struct api_dep_status *status)
{
	struct db_dep_redundancy *policies;
	size_t count;
	if (!db_dep_redundancy_list(
		    call->depd->db, REDUNDANCY_SHOWN, call->arena, &policies, &count, &call->err))
		return false;
	struct api_dep_redundancy *views = arena_array(call->arena, count, sizeof(*views));
	for (size_t i = 0; i < count; i++) {
		const struct db_dep_redundancy *policy = &policies[i];
		char *id = arena_alloc(call->arena, ID_UUID_TEXT);
		id_uuid_format(policy->guid, id);
		views[i] = (struct api_dep_redundancy){
			.id = id,
			.kind = api_dep_kind_name((enum api_dep_kind)policy->kind),
			.policy = policy->name,
			.redundancy = policy->redundancy,
			.availability = policy->availability,
			.has_availability = policy->kind != DB_DEP_SERVICE,
			.checked = policy->checked,
		};
	}
	status->redundancy = views;
	status->redundancy_count = count;
	return true;
}

static void
view_work(struct dep_call *call, struct api_dep_status *status)
{
	const struct dep_opener_stats opener = dep_opener_stats(call->depd->opener);
	const struct rewrapper_state rewrapper = rewrapper_state(call->depd->rewrapper);
	status->opening.cached = (int64_t)opener.cached;
	status->opening.opened = (int64_t)opener.opened;
	status->opening.fallbacks = (int64_t)opener.fallbacks;
	status->opening.denied = (int64_t)opener.denied;
	status->opening.failed = (int64_t)opener.failed;
	status->opening.strained = (int64_t)opener.strained;
	status->opening.strained_s = opener.strained_ms / 1000;
	status->opening.blind_used_s = opener.blind.used_ms / 1000;
	status->opening.blind_allowed_s = opener.blind.allowed_ms / 1000;
	status->rewrapping.working = rewrapper.working;
	status->rewrapping.moved = (int64_t)rewrapper.moved;
	if (rewrapper.wait.code != ERR_NONE)
		status->rewrapping.wait = arena_strdup(call->arena, rewrapper.wait.message);
}

static enum op_result
step_status(struct op *op)
{
	struct dep_call *call = (struct dep_call *)op;
	struct depd *depd = call->depd;
	struct http_stats http = http_server_stats(depd->http);
	struct audit_head head = audit_head(depd->audit);
	char hash[2 * AUDIT_HASH_BYTES + 1];
	hex_encode(head.hash, sizeof(head.hash), hash);
	struct api_dep_status status = {
		.version = PACKAGE_VERSION,
		.organization = depd->options->daemon.organization,
		.uptime_s = (loop_now_ms(depd->loop) - depd->started_ms) / 1000,
		.read_only = audit_failed(depd->audit) || db_read_only(depd->db),
		.in_flight = (int64_t)http.in_flight,
		.requests = (int64_t)depd->counters.requests,
		.refused = (int64_t)(depd->counters.refused + http.rejected),
		.connections = (int64_t)http.connections,
		.audit_records = (int64_t)head.records,
		.audit_head = hash,
		.last_error = depd->last_error.code != ERR_NONE ? depd->last_error.message : NULL,
	};
	if (!view_slots(call, &status) || !view_redundancy(call, &status))
		return dep_call_fail(call);
	view_work(call, &status);
	api_dep_status_format(&status, &call->body);
	return dep_call_finish(call, 200);
}

static const struct op_step status_steps[] = {
	{"admit",  dep_call_admit},
	{"status", step_status   },
};

const struct dep_call_type dep_status_type = {
	.op = DEP_CALL_OP_TYPE("status", status_steps),
	.size = sizeof(struct dep_call),
};

/* ---- flush ---- */

/* Nothing opened stays in memory: each key is asked for again, and a revocation counts from now on (threats G6). */
static enum op_result
step_flush(struct op *op)
{
	struct dep_call *call = (struct dep_call *)op;
	api_dep_flushed_format(dep_opener_flush(call->depd->opener), &call->body);
	return dep_call_finish(call, 200);
}

static const struct op_step flush_steps[] = {
	{"admit", dep_call_admit},
	{"flush", step_flush    },
};

const struct dep_call_type dep_flush_type = {
	.op = DEP_CALL_OP_TYPE("flush", flush_steps),
	.size = sizeof(struct dep_call),
};
