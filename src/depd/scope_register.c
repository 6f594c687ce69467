/*
 * POST /scopes/{kind}: a workload registers its scopes, a line of JSON for each. All lines are read before anything is done, so
 * that a wrong one changes nothing; then they are taken in slices, each in its own transaction, and others are let in between.
 * What is registered already is left as it is, so that it can be sent again after a failure.
 *
 * A scope is born with a key under the policy that covers it: that of its slot, or the one that was assigned to it before.
 */
#include <stdio.h>
#include <string.h>

#include "api/dep_scope.h"
#include "depd/dep_operations.h"
#include "depd/rewrapper.h"
#include "depd/scope_call.h"
#include "depd/scope_name.h"

#define CHECK_SLICE 1000 /* lines; a few milliseconds */
#define STORE_SLICE 128

struct scope_register {
	struct scope_call work; /* first */
	enum keytree_scope_kind kind;
	struct bytes rest; /* of the body */
	size_t line;
	size_t registered, known;

	struct db_dep_scope *rows; /* of the slice, STORE_SLICE of them */
	size_t row_count;
	size_t keyed; /* rows that are complete */
};

/* ---- reading all of it ---- */

static bool
fail_line(struct scope_register *reg, const struct err *err)
{
	return err_set(&reg->work.call.err, err->code, "Line %zu: %s", reg->line, err->message);
}

static bool
read_line(struct scope_register *reg, struct bytes text, struct arena *arena,
	struct api_dep_scope_line *ret_line, struct db_dep_slot *ret_slot)
{
	struct err err;
	const struct depd *depd = reg->work.call.depd;
	bool site = reg->kind == KEYTREE_SITE;
	if (!api_dep_scope_line_decode(text, arena, ret_line, &err) ||
		!(site ? scope_name_site_slot(depd, ret_line->geo, ret_slot, &err)
		       : scope_name_slot(depd->db, reg->kind, ret_line->id, ret_slot, &err)))
		return fail_line(reg, &err);
	if (!site && ret_line->geo != NULL) {
		(void)err_set(&err, ERR_BAD_PARAMETER, "geo: only sites have one.");
		return fail_line(reg, &err);
	}
	if (reg->kind != KEYTREE_MAILBOX && ret_line->type != 0) {
		(void)err_set(&err, ERR_BAD_PARAMETER, "type: only mailboxes have one.");
		return fail_line(reg, &err);
	}
	if (reg->kind == KEYTREE_MAILBOX && ret_line->type == 0)
		ret_line->type = API_DEP_USER_MAILBOX;
	return true;
}

static bool
begin(struct scope_register *reg)
{
	struct dep_call *call = &reg->work.call;
	if (!scope_name_of(call, &reg->kind, NULL) || !scope_call_admit(&reg->work, reg->kind))
		return false;
	reg->rest = http_request_body(call->http);
	reg->rows = arena_array(call->arena, STORE_SLICE, sizeof(*reg->rows));
	return true;
}

static enum op_result
step_begin(struct op *op)
{
	struct scope_register *reg = (struct scope_register *)op;
	return begin(reg) ? OP_NEXT : dep_call_fail(&reg->work.call);
}

static void
go_on(void *ctx)
{
	struct op *op = ctx;
	(void)op_resume(op->ops, op->id); /* it waits for this */
}

/* Lets others in before `step`. */
static enum op_result
later(struct scope_register *reg, op_step_fn *step)
{
	struct op *op = &reg->work.call.op;
	loop_defer(reg->work.call.depd->loop, "scope.register", go_on, op);
	op_next_is(op, step);
	return OP_WAIT;
}

static enum op_result
step_check(struct op *op)
{
	struct scope_register *reg = (struct scope_register *)op;
	CLEAN(arena)
	struct arena *arena = arena_new();
	for (size_t i = 0; i < CHECK_SLICE; i++) {
		struct api_dep_scope_line line;
		struct db_dep_slot slot;
		struct bytes text;
		if (!api_dep_line_next(&reg->rest, &reg->line, &text)) {
			reg->rest = http_request_body(reg->work.call.http);
			reg->line = 0;
			return OP_NEXT;
		}
		if (!read_line(reg, text, arena, &line, &slot))
			return dep_call_fail(&reg->work.call);
	}
	return later(reg, step_check);
}

/* ---- a slice ---- */

/* ret_new: it was not registered yet; row.generation then says which one its key is to be under. */
static bool
plan_row(struct scope_register *reg, const struct api_dep_scope_line *line,
	const struct db_dep_slot *slot, struct db_dep_scope *row, bool *ret_new)
{
	struct dep_call *call = &reg->work.call;
	struct db_dep_scope known;
	struct err err;
	*row = (struct db_dep_scope){
		.kind = reg->kind,
		.type = line->type,
		.slot = slot->id,
		.state = line->clear ? DB_DEP_CLEAR : DB_DEP_ENCRYPTED,
		.generation = line->clear ? 0 : slot->current,
		.changed = calendar_now_s(call->depd->calendar),
	};
	memcpy(row->name, line->id, strlen(line->id) + 1);
	*ret_new = true;
	if (!db_dep_scope_find(call->depd->db, reg->kind, line->id, &known, &err)) {
		if (err.code == ERR_SCOPE_NOT_FOUND)
			return true;
		call->err = err;
		return false;
	}
	*ret_new = known.state == DB_DEP_REMEMBERED;
	memcpy(row->name, known.name,
		sizeof(row->name)); /* as it was spelt first: keys are bound to it */
	if (!line->clear)
		row->generation = known.current;
	return true;
}

static bool
read_slice(struct scope_register *reg, struct arena *arena)
{
	reg->row_count = reg->keyed = 0;
	for (size_t i = 0; i < STORE_SLICE; i++) {
		struct api_dep_scope_line line;
		struct db_dep_slot slot;
		struct bytes text;
		bool new;
		if (!api_dep_line_next(&reg->rest, &reg->line, &text))
			break;
		if (!read_line(reg, text, arena, &line, &slot) ||
			!plan_row(reg, &line, &slot, &reg->rows[reg->row_count], &new))
			return false;
		reg->row_count += new ? 1 : 0;
		reg->known += new ? 0 : 1;
	}
	return true;
}

static enum op_result
step_slice(struct op *op)
{
	struct scope_register *reg = (struct scope_register *)op;
	CLEAN(arena)
	struct arena *arena = arena_new();
	return read_slice(reg, arena) ? OP_NEXT : dep_call_fail(&reg->work.call);
}

/* Keys for all rows; a DEP key that is not at hand is opened, and it begins again where it was. */
static enum op_result
step_keys(struct op *op)
{
	struct scope_register *reg = (struct scope_register *)op;
	struct dep_call *call = &reg->work.call;
	if (reg->work.refusal.code != ERR_NONE) {
		call->err = reg->work.refusal;
		return dep_call_fail(call);
	}
	for (; reg->keyed < reg->row_count; reg->keyed++) {
		struct db_dep_scope *row = &reg->rows[reg->keyed];
		if (row->state == DB_DEP_CLEAR)
			continue;
		struct dep_key *key = scope_call_key(&reg->work, row->generation);
		if (key == NULL) {
			scope_call_open(&reg->work, row->generation, NULL);
			op_next_is(op, step_keys);
			return OP_WAIT;
		}
		if (!scope_key_make(key, row, &call->err))
			return dep_call_fail(call);
	}
	return OP_NEXT;
}

static enum op_result
step_store(struct op *op)
{
	struct scope_register *reg = (struct scope_register *)op;
	struct dep_call *call = &reg->work.call;
	size_t added = 0;
	if (reg->row_count > 0 && !db_dep_scope_register(call->depd->db, reg->rows, reg->row_count,
					  &added, &call->err))
		return dep_call_fail(call);
	reg->registered += added;
	reg->known += reg->row_count - added;
	if (reg->rest.len > 0)
		return later(reg, step_slice);
	rewrapper_wake(call->depd->rewrapper);
	call->audit_detail =
		arena_printf(call->arena, "%zu registered, %zu known", reg->registered, reg->known);
	api_dep_registered_format(reg->registered, reg->known, &call->body);
	return dep_call_finish(call, 200);
}

static const struct op_step register_steps[] = {
	{"admit", dep_call_admit},
	{"begin", step_begin    },
	{"check", step_check    },
	{"slice", step_slice    },
	{"keys",  step_keys     },
	{"store", step_store    },
};

const struct dep_call_type scope_register_type = {
	.op = DEP_CALL_OP_TYPE("scope.register", register_steps),
	.size = sizeof(struct scope_register),
	.body_bytes = DEP_CALL_BODY_MAX,
	.clear = scope_call_clear,
};
