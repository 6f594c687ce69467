/*
 * GET /doctor: what contradicts what (threats D10). Every ready token is asked for all its objects of ours; they are held
 * against the catalog's rows, both ways, and each key's object is looked at: is it the key, with the attributes that it was made
 * with? Nothing is changed: an object without a row is named, never destroyed.
 */
#include <stdlib.h>
#include <string.h>

#include "api/status.h"
#include "base/b64.h"
#include "custodyd/inspector.h"
#include "custodyd/operations.h"
#include "custodyd/rollback.h"
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
	bool listed;                   /* the token's list is complete */
	uint8_t row[ID_VERSION_BYTES]; /* the last version looked at */
	bool any_row;
	struct err verdict; /* of the token about it */
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

/* What the catalog lacks and, once it is accepted, somebody must do again (threats D8). */
static void
find_missed(struct doctor *doctor)
{
	struct custodyd *daemon = doctor->call.task.daemon;
	struct arena *arena = doctor->call.arena;
	const char *vault, *key;
	if (rollback_why(daemon) == NULL)
		return;
	find(doctor, "rolled-back", "custody.db", arena_strdup(arena, rollback_why(daemon)));
	if (rollback_all(daemon))
		find(doctor, "rolled-back", "custody.db",
			"What was changed since is not known: everything that names a vault is "
			"refused.");
	for (size_t i = 0; rollback_missed(daemon, i, &vault, &key); i++)
		find(doctor, "rolled-back",
			key[0] == '\0' ? vault : arena_printf(arena, "%s/%s", vault, key),
			key[0] == '\0'
				? "The vault or its policies were changed after this copy of "
				  "the catalog was made; requests that name it are refused."
				: "The key was changed after this copy of the catalog was "
				  "made; requests that name it are refused.");
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
	find_missed(doctor);
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
take_list(struct doctor *doctor, const struct wire_list_answer *fields, struct err *err)
{
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

static void
deliver(struct task *task, unsigned slot, const struct token_answer *answer)
{
	struct doctor *doctor = (struct doctor *)task;
	(void)slot;
	err_clear(&doctor->verdict);
	if (answer->err != NULL)
		doctor->verdict = *answer->err;
	else if (!doctor->listed)
		take_list(doctor, answer->fields, &doctor->verdict);
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

/* On to the next token. */
static enum op_result
leave_token(struct doctor *doctor)
{
	op_next_is(&doctor->call.task.op, step_token);
	doctor->object_count = 0;
	doctor->offset = 0;
	doctor->listed = false;
	doctor->any_row = false;
	doctor->token++;
	return OP_NEXT;
}

/* It went away while it was asked: what else is on it is not known. */
static enum op_result
give_up_token(struct doctor *doctor, const char *name)
{
	find(doctor, "token", name, arena_strdup(doctor->call.arena, doctor->verdict.message));
	return leave_token(doctor);
}

static enum op_result
step_listed(struct op *op)
{
	struct doctor *doctor = doctor_of(op);
	struct call *call = &doctor->call;
	struct custodyd *daemon = call->task.daemon;
	const char *name = token_name(tokens_get(daemon->tokens, doctor->token));
	if (doctor->verdict.code != ERR_NONE)
		return give_up_token(doctor, name);
	if (!doctor->listed) {
		op_next_is(op, step_token); /* the next page of the same token */
		return OP_NEXT;
	}
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
	return OP_NEXT;
}

/* The next version of the token that is not on its way out. false: none, or call->err. */
static bool
next_row(struct doctor *doctor, const char *token, struct arena *arena, struct db_key *key,
	struct db_version *version)
{
	struct call *call = &doctor->call;
	struct db *db = call->task.daemon->db;
	for (;;) {
		struct db_version *rows;
		size_t count;
		if (!db_version_list_token(db, token, doctor->any_row ? doctor->row : NULL, 1,
			    arena, &rows, &count, &call->err) ||
			count == 0)
			return false;
		memcpy(doctor->row, rows[0].id, sizeof(doctor->row));
		doctor->any_row = true;
		struct err gone = {0};
		if (db_version_find_by_id(db, doctor->row, arena, key, version, &gone) &&
			key->state != DB_KEY_PURGING)
			return true;
	}
}

static const char *
row_subject(struct doctor *doctor, const char *token)
{
	char hex[ID_VERSION_TEXT];
	hex_encode(doctor->row, ID_VERSION_BYTES, hex);
	return arena_printf(doctor->call.arena, "%s on token %s", hex, token);
}

static enum op_result
step_row(struct op *op)
{
	struct doctor *doctor = doctor_of(op);
	struct call *call = &doctor->call;
	const char *token = token_name(tokens_get(call->task.daemon->tokens, doctor->token));
	struct db_key key;
	struct db_version version;
	CLEAN(arena)
	struct arena *arena = arena_new();
	while (next_row(doctor, token, arena, &key, &version)) {
		if (bsearch(doctor->row, doctor->objects, doctor->object_count, ID_VERSION_BYTES,
			    compare_ids) == NULL) {
			find(doctor, "missing-object", row_subject(doctor, token),
				"The key version is in the catalog, but not on its token.");
			continue;
		}
		if (inspector_ask(&call->task, token, &key, &version, &doctor->verdict))
			return OP_WAIT;
		return give_up_token(doctor, token);
	}
	return call->err.code != ERR_NONE ? call_fail(call) : leave_token(doctor);
}

static enum op_result
step_looked(struct op *op)
{
	struct doctor *doctor = doctor_of(op);
	struct call *call = &doctor->call;
	const char *token = token_name(tokens_get(call->task.daemon->tokens, doctor->token));
	enum err_code code = doctor->verdict.code;
	if (code != ERR_NONE && err_class(code) != ERR_CLASS_INTEGRITY)
		return give_up_token(doctor, token);
	if (code != ERR_NONE)
		find(doctor, "wrong-object", row_subject(doctor, token),
			arena_printf(call->arena, "%s (%s)", doctor->verdict.message,
				doctor->verdict.origin[0] == '\0' ? err_name(code)
								  : doctor->verdict.origin));
	op_next_is(op, step_row);
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
	{"row",     step_row    },
	{"looked",  step_looked },
};

const struct call_type doctor_type = {
	.op = CALL_OP_TYPE("doctor", steps),
	.size = sizeof(struct doctor),
	.deliver = deliver,
	.clear = clear,
};
