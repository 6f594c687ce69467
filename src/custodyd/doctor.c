/*
 * GET /doctor: what contradicts what (threats D10). Every ready token is asked for all its objects of ours; they are held
 * against the catalog's rows, both ways. Nothing is changed: an object without a row is named, never destroyed.
 */
#include <stdlib.h>
#include <string.h>

#include "api/status.h"
#include "base/b64.h"
#include "custodyd/operations.h"
#include "db/db_intent.h"
#include "wire/wire.h"

#define FINDINGS_MAX 500     /* more are counted, not listed */
#define OBJECTS_MAX  2000000 /* of one token: memory is bounded */

struct object_id {
	uint8_t id[ID_VERSION_BYTES];
};

struct doctor {
	struct call call; /* first */
	struct api_finding findings[FINDINGS_MAX + 1];
	size_t count;
	size_t left_out;
	size_t token; /* index of the token being read */
	struct object_id *objects;
	size_t object_count, object_size;
	uint32_t offset;
	bool listed; /* the token's list is complete */
};

static struct doctor *
doctor_of(struct op *op)
{
	return (struct doctor *)op;
}

static void
find(struct doctor *doctor, const char *kind, const char *subject, const char *message)
{
	if (doctor->count == FINDINGS_MAX) {
		doctor->left_out++;
		return;
	}
	struct arena *arena = doctor->call.arena;
	doctor->findings[doctor->count++] = (struct api_finding){
		.kind = kind, .subject = arena_strdup(arena, subject), .message = message};
}

static void
find_principals(struct doctor *doctor)
{
	struct custodyd *daemon = doctor->call.task.daemon;
	(void)access_refresh(daemon->access);
	for (size_t i = 0; i < vaults_count(daemon->vaults); i++) {
		const struct db_vault *vault = vaults_get(daemon->vaults, i);
		size_t count;
		const struct access_entry *entries =
			access_entries(daemon->access, vault->id, &count);
		for (size_t k = 0; k < count; k++) {
			char text[PRINCIPAL_TEXT];
			principal_format(&entries[k].principal, text);
			if (entries[k].state == PRINCIPAL_CHANGED)
				find(doctor, "principal-changed",
					arena_printf(
						doctor->call.arena, "%s on %s", text, vault->name),
					"The number has another name now; it grants nothing. "
					"Delete the policy or set it again.");
		}
	}
}

static enum op_result
step_catalog(struct op *op)
{
	struct doctor *doctor = doctor_of(op);
	struct call *call = &doctor->call;
	struct custodyd *daemon = call->task.daemon;
	op_set_deadline(op, daemon->options->daemon.create_timeout);
	struct err err = {0};
	if (!db_check(daemon->db, &err))
		find(doctor, "catalog", "custody.db", arena_strdup(call->arena, err.message));
	if (calendar_jump_s(daemon->calendar) != 0)
		find(doctor, "clock", "host",
			"The clock jumped ahead; scheduled purges are suspended.");
	find_principals(doctor);
	return OP_NEXT;
}

static enum op_result
step_token(struct op *op)
{
	struct doctor *doctor = doctor_of(op);
	struct call *call = &doctor->call;
	struct tokens *tokens = call->task.daemon->tokens;
	for (; doctor->token < tokens_count(tokens); doctor->token++) {
		const struct token *token = tokens_get(tokens, doctor->token);
		struct err err = {0};
		if (token_trouble(token, &err)) {
			find(doctor, "token", token_name(token),
				arena_strdup(call->arena, err.message));
			continue;
		}
		struct wire_list_request wire = {.offset = doctor->offset};
		struct token_job job = {.type = WIRE_LIST, .request = &wire, .kind = LATENCY_OTHER};
		return call_ask(call, token_name(token), &job, 0) ? OP_WAIT : call_fail(call);
	}
	if (doctor->left_out > 0)
		doctor->findings[doctor->count++] = (struct api_finding){.kind = "more",
			.subject = "doctor",
			.message = arena_printf(call->arena, "%zu findings more are not listed.",
				doctor->left_out)};
	api_doctor_format(doctor->findings, doctor->count, &call->body);
	return call_finish(call, 200);
}

static bool
add_object(struct doctor *doctor, const struct wire_object *object, struct err *err)
{
	if (doctor->object_count == OBJECTS_MAX)
		return err_set(
			err, ERR_UNAVAILABLE, "The token holds more objects than can be checked.");
	if (doctor->object_count == doctor->object_size) {
		doctor->object_size = doctor->object_size == 0 ? 1024 : doctor->object_size * 2;
		doctor->objects = reallocarray(
			doctor->objects, doctor->object_size, sizeof(*doctor->objects));
		if (doctor->objects == NULL)
			abort();
	}
	memcpy(doctor->objects[doctor->object_count++].id, object->id, sizeof(object->id));
	return true;
}

static void
deliver(struct task *task, unsigned slot, const struct token_answer *answer)
{
	struct doctor *doctor = (struct doctor *)task;
	struct err *err = &doctor->call.err;
	(void)slot;
	if (answer->err != NULL) {
		*err = *answer->err;
		return;
	}
	const struct wire_list_answer *fields = answer->fields;
	struct bytes rest = fields->objects;
	uint32_t count = 0;
	for (; rest.len > 0; count++) {
		struct wire_object object;
		if (!wire_record_next(&rest, WIRE_RECORD_object, &object, err) ||
			!add_object(doctor, &object, err))
			return;
	}
	doctor->offset += count;
	doctor->listed = count == 0 || doctor->offset >= fields->total;
}

static int
compare_ids(const void *a, const void *b)
{
	return memcmp(a, b, ID_VERSION_BYTES);
}

/* A private key with its usage-less public half is one id; more of one kind under one id the worker refuses by itself. */
static void
check_objects(struct doctor *doctor, const struct db_token *row, const struct db_intent *intents,
	size_t intent_count)
{
	struct db *db = doctor->call.task.daemon->db;
	for (size_t i = 0; i < doctor->object_count; i++) {
		const uint8_t *id = doctor->objects[i].id;
		if (i > 0 && memcmp(id, doctor->objects[i - 1].id, ID_VERSION_BYTES) == 0)
			continue;
		CLEAN(arena)
		struct arena *arena = arena_new();
		struct db_key key;
		struct db_version version;
		struct err err = {0};
		if (memcmp(id, row->identity_id, ID_VERSION_BYTES) == 0 ||
			db_version_find_by_id(db, id, arena, &key, &version, &err))
			continue;
		bool intended = false;
		for (size_t k = 0; k < intent_count; k++)
			for (size_t v = 0; v < intents[k].version_count; v++)
				intended = intended || memcmp(intents[k].versions[v], id,
							       ID_VERSION_BYTES) == 0;
		char hex[ID_VERSION_TEXT];
		hex_encode(id, ID_VERSION_BYTES, hex);
		const char *subject = arena_printf(arena, "%s on token %s", hex, row->name);
		if (err.code == ERR_KEY_PURGED)
			find(doctor, "purged-object", subject,
				"The key was purged, but an object of its id is on the token.");
		else if (!intended)
			find(doctor, "orphan-object", subject,
				"The catalog does not know this object; it is left alone.");
	}
}

static bool
check_rows(struct doctor *doctor, const char *token)
{
	struct call *call = &doctor->call;
	uint8_t after[ID_VERSION_BYTES];
	const uint8_t *position = NULL;
	for (;;) {
		CLEAN(arena)
		struct arena *arena = arena_new();
		struct db_version *rows;
		size_t count;
		if (!db_version_list_token(call->task.daemon->db, token, position, DB_PAGE_MAX,
			    arena, &rows, &count, &call->err))
			return false;
		for (size_t i = 0; i < count; i++) {
			char hex[ID_VERSION_TEXT];
			hex_encode(rows[i].id, ID_VERSION_BYTES, hex);
			const char *subject = arena_printf(arena, "%s on token %s", hex, token);
			if (bsearch(rows[i].id, doctor->objects, doctor->object_count,
				    ID_VERSION_BYTES, compare_ids) == NULL)
				find(doctor, "missing-object", subject,
					"The key version is in the catalog, but not on its token.");
		}
		if (count == 0)
			return true;
		memcpy(after, rows[count - 1].id, sizeof(after));
		position = after;
	}
}

static enum op_result
step_listed(struct op *op)
{
	struct doctor *doctor = doctor_of(op);
	struct call *call = &doctor->call;
	struct custodyd *daemon = call->task.daemon;
	if (call->err.code != ERR_NONE)
		return call_fail(call);
	op_next_is(op, step_token);
	if (!doctor->listed)
		return OP_NEXT; /* the next page of the same token */
	const char *name = token_name(tokens_get(daemon->tokens, doctor->token));
	struct db_token row;
	bool found;
	struct db_intent *intents;
	size_t intent_count;
	if (!db_token_find(daemon->db, name, call->arena, &row, &found, &call->err) ||
		!db_intent_list(daemon->db, name, call->arena, &intents, &intent_count, &call->err))
		return call_fail(call);
	if (doctor->object_count > 0)
		qsort(doctor->objects, doctor->object_count, sizeof(*doctor->objects), compare_ids);
	check_objects(doctor, &row, intents, intent_count);
	if (!check_rows(doctor, name))
		return call_fail(call);
	doctor->object_count = 0;
	doctor->offset = 0;
	doctor->listed = false;
	doctor->token++;
	return OP_NEXT;
}

static void
clear(struct call *call)
{
	free(((struct doctor *)call)->objects);
}

static const struct op_step steps[] = {
	{"admit",   call_admit  },
	{"catalog", step_catalog},
	{"token",   step_token  },
	{"listed",  step_listed },
};

const struct call_type doctor_type = {
	.op = CALL_OP_TYPE("doctor", steps),
	.size = sizeof(struct doctor),
	.deliver = deliver,
	.clear = clear,
};
