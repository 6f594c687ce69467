/*
 * GET /blind-fallback and POST /blind-fallback/extend: more time to go on without the owners' word, if two persons say so, one within an
 * hour of the other (threats G2). The first one's word stands in the catalog until then; it is used up before it takes effect.
 */
#include <inttypes.h>

#include "api/dep_blind.h"
#include "base/log.h"
#include "depd/dep_opening.h"
#include "depd/dep_operations.h"

#define WINDOW_S 3600

#define PROPOSED "Another global administrator must say the same within an hour."
#define EXTENDED "The time was extended."

/* ret_found false: there is none, or its time is over. */
static bool
get_proposal(struct dep_call *call, struct db_dep_proposal *ret_proposal, bool *ret_found)
{
	struct depd *depd = call->depd;
	if (!db_dep_proposal_get(depd->db, call->arena, ret_proposal, ret_found, &call->err))
		return false;
	*ret_found = *ret_found && ret_proposal->until > calendar_now_s(depd->calendar);
	return true;
}

static bool
view(struct dep_call *call, struct api_dep_blind *ret_view)
{
	const struct blind_state state = dep_opener_stats(call->depd->opener).blind;
	struct db_dep_proposal proposal;
	bool found;
	if (!get_proposal(call, &proposal, &found))
		return false;
	*ret_view = (struct api_dep_blind){
		.silent = state.silent,
		.silent_s = state.silent_ms / 1000,
		.used_s = state.used_ms / 1000,
		.allowed_s = state.allowed_ms / 1000,
	};
	if (found) {
		ret_view->proposal.uid = proposal.uid;
		ret_view->proposal.hours = proposal.hours;
		ret_view->proposal.reason = proposal.reason;
		ret_view->proposal.until = proposal.until;
	}
	return true;
}

static enum op_result
step_show(struct op *op)
{
	struct dep_call *call = (struct dep_call *)op;
	struct api_dep_blind blind;
	if (!view(call, &blind))
		return dep_call_fail(call);
	api_dep_blind_format(&blind, &call->body);
	return dep_call_finish(call, 200);
}

static bool
propose(struct dep_call *call, const struct api_dep_extend *wanted)
{
	struct depd *depd = call->depd;
	const struct db_dep_proposal proposal = {
		.uid = call->caller.uid,
		.hours = wanted->hours,
		.reason = wanted->reason,
		.until = calendar_now_s(depd->calendar) + WINDOW_S,
	};
	call->audit_detail = arena_printf(
		call->arena, "proposed: %" PRId64 " hours; %s", wanted->hours, wanted->reason);
	return db_dep_proposal_set(depd->db, &proposal, &call->err);
}

static bool
extend(struct dep_call *call, const struct api_dep_extend *wanted,
	const struct db_dep_proposal *proposal)
{
	struct depd *depd = call->depd;
	call->audit_detail = arena_printf(call->arena,
		"extended: %" PRId64 " hours; %s; proposed by uid %" PRId64 ": %s", wanted->hours,
		wanted->reason, proposal->uid, proposal->reason);
	if (!db_dep_proposal_end(depd->db, &call->err) ||
		!dep_opener_extend_blind(depd->opener, wanted->hours * 3600 * 1000, &call->err))
		return false;
	log_warning("blind.extended", LOG_INT("hours", wanted->hours),
		LOG_INT("first_uid", proposal->uid), LOG_INT("second_uid", call->caller.uid));
	return true;
}

static enum op_result
step_extend(struct op *op)
{
	struct dep_call *call = (struct dep_call *)op;
	struct api_dep_extend wanted;
	struct api_dep_blind blind;
	struct db_dep_proposal proposal;
	bool found;
	if (!http_request_check_json(call->http, &call->err) ||
		!api_dep_extend_decode(
			http_request_body(call->http), call->arena, &wanted, &call->err) ||
		!get_proposal(call, &proposal, &found))
		return dep_call_fail(call);
	bool agreed = found && proposal.uid != call->caller.uid && proposal.hours == wanted.hours;
	if (!(agreed ? extend(call, &wanted, &proposal) : propose(call, &wanted)) ||
		!view(call, &blind))
		return dep_call_fail(call);
	api_dep_extended_format(agreed, agreed ? EXTENDED : PROPOSED, &blind, &call->body);
	return dep_call_finish(call, 200);
}

static const struct op_step show_steps[] = {
	{"admit", dep_call_admit},
	{"show",  step_show     },
};

const struct dep_call_type blind_show_type = {
	.op = DEP_CALL_OP_TYPE("blind.show", show_steps),
	.size = sizeof(struct dep_call),
};

static const struct op_step extend_steps[] = {
	{"admit",  dep_call_admit},
	{"extend", step_extend   },
};

const struct dep_call_type blind_extend_type = {
	.op = DEP_CALL_OP_TYPE("blind.extend", extend_steps),
	.size = sizeof(struct dep_call),
};
