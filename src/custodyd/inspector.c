/*
 * One task for each token at a time. It walks the token's versions in order of their ids, a row and a request to the worker each, so
 * that callers' work goes between. Invariant: a token that goes away ends the walk without a verdict on any key.
 */
#include "inspector.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/b64.h"
#include "base/log.h"
#include "custodyd/custodyd.h"
#include "custodyd/task.h"
#include "wire/wire.h"

#define REDUCED_EVERY_S INT64_C(3600)
#define EVERY_S         INT64_C(86400)

struct round {
	char token[DB_TOKEN_NAME]; /* "": free */
	int64_t began_s;           /* of the last walk, or when the token was first seen ready */
	bool walks;
};

struct inspector {
	struct custodyd *daemon;
	struct round rounds[OPTIONS_TOKENS_MAX];
};

struct inspection {
	struct task task; /* first */
	struct round *round;
	struct arena *arena; /* of the row */
	struct db_key key;
	struct db_version version;
	uint8_t after[ID_VERSION_BYTES];
	bool any; /* `after` counts */
	struct err err;
	int64_t looked, wrong;
};

struct inspector *
inspector_new(struct custodyd *daemon)
{
	struct inspector *inspector = calloc(1, sizeof(*inspector));
	if (inspector == NULL)
		abort();
	inspector->daemon = daemon;
	return inspector;
}

void
inspector_free(struct inspector *inspector)
{
	free(inspector);
}

/* The next row. false: none, or the catalog cannot be read (noted). */
static bool
next_row(struct inspection *inspection)
{
	struct custodyd *daemon = inspection->task.daemon;
	struct db_version *rows;
	size_t count;
	struct err err = {0};
	arena_free(inspection->arena);
	inspection->arena = arena_new();
	if (!db_version_list_token(daemon->db, inspection->round->token,
		    inspection->any ? inspection->after : NULL, 1, inspection->arena, &rows, &count,
		    &err)) {
		custodyd_note(daemon, "inspect.catalog", &err, inspection->round->token);
		return false;
	}
	if (count == 0)
		return false;
	memcpy(inspection->after, rows[0].id, sizeof(inspection->after));
	inspection->any = true;
	return true;
}

/* false: gone since it was listed, or on its way out. */
static bool
read_row(struct inspection *inspection)
{
	struct err gone = {0};
	return db_version_find_by_id(inspection->task.daemon->db, inspection->after,
		       inspection->arena, &inspection->key, &inspection->version, &gone) &&
	       inspection->key.state != DB_KEY_PURGING;
}

bool
inspector_ask(struct task *task, const char *token, const struct db_key *key,
	const struct db_version *version, struct err *err)
{
	struct custodyd *daemon = task->daemon;
	const struct db_vault *vault = vaults_find_id(daemon->vaults, key->vault);
	if (vault == NULL)
		return err_set(err, ERR_CATALOG_INTEGRITY, NULL);
	char label[KEYSTORE_LABEL];
	keystore_label(vault->name, key->name, label);
	struct wire_verify_key_request wire = {
		.label = label,
		.ops = version->ops_born,
		.extractable = vault->backup == DB_BACKUP_TRUSTED,
	};
	memcpy(wire.id, version->id, sizeof(wire.id));
	memcpy(wire.fingerprint, version->fingerprint, sizeof(wire.fingerprint));
	struct token_job job = {
		.type = WIRE_VERIFY_KEY,
		.request = &wire,
		.kind = LATENCY_OTHER,
		.deadline_ms = loop_now_ms(daemon->loop) + daemon->options->daemon.create_timeout,
	};
	return task_ask(task, token, &job, 0, err);
}

static bool
ask(struct inspection *inspection, struct err *err)
{
	err_clear(&inspection->err);
	return inspector_ask(&inspection->task, inspection->round->token, &inspection->key,
		&inspection->version, err);
}

static struct inspection *
inspection_of(struct op *op)
{
	return (struct inspection *)op;
}

static enum op_result
end(struct inspection *inspection, const char *event)
{
	log_info(event, LOG_TEXT("token", inspection->round->token),
		LOG_INT("keys", inspection->looked), LOG_INT("wrong", inspection->wrong));
	return OP_DONE;
}

static enum op_result
step_ask(struct op *op)
{
	struct inspection *inspection = inspection_of(op);
	do {
		if (!next_row(inspection))
			return end(inspection, "inspect.done");
	} while (!read_row(inspection));
	struct err err = {0};
	if (ask(inspection, &err))
		return OP_WAIT;
	log_err(LOG_LEVEL_WARNING, "inspect.ends", &err,
		LOG_TEXT("token", inspection->round->token));
	return end(inspection, "inspect.broken");
}

static void
deliver(struct task *task, unsigned slot, const struct token_answer *answer)
{
	(void)slot; /* there is one request at a time */
	if (answer->err != NULL)
		((struct inspection *)task)->err = *answer->err;
}

static void
tell(struct inspection *inspection)
{
	struct custodyd *daemon = inspection->task.daemon;
	const struct db_vault *vault = vaults_find_id(daemon->vaults, inspection->key.vault);
	char hex[ID_VERSION_TEXT], subject[KEYSTORE_LABEL + ID_VERSION_TEXT];
	hex_encode(inspection->version.id, ID_VERSION_BYTES, hex);
	(void)snprintf(subject, sizeof(subject), "%s/%s/%s", vault != NULL ? vault->name : "?",
		inspection->key.name, hex);
	inspection->wrong++;
	custodyd_note(daemon, "inspect.wrong", &inspection->err, subject);
}

static enum op_result
step_judge(struct op *op)
{
	struct inspection *inspection = inspection_of(op);
	enum err_code code = inspection->err.code;
	if (code != ERR_NONE && err_class(code) != ERR_CLASS_INTEGRITY) {
		log_err(LOG_LEVEL_WARNING, "inspect.ends", &inspection->err,
			LOG_TEXT("token", inspection->round->token));
		return end(inspection, "inspect.broken");
	}
	inspection->looked++;
	if (code != ERR_NONE &&
		read_row(inspection)) /* a key purged meanwhile is rightly missing */
		tell(inspection);
	op_next_is(op, step_ask);
	return OP_NEXT;
}

static enum op_result
cancel(struct op *op, enum op_cancel why)
{
	(void)op;
	(void)why; /* looked at again at its time */
	return OP_DONE;
}

static void
destroy(struct op *op)
{
	struct inspection *inspection = inspection_of(op);
	inspection->round->walks = false;
	arena_free(inspection->arena);
	free(inspection);
}

static const struct op_step steps[] = {
	{"ask",   step_ask  },
	{"judge", step_judge},
};

static const struct op_type inspect_type = {
	.name = "inspect",
	.steps = steps,
	.step_count = ARRAY_LEN(steps),
	.cancel = cancel,
	.destroy = destroy,
	.background = true,
};

static void
begin(struct inspector *inspector, struct round *round)
{
	struct inspection *inspection = calloc(1, sizeof(*inspection));
	if (inspection == NULL)
		abort();
	inspection->task.daemon = inspector->daemon;
	inspection->task.deliver = deliver;
	inspection->round = round;
	round->walks = true;
	op_start(inspector->daemon->ops, &inspect_type, &inspection->task.op, 0);
}

/* NULL: more tokens than can be configured, our bug, and no harm. */
static struct round *
round_of(struct inspector *inspector, const char *token, int64_t now_s)
{
	for (size_t i = 0; i < OPTIONS_TOKENS_MAX; i++) {
		struct round *round = &inspector->rounds[i];
		if (round->token[0] == '\0') {
			round->began_s = now_s;
			strncpy(round->token, token,
				sizeof(round->token) - 1); /* zeroed at birth */
		}
		if (strcmp(round->token, token) == 0)
			return round;
	}
	return NULL;
}

void
inspector_tick(struct inspector *inspector)
{
	struct tokens *tokens = inspector->daemon->tokens;
	int64_t now_s = calendar_now_s(inspector->daemon->calendar);
	for (size_t i = 0; i < tokens_count(tokens); i++) {
		const struct token *token = tokens_get(tokens, i);
		if (!token_is_ready(token))
			continue;
		struct round *round = round_of(inspector, token_name(token), now_s);
		int64_t every_s = token_is_reduced(token) ? REDUCED_EVERY_S : EVERY_S;
		if (round == NULL || round->walks || now_s - round->began_s < every_s)
			continue;
		round->began_s = now_s;
		begin(inspector, round);
	}
}
