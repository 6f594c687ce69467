/* Reads and writes policies. Invariant: what is decoded is within the limits of doc/api.md. */
#include "dep_policy.h"

#include <string.h>

#include "api/body.h"
#include "api/dep_scope.h"
#include "base/id.h"
#include "json/json_writer.h"

#define SPAN_MAX        16  /* octets */
#define KEYS_READ_MAX   16  /* more than two are counted, then refused */
#define URI_OCTETS_MAX  447 /* as a full key version id */
#define UTF8_OCTETS_MAX 4   /* of one character (RFC 3629 §3) */

static const struct json_word kind_words[] = {
	{"m365",    API_DEP_M365   },
	{"mailbox", API_DEP_MAILBOX},
	{NULL,      0              },
};

const char *
api_dep_kind_name(enum api_dep_kind kind)
{
	for (const struct json_word *word = kind_words; word->text != NULL; word++)
		if (word->value == (int)kind)
			return word->text;
	return kind == API_DEP_GEO ? "geo" : "service";
}

enum api_dep_kind
api_dep_kind_find(const char *name)
{
	for (const struct json_word *word = kind_words; word->text != NULL; word++)
		if (strcmp(word->text, name) == 0)
			return (enum api_dep_kind)word->value;
	return (enum api_dep_kind)0;
}

bool
api_dep_name_valid(const char *name)
{
	size_t len = strlen(name);
	if (len == 0 || len > API_DEP_POLICY_NAME_MAX || id_uuid_valid(name))
		return false;
	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return false;
	for (const char *c = name; *c != '\0'; c++)
		if (*c <= ' ' || *c > '~' || *c == '/')
			return false;
	return true;
}

/* ---- requests ---- */

struct create_body {
	int kind;
	const char *name, *description;
	struct json_texts keys;
	const char *outage_fallback;
};

#define DESCRIPTION_FIELD(type)                                                                    \
	FIELD(type, description, "description", TEXT, .flags = JSON_PRINTABLE,                     \
		.max = API_DEP_DESCRIPTION_MAX * UTF8_OCTETS_MAX)

#define OUTAGE_FIELD(type)                                                                         \
	FIELD(type, outage_fallback, "outageFallback", TEXT, .flags = JSON_NON_EMPTY,              \
		.max = SPAN_MAX)

static const struct json_field create_fields[] = {
	FIELD(struct create_body, kind, "kind", WORD, .flags = JSON_REQUIRED, .words = kind_words),
	FIELD(struct create_body, name, "name", TEXT, .flags = JSON_REQUIRED,
		.max = API_DEP_POLICY_NAME_MAX),
	DESCRIPTION_FIELD(struct create_body),
	FIELD(struct create_body, keys, "keys", TEXTS, .flags = JSON_REQUIRED, .max = KEYS_READ_MAX,
		.high = URI_OCTETS_MAX),
	OUTAGE_FIELD(struct create_body),
};
TABLE(create_table, create_fields, struct create_body, true);

struct change_body {
	const char *description;
	struct json_opt_bool enabled;
	const char *outage_fallback;
};

static const struct json_field change_fields[] = {
	DESCRIPTION_FIELD(struct change_body),
	FIELD(struct change_body, enabled, "enabled", BOOL),
	OUTAGE_FIELD(struct change_body),
};
TABLE(change_table, change_fields, struct change_body, true);

struct assign_body {
	const char *policy;
};

static const struct json_field assign_fields[] = {
	FIELD(struct assign_body, policy, "policy", TEXT, .flags = JSON_REQUIRED | JSON_NON_EMPTY,
		.max = API_DEP_POLICY_NAME_MAX),
};
TABLE(assign_table, assign_fields, struct assign_body, true);

static bool
check_description(const char *description, struct err *err)
{
	size_t characters = 0;
	for (const char *c = description; *c != '\0'; c++)
		characters += ((unsigned char)*c & 0xc0) != 0x80; /* not the rest of one */
	return characters <= API_DEP_DESCRIPTION_MAX ||
	       err_set(err, ERR_BAD_PARAMETER,
		       "The member 'description' has more than %d characters.",
		       API_DEP_DESCRIPTION_MAX);
}

/* How long users go on while both keys are unavailable: a span, or for ever. */
static bool
read_outage(const char *text, int64_t *ret_seconds, struct err *err)
{
	int64_t seconds = API_DEP_UNLIMITED;
	if (strcmp(text, "unlimited") != 0 &&
		(!api_dep_span(text, &seconds, err) || seconds > API_DEP_OUTAGE_MAX))
		return err_set(err, ERR_BAD_PARAMETER,
			"The member 'outageFallback' must be \"unlimited\" or a span such as 12h, "
			"a "
			"year at most.");
	*ret_seconds = seconds;
	return true;
}

bool
api_dep_create_decode(
	struct bytes body, struct arena *arena, struct api_dep_create *ret_create, struct err *err)
{
	struct create_body read;
	if (!json_decode_body(body, &create_table, arena, &read, err))
		return false;
	if (!api_dep_name_valid(read.name))
		return err_set(err, ERR_BAD_PARAMETER,
			"The member 'name' must be 1 to 64 printable characters without blanks and "
			"slashes, and not a GUID.");
	if (read.description != NULL && !check_description(read.description, err))
		return false;
	if (read.keys.count != API_DEP_KEYS)
		return err_set(err, ERR_TWO_KEYS_REQUIRED,
			"A policy has exactly two keys; %zu %s named.", read.keys.count,
			read.keys.count == 1 ? "was" : "were");
	int64_t outage_s = API_DEP_UNLIMITED;
	if (read.outage_fallback != NULL && !read_outage(read.outage_fallback, &outage_s, err))
		return false;
	*ret_create = (struct api_dep_create){
		.kind = (enum api_dep_kind)read.kind,
		.name = read.name,
		.description = read.description != NULL ? read.description : "",
		.keys = {read.keys.items[0], read.keys.items[1]},
		.outage_fallback_s = outage_s,
	};
	return true;
}

bool
api_dep_change_decode(
	struct bytes body, struct arena *arena, struct api_dep_change *ret_change, struct err *err)
{
	struct change_body read;
	if (!json_decode_body(body, &change_table, arena, &read, err))
		return false;
	if (read.description == NULL && !read.enabled.set && read.outage_fallback == NULL)
		return err_set(err, ERR_BAD_PARAMETER,
			"Nothing is to be changed: name 'description', 'enabled' or "
			"'outageFallback'.");
	if (read.description != NULL && !check_description(read.description, err))
		return false;
	int64_t outage_s = 0;
	if (read.outage_fallback != NULL && !read_outage(read.outage_fallback, &outage_s, err))
		return false;
	*ret_change = (struct api_dep_change){
		.description = read.description,
		.has_enabled = read.enabled.set,
		.enabled = read.enabled.value,
		.has_outage_fallback = read.outage_fallback != NULL,
		.outage_fallback_s = outage_s,
	};
	return true;
}

bool
api_dep_assign_decode(
	struct bytes body, struct arena *arena, const char **ret_policy, struct err *err)
{
	struct assign_body read;
	if (!json_decode_body(body, &assign_table, arena, &read, err))
		return false;
	*ret_policy = read.policy;
	return true;
}

/* ---- answers ---- */

static void
write_texts(struct json_writer *writer, const char *name, const char *const texts[API_DEP_KEYS])
{
	json_write_array(writer, name);
	for (size_t i = 0; i < API_DEP_KEYS; i++)
		json_write_text(writer, NULL, texts[i]);
	json_write_end(writer);
}

static void
write_generation(struct json_writer *writer, const struct api_dep_generation *generation)
{
	json_write_object(writer, NULL);
	json_write_text(writer, "id", generation->id);
	json_write_int(writer, "number", generation->number);
	write_texts(writer, "keys", generation->keys);
	json_write_text(writer, "availabilityKey", generation->availability_key);
	json_write_int(writer, "created", generation->created);
	json_write_int(writer, "redundancy", generation->redundancy);
	if (generation->availability_key != NULL)
		json_write_bool(writer, "availabilityKeyOpens", generation->availability);
	else
		json_write_null(writer, "availabilityKeyOpens");
	json_write_int(writer, "checked", generation->checked);
	json_write_int(writer, "scopes", generation->scopes);
	json_write_end(writer);
}

static void
write_policy(struct json_writer *writer, const char *name, const struct api_dep_policy *policy)
{
	json_write_object(writer, name);
	json_write_text(writer, "id", policy->id);
	json_write_text(writer, "kind", api_dep_kind_name(policy->kind));
	json_write_text(writer, "name", policy->name);
	json_write_text(writer, "description", policy->description);
	json_write_text(writer, "state", policy->state);
	json_write_bool(writer, "assigned", policy->assigned);
	write_texts(writer, "keys", policy->uris);
	json_write_int(writer, "created", policy->created);
	json_write_int(writer, "updated", policy->updated);
	if (policy->outage_fallback_s == API_DEP_UNLIMITED)
		json_write_null(writer, "outageFallback");
	else
		json_write_int(writer, "outageFallback", policy->outage_fallback_s);
	if (policy->outage_since == 0)
		json_write_null(writer, "outageSince");
	else
		json_write_int(writer, "outageSince", policy->outage_since);
	json_write_array(writer, "generations");
	for (size_t i = 0; i < policy->generation_count; i++)
		write_generation(writer, &policy->generations[i]);
	json_write_end(writer);
	json_write_end(writer);
}

void
api_dep_policy_format(const struct api_dep_policy *policy, struct buf *out)
{
	struct json_writer writer;
	json_writer_init(&writer, out);
	write_policy(&writer, NULL, policy);
}

void
api_dep_policy_list_format(
	const struct api_dep_policy *policies, size_t count, const char *next, struct buf *out)
{
	struct json_writer writer;
	json_writer_init(&writer, out);
	json_write_object(&writer, NULL);
	json_write_array(&writer, "value");
	for (size_t i = 0; i < count; i++)
		write_policy(&writer, NULL, &policies[i]);
	json_write_end(&writer);
	json_write_text(&writer, "next", next);
	json_write_end(&writer);
}

void
api_dep_refresh_format(
	bool refreshed, const char *message, const struct api_dep_policy *policy, struct buf *out)
{
	struct json_writer writer;
	json_writer_init(&writer, out);
	json_write_object(&writer, NULL);
	json_write_bool(&writer, "refreshed", refreshed);
	json_write_text(&writer, "message", message);
	write_policy(&writer, "policy", policy);
	json_write_end(&writer);
}

void
api_dep_validation_format(const char *policy, bool valid, const struct api_dep_check *checks,
	size_t count, struct buf *out)
{
	struct json_writer writer;
	json_writer_init(&writer, out);
	json_write_object(&writer, NULL);
	json_write_text(&writer, "policy", policy);
	json_write_bool(&writer, "valid", valid);
	json_write_array(&writer, "checks");
	for (size_t i = 0; i < count; i++) {
		json_write_object(&writer, NULL);
		json_write_text(&writer, "rule", checks[i].rule);
		json_write_text(&writer, "key", checks[i].key);
		json_write_text(&writer, "result", checks[i].result);
		json_write_text(&writer, "code", checks[i].code);
		json_write_text(&writer, "message", checks[i].message);
		json_write_end(&writer);
	}
	json_write_end(&writer);
	json_write_end(&writer);
}

/* Of nothing, all is done. Rounded down: 100 only when nothing is left (threats G25). */
static int64_t
percentage(const struct api_dep_workload *workload)
{
	return workload->scopes > 0 ? workload->done * 100 / workload->scopes : 100;
}

static const char *
state_word(enum api_dep_assignment_state state)
{
	static const char *const words[] = {
		[API_DEP_UNASSIGNED] = "Unassigned",
		[API_DEP_ASSIGNED] = "Assigned",
		[API_DEP_ROLLING_BACK] = "RollingBack",
	};
	return words[state];
}

static void
write_rollback(struct json_writer *writer, const struct api_dep_assignment *assignment)
{
	if (assignment->state != API_DEP_ROLLING_BACK)
		return;
	json_write_object(writer, "rollback");
	json_write_text(writer, "policy", assignment->rolling_back);
	json_write_text(writer, "incident", assignment->incident);
	json_write_int(writer, "percentage", assignment->percent);
	json_write_end(writer);
}

void
api_dep_assignment_format(const struct api_dep_assignment *assignment, struct buf *out)
{
	struct json_writer writer;
	json_writer_init(&writer, out);
	json_write_object(&writer, NULL);
	json_write_text(&writer, "state", state_word(assignment->state));
	write_rollback(&writer, assignment);
	json_write_object(&writer, "policy");
	json_write_text(&writer, "id", assignment->policy);
	json_write_text(&writer, "kind", api_dep_kind_name(assignment->kind));
	json_write_text(&writer, "name", assignment->name);
	json_write_end(&writer);
	json_write_int(&writer, "assigned", assignment->assigned);
	json_write_array(&writer, "workloads");
	for (size_t i = 0; i < assignment->workload_count; i++) {
		const struct api_dep_workload *workload = &assignment->workloads[i];
		json_write_object(&writer, NULL);
		json_write_text(&writer, "name", workload->name);
		json_write_text(&writer, "policy", workload->policy);
		json_write_text(&writer, "covers", workload->covers);
		json_write_int(&writer, "scopes", workload->scopes);
		json_write_int(&writer, "encrypted", workload->done);
		json_write_int(&writer, "percentage", percentage(workload));
		json_write_end(&writer);
	}
	json_write_end(&writer);
	json_write_end(&writer);
}
