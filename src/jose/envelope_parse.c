/*
 * The strict parser. Invariant: what passes here has exactly the members of the format, each once and in its
 * size, so nothing behind it looks at JSON or at a header again (threats E2 to E8, E17).
 */
#include "envelope.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/b64.h"
#include "jose/envelope_priv.h"
#include "json/json.h"

struct header {
	const char *kid;
	const char *alg;
};

struct recipient {
	struct header *header;
	struct bytes encrypted_key;
};

struct outer {
	struct bytes protected;
	struct bytes aad;
	struct bytes iv;
	struct bytes ciphertext;
	struct bytes tag;
	struct json_list recipients; /* struct recipient */
};

struct space {
	struct json_list rcp; /* struct header */
	struct bytes id;
	struct bytes com;
};

struct protected
{
	const char *enc;
	struct space *space;
};

#define FIELD(type, member, text, kind_, flags_, max_, table_)                                     \
	{                                                                                          \
		.name = (text), .kind = JSON_KIND_##kind_,                                         \
		.offset = offsetof(struct type, member), .flags = (flags_), .max = (max_),         \
		.table = (table_)                                                                  \
	}
#define TABLE(type, rows)                                                                          \
	{                                                                                          \
		.fields = (rows), .count = ARRAY_LEN(rows), .size = sizeof(struct type),           \
		.refuse_unknown = true                                                             \
	}
#define NEEDED (JSON_REQUIRED | JSON_NON_EMPTY)

static const struct json_field header_fields[] = {
	FIELD(header, kid, "kid", TEXT, NEEDED | JSON_PRINTABLE, ENVELOPE_KID_MAX, NULL),
	FIELD(header, alg, "alg", TEXT, NEEDED | JSON_PRINTABLE, 32, NULL),
};
static const struct json_table header_table = TABLE(header, header_fields);

static const struct json_field recipient_fields[] = {
	FIELD(recipient, header, "header", OBJECT, JSON_REQUIRED, 0, &header_table),
	FIELD(recipient, encrypted_key, "encrypted_key", BASE64, NEEDED, ENVELOPE_KEY_MAX, NULL),
};
static const struct json_table recipient_table = TABLE(recipient, recipient_fields);

static const struct json_field outer_fields[] = {
	FIELD(outer, protected, "protected", BASE64, NEEDED, ENVELOPE_TEXT_MAX, NULL),
	/* RFC 7516 §7.2.1: absent when there is no context, never empty */
	FIELD(outer, aad, "aad", BASE64, JSON_NON_EMPTY, ENVELOPE_CONTEXT_MAX, NULL),
	FIELD(outer, iv, "iv", BASE64, NEEDED, GCM_IV_LEN, NULL),
	FIELD(outer, ciphertext, "ciphertext", BASE64, NEEDED, ENVELOPE_PLAINTEXT_MAX, NULL),
	FIELD(outer, tag, "tag", BASE64, NEEDED, GCM_TAG_LEN, NULL),
	FIELD(outer, recipients, "recipients", OBJECTS, NEEDED, ENVELOPE_RECIPIENTS_MAX,
		&recipient_table),
};
static const struct json_table outer_table = TABLE(outer, outer_fields);

static const struct json_field space_fields[] = {
	FIELD(space, rcp, "rcp", OBJECTS, NEEDED, ENVELOPE_RECIPIENTS_MAX, &header_table),
	FIELD(space, id, "id", BASE64, NEEDED, ENVELOPE_ID_LEN, NULL),
	FIELD(space, com, "com", BASE64, NEEDED, ENVELOPE_COMMIT_LEN, NULL),
};
static const struct json_table space_table = TABLE(space, space_fields);

static const struct json_field protected_fields[] = {
	FIELD(protected, enc, "enc", TEXT, NEEDED | JSON_PRINTABLE, 32, NULL),
	FIELD(protected, space, ENVELOPE_NAMESPACE, OBJECT, JSON_REQUIRED, 0, &space_table),
};
static const struct json_table protected_table = TABLE(protected, protected_fields);

static bool
fail(struct err *err, const char *reason)
{
	return err_set(err, ERR_BAD_PARAMETER, "The envelope is malformed: %s.", reason);
}

static bool
copy_exact(uint8_t *to, size_t len, struct bytes from, const char *reason, struct err *err)
{
	if (from.len != len)
		return fail(err, reason);
	memcpy(to, from.data, len);
	return true;
}

static bool
take_key(const struct header *header, struct envelope_key *ret_key, struct err *err)
{
	size_t len = strlen(header->kid);
	struct envelope_key key = {.alg = alg_find(header->alg)};
	if (len > ENVELOPE_KID_MAX)
		return fail(err, "a kid is too long");
	memcpy(key.kid, header->kid, len + 1);
	if (key.alg != ALG_RSA_OAEP_256 && key.alg != ALG_A256KW)
		return fail(err, "a recipient's alg is neither RSA-OAEP-256 nor A256KW");
	if (!envelope_key_valid(&key))
		return fail(err, "a kid is no full key version id in canonical spelling");
	*ret_key = key;
	return true;
}

static bool
take_space(struct envelope *envelope, const struct space *space, struct err *err)
{
	const struct header *listed = space->rcp.items;
	envelope->listed_count = space->rcp.count;
	for (size_t i = 0; i < space->rcp.count; i++)
		if (!take_key(&listed[i], &envelope->listed[i], err))
			return false;
	if (!envelope_list_valid(envelope->listed, envelope->listed_count))
		return fail(err, "rcp must list two or more different keys");
	return copy_exact(envelope->id, ENVELOPE_ID_LEN, space->id, "id has not 32 octets", err) &&
	       copy_exact(envelope->commit, ENVELOPE_COMMIT_LEN, space->com,
		       "com has not 32 octets", err);
}

static bool
take_protected(struct envelope *envelope, struct bytes text, struct arena *arena, struct err *err)
{
	CLEAN(json)
	struct json_value *document = json_parse(text.data, text.len, ENVELOPE_TEXT_MAX, err);
	struct protected protected;
	if (document == NULL || !json_decode(document, &protected_table, arena, &protected, err))
		return false;
	if (strcmp(protected.enc, alg_name(ALG_A256GCM)) != 0)
		return fail(err, "enc is not A256GCM");
	return take_space(envelope, protected.space, err);
}

/* Recipients are a selection of the list, in its order: recipient headers are not authenticated (threat E9). */
static bool
take_recipients(struct envelope *envelope, const struct json_list *list, struct err *err)
{
	const struct recipient *items = list->items;
	size_t next = 0;
	envelope->recipient_count = list->count;
	for (size_t i = 0; i < list->count; i++) {
		struct envelope_recipient *recipient = &envelope->recipients[i];
		if (!take_key(items[i].header, &recipient->key, err))
			return false;
		while (next < envelope->listed_count &&
			strcmp(envelope->listed[next].kid, recipient->key.kid) != 0)
			next++;
		if (next == envelope->listed_count ||
			envelope->listed[next].alg != recipient->key.alg)
			return fail(err, "the recipients are not those of the protected list");
		next++;
		if (!envelope_key_len_valid(recipient->key.alg, items[i].encrypted_key.len))
			return fail(err, "an encrypted key has a length that its alg cannot make");
		memcpy(recipient->encrypted_key, items[i].encrypted_key.data,
			items[i].encrypted_key.len);
		recipient->encrypted_key_len = items[i].encrypted_key.len;
	}
	return true;
}

/* Canonical base64url has one spelling, so encoding again gives the very text that is authenticated. */
static char *
spell(struct bytes data)
{
	char *text = malloc(b64_encoded_len(data.len) + 1);
	if (text == NULL)
		abort();
	b64_encode(data.data, data.len, text);
	return text;
}

static bool
take_outer(
	struct envelope *envelope, const struct outer *outer, struct arena *arena, struct err *err)
{
	envelope->protected_text = spell(outer->protected);
	envelope->aad_text = spell(outer->aad);
	envelope->ciphertext_len = outer->ciphertext.len;
	memcpy(envelope->ciphertext, outer->ciphertext.data, outer->ciphertext.len);
	return copy_exact(envelope->iv, GCM_IV_LEN, outer->iv, "iv has not 96 bits", err) &&
	       copy_exact(envelope->tag, GCM_TAG_LEN, outer->tag, "tag has not 128 bits", err) &&
	       take_protected(envelope, outer->protected, arena, err) &&
	       take_recipients(envelope, &outer->recipients, err);
}

/* By name, because these are what people bring from other tools (threat E17). */
static bool
check_form(const struct json_value *value, struct err *err)
{
	if (json_type_of(value) == JSON_TYPE_TEXT)
		return fail(err, "the compact form is not served, only general JSON");
	if (json_type_of(value) != JSON_TYPE_OBJECT)
		return fail(err, "it is no JSON object");
	if (json_member(value, "encrypted_key") != NULL || json_member(value, "header") != NULL)
		return fail(err, "the flattened form is not served, only general JSON");
	return true;
}

struct envelope *
envelope_decode(const struct json_value *value, struct err *err)
{
	if (!check_form(value, err))
		return NULL;
	CLEAN(arena)
	struct arena *arena = arena_new();
	CLEAN(envelope)
	struct envelope *envelope = calloc(1, sizeof(*envelope));
	if (envelope == NULL) {
		(void)err_set(err, ERR_NO_MEMORY, NULL);
		return NULL;
	}
	struct outer outer;
	if (!json_decode(value, &outer_table, arena, &outer, err) ||
		!take_outer(envelope, &outer, arena, err))
		return NULL;
	struct envelope *result = envelope;
	envelope = NULL;
	return result;
}

struct envelope *
envelope_parse(const char *text, size_t len, struct err *err)
{
	CLEAN(json)
	struct json_value *document = json_parse(text, len, ENVELOPE_TEXT_MAX, err);
	return document == NULL ? NULL : envelope_decode(document, err);
}
