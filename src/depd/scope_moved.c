/*
 * POST /scopes/{kind}/{id}/moved: the workload has moved the data of a scope that was in clear; from now on it is encrypted, with
 * the key that its first data key made, else (there was nothing to move) a new one under the policy that covers it.
 */
#include "depd/dep_operations.h"
#include "depd/scope_call.h"
#include "depd/scope_name.h"
#include "depd/scope_view.h"

struct scope_moved {
	struct scope_call work; /* first */
	struct db_dep_scope scope;
};

static bool
find_clear(struct scope_moved *moved)
{
	struct dep_call *call = &moved->work.call;
	enum keytree_scope_kind kind;
	const char *id;
	if (!scope_name_of(call, &kind, &id) || !scope_call_admit(&moved->work, kind) ||
		!db_dep_scope_find(call->depd->db, kind, id, &moved->scope, &call->err))
		return false;
	if (moved->scope.state == DB_DEP_REMEMBERED)
		return err_set(&call->err, ERR_SCOPE_NOT_FOUND,
			"The scope %s is only remembered; it was not registered.",
			moved->scope.name);
	if (moved->scope.state == DB_DEP_ERASED)
		return err_set(&call->err, ERR_POLICY_PURGING,
			"The scope %s was purged with its policy.", moved->scope.name);
	return moved->scope.state == DB_DEP_CLEAR ||
	       err_set(&call->err, ERR_CONFLICT, "The scope is encrypted already.");
}

static enum op_result
step_find(struct op *op)
{
	struct scope_moved *moved = (struct scope_moved *)op;
	return find_clear(moved) ? OP_NEXT : dep_call_fail(&moved->work.call);
}

static enum op_result
step_open(struct op *op)
{
	struct scope_moved *moved = (struct scope_moved *)op;
	if (moved->scope.generation != 0 ||
		scope_call_key(&moved->work, moved->scope.current) != NULL)
		return OP_NEXT;
	scope_call_open(&moved->work, moved->scope.current, NULL);
	return OP_WAIT;
}

static bool
make_key(struct scope_moved *moved)
{
	struct dep_call *call = &moved->work.call;
	struct db_dep_scope *scope = &moved->scope;
	struct dep_key *key = scope_call_key(&moved->work, scope->current);
	if (key == NULL && moved->work.refusal.code != ERR_NONE) {
		call->err = moved->work.refusal;
		return false;
	}
	if (key == NULL)
		return err_set(&call->err, ERR_UNAVAILABLE,
			"The data encryption key was taken out of memory; try again.");
	return scope_key_make(key, scope, &call->err);
}

static bool
store(struct scope_moved *moved)
{
	struct dep_call *call = &moved->work.call;
	struct depd *depd = call->depd;
	struct db_dep_scope *scope = &moved->scope;
	struct api_dep_scope shown;
	struct scope_view *view = scope_view_new(depd->db, call->arena);
	if ((scope->generation == 0 && !make_key(moved)) ||
		!db_dep_scope_encrypt(
			depd->db, scope, calendar_now_s(depd->calendar), &call->err) ||
		!db_dep_scope_find(depd->db, scope->kind, scope->name, scope, &call->err) ||
		!scope_view_of(view, scope, &shown, NULL, &call->err))
		return false;
	api_dep_scope_format(&shown, &call->body);
	return true;
}

static enum op_result
step_store(struct op *op)
{
	struct scope_moved *moved = (struct scope_moved *)op;
	struct dep_call *call = &moved->work.call;
	return store(moved) ? dep_call_finish(call, 200) : dep_call_fail(call);
}

static const struct op_step moved_steps[] = {
	{"admit", dep_call_admit},
	{"find",  step_find     },
	{"open",  step_open     },
	{"store", step_store    },
};

const struct dep_call_type scope_moved_type = {
	.op = DEP_CALL_OP_TYPE("scope.moved", moved_steps),
	.size = sizeof(struct scope_moved),
	.clear = scope_call_clear,
};
