/*
 * One task for each token at a time. It takes the oldest intent that nobody owns, destroys its versions on the
 * token (good also when nothing is there), and ends it in the catalog. A failure leaves the rest for the next
 * occasion: the token's next login, or the timer. Invariant: an intent leaves the catalog only after the token
 * said that nothing, or everything, of it is done; and nothing is destroyed while the catalog may say something else on disk
 * than here: after a failed sync a creation that looks undone may be done, and its object is then all there is of a key (threats D3).
 */
#include "reconcile.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/log.h"
#include "custodyd/custodyd.h"
#include "custodyd/task.h"
#include "wire/wire.h"

#define OWNED_MAX    4096 /* bounded by the requests in flight */
#define DUE_AT_ONCE  64
#define DESTROY_SLOT 0

struct reconciler {
	struct custodyd *daemon;
	int64_t owned[OWNED_MAX];
	size_t owned_count;
	char busy[OPTIONS_TOKENS_MAX][DB_TOKEN_NAME]; /* tokens with a running task */
	size_t busy_count;
};

struct reconcile_task {
	struct task task; /* first */
	struct reconciler *reconciler;
	char token[DB_TOKEN_NAME];
	struct arena *arena;
	struct db_intent intent;
	size_t version; /* of the intent's versions, being destroyed */
	struct err err; /* of the last answer */
};

struct reconciler *
reconciler_new(struct custodyd *daemon)
{
	struct reconciler *reconciler = calloc(1, sizeof(*reconciler));
	if (reconciler == NULL)
		abort();
	reconciler->daemon = daemon;
	return reconciler;
}

void
reconciler_free(struct reconciler *reconciler)
{
	free(reconciler);
}

void
reconcile_own(struct reconciler *reconciler, int64_t intent)
{
	if (reconciler->owned_count == OWNED_MAX)
		abort(); /* more than in-flight requests can be: our bug */
	reconciler->owned[reconciler->owned_count++] = intent;
}

static size_t
owned_index(const struct reconciler *reconciler, int64_t intent)
{
	size_t i = 0;
	while (i < reconciler->owned_count && reconciler->owned[i] != intent)
		i++;
	return i;
}

void
reconcile_disown(struct reconciler *reconciler, int64_t intent)
{
	size_t i = owned_index(reconciler, intent);
	if (i < reconciler->owned_count)
		reconciler->owned[i] = reconciler->owned[--reconciler->owned_count];
}

static size_t
busy_index(const struct reconciler *reconciler, const char *token)
{
	size_t i = 0;
	while (i < reconciler->busy_count && strcmp(reconciler->busy[i], token) != 0)
		i++;
	return i;
}

static struct reconcile_task *
task_of(struct op *op)
{
	return (struct reconcile_task *)op;
}

/* The oldest intent that no running operation owns. false: none, or the catalog cannot be read (logged). */
static bool
next_intent(struct reconcile_task *task)
{
	struct db_intent *intents;
	size_t count;
	struct err err = {0};
	if (db_read_only(task->task.daemon->db) || db_held(task->task.daemon->db))
		return false; /* what is, or should be, on disk is not known: see the head of this file */
	arena_free(task->arena);
	task->arena = arena_new();
	if (!db_intent_list(
		    task->task.daemon->db, task->token, task->arena, &intents, &count, &err)) {
		custodyd_note(task->task.daemon, "reconcile.catalog", &err, task->token);
		return false;
	}
	for (size_t i = 0; i < count; i++) {
		bool settles =
			intents[i].kind == DB_INTENT_CREATE || intents[i].kind == DB_INTENT_PURGE;
		if (settles && owned_index(task->reconciler, intents[i].id) ==
				       task->reconciler->owned_count) {
			task->intent = intents[i];
			task->version = 0;
			return true;
		}
	}
	return false;
}

bool
reconcile_ask_destroy(struct task *task, const char *token, const struct db_intent *intent,
	size_t version, struct err *err)
{
	struct custodyd *daemon = task->daemon;
	const uint8_t *id = intent->versions[version];
	struct wire_destroy_request request = {0};
	memcpy(request.id, id, sizeof(request.id));
	CLEAN(arena)
	struct arena *arena = arena_new();
	struct db_key key;
	struct db_version row;
	/* A purge destroys what the row describes and nothing else; the rows stay until its commit. */
	if (intent->kind == DB_INTENT_PURGE) {
		if (!db_version_find_by_id(daemon->db, id, arena, &key, &row, err))
			return false;
		request.fingerprint = (struct bytes){row.fingerprint, sizeof(row.fingerprint)};
	}
	struct token_job job = {
		.type = WIRE_DESTROY,
		.request = &request,
		.kind = LATENCY_OTHER,
		.deadline_ms = loop_now_ms(daemon->loop) + daemon->options->daemon.create_timeout,
	};
	return task_ask(task, token, &job, DESTROY_SLOT, err);
}

static enum op_result
step_next(struct op *op)
{
	return next_intent(task_of(op)) ? OP_NEXT : OP_DONE;
}

static enum op_result
step_destroy(struct op *op)
{
	struct reconcile_task *task = task_of(op);
	if (task->version == task->intent.version_count)
		return OP_NEXT; /* nothing (left) to destroy */
	if (!reconcile_ask_destroy(
		    &task->task, task->token, &task->intent, task->version, &task->err)) {
		log_err(LOG_LEVEL_WARNING, "reconcile.waits", &task->err,
			LOG_TEXT("token", task->token));
		return OP_DONE;
	}
	return OP_WAIT;
}

static void
deliver(struct task *base, unsigned slot, const struct token_answer *answer)
{
	struct reconcile_task *task = (struct reconcile_task *)base;
	(void)slot; /* there is one request at a time */
	if (answer->err != NULL)
		task->err = *answer->err;
	else
		err_clear(&task->err);
}

/* The audit says that it was the daemon, and whether it went by itself or on request. */
static bool
audit_purge(struct reconcile_task *task, struct err *err)
{
	struct custodyd *daemon = task->task.daemon;
	const struct audit_record record = {
		.by_daemon = true,
		.operation = "key.purge.done",
		.vault = task->intent.vault_name,
		.key = task->intent.key_name,
		.detail = task->intent.detail,
		.catalog = db_generation(daemon->db),
	};
	return audit_append(daemon->audit, &record, true, err);
}

static bool
settle(struct reconcile_task *task, struct err *err)
{
	struct custodyd *daemon = task->task.daemon;
	if (task->intent.kind == DB_INTENT_CREATE)
		return db_intent_abort(daemon->db, task->intent.id, err);
	/* Before the rows go: whoever dies in between leaves the intent, and a record too many, never one too few. */
	if (!audit_purge(task, err) || !db_key_purge_commit(daemon->db, task->intent.id,
					       calendar_now_s(daemon->calendar), err))
		return false;
	keystore_forget(daemon->keys, task->intent.vault, task->intent.key_name);
	return true;
}

static enum op_result
step_destroyed(struct op *op)
{
	struct reconcile_task *task = task_of(op);
	if (task->err.code != ERR_NONE) {
		log_err(LOG_LEVEL_WARNING, "reconcile.waits", &task->err,
			LOG_TEXT("token", task->token));
		return OP_DONE;
	}
	if (++task->version < task->intent.version_count) {
		op_next_is(op, step_destroy);
		return OP_NEXT;
	}
	struct err err = {0};
	if (!settle(task, &err)) {
		custodyd_note(task->task.daemon, "reconcile.settle", &err, task->token);
		return OP_DONE;
	}
	log_info("reconcile.settled", LOG_TEXT("token", task->token),
		LOG_TEXT("vault", task->intent.vault_name), LOG_TEXT("key", task->intent.key_name),
		LOG_TEXT("intent", task->intent.kind == DB_INTENT_CREATE ? "create undone"
									 : "purge finished"));
	op_next_is(op, step_next);
	return OP_NEXT;
}

static enum op_result
cancel(struct op *op, enum op_cancel why)
{
	(void)op;
	(void)why; /* the intent stays in the catalog: stopping loses nothing */
	return OP_DONE;
}

static void
destroy(struct op *op)
{
	struct reconcile_task *task = task_of(op);
	struct reconciler *reconciler = task->reconciler;
	size_t i = busy_index(reconciler, task->token);
	reconciler->busy_count--;
	memcpy(reconciler->busy[i], reconciler->busy[reconciler->busy_count],
		sizeof(reconciler->busy[i]));
	arena_free(task->arena);
	free(task);
}

static const struct op_step steps[] = {
	{"next",      step_next     },
	{"destroy",   step_destroy  },
	{"destroyed", step_destroyed},
};

static const struct op_type reconcile_type = {
	.name = "reconcile",
	.steps = steps,
	.step_count = ARRAY_LEN(steps),
	.cancel = cancel,
	.destroy = destroy,
	.background = true,
};

void
reconcile_token(struct reconciler *reconciler, const char *token)
{
	if (busy_index(reconciler, token) < reconciler->busy_count ||
		reconciler->busy_count == OPTIONS_TOKENS_MAX)
		return;
	struct reconcile_task *task = calloc(1, sizeof(*task));
	if (task == NULL)
		abort();
	task->task.daemon = reconciler->daemon;
	task->task.deliver = deliver;
	task->reconciler = reconciler;
	strncpy(task->token, token, sizeof(task->token) - 1); /* zeroed above */
	memcpy(reconciler->busy[reconciler->busy_count++], task->token, sizeof(task->token));
	op_start(reconciler->daemon->ops, &reconcile_type, &task->task.op, 0);
}

void
reconcile_all(struct reconciler *reconciler)
{
	struct tokens *tokens = reconciler->daemon->tokens;
	for (size_t i = 0; i < tokens_count(tokens); i++) {
		const struct token *token = tokens_get(tokens, i);
		if (token_is_ready(token))
			reconcile_token(reconciler, token_name(token));
	}
}

static void
purge_due_key(struct custodyd *daemon, const struct db_key *key, int64_t now_s)
{
	const struct db_vault *vault = vaults_find_id(daemon->vaults, key->vault);
	CLEAN(arena)
	struct arena *arena = arena_new();
	struct db_intent intent;
	struct err err = {0};
	if (vault == NULL || !db_key_purge_begin(daemon->db, key->id, DB_PURGE_SCHEDULED, now_s,
				     arena, &intent, &err)) {
		if (vault != NULL)
			custodyd_note(daemon, "purge.begin", &err, key->name);
		return;
	}
	log_info("purge.begun", LOG_TEXT("vault", vault->name), LOG_TEXT("key", key->name),
		LOG_INT("scheduled", key->scheduled_purge));
}

void
reconcile_purge_due(struct reconciler *reconciler)
{
	struct custodyd *daemon = reconciler->daemon;
	int64_t now_s;
	struct err err = {0};
	if (db_held(daemon->db))
		return; /* a key that this copy believes deleted may have been recovered */
	if (!calendar_tick(daemon->calendar, &err)) {
		custodyd_note(daemon, "calendar", &err, NULL);
		return;
	}
	if (!calendar_purge_time_s(daemon->calendar, &now_s)) {
		log_error("purge.suspended",
			LOG_TEXT("why",
				"the clock jumped ahead; an administrator must confirm the date"),
			LOG_INT("jump_s", calendar_jump_s(daemon->calendar)));
		return;
	}
	CLEAN(arena)
	struct arena *arena = arena_new();
	struct db_key *keys;
	size_t count;
	if (!db_key_list_due(daemon->db, now_s, DUE_AT_ONCE, arena, &keys, &count, &err)) {
		custodyd_note(daemon, "purge.list", &err, NULL);
		return;
	}
	for (size_t i = 0; i < count; i++)
		purge_due_key(daemon, &keys[i], now_s);
	if (count > 0)
		reconcile_all(reconciler);
}
