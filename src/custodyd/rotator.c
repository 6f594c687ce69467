/* Invariant: a rotation is an operation of its own; when it ends, however it does, the rotator may go on. */
#include "custodyd/rotator.h"

#include <stdlib.h>
#include <string.h>

#include "base/b64.h"
#include "base/clock.h"
#include "base/log.h"
#include "custodyd/key_birth.h"
#include "db/db_rotation.h"

#define LOOK_AT_ONCE 128
#define PAUSE_MS     INT64_C(60000) /* from the end of the list to its beginning */

struct rotator {
	struct custodyd *daemon;
	int64_t after; /* row of the last key that was looked at */
	int64_t pause_until_ms;
	bool running; /* a rotation is under way */
};

struct rotation {
	struct task task; /* first */
	struct rotator *rotator;
	struct arena *arena;
	struct db_vault vault;
	struct db_rotation_item item;
	struct key_birth birth;
	bool promised; /* the audit has room for its record */
	struct err err;
};

static struct rotation *
rotation_of(struct op *op)
{
	return (struct rotation *)op;
}

/* ---- one rotation ---- */

static void
release_record(struct rotation *rotation)
{
	if (rotation->promised)
		audit_release(rotation->task.daemon->audit);
	rotation->promised = false;
}

static bool
record(struct rotation *rotation, struct err *err)
{
	struct custodyd *daemon = rotation->task.daemon;
	release_record(rotation);
	char version[ID_VERSION_TEXT];
	hex_encode(rotation->birth.id, sizeof(rotation->birth.id), version);
	log_info("key.rotated", LOG_TEXT("vault", rotation->vault.name),
		LOG_TEXT("key", rotation->item.key.key.name), LOG_TEXT("version", version));
	const struct audit_record line = {
		.by_daemon = true,
		.operation = "key.rotate",
		.vault = rotation->vault.name,
		.key = rotation->item.key.key.name,
		.version = version,
		.catalog = db_generation(daemon->db),
	};
	return audit_append(daemon->audit, &line, true, err);
}

static enum op_result
fail(struct rotation *rotation)
{
	custodyd_note(rotation->task.daemon, "rotation.failed", &rotation->err,
		rotation->item.key.key.name);
	return OP_DONE;
}

static enum op_result
step_intend(struct op *op)
{
	struct rotation *rotation = rotation_of(op);
	struct key_birth *birth = &rotation->birth;
	struct err *err = &rotation->err;
	birth->vault = rotation->vault.name;
	birth->token = rotation->vault.token;
	birth->name = rotation->item.key.key.name;
	birth->extractable = rotation->vault.backup == DB_BACKUP_TRUSTED;
	rotation->promised = audit_promise(rotation->task.daemon->audit, err);
	if (!rotation->promised ||
		!key_birth_repeat(
			birth, &rotation->item.key.newest, rotation->item.rotation.expiry, err) ||
		!key_birth_intend(&rotation->task, birth, rotation->vault.id, "rotation", err))
		return fail(rotation);
	return OP_NEXT;
}

static enum op_result
step_generate(struct op *op)
{
	struct rotation *rotation = rotation_of(op);
	return key_birth_ask(&rotation->task, &rotation->birth, &rotation->err) ? OP_WAIT
										: fail(rotation);
}

static void
deliver(struct task *task, unsigned slot, const struct token_answer *answer)
{
	struct rotation *rotation = (struct rotation *)task;
	(void)slot;
	if (answer->err != NULL)
		rotation->err = *answer->err;
	else
		key_birth_take(task, &rotation->birth, answer->fields, rotation->arena);
}

static enum op_result
step_commit(struct op *op)
{
	struct rotation *rotation = rotation_of(op);
	struct db_key_item item;
	if (rotation->err.code != ERR_NONE ||
		!key_birth_commit(&rotation->task, &rotation->birth, &item, &rotation->err) ||
		!record(rotation, &rotation->err))
		return fail(rotation);
	return OP_DONE;
}

/* What the token may have of it stands in an intent: the reconciler's. */
static enum op_result
cancel(struct op *op, enum op_cancel why)
{
	(void)op;
	(void)why;
	return OP_DONE;
}

static void
go_on(void *ctx)
{
	rotator_tick(ctx);
}

static void
destroy(struct op *op)
{
	struct rotation *rotation = rotation_of(op);
	struct rotator *rotator = rotation->rotator;
	key_birth_end(&rotation->task, &rotation->birth);
	release_record(rotation);
	rotator->running = false;
	if (rotation->err.code == ERR_NONE) /* there may be many: not one at each tick */
		loop_defer(rotator->daemon->loop, "rotator", go_on, rotator);
	arena_free(rotation->arena);
	free(rotation);
}

static const struct op_step steps[] = {
	{"intend",   step_intend  },
	{"generate", step_generate},
	{"commit",   step_commit  },
};

static const struct op_type rotation_type = {
	.name = "key.rotation",
	.steps = steps,
	.step_count = ARRAY_LEN(steps),
	.cancel = cancel,
	.destroy = destroy,
	.background = true,
};

/* ---- looking for what is due ---- */

static bool
is_after(int64_t now_s, const char *text, int64_t birth_s)
{
	struct period period;
	return text[0] != '\0' && period_parse(text, &period) &&
	       period_after(&period, birth_s) <= now_s;
}

static bool
is_before(int64_t now_s, const char *text, int64_t end_s)
{
	struct period period;
	return text[0] != '\0' && end_s != DB_NO_TIME && period_parse(text, &period) &&
	       period_before(&period, end_s) <= now_s;
}

static bool
is_due(const struct db_rotation_item *item, int64_t now_s)
{
	return is_after(now_s, item->rotation.rotate_after, item->key.newest.created) ||
	       is_before(now_s, item->rotation.rotate_before, item->key.newest.exp);
}

static void
tell(struct custodyd *daemon, const struct db_rotation_item *item, int64_t now_s)
{
	const struct db_version *newest = &item->key.newest;
	const struct db_vault *vault = vaults_find_id(daemon->vaults, item->key.key.vault);
	struct err err = {0};
	if (vault == NULL || !is_before(now_s, item->rotation.notify_before, newest->exp) ||
		memcmp(item->rotation.notified, newest->id, sizeof(newest->id)) == 0)
		return;
	log_warning("key.expires", LOG_TEXT("vault", vault->name),
		LOG_TEXT("key", item->key.key.name), LOG_INT("seconds", newest->exp - now_s));
	if (!db_rotation_told(daemon->db, item->key.key.id, newest->id, &err))
		custodyd_note(daemon, "rotation.told", &err, item->key.key.name);
}

/* The token of a vault takes work; else the key waits without a word, the token's state is told by itself. */
static bool
may_rotate(const struct custodyd *daemon, const struct db_vault *vault)
{
	const struct token *token =
		vault != NULL ? tokens_find(daemon->tokens, vault->token) : NULL;
	return token != NULL && token_is_ready(token);
}

/* Rows are borrowed from the arena, which goes to the rotation. */
static void
start(struct rotator *rotator, const struct db_rotation_item *item, const struct db_vault *vault,
	struct arena *take_arena)
{
	struct rotation *rotation = calloc(1, sizeof(*rotation));
	if (rotation == NULL)
		abort();
	rotation->task.daemon = rotator->daemon;
	rotation->task.deliver = deliver;
	rotation->rotator = rotator;
	rotation->arena = take_arena;
	rotation->vault = *vault;
	rotation->item = *item;
	rotator->running = true;
	op_start(rotator->daemon->ops, &rotation_type, &rotation->task.op, 0);
}

/* Looks at the rows in order up to one that is due and begins it: true, and the arena is its own. */
static bool
look(struct rotator *rotator, const struct db_rotation_item *items, size_t count, int64_t now_s,
	struct arena *arena)
{
	struct custodyd *daemon = rotator->daemon;
	for (size_t i = 0; i < count; i++) {
		const struct db_vault *vault =
			vaults_find_id(daemon->vaults, items[i].key.key.vault);
		rotator->after = items[i].key.key.id;
		tell(daemon, &items[i], now_s);
		if (is_due(&items[i], now_s) && may_rotate(daemon, vault)) {
			start(rotator, &items[i], vault, arena);
			return true;
		}
	}
	return false;
}

void
rotator_tick(struct rotator *rotator)
{
	struct custodyd *daemon = rotator->daemon;
	int64_t now_s, now_ms = clock_monotonic_ms();
	if (rotator->running || daemon->draining || now_ms < rotator->pause_until_ms ||
		db_read_only(daemon->db) || db_held(daemon->db) ||
		!calendar_purge_time_s(daemon->calendar, &now_s))
		return;
	struct arena *arena = arena_new();
	struct db_rotation_item *items;
	size_t count;
	struct err err = {0};
	if (!db_rotation_list(
		    daemon->db, rotator->after, LOOK_AT_ONCE, arena, &items, &count, &err)) {
		custodyd_note(daemon, "rotation.list", &err, NULL);
		arena_free(arena);
		rotator->pause_until_ms = now_ms + PAUSE_MS;
		return;
	}
	if (look(rotator, items, count, now_s, arena))
		return;
	arena_free(arena);
	if (count < LOOK_AT_ONCE) { /* the end of the list */
		rotator->after = 0;
		rotator->pause_until_ms = now_ms + PAUSE_MS;
	}
}

void
rotator_wake(struct rotator *rotator)
{
	rotator->after = 0;
	rotator->pause_until_ms = 0;
	rotator_tick(rotator);
}

struct rotator *
rotator_new(struct custodyd *daemon)
{
	struct rotator *rotator = calloc(1, sizeof(*rotator));
	if (rotator == NULL)
		abort();
	rotator->daemon = daemon;
	return rotator;
}

void
rotator_free(struct rotator *rotator)
{
	free(rotator);
}
