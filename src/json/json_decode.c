/*
 * A JSON object to a struct, by a table. One decoder per kind of member; each gets the value, never null.
 *
 * Messages name members of the table only: what a caller invented is never repeated to him or the log.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/b64.h"
#include "json/json.h"

#define PATH_BYTES 96

struct decoding {
	struct arena *arena;
	struct err *err;
	char path[PATH_BYTES]; /* of the object being decoded: "attributes." */
};

static bool decode_object(struct decoding *decoding, const struct json_value *object,
	const struct json_table *table, void *target);

static bool
bad(struct decoding *decoding, const struct json_field *field, const char *must)
{
	return err_set(decoding->err, ERR_BAD_PARAMETER, "The member '%s%s' must be %s.",
		decoding->path, field->name, must);
}

static bool
bad_max(struct decoding *decoding, const struct json_field *field, const char *what, size_t max)
{
	return err_set(decoding->err, ERR_BAD_PARAMETER, "The member '%s%s' has more than %zu %s.",
		decoding->path, field->name, max, what);
}

/* ---- single values ---- */

static bool
decode_bool(struct decoding *decoding, const struct json_field *field,
	const struct json_value *value, void *target)
{
	struct json_opt_bool *out = target;
	if (!json_bool(value, &out->value))
		return bad(decoding, field, "true or false");
	out->set = true;
	return true;
}

static bool
decode_int(struct decoding *decoding, const struct json_field *field,
	const struct json_value *value, void *target)
{
	struct json_opt_int *out = target;
	int64_t number;
	if (!json_int(value, &number))
		return bad(decoding, field, "an integer");
	if (number < field->low || number > field->high)
		return err_set(decoding->err, ERR_BAD_PARAMETER,
			"The member '%s%s' must be from %lld to %lld.", decoding->path, field->name,
			(long long)field->low, (long long)field->high);
	*out = (struct json_opt_int){true, number};
	return true;
}

static bool
is_printable(const char *text)
{
	for (const char *c = text; *c != '\0'; c++) {
		if ((uint8_t)*c < ' ' || *c == 0x7f)
			return false;
	}
	return true;
}

/* A copy in the arena; NULL with the error set. */
static const char *
take_printable(struct decoding *decoding, const struct json_field *field, const char *text)
{
	if ((field->flags & JSON_PRINTABLE) != 0 && !is_printable(text)) {
		bad(decoding, field, "without control characters");
		return NULL;
	}
	return arena_strdup(decoding->arena, text);
}

/* A copy in the arena of at most `max` octets; NULL with the error set. */
static const char *
take_text(struct decoding *decoding, const struct json_field *field, const struct json_value *value,
	size_t max)
{
	const char *text = json_text(value);
	if (text == NULL) {
		bad(decoding, field,
			field->kind == JSON_KIND_TEXT ? "a string" : "made of strings");
		return NULL;
	}
	if (strlen(text) > max) {
		bad_max(decoding, field, "octets", max);
		return NULL;
	}
	return take_printable(decoding, field, text);
}

static bool
decode_text(struct decoding *decoding, const struct json_field *field,
	const struct json_value *value, void *target)
{
	const char *text = take_text(decoding, field, value, field->max);
	if (text == NULL)
		return false;
	if ((field->flags & JSON_NON_EMPTY) != 0 && *text == '\0')
		return bad(decoding, field, "not empty");
	*(const char **)target = text;
	return true;
}

static const struct json_word *
find_word(const struct json_field *field, const struct json_value *value)
{
	const char *text = json_text(value);
	for (const struct json_word *word = field->words; text != NULL && word->text != NULL;
		word++) {
		if (strcmp(word->text, text) == 0)
			return word;
	}
	return NULL;
}

static bool
bad_word(struct decoding *decoding, const struct json_field *field)
{
	char words[200] = "";
	size_t len = 0;
	for (const struct json_word *word = field->words; word->text != NULL; word++) {
		size_t more = strlen(word->text);
		if (len + more + 3 > sizeof(words))
			break;
		memcpy(words + len, " ", 1);
		memcpy(words + len + 1, word->text, more + 1);
		len += more + 1;
	}
	return err_set(decoding->err, ERR_BAD_PARAMETER, "The member '%s%s' takes only:%s.",
		decoding->path, field->name, words);
}

static bool
decode_word(struct decoding *decoding, const struct json_field *field,
	const struct json_value *value, void *target)
{
	const struct json_word *word = find_word(field, value);
	if (word == NULL)
		return bad_word(decoding, field);
	*(int *)target = word->value;
	return true;
}

/* ---- base64url ---- */

static bool
base64_text(struct decoding *decoding, const struct json_field *field,
	const struct json_value *value, struct bytes *ret_text)
{
	const char *text = json_text(value);
	if (text == NULL)
		return bad(decoding, field, "a string in base64url");
	*ret_text = bytes_of_text(text);
	if (ret_text->len == 0 && (field->flags & JSON_NON_EMPTY) != 0)
		return bad(decoding, field, "not empty");
	if (b64_decoded_max(ret_text->len) > field->max)
		return bad_max(decoding, field, "octets", field->max);
	return true;
}

static bool
decode_base64(struct decoding *decoding, const struct json_field *field,
	const struct json_value *value, void *target)
{
	struct bytes text;
	size_t len;
	if (!base64_text(decoding, field, value, &text))
		return false;
	uint8_t *data = arena_alloc(decoding->arena, b64_decoded_max(text.len) + 1);
	if (!b64_decode((const char *)text.data, text.len, data, &len))
		return bad(decoding, field, "canonical base64url without padding");
	*(struct bytes *)target = (struct bytes){data, len};
	return true;
}

static bool
decode_secret(struct decoding *decoding, const struct json_field *field,
	const struct json_value *value, void *target)
{
	struct json_opt_secret *out = target;
	struct bytes text;
	size_t len;

	if (!base64_text(decoding, field, value, &text))
		return false;
	out->set = true;
	if (text.len == 0)
		return true;
	CLEAN(secret)
	struct secret *secret = secret_new(b64_decoded_max(text.len) + 1);
	if (secret == NULL)
		return err_set(
			decoding->err, ERR_UNAVAILABLE, "Out of locked memory; try again later.");
	if (!b64_decode((const char *)text.data, text.len, secret_data(secret), &len) || len == 0)
		return bad(decoding, field, "canonical base64url without padding");
	secret_truncate(secret, len);
	out->value = secret;
	secret = NULL;
	return true;
}

/* ---- many values ---- */

static bool
check_count(struct decoding *decoding, const struct json_field *field, size_t count)
{
	if (count > field->max)
		return bad_max(decoding, field, "elements", field->max);
	if (count == 0 && (field->flags & JSON_NON_EMPTY) != 0)
		return bad(decoding, field, "not empty");
	return true;
}

static bool
decode_texts(struct decoding *decoding, const struct json_field *field,
	const struct json_value *value, void *target)
{
	struct json_texts *out = target;
	size_t count = json_count(value);

	if (json_type_of(value) != JSON_TYPE_ARRAY)
		return bad(decoding, field, "an array of strings");
	if (!check_count(decoding, field, count))
		return false;
	out->items = arena_array(decoding->arena, count + 1, sizeof(*out->items));
	for (size_t i = 0; i < count; i++) {
		out->items[i] =
			take_text(decoding, field, json_item(value, i), (size_t)field->high);
		if (out->items[i] == NULL)
			return false;
	}
	out->set = true;
	out->count = count;
	return true;
}

static bool
decode_words(struct decoding *decoding, const struct json_field *field,
	const struct json_value *value, void *target)
{
	struct json_texts *out = target;
	size_t count = json_count(value);

	if (json_type_of(value) != JSON_TYPE_ARRAY)
		return bad(decoding, field, "an array of strings");
	if (!check_count(decoding, field, count))
		return false;
	out->items = arena_array(decoding->arena, count + 1, sizeof(*out->items));
	for (size_t i = 0; i < count; i++) {
		const struct json_word *word = find_word(field, json_item(value, i));
		if (word == NULL)
			return bad_word(decoding, field);
		for (size_t k = 0; k < i; k++) {
			if (out->items[k] == word->text)
				return bad(decoding, field, "without repetition");
		}
		out->items[i] = word->text;
	}
	out->set = true;
	out->count = count;
	return true;
}

static bool
decode_map(struct decoding *decoding, const struct json_field *field,
	const struct json_value *value, void *target)
{
	struct json_pairs *out = target;
	size_t count = json_count(value);
	const char *name = NULL;

	if (json_type_of(value) != JSON_TYPE_OBJECT)
		return bad(decoding, field, "an object of strings");
	if (!check_count(decoding, field, count))
		return false;
	out->items = arena_array(decoding->arena, count + 1, sizeof(*out->items));
	for (const struct json_value *item = json_next(value, &name); item != NULL;
		item = json_next(value, &name)) {
		struct json_pair *pair = &out->items[out->count++];
		if (strlen(name) > (size_t)field->high)
			return bad_max(decoding, field, "octets in a name", (size_t)field->high);
		pair->name = take_printable(decoding, field, name);
		pair->value = take_text(decoding, field, item, (size_t)field->high);
		if (pair->name == NULL || pair->value == NULL)
			return false;
	}
	out->set = true;
	return true;
}

/* ---- objects ---- */

/* Runs decode_object() with the path extended by "name." or "name[index].". */
static bool
decode_inside(struct decoding *decoding, const struct json_field *field,
	const struct json_value *value, long index, void *target)
{
	size_t len = strlen(decoding->path);
	char step[PATH_BYTES];

	if (json_type_of(value) != JSON_TYPE_OBJECT)
		return bad(decoding, field, index < 0 ? "an object" : "made of objects");
	if (index < 0)
		snprintf(step, sizeof(step), "%s.", field->name);
	else
		snprintf(step, sizeof(step), "%s[%ld].", field->name, index);
	if (len + strlen(step) < sizeof(decoding->path))
		memcpy(decoding->path + len, step, strlen(step) + 1);
	bool ok = decode_object(decoding, value, field->table, target);
	decoding->path[len] = '\0';
	return ok;
}

static bool
decode_nested(struct decoding *decoding, const struct json_field *field,
	const struct json_value *value, void *target)
{
	void *inner = arena_alloc(decoding->arena, field->table->size);
	*(void **)target =
		inner; /* at once, so that json_release() finds secrets in a half-decoded one */
	return decode_inside(decoding, field, value, -1, inner);
}

static bool
decode_list(struct decoding *decoding, const struct json_field *field,
	const struct json_value *value, void *target)
{
	struct json_list *out = target;
	size_t count = json_count(value);

	if (json_type_of(value) != JSON_TYPE_ARRAY)
		return bad(decoding, field, "an array of objects");
	if (!check_count(decoding, field, count))
		return false;
	out->items = arena_array(decoding->arena, count + 1, field->table->size);
	out->set = true;
	for (size_t i = 0; i < count; i++) {
		out->count = i + 1;
		void *inner = (char *)out->items + i * field->table->size;
		if (!decode_inside(decoding, field, json_item(value, i), (long)i, inner))
			return false;
	}
	return true;
}

static bool
decode_tree(struct decoding *decoding, const struct json_field *field,
	const struct json_value *value, void *target)
{
	(void)decoding;
	(void)field;
	*(const struct json_value **)target = value;
	return true;
}

static bool
decode_field(struct decoding *decoding, const struct json_field *field,
	const struct json_value *value, void *target)
{
	static bool (*const decoders[])(
		struct decoding *, const struct json_field *, const struct json_value *, void *) = {
		[JSON_KIND_BOOL] = decode_bool,
		[JSON_KIND_INT] = decode_int,
		[JSON_KIND_TEXT] = decode_text,
		[JSON_KIND_WORD] = decode_word,
		[JSON_KIND_WORDS] = decode_words,
		[JSON_KIND_TEXTS] = decode_texts,
		[JSON_KIND_BASE64] = decode_base64,
		[JSON_KIND_SECRET] = decode_secret,
		[JSON_KIND_MAP] = decode_map,
		[JSON_KIND_OBJECT] = decode_nested,
		[JSON_KIND_OBJECTS] = decode_list,
		[JSON_KIND_TREE] = decode_tree,
	};
	return decoders[field->kind](decoding, field, value, target);
}

static bool
check_known(
	struct decoding *decoding, const struct json_value *object, const struct json_table *table)
{
	const char *name = NULL;
	while (json_next(object, &name) != NULL) {
		bool known = false;
		for (size_t i = 0; i < table->count && !known; i++)
			known = strcmp(table->fields[i].name, name) == 0;
		if (!known)
			return err_set(decoding->err, ERR_BAD_PARAMETER,
				"The object '%s' has an unknown member.", decoding->path);
	}
	return true;
}

static bool
decode_object(struct decoding *decoding, const struct json_value *object,
	const struct json_table *table, void *target)
{
	if (table->refuse_unknown && !check_known(decoding, object, table))
		return false;
	for (size_t i = 0; i < table->count; i++) {
		const struct json_field *field = &table->fields[i];
		const struct json_value *value = json_member(object, field->name);
		if (value == NULL && (field->flags & JSON_REQUIRED) != 0)
			return err_set(decoding->err, ERR_BAD_PARAMETER,
				"The member '%s%s' is missing.", decoding->path, field->name);
		if (value != NULL &&
			!decode_field(decoding, field, value, (char *)target + field->offset))
			return false;
	}
	return true;
}

bool
json_decode(const struct json_value *object, const struct json_table *table, struct arena *arena,
	void *target, struct err *err)
{
	struct decoding decoding = {.arena = arena, .err = err};
	memset(target, 0, table->size);
	if (decode_object(&decoding, object, table, target))
		return true;
	json_release(table, target);
	return false;
}

void
json_release(const struct json_table *table, void *target)
{
	for (size_t i = 0; i < table->count; i++) {
		const struct json_field *field = &table->fields[i];
		void *at = (char *)target + field->offset;
		if (field->kind == JSON_KIND_SECRET) {
			struct json_opt_secret *secret = at;
			secret_free(secret->value);
			secret->value = NULL;
		} else if (field->kind == JSON_KIND_OBJECT && *(void **)at != NULL) {
			json_release(field->table, *(void **)at);
		} else if (field->kind == JSON_KIND_OBJECTS) {
			struct json_list *list = at;
			for (size_t k = 0; k < list->count; k++)
				json_release(
					field->table, (char *)list->items + k * field->table->size);
		}
	}
}

bool
json_decode_body(struct bytes body, const struct json_table *table, struct arena *arena,
	void *target, struct err *err)
{
	CLEAN(json)
	struct json_value *document = json_parse(body.data, body.len, JSON_BODY_MAX, err);
	return document != NULL && json_decode(document, table, arena, target, err);
}
