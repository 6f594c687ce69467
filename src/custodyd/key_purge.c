/*
 * DELETE /deletedkeys/{name}: the end of a key. From the intent on it cannot be stopped: the key is "being deleted",
 * each version is destroyed on the token and its absence checked, then the rows become tombstones. If the token is lost
 * on the way the reconciler goes on when it is back, and the caller is told that the purge is under way.
 */
#include "custodyd/key_call.h"
#include "custodyd/operations.h"
#include "custodyd/reconcile.h"

struct key_purge {
	struct call call; /* first */
	struct db_intent intent;
	bool owned;
	size_t version;
};

static struct key_purge *
purge_of(struct op *op)
{
	return (struct key_purge *)op;
}

static enum op_result
step_begin(struct op *op)
{
	struct key_purge *purge = purge_of(op);
	struct call *call = &purge->call;
	struct custodyd *daemon = call->task.daemon;
	struct db_key_item item;
	if (!key_find_deleted(call, &item))
		return call_fail(call);
	const struct token *token = tokens_find(daemon->tokens, call->vault.token);
	if (token == NULL)
		(void)err_set(&call->err, ERR_UNAVAILABLE, "Token %s is not configured.",
			call->vault.token);
	if (token == NULL || token_trouble(token, &call->err))
		return call_fail(call); /* nothing was done */
	if (!db_key_purge_begin(daemon->db, item.key.id, DB_PURGE_REQUESTED,
		    calendar_now_s(daemon->calendar), call->arena, &purge->intent, &call->err))
		return call_fail(call);
	purge->owned = true;
	call->finishing = true;
	reconcile_own(daemon->reconciler, purge->intent.id);
	return OP_NEXT;
}

/* The purge has begun and will be finished: "not yet" is the truth, a retry is told the same. */
static enum op_result
pending(struct call *call)
{
	(void)err_set(&call->err, ERR_BEING_DELETED, NULL);
	return call_fail(call);
}

static enum op_result
step_destroy(struct op *op)
{
	struct key_purge *purge = purge_of(op);
	struct call *call = &purge->call;
	if (purge->version == purge->intent.version_count)
		return OP_NEXT; /* a key without versions */
	op_set_deadline(op, 0);
	if (!reconcile_ask_destroy(
		    &call->task, call->vault.token, &purge->intent, purge->version, &call->err))
		return pending(call);
	return OP_WAIT;
}

static void
deliver(struct task *task, unsigned slot, const struct token_answer *answer)
{
	struct key_purge *purge = (struct key_purge *)task;
	(void)slot;
	if (answer->err != NULL)
		purge->call.err = *answer->err;
}

static enum op_result
step_destroyed(struct op *op)
{
	struct key_purge *purge = purge_of(op);
	struct call *call = &purge->call;
	struct custodyd *daemon = call->task.daemon;
	if (call->err.code != ERR_NONE) {
		custodyd_note(daemon, "purge.waits", &call->err, call->names[0]);
		return pending(call);
	}
	if (++purge->version < purge->intent.version_count) {
		op_next_is(op, step_destroy);
		return OP_NEXT;
	}
	int64_t now_s = calendar_now_s(daemon->calendar);
	if (!db_key_purge_commit(daemon->db, purge->intent.id, now_s, &call->err)) {
		custodyd_note(daemon, "purge.commit", &call->err, call->names[0]);
		return pending(call);
	}
	purge->owned = false;
	reconcile_disown(daemon->reconciler, purge->intent.id);
	keystore_forget(daemon->keys, call->vault.id, call->names[0]);
	return call_finish(call, 204);
}

static void
clear(struct call *call)
{
	struct key_purge *purge = (struct key_purge *)call;
	if (purge->owned)
		reconcile_disown(call->task.daemon->reconciler, purge->intent.id);
}

static const struct op_step steps[] = {
	{"admit",     call_admit    },
	{"begin",     step_begin    },
	{"destroy",   step_destroy  },
	{"destroyed", step_destroyed},
};

const struct call_type key_purge_type = {
	.op = CALL_OP_TYPE("key.purge", steps),
	.size = sizeof(struct key_purge),
	.deliver = deliver,
	.clear = clear,
};
