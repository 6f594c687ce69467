/*
 * A policy that was not made, undone:
 *
 *   delete   its availability key, which may never have been made
 *   purge    and what is left of it
 *   forget   the intent ends
 *
 * What fails is tried again a little later, for as long as depd runs; the next start goes on. Who finds no key looks twice: its
 * making may be under way, on behalf of a depd that does not live any more.
 */
#include "policy_undo.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "depd/custody_port.h"
#include "depd/generation_make.h"

#define AGAIN_MS  10000
#define SECOND_MS 2000 /* a token makes an AES key in milliseconds */

struct policy_undo {
	struct op op; /* first */
	struct depd *depd;
	struct arena *arena;
	uint8_t policy[DB_DEP_GUID];
	char name[GENERATION_AVAILABILITY_NAME];
	uint64_t call;
	struct err err;
	bool found;  /* a key, live or deleted */
	bool looked; /* and found none */
	bool told;   /* of a failure: once */
};

static struct policy_undo *
undo_of(struct op *op)
{
	return (struct policy_undo *)op;
}

static void
on_answer(void *ctx, struct custody_answer *answer)
{
	struct policy_undo *undo = ctx;
	undo->call = 0;
	undo->err = answer->err;
	(void)op_resume(undo->depd->ops, undo->op.id);
}

static op_step_fn step_delete;

static enum op_result
look_after(struct policy_undo *undo, int64_t ms)
{
	op_next_is(&undo->op, step_delete);
	op_set_deadline(&undo->op, ms);
	return OP_WAIT;
}

static enum op_result
again(struct policy_undo *undo)
{
	const struct log_field fields[] = {
		LOG_TEXT("key", undo->name),
		LOG_TEXT("error", err_name(undo->err.code)),
		LOG_TEXT("message", undo->err.message),
	};
	log_write(undo->told ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARNING, "policy.undo", fields,
		ARRAY_LEN(fields));
	undo->told = true;
	return look_after(undo, AGAIN_MS);
}

static enum op_result
step_delete(struct op *op)
{
	struct policy_undo *undo = undo_of(op);
	op_set_deadline(op, 0);
	undo->call = custody_port_key_delete(undo->depd->custody,
		generation_availability_host(undo->depd, undo->arena), undo->name, on_answer, undo,
		&undo->err);
	return undo->call != 0 ? OP_WAIT : again(undo);
}

static bool
is_gone(const struct err *err)
{
	return err->code == ERR_NONE || err->code == ERR_KEY_NOT_FOUND;
}

static enum op_result
step_purge(struct op *op)
{
	struct policy_undo *undo = undo_of(op);
	if (!is_gone(&undo->err))
		return again(undo);
	undo->found = undo->found || undo->err.code == ERR_NONE;
	err_clear(&undo->err);
	undo->call = custody_port_key_purge(undo->depd->custody,
		generation_availability_host(undo->depd, undo->arena), undo->name, on_answer, undo,
		&undo->err);
	return undo->call != 0 ? OP_WAIT : again(undo);
}

/* A vault with purge protection keeps it for its time: it is deleted, and goes by itself. */
static enum op_result
step_forget(struct op *op)
{
	struct policy_undo *undo = undo_of(op);
	if (!is_gone(&undo->err) && undo->err.code != ERR_PURGE_PROTECTED)
		return again(undo);
	undo->found = undo->found || undo->err.code != ERR_KEY_NOT_FOUND;
	err_clear(&undo->err);
	if (!undo->found && !undo->looked) {
		undo->looked = true;
		return look_after(undo, SECOND_MS);
	}
	if (!db_dep_intent_end(undo->depd->db, undo->policy, &undo->err))
		return again(undo);
	const struct log_field fields[] = {LOG_TEXT("key", undo->name)};
	log_write(LOG_LEVEL_INFO, "policy.undone", fields, ARRAY_LEN(fields));
	return OP_DONE;
}

static enum op_result
cancel(struct op *op, enum op_cancel why)
{
	op_set_deadline(op, 0);
	return why == OP_CANCEL_DEADLINE ? OP_NEXT : OP_DONE; /* the next start goes on */
}

static void
destroy(struct op *op)
{
	struct policy_undo *undo = undo_of(op);
	custody_port_cancel(undo->depd->custody, undo->call);
	arena_free(undo->arena);
	free(undo);
}

static const struct op_step steps[] = {
	{"delete", step_delete},
	{"purge",  step_purge },
	{"forget", step_forget},
};

static const struct op_type undo_type = {
	.name = "policy.undo",
	.steps = steps,
	.step_count = ARRAY_LEN(steps),
	.cancel = cancel,
	.destroy = destroy,
	.background = true,
};

void
policy_undo_start(struct depd *depd, const uint8_t policy[static DB_DEP_GUID])
{
	if (depd->draining)
		return;
	struct policy_undo *undo = calloc(1, sizeof(*undo));
	if (undo == NULL)
		abort();
	undo->depd = depd;
	undo->arena = arena_new();
	memcpy(undo->policy, policy, sizeof(undo->policy));
	generation_availability_name(policy, undo->name);
	op_start(depd->ops, &undo_type, &undo->op, 0);
}

bool
policy_undo_all(struct depd *depd, struct err *err)
{
	CLEAN(arena)
	struct arena *arena = arena_new();
	uint8_t(*guids)[DB_DEP_GUID];
	size_t count;
	if (!db_dep_intent_list(depd->db, arena, &guids, &count, err))
		return false;
	for (size_t i = 0; i < count; i++)
		policy_undo_start(depd, guids[i]);
	return true;
}
