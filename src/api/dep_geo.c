/* Reads and answers what concerns geos. Invariant: a key that is named is named in one way, and whole. */
#include "dep_geo.h"

#include <string.h>

#include "api/body.h"
#include "api/dep_leaving.h"
#include "json/json_writer.h"

#define TEXTS_MAX   16   /* more than two are counted, then refused */
#define OCTETS_MAX  1000 /* of one text: two URIs and what is between them */
#define PART_OCTETS 127

static const char *const key_words[API_DEP_GEO_KEYS] = {"primary", "secondary"};

/* ---- requests ---- */

struct key_body {
	const char *vault, *name, *version;
};

static const struct json_field key_fields[] = {
	FIELD(struct key_body, vault, "vault", TEXT, .flags = JSON_REQUIRED | JSON_NON_EMPTY,
		.max = PART_OCTETS),
	FIELD(struct key_body, name, "name", TEXT, .flags = JSON_REQUIRED | JSON_NON_EMPTY,
		.max = PART_OCTETS),
	FIELD(struct key_body, version, "version", TEXT, .flags = JSON_REQUIRED | JSON_NON_EMPTY,
		.max = PART_OCTETS),
};
TABLE(key_table, key_fields, struct key_body, true);

/* What is the same in all requests that name both keys. */
struct keys_body {
	struct json_texts keys;
	const struct key_body *key[API_DEP_GEO_KEYS];
};

#define KEYS_FIELDS(type)                                                                          \
	FIELD(type, keys.keys, "keys", TEXTS, .max = TEXTS_MAX, .high = OCTETS_MAX),               \
		FIELD(type, keys.key[0], "primary", OBJECT, .table = &key_table),                  \
		FIELD(type, keys.key[1], "secondary", OBJECT, .table = &key_table)

struct register_body {
	struct keys_body keys;
};

static const struct json_field register_fields[] = {
	KEYS_FIELDS(struct register_body),
};
TABLE(register_table, register_fields, struct register_body, true);

static void
put_parts(const struct key_body *body, struct api_dep_geo_key *key)
{
	*key = (struct api_dep_geo_key){
		.vault = body->vault, .name = body->name, .version = body->version};
}

/* The URIs in a text; those beyond two are only counted. */
static void
split(const char *text, struct arena *arena, struct api_dep_geo_key *keys, size_t *io_count)
{
	static const char between[] = ", ";
	for (text += strspn(text, between); *text != '\0'; text += strspn(text, between)) {
		size_t len = strcspn(text, between);
		if (*io_count < API_DEP_GEO_KEYS)
			keys[*io_count] =
				(struct api_dep_geo_key){.uri = arena_strndup(arena, text, len)};
		(*io_count)++;
		text += len;
	}
}

static bool
take_keys(const struct keys_body *body, struct arena *arena,
	struct api_dep_geo_key keys[static API_DEP_GEO_KEYS], struct err *err)
{
	size_t count = 0, parts = 0;
	for (size_t i = 0; i < body->keys.count; i++)
		split(body->keys.items[i], arena, keys, &count);
	for (size_t i = 0; i < API_DEP_GEO_KEYS; i++)
		parts += body->key[i] != NULL ? 1 : 0;
	if (count > 0 && parts > 0)
		return err_set(err, ERR_BAD_PARAMETER,
			"Either 'keys' or both of 'primary' and 'secondary' are wanted.");
	if (count + parts != API_DEP_GEO_KEYS)
		return err_set(err, ERR_TWO_KEYS_REQUIRED,
			"A geo has exactly two keys, a primary and a secondary one; %zu were "
			"named.",
			count + parts);
	for (size_t i = 0; i < API_DEP_GEO_KEYS && parts > 0; i++)
		put_parts(body->key[i], &keys[i]);
	return true;
}

bool
api_dep_geo_register_decode(struct bytes body, struct arena *arena,
	struct api_dep_geo_register *ret_register, struct err *err)
{
	struct register_body read;
	return json_decode_body(body, &register_table, arena, &read, err) &&
	       take_keys(&read.keys, arena, ret_register->keys, err);
}

struct recover_body {
	struct keys_body keys;
	const char *reason;
};

static const struct json_field recover_fields[] = {
	KEYS_FIELDS(struct recover_body),
	FIELD(struct recover_body, reason, "reason", TEXT,
		.flags = JSON_REQUIRED | JSON_NON_EMPTY | JSON_PRINTABLE,
		.max = API_DEP_REASON_MAX),
};
TABLE(recover_table, recover_fields, struct recover_body, true);

bool
api_dep_geo_recover_decode(struct bytes body, struct arena *arena,
	struct api_dep_geo_recover *ret_recover, struct err *err)
{
	struct recover_body read;
	if (!json_decode_body(body, &recover_table, arena, &read, err))
		return false;
	ret_recover->reason = read.reason;
	return take_keys(&read.keys, arena, ret_recover->keys, err);
}

static const struct json_word key_type_words[] = {
	{"primary",   0},
	{"secondary", 1},
	{NULL,        0},
};

struct update_body {
	int key_type;
	struct json_texts keys;
	const struct key_body *key;
};

static const struct json_field update_fields[] = {
	FIELD(struct update_body, key_type, "keyType", WORD, .flags = JSON_REQUIRED,
		.words = key_type_words),
	FIELD(struct update_body, keys, "keys", TEXTS, .max = TEXTS_MAX, .high = OCTETS_MAX),
	FIELD(struct update_body, key, "key", OBJECT, .table = &key_table),
};
TABLE(update_table, update_fields, struct update_body, true);

bool
api_dep_geo_update_decode(struct bytes body, struct arena *arena,
	struct api_dep_geo_update *ret_update, struct err *err)
{
	struct update_body read;
	struct api_dep_geo_key keys[API_DEP_GEO_KEYS] = {{NULL}};
	size_t count = 0;
	if (!json_decode_body(body, &update_table, arena, &read, err))
		return false;
	for (size_t i = 0; i < read.keys.count; i++)
		split(read.keys.items[i], arena, keys, &count);
	if (count + (read.key != NULL ? 1 : 0) != 1)
		return err_set(err, ERR_BAD_PARAMETER,
			"One key is updated at a time: either 'keys' with one URI or 'key' is "
			"wanted.");
	*ret_update = (struct api_dep_geo_update){.index = (size_t)read.key_type, .key = keys[0]};
	if (read.key != NULL)
		put_parts(read.key, &ret_update->key);
	return true;
}

/* ---- answers ---- */

static void
write_geo(struct json_writer *writer, const char *name, const struct api_dep_geo *geo)
{
	json_write_object(writer, name);
	json_write_text(writer, "name", geo->name);
	json_write_text(writer, "adminUrl", geo->admin_url);
	json_write_text(writer, "state", geo->state);
	json_write_int(writer, "percentage", geo->percentage);
	json_write_int(writer, "onboarded", geo->onboarded);
	json_write_int(writer, "sites", geo->sites);
	json_write_int(writer, "unencrypted", geo->unencrypted);
	for (size_t i = 0; i < API_DEP_GEO_KEYS; i++)
		json_write_text(writer, key_words[i], geo->keys[i]);
	json_write_text(writer, "policyId", geo->policy);
	json_write_text(writer, "dataEncryptionPolicyID", geo->generation);
	if (geo->generation != NULL)
		json_write_int(writer, "generation", geo->number);
	json_write_end(writer);
}

void
api_dep_geo_format(const struct api_dep_geo *geo, struct buf *out)
{
	struct json_writer writer;
	json_writer_init(&writer, out);
	write_geo(&writer, NULL, geo);
}

void
api_dep_geo_update_format(
	bool updated, const char *message, const struct api_dep_geo *geo, struct buf *out)
{
	struct json_writer writer;
	json_writer_init(&writer, out);
	json_write_object(&writer, NULL);
	json_write_bool(&writer, "updated", updated);
	json_write_text(&writer, "message", message);
	write_geo(&writer, "geo", geo);
	json_write_end(&writer);
}

void
api_dep_geo_list_format(const struct api_dep_geo *geos, size_t count, struct buf *out)
{
	struct json_writer writer;
	json_writer_init(&writer, out);
	json_write_object(&writer, NULL);
	json_write_array(&writer, "value");
	for (size_t i = 0; i < count; i++)
		write_geo(&writer, NULL, &geos[i]);
	json_write_end(&writer);
	json_write_text(&writer, "next", NULL);
	json_write_end(&writer);
}
