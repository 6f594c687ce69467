/*
 * PATCH /mailboxes/{id}: says which mailbox policy covers a mailbox, or that none of its own does. Only intent changes here: the
 * key moves when somebody asks for it, or by the rewrapper. A mailbox that is not registered yet is remembered.
 */
#include <string.h>

#include "api/dep_scope.h"
#include "db/db_dep_policy.h"
#include "depd/dep_operations.h"
#include "depd/policy_name.h"
#include "depd/purge_guard.h"
#include "depd/rewrapper.h"
#include "depd/scope_name.h"
#include "depd/scope_view.h"

static bool
find_slot(struct dep_call *call, const char *id, const char *policy_name,
	struct db_dep_slot *ret_slot)
{
	struct db *db = call->depd->db;
	struct db_dep_policy policy;
	char slot[DB_DEP_SLOT_SIZE];
	if (policy_name == NULL)
		return scope_name_slot(db, KEYTREE_MAILBOX, id, ret_slot, &call->err);
	if (!policy_name_find(db, DB_DEP_MAILBOX, policy_name, call->arena, &policy, &call->err))
		return false;
	if (!purge_guard_enabled(&policy, &call->err))
		return false;
	db_dep_slot_of_policy(policy.guid, slot);
	return db_dep_slot_find(db, slot, ret_slot, &call->err);
}

/* One that is registered or remembered may leave the policy that covers it. */
static bool
check_leaving(struct dep_call *call, enum keytree_scope_kind kind, const char *id)
{
	struct db_dep_scope row;
	struct err err = {.code = ERR_NONE};
	if (db_dep_scope_find(call->depd->db, kind, id, &row, &err))
		return purge_guard_may_leave(call->depd->db, row.policy, call->arena, &call->err);
	call->err = err.code != ERR_SCOPE_NOT_FOUND ? err : call->err;
	return err.code == ERR_SCOPE_NOT_FOUND;
}

static bool
assign(struct dep_call *call)
{
	struct db *db = call->depd->db;
	enum keytree_scope_kind kind;
	const char *id;
	struct api_dep_scope_assign wanted;
	struct db_dep_slot slot;
	struct db_dep_scope row;
	struct api_dep_scope scope;
	struct scope_view *view = scope_view_new(db, call->arena);
	if (!scope_name_of(call, &kind, &id) || !http_request_check_json(call->http, &call->err) ||
		!api_dep_scope_assign_decode(
			http_request_body(call->http), call->arena, &wanted, &call->err) ||
		!find_slot(call, id, wanted.policy, &slot) || !check_leaving(call, kind, id))
		return false;
	call->audit_detail = wanted.policy != NULL ? slot.name : "no policy";
	call->audit_detail = arena_strdup(call->arena, call->audit_detail);
	if (!db_dep_scope_assign(
		    db, kind, &id, 1, slot.id, calendar_now_s(call->depd->calendar), &call->err) ||
		!db_dep_scope_find(db, kind, id, &row, &call->err) ||
		!scope_view_of(view, &row, &scope, NULL, &call->err))
		return false;
	rewrapper_wake(call->depd->rewrapper);
	api_dep_scope_format(&scope, &call->body);
	return true;
}

static enum op_result
step_assign(struct op *op)
{
	struct dep_call *call = (struct dep_call *)op;
	return assign(call) ? dep_call_finish(call, 200) : dep_call_fail(call);
}

static const struct op_step assign_steps[] = {
	{"admit",  dep_call_admit},
	{"assign", step_assign   },
};

const struct dep_call_type scope_assign_type = {
	.op = DEP_CALL_OP_TYPE("scope.assign", assign_steps),
	.size = sizeof(struct dep_call),
};
