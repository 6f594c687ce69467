/*
 * A JSON body: refused, or walked, decoded by a table with every kind of member, and written again as
 * something that parses to the same shape.
 */
#include "fuzz.h"

#include <assert.h>
#include <string.h>

#include "json/json.h"
#include "json/json_writer.h"

struct inner {
	struct json_opt_int exp;
	struct json_opt_secret secret;
};

struct outer {
	struct json_opt_bool flag;
	struct json_opt_int number;
	const char *text;
	int word;
	struct json_texts words;
	struct json_texts texts;
	struct bytes data;
	struct json_opt_secret secret;
	struct json_pairs tags;
	const struct inner *inner;
	struct json_list list;
	const struct json_value *any;
};

#define INNER(member) .name = #member, .offset = offsetof(struct inner, member)
#define OUTER(member) .name = #member, .offset = offsetof(struct outer, member)

static const struct json_word words[] = {
	{"red",   1},
        {"green", 2},
        {NULL,    0}
};
static const struct json_field inner_fields[] = {
	{INNER(exp),    .kind = JSON_KIND_INT,    .high = 100},
	{INNER(secret), .kind = JSON_KIND_SECRET, .max = 64  },
};
static const struct json_table inner_table = {
	.fields = inner_fields, .count = ARRAY_LEN(inner_fields), .size = sizeof(struct inner)};
static const struct json_field fields[] = {
	{OUTER(flag),              .kind = JSON_KIND_BOOL               },
	{OUTER(number),            .kind = JSON_KIND_INT,                 .low = -5, .high = 5},
	{OUTER(text),               .kind = JSON_KIND_TEXT,						    .max = 32, .flags = JSON_PRINTABLE},
	{OUTER(word),.kind = JSON_KIND_WORD,.words = words},
	{OUTER(words),			.kind = JSON_KIND_WORDS,						   .words = words, .max = 2},
	{OUTER(texts),          .kind = JSON_KIND_TEXTS,										   .max = 4, .high = 8},
	{OUTER(data),.kind = JSON_KIND_BASE64,.max = 64},
	{OUTER(secret),			.kind = JSON_KIND_SECRET,						  .max = 64},
	{OUTER(tags),                .kind = JSON_KIND_MAP,.max = 4, .high = 8},
	{OUTER(inner),              .kind = JSON_KIND_OBJECT,						  .table = &inner_table},
	{OUTER(list),			.kind = JSON_KIND_OBJECTS,						 .table = &inner_table, .max = 4},
	{OUTER(any),               .kind = JSON_KIND_TREE  },
};
static const struct json_table table = {
	.fields = fields, .count = ARRAY_LEN(fields), .size = sizeof(struct outer)};

static void write_members(struct json_writer *writer, const struct json_value *object);

static void
write_value(struct json_writer *writer, const char *name, const struct json_value *value)
{
	int64_t number = 0;
	bool flag = false;

	switch (json_type_of(value)) {
	case JSON_TYPE_OBJECT:
		json_write_object(writer, name);
		write_members(writer, value);
		json_write_end(writer);
		break;
	case JSON_TYPE_ARRAY:
		json_write_array(writer, name);
		for (size_t i = 0; i < json_count(value); i++)
			write_value(writer, NULL, json_item(value, i));
		json_write_end(writer);
		break;
	case JSON_TYPE_TEXT:
		json_write_text(writer, name, json_text(value));
		break;
	case JSON_TYPE_INT:
		assert(json_int(value, &number));
		json_write_int(writer, name, number);
		break;
	case JSON_TYPE_BOOL:
		assert(json_bool(value, &flag));
		json_write_bool(writer, name, flag);
		break;
	case JSON_TYPE_REAL:
	case JSON_TYPE_NULL:
		json_write_null(writer, name);
		break;
	}
}

static void
write_members(struct json_writer *writer, const struct json_value *object)
{
	const char *name = NULL;
	for (const struct json_value *value = json_next(object, &name); name != NULL;
		value = json_next(object, &name))
		write_value(writer, name, value);
}

static void
check_written(const struct json_value *root)
{
	struct buf buf;
	struct json_writer writer;
	struct err err = {.code = ERR_NONE};

	buf_init(&buf, 16 * JSON_BODY_MAX);
	json_writer_init(&writer, &buf);
	write_value(&writer, NULL, root);
	assert(json_writer_ok(&writer));
	struct json_value *again = json_parse(buf.data, buf.len, buf.max, &err);
	assert(again != NULL && json_count(again) == json_count(root));
	json_free(again);
	buf_clear(&buf);
}

static void
check_decoded(const struct json_value *root)
{
	struct arena *arena = arena_new();
	struct outer out;
	struct err err = {.code = ERR_NONE};

	if (json_decode(root, &table, arena, &out, &err)) {
		assert(!out.number.set || (out.number.value >= -5 && out.number.value <= 5));
		assert(out.text == NULL || strlen(out.text) <= 32);
		assert(out.data.len <= 64 && out.texts.count <= 4 && out.list.count <= 4 &&
			out.tags.count <= 4);
		json_release(&table, &out);
	} else {
		assert(err.code != ERR_NONE && err.message[0] != '\0');
	}
	arena_free(arena);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = {.code = ERR_NONE};
	struct json_value *root = json_parse(data, size, JSON_BODY_MAX, &err);
	if (root == NULL) {
		assert(err.code == ERR_BAD_PARAMETER || err.code == ERR_TOO_LARGE);
		return 0;
	}
	check_written(root);
	check_decoded(root);
	json_free(root);
	return 0;
}
