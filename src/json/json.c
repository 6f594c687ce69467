/*
 * jansson, made strict: it already refuses duplicates (told so), \u0000, bad UTF-8, lone surrogates,
 * trailing octets, NaN and comments (measured); depth is bounded here, before it builds anything.
 */
#include "json/json.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define SIZE_ROOM 16 /* before each allocation, keeps malloc's alignment */

static void *
wiping_malloc(size_t size)
{
	uint8_t *block = size <= SIZE_MAX - SIZE_ROOM ? malloc(size + SIZE_ROOM) : NULL;
	if (block == NULL)
		abort();
	memcpy(block, &size, sizeof(size));
	return block + SIZE_ROOM;
}

static void
wiping_free(void *memory)
{
	if (memory == NULL)
		return;
	uint8_t *block = (uint8_t *)memory - SIZE_ROOM;
	size_t size;
	memcpy(&size, block, sizeof(size));
	explicit_bzero(block, size + SIZE_ROOM);
	free(block);
}

void
json_memory_init(void)
{
	json_set_alloc_funcs(wiping_malloc, wiping_free);
}

/* The accessors only read; jansson takes a non-const pointer for its reference counts. */
static const json_t *
tree(const struct json_value *value)
{
	return (const json_t *)value;
}

static const struct json_value *
wrapped(const json_t *node)
{
	return json_is_null(node) ? NULL : (const struct json_value *)node;
}

static bool
depth_fine(const uint8_t *data, size_t len, size_t *ret_position)
{
	size_t depth = 0;
	bool inside = false; /* a string */
	for (size_t i = 0; i < len; i++) {
		uint8_t c = data[i];
		if (inside && c == '\\')
			i++;
		else if (c == '"')
			inside = !inside;
		else if (!inside && (c == '{' || c == '['))
			depth++;
		else if (!inside && (c == '}' || c == ']') && depth > 0)
			depth--;
		if (depth > JSON_DEPTH_MAX) {
			*ret_position = i;
			return false;
		}
	}
	return true;
}

/* Words of our own: jansson's text quotes the input. */
static const char *
reason_of(const json_error_t *error)
{
	switch ((int)json_error_code(error)) {
	case json_error_duplicate_key:
		return "a member appears twice";
	case json_error_invalid_utf8:
		return "it is not UTF-8";
	case json_error_null_character:
		return "it holds a NUL";
	case json_error_premature_end_of_input:
		return "it ends too early";
	case json_error_end_of_input_expected:
		return "something follows its end";
	case json_error_numeric_overflow:
		return "a number is too large";
	default:
		return "its syntax is wrong";
	}
}

struct json_value *
json_parse(const void *data, size_t len, size_t max, struct err *err)
{
	json_error_t error;
	size_t position;

	if (len > max) {
		err_set(err, ERR_TOO_LARGE, NULL);
		return NULL;
	}
	if (!depth_fine(data, len, &position)) {
		err_set(err, ERR_BAD_PARAMETER, "The JSON is nested too deeply at octet %zu.",
			position);
		return NULL;
	}
	if (len > 0 && memchr(data, '\0', len) !=
			       NULL) { /* jansson takes one behind a number for a blank */
		err_set(err, ERR_BAD_PARAMETER, "The JSON is malformed: a NUL in it.");
		return NULL;
	}
	json_t *root = len > 0 ? json_loadb(data, len, JSON_REJECT_DUPLICATES, &error) : NULL;
	if (root == NULL && len > 0) {
		err_set(err, ERR_BAD_PARAMETER, "The JSON is malformed: %s at octet %d.",
			reason_of(&error), error.position);
		return NULL;
	}
	if (!json_is_object(root)) {
		json_decref(root);
		err_set(err, ERR_BAD_PARAMETER, "A JSON object is needed.");
		return NULL;
	}
	return (struct json_value *)root;
}

void
json_free(struct json_value *document)
{
	json_decref((json_t *)document);
}

enum json_type
json_type_of(const struct json_value *value)
{
	switch (json_typeof(tree(value))) {
	case JSON_OBJECT:
		return JSON_TYPE_OBJECT;
	case JSON_ARRAY:
		return JSON_TYPE_ARRAY;
	case JSON_STRING:
		return JSON_TYPE_TEXT;
	case JSON_INTEGER:
		return JSON_TYPE_INT;
	case JSON_REAL:
		return JSON_TYPE_REAL;
	case JSON_TRUE:
	case JSON_FALSE:
		return JSON_TYPE_BOOL;
	case JSON_NULL:
		break;
	}
	return JSON_TYPE_NULL;
}

const struct json_value *
json_member(const struct json_value *value, const char *name)
{
	return wrapped(json_object_get(tree(value), name));
}

size_t
json_count(const struct json_value *value)
{
	return json_is_array(tree(value)) ? json_array_size(tree(value))
					  : json_object_size(tree(value));
}

const struct json_value *
json_item(const struct json_value *array, size_t index)
{
	return (const struct json_value *)json_array_get(tree(array), index);
}

const struct json_value *
json_next(const struct json_value *object, const char **io_name)
{
	/* Iterators are not const in jansson's signatures; nothing is changed through them. */
	json_t *node = (json_t *)(uintptr_t)tree(object);
	void *at = *io_name == NULL
			   ? json_object_iter(node)
			   : json_object_iter_next(node, json_object_iter_at(node, *io_name));
	*io_name = at != NULL ? json_object_iter_key(at) : NULL;
	return at != NULL ? (const struct json_value *)json_object_iter_value(at) : NULL;
}

const char *
json_text(const struct json_value *value)
{
	return json_string_value(tree(value));
}

bool
json_int(const struct json_value *value, int64_t *ret_number)
{
	if (!json_is_integer(tree(value)))
		return false;
	*ret_number = json_integer_value(tree(value));
	return true;
}

bool
json_bool(const struct json_value *value, bool *ret_flag)
{
	if (!json_is_boolean(tree(value)))
		return false;
	*ret_flag = json_is_true(tree(value));
	return true;
}
