#include "json/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "json/json_writer.h"

static struct json_value *
parse(const char *text, struct err *err)
{
	*err = (struct err){.code = ERR_NONE};
	return json_parse(text, strlen(text), JSON_BODY_MAX, err);
}

/* ---- parsing: threats C18 ---- */

static void
json_malformed_is_refused_c18(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		const char *text;
		size_t len; /* 0: strlen */
	} rows[] = {
		{"empty",               "",				       0},
		{"blank",               "  ",				     0},
		{"array",               "[1]",				    0},
		{"null",                "null",				   0},
		{"text",                "\"a\"",				  0},
		{"number",              "1",				      0},
		{"truncated",           "{\"a\":1",                               0},
		{"truncated in text",   "{\"a\":\"",                              0},
		{"trailing object",     "{}{}",                                   0},
		{"trailing octet",      "{} x",                                   0},
		{"trailing NUL",        "{}\0",                                   3},
		{"duplicate",           "{\"a\":1,\"a\":1}",                      0},
		{"duplicate by escape", "{\"a\":1,\"\\u0061\":2}",                0},
		{"duplicate nested",    "{\"attributes\":{\"exp\":1,\"exp\":2}}", 0},
		{"duplicate in array",  "{\"a\":[{\"b\":1,\"b\":2}]}",            0},
		{"NUL escape",          "{\"a\":\"\\u0000\"}",                    0},
		{"NUL escape in name",  "{\"a\\u0000b\":1}",                      0},
		{"raw NUL",             "{\"a\":\"\0\"}",                         9},
		{"NUL after a number",  "{\"a\":[1\0]}",                          9},
		{"bad UTF-8",           "{\"a\":\"\xff\"}",                       0},
		{"overlong UTF-8",      "{\"a\":\"\xc0\xaf\"}",                   0},
		{"UTF-8 surrogate",     "{\"a\":\"\xed\xa0\x80\"}",               0},
		{"lone high surrogate", "{\"a\":\"\\ud800\"}",                    0},
		{"lone low surrogate",  "{\"a\":\"\\udc00\"}",                    0},
		{"BOM",                 "\xef\xbb\xbf{}",                         0},
		{"huge integer",        "{\"a\":99999999999999999999}",           0},
		{"huge real",           "{\"a\":1e999}",                          0},
		{"NaN",                 "{\"a\":NaN}",                            0},
		{"infinity",            "{\"a\":Infinity}",                       0},
		{"leading zero",        "{\"a\":01}",                             0},
		{"plus",                "{\"a\":+1}",                             0},
		{"bare point",          "{\"a\":.5}",                             0},
		{"hexadecimal",         "{\"a\":0x10}",                           0},
		{"comment",             "{/* */}",                                0},
		{"trailing comma",      "{\"a\":1,}",                             0},
		{"single quotes",       "{'a':1}",                                0},
		{"bare name",           "{a:1}",                                  0},
		{"raw newline",         "{\"a\":\"\n\"}",                         0},
		{"raw tab",             "{\"a\":\"\t\"}",                         0},
		{"bad escape",          "{\"a\":\"\\x41\"}",                      0},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err err = {.code = ERR_NONE};
		size_t len = rows[i].len > 0 ? rows[i].len : strlen(rows[i].text);

		struct json_value *value = json_parse(rows[i].text, len, JSON_BODY_MAX, &err);

		if (value != NULL || err.code != ERR_BAD_PARAMETER)
			fail_msg("%s: %s", rows[i].name, value != NULL ? "taken" : err.message);
	}
}

static void
json_message_has_position_and_no_input(void **state)
{
	(void)state;
	struct err err;

	assert_null(parse("{\"canary\":1,\"canary\":2}", &err));

	assert_null(strstr(err.message, "canary"));
	assert_non_null(strstr(err.message, "twice at octet"));
}

static struct json_value *
parse_depth(unsigned depth, struct err *err)
{
	char text[256] = "{\"a\":\"[[[[[[[[[[[[[[[[[[[[[[\\\"[\",\"b\":";
	size_t len = strlen(text);
	memset(text + len, '[', depth - 1);
	memset(text + len + depth - 1, ']', depth - 1);
	memcpy(text + len + 2 * (depth - 1), "}", 2);
	if (depth == 1)
		memcpy(text + len, "1}", 3);
	return parse(text, err);
}

static void
json_depth_at_limit_is_taken_and_beyond_refused(void **state)
{
	(void)state;
	struct err err;

	struct json_value *value = parse_depth(JSON_DEPTH_MAX, &err);
	assert_non_null(value);
	json_free(value);

	assert_null(parse_depth(JSON_DEPTH_MAX + 1, &err));
	assert_int_equal(err.code, ERR_BAD_PARAMETER);
}

static void
json_size_at_limit_is_taken_and_beyond_refused(void **state)
{
	(void)state;
	struct err err = {.code = ERR_NONE};
	char text[] = "{\"a\":1}  ";

	struct json_value *value = json_parse(text, 7, 7, &err);
	assert_non_null(value);
	json_free(value);

	assert_null(json_parse(text, 8, 7, &err));
	assert_int_equal(err.code, ERR_TOO_LARGE);
}

/* ---- tree ---- */

static void
json_tree_is_walked(void **state)
{
	(void)state;
	struct err err;
	CLEAN(json)
	struct json_value *root =
		parse("{\"t\":\"x\",\"n\":-5,\"b\":true,\"a\":[1,2.5,{}],\"z\":null}", &err);
	const char *name = NULL;
	char names[16] = "";
	int64_t number = 7;
	bool flag = false;

	for (const struct json_value *v = json_next(root, &name); v != NULL;
		v = json_next(root, &name))
		strncat(names, name, 1);

	assert_string_equal(names, "tnbaz");
	assert_int_equal(json_count(root), 5);
	assert_string_equal(json_text(json_member(root, "t")), "x");
	assert_true(json_int(json_member(root, "n"), &number));
	assert_int_equal(number, -5);
	assert_true(json_bool(json_member(root, "b"), &flag));
	assert_true(flag);
	assert_int_equal(json_count(json_member(root, "a")), 3);
	assert_int_equal(json_type_of(json_item(json_member(root, "a"), 1)), JSON_TYPE_REAL);
	assert_int_equal(json_type_of(json_item(json_member(root, "a"), 2)), JSON_TYPE_OBJECT);
}

static void
json_tree_of_other_types_answers_nothing(void **state)
{
	(void)state;
	struct err err;
	CLEAN(json)
	struct json_value *root = parse("{\"t\":\"x\",\"z\":null,\"a\":[]}", &err);
	int64_t number = 7;
	bool flag = true;

	assert_null(json_member(root, "z"));
	assert_null(json_member(root, "absent"));
	assert_null(json_member(json_member(root, "t"), "x"));
	assert_null(json_member(NULL, "x"));
	assert_null(json_item(json_member(root, "a"), 0));
	assert_null(json_text(root));
	assert_null(json_text(NULL));
	assert_false(json_int(json_member(root, "t"), &number));
	assert_false(json_bool(NULL, &flag));
	assert_int_equal(number, 7);
	assert_int_equal(json_count(json_member(root, "t")), 0);
}

/* ---- decoding ---- */

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

static const struct json_word colours[] = {
	{"red",   1},
        {"green", 2},
        {NULL,    0}
};
static const struct json_field inner_fields[] = {
	{.name = "exp",    .kind = JSON_KIND_INT, .offset = offsetof(struct inner, exp),    .high = 100},
	{.name = "secret",
         .kind = JSON_KIND_SECRET,
         .offset = offsetof(struct inner,                                          secret),
         .max = 8										      },
};
static const struct json_table inner_table = {.fields = inner_fields,
	.count = ARRAY_LEN(inner_fields),
	.size = sizeof(struct inner),
	.refuse_unknown = true};
#define AT(member) .offset = offsetof(struct outer, member)
static const struct json_field outer_fields[] = {
	{.name = "flag",            .kind = JSON_KIND_BOOL,       AT(flag)                                               },
	{.name = "number",          .kind = JSON_KIND_INT,        AT(number),                                              .low = -2, .high = 5},
	{.name = "text",
         .kind = JSON_KIND_TEXT,
         AT(text),
         .max = 4,
         .flags = JSON_PRINTABLE | JSON_NON_EMPTY},
	{.name = "word",                  .kind = JSON_KIND_WORD,                                                AT(word),									 .words = colours},
	{.name = "words",            .kind = JSON_KIND_WORDS, AT(words), .words = colours, .max = 3},
	{.name = "texts",
         .kind = JSON_KIND_TEXTS,
         AT(texts),
         .max = 2,
         .high = 3,
         .flags = JSON_NON_EMPTY},
	{.name = "data",         .kind = JSON_KIND_BASE64,                             AT(data),										    .max = 4},
	{.name = "secret",   .kind = JSON_KIND_SECRET,                                               AT(secret),													 .max = 4},
	{.name = "tags",
         .kind = JSON_KIND_MAP,
         AT(tags),
         .max = 2,
         .high = 3,
         .flags = JSON_PRINTABLE},
	{.name = "inner",                 .kind = JSON_KIND_OBJECT,         AT(inner),.table = &inner_table},
	{.name = "list",.kind = JSON_KIND_OBJECTS,AT(list),.table = &inner_table, .max = 2},
	{.name = "any",            .kind = JSON_KIND_TREE,                                   AT(any)													},
};
static const struct json_table outer_table = {
	.fields = outer_fields, .count = ARRAY_LEN(outer_fields), .size = sizeof(struct outer)};

struct fixture {
	struct arena *arena;
	struct json_value *document;
	struct outer out;
	struct err err;
};

static int
setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	assert_non_null(fixture);
	fixture->arena = arena_new();
	*state = fixture;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *fixture = *state;
	json_release(&outer_table, &fixture->out);
	json_free(fixture->document);
	arena_free(fixture->arena);
	free(fixture);
	return 0;
}

static bool
decode(struct fixture *fixture, const char *text)
{
	json_release(&outer_table, &fixture->out);
	json_free(fixture->document);
	fixture->document = parse(text, &fixture->err);
	assert_non_null(fixture->document);
	return json_decode(
		fixture->document, &outer_table, fixture->arena, &fixture->out, &fixture->err);
}

static void
json_decode_fills_every_kind(void **state)
{
	struct fixture *f = *state;

	assert_true(decode(f, "{\"flag\":false,\"number\":-2,\"text\":\"abcd\",\"word\":\"green\","
			      "\"words\":[\"green\",\"red\"],"
			      "\"texts\":[\"x\",\"\"],\"data\":\"AAEC\",\"secret\":\"_w\",\"tags\":"
			      "{\"k\":\"v\",\"l\":\"\"},"
			      "\"inner\":{\"exp\":100,\"secret\":\"AA\"},\"list\":[{\"exp\":1},{"
			      "\"secret\":\"AQ\"}],\"any\":[1],"
			      "\"unknown\":{\"x\":1}}"));

	assert_true(f->out.flag.set && !f->out.flag.value);
	assert_true(f->out.number.set);
	assert_int_equal(f->out.number.value, -2);
	assert_string_equal(f->out.text, "abcd");
	assert_int_equal(f->out.word, 2);
	assert_int_equal(f->out.words.count, 2);
	assert_string_equal(f->out.words.items[1], "red");
	assert_int_equal(f->out.texts.count, 2);
	assert_string_equal(f->out.texts.items[1], "");
	assert_int_equal(f->out.data.len, 3);
	assert_memory_equal(f->out.data.data, "\0\1\2", 3);
	assert_int_equal(secret_len(f->out.secret.value), 1);
	assert_int_equal(secret_peek(f->out.secret.value)[0], 0xff);
	assert_int_equal(f->out.tags.count, 2);
	assert_string_equal(f->out.tags.items[0].name, "k");
	assert_string_equal(f->out.tags.items[0].value, "v");
	assert_int_equal(f->out.inner->exp.value, 100);
	assert_int_equal(f->out.list.count, 2);
	assert_int_equal(secret_peek(((struct inner *)f->out.list.items)[1].secret.value)[0], 1);
	assert_int_equal(json_count(f->out.any), 1);
}

static void
json_decode_absent_and_null_leave_zero(void **state)
{
	struct fixture *f = *state;
	static const struct outer zero;

	assert_true(decode(f, "{}"));
	assert_memory_equal(&f->out, &zero, sizeof(zero));

	assert_true(decode(f, "{\"flag\":null,\"number\":null,\"text\":null,\"word\":null,"
			      "\"words\":null,\"texts\":null,"
			      "\"data\":null,\"secret\":null,\"tags\":null,\"inner\":null,\"list\":"
			      "null,\"any\":null}"));
	assert_memory_equal(&f->out, &zero, sizeof(zero));
}

static void
json_decode_empty_is_told_from_absent(void **state)
{
	struct fixture *f = *state;

	assert_true(decode(f, "{\"data\":\"\",\"secret\":\"\",\"tags\":{},\"words\":[]}"));

	assert_non_null(f->out.data.data);
	assert_int_equal(f->out.data.len, 0);
	assert_true(f->out.secret.set);
	assert_null(f->out.secret.value);
	assert_true(f->out.tags.set && f->out.words.set);
}

static void
json_decode_refuses_what_the_table_forbids(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *text;
		const char *names; /* part of the message */
	} rows[] = {
		{"{\"flag\":1}",				  "'flag'"         },
		{"{\"flag\":\"true\"}",                           "'flag'"         },
		{"{\"number\":6}",                                "'number'"       },
		{"{\"number\":-3}",                               "'number'"       },
		{"{\"number\":1.0}",                              "'number'"       },
		{"{\"number\":true}",                             "'number'"       },
		{"{\"number\":\"1\"}",                            "'number'"       },
		{"{\"text\":\"abcde\"}",                          "'text'"         },
		{"{\"text\":\"\"}",                               "'text'"         },
		{"{\"text\":\"a\\n\"}",                           "'text'"         },
		{"{\"text\":\"\\u007f\"}",                        "'text'"         },
		{"{\"text\":5}",				  "'text'"         },
		{"{\"word\":\"blue\"}",                           "only: red green"},
		{"{\"word\":\"Red\"}",                            "'word'"         },
		{"{\"word\":1}",				  "'word'"         },
		{"{\"words\":[\"red\",\"red\"]}",                 "repetition"     },
		{"{\"words\":[\"red\",\"blue\"]}",                "'words'"        },
		{"{\"words\":\"red\"}",                           "'words'"        },
		{"{\"words\":[null]}",                            "'words'"        },
		{"{\"texts\":[]}",                                "'texts'"        },
		{"{\"texts\":[\"a\",\"b\",\"c\"]}",               "'texts'"        },
		{"{\"texts\":[\"abcd\"]}",                        "'texts'"        },
		{"{\"texts\":[1]}",                               "'texts'"        },
		{"{\"texts\":{}}",                                "'texts'"        },
		{"{\"data\":\"AAECAwQ\"}",                        "'data'"         },
		{"{\"data\":5}",				  "'data'"         },
		{"{\"secret\":\"AAECAwQ\"}",                      "'secret'"       },
		{"{\"tags\":{\"a\":1}}",                          "'tags'"         },
		{"{\"tags\":{\"a\":null}}",                       "'tags'"         },
		{"{\"tags\":{\"abcd\":\"\"}}",                    "'tags'"         },
		{"{\"tags\":{\"a\":\"abcd\"}}",                   "'tags'"         },
		{"{\"tags\":{\"a\\n\":\"\"}}",                    "'tags'"         },
		{"{\"tags\":{\"a\":\"\",\"b\":\"\",\"c\":\"\"}}", "'tags'"         },
		{"{\"tags\":[]}",                                 "'tags'"         },
		{"{\"inner\":[]}",                                "'inner'"        },
		{"{\"inner\":{\"exp\":101}}",                     "'inner.exp'"    },
		{"{\"inner\":{\"canary\":1}}",                    "unknown member" },
		{"{\"list\":[{},{},{}]}",                         "'list'"         },
		{"{\"list\":[{},{\"exp\":-1}]}",                  "'list[1].exp'"  },
		{"{\"list\":[1]}",                                "'list'"         },
		{"{\"list\":{}}",                                 "'list'"         },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (decode(f, rows[i].text))
			fail_msg("%s: taken", rows[i].text);
		if (f->err.code != ERR_BAD_PARAMETER ||
			strstr(f->err.message, rows[i].names) == NULL)
			fail_msg("%s: %s", rows[i].text, f->err.message);
		if (strstr(f->err.message, "canary") != NULL)
			fail_msg("%s: echoed in %s", rows[i].text, f->err.message);
	}
}

/* threats C19 */
static void
json_decode_takes_canonical_base64url_only_c19(void **state)
{
	struct fixture *f = *state;
	static const char *const values[] = {
		"A",         /* impossible length */
		"AA==",      /* padding */
		"AA=",       /* half of it */
		"_x",        /* non-zero trailing bits */
		"AAF",       /* the same, two octets */
		"-+",        /* the other alphabet */
		"/w",        /* the same */
		"AA\\n",     /* line break */
		"A A",       /* blank */
		"AA\\u00e9", /* not ASCII */
		"AA.A",
	};
	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		char text[64];
		(void)snprintf(text, sizeof(text), "{\"data\":\"%s\"}", values[i]);
		if (decode(f, text) || f->err.code != ERR_BAD_PARAMETER)
			fail_msg("data %s: taken", values[i]);
		(void)snprintf(text, sizeof(text), "{\"secret\":\"%s\"}", values[i]);
		if (decode(f, text) || f->err.code != ERR_BAD_PARAMETER)
			fail_msg("secret %s: taken", values[i]);
	}
}

static void
json_decode_failure_holds_no_secret(void **state)
{
	struct fixture *f = *state;

	assert_false(decode(f, "{\"secret\":\"AA\",\"inner\":{\"secret\":\"AA\"},\"list\":[{"
			       "\"secret\":\"AA\"},{\"exp\":-1}]}"));

	assert_null(f->out.secret.value);
	assert_null(f->out.inner->secret.value);
	assert_null(((struct inner *)f->out.list.items)[0].secret.value);
}

static void
json_decode_body_names_a_missing_member(void **state)
{
	struct fixture *f = *state;
	static const struct json_field fields[] = {
		{.name = "alg", .kind = JSON_KIND_TEXT, .max = 8, .flags = JSON_REQUIRED},
	};
	static const struct json_table table = {
		.fields = fields, .count = 1, .size = sizeof(const char *)};
	const char *alg = NULL;

	assert_true(json_decode_body(
		bytes_of_text("{\"alg\":\"x\"}"), &table, f->arena, &alg, &f->err));
	assert_string_equal(alg, "x");
	assert_false(
		json_decode_body(bytes_of_text("{\"alg\":null}"), &table, f->arena, &alg, &f->err));
	assert_string_equal(f->err.message, "The member 'alg' is missing.");
	assert_false(json_decode_body(bytes_of_text(""), &table, f->arena, &alg, &f->err));
	assert_int_equal(f->err.code, ERR_BAD_PARAMETER);
}

/* ---- writing ---- */

static void
json_writer_writes_every_kind(void **state)
{
	(void)state;
	CLEAN(buf)
	struct buf buf;
	buf_init(&buf, 1024);
	struct json_writer writer;
	struct secret *secret = secret_from("\xff", 1);

	json_writer_init(&writer, &buf);
	json_write_object(&writer, NULL);
	json_write_text(&writer, "t", "x");
	json_write_text(&writer, "no", NULL);
	json_write_int(&writer, "n", INT64_MIN);
	json_write_bool(&writer, "b", true);
	json_write_array(&writer, "a");
	json_write_int(&writer, NULL, 1);
	json_write_object(&writer, NULL);
	json_write_end(&writer);
	json_write_null(&writer, NULL);
	json_write_end(&writer);
	json_write_base64(&writer, "d", "\0\1\2", 3);
	json_write_secret(&writer, "s", secret);
	json_write_secret(&writer, "e", NULL);
	json_write_hex(&writer, "h", "\xab", 1);
	json_write_raw(&writer, "r", bytes_of_text("{\"k\":[]}"));
	assert_false(json_writer_ok(&writer));
	json_write_end(&writer);

	assert_true(json_writer_ok(&writer));
	assert_string_equal(buf_peek(&buf),
		"{\"t\":\"x\",\"no\":null,\"n\":-9223372036854775808,\"b\":true,\"a\":[1,{},null],"
		"\"d\":\"AAEC\",\"s\":\"_w\","
		"\"e\":\"\",\"h\":\"ab\",\"r\":{\"k\":[]}}");
	secret_free(secret);
}

static void
json_writer_escapes_and_repairs(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		const char *json;
	} rows[] = {
		{"",				     "\"\""						 },
		{"a\"b\\c",			      "\"a\\\"b\\\\c\""                                      },
		{"\n{\"",				"\"\\n{\\\"\""					 },
		{"\x1b[31m\x7f\x01",                     "\"\\u001b[31m\\u007f\\u0001\""                        },
		{"\xc3\xa9\xe2\x82\xac\xf0\x9f\x94\x91",
                 "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x94\x91\""                                                     },
		{"\xff",				 "\"\xef\xbf\xbd\""                                     },
		{"a\xc3",				"\"a\xef\xbf\xbd\""                                    },
		{"\xc0\xaf",			     "\"\xef\xbf\xbd\xef\xbf\xbd\""                         },
		{"\xed\xa0\x80",                         "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""             },
		{"\xf4\x90\x80\x80z",                    "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz\""},
		{"\xe0\x9f\xbf",                         "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""             },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEAN(buf)
		struct buf buf;
		struct json_writer writer;
		buf_init(&buf, 256);
		json_writer_init(&writer, &buf);

		json_write_text(&writer, NULL, rows[i].text);

		assert_true(json_writer_ok(&writer));
		assert_string_equal(buf_peek(&buf), rows[i].json);
	}
}

static void
json_writer_over_the_maximum_is_not_ok(void **state)
{
	(void)state;
	CLEAN(buf)
	struct buf buf;
	struct json_writer writer;
	buf_init(&buf, 8);
	json_writer_init(&writer, &buf);

	json_write_text(&writer, NULL, "1234567");

	assert_false(json_writer_ok(&writer));
}

static void
json_written_text_is_read_back(void **state)
{
	(void)state;
	for (int c = 1; c < 256; c++) {
		CLEAN(buf)
		struct buf buf;
		struct json_writer writer;
		struct err err;
		char text[4] = {'<', (char)c, '>', '\0'};
		buf_init(&buf, 64);
		json_writer_init(&writer, &buf);
		json_write_object(&writer, NULL);
		json_write_text(&writer, text, text);
		json_write_end(&writer);

		CLEAN(json)
		struct json_value *root = parse(buf_peek(&buf), &err);

		assert_non_null(root);
		if (c < 0x80)
			assert_string_equal(json_text(json_member(root, text)), text);
	}
}

int
main(void)
{
	json_memory_init();
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_malformed_is_refused_c18),
		cmocka_unit_test(json_message_has_position_and_no_input),
		cmocka_unit_test(json_depth_at_limit_is_taken_and_beyond_refused),
		cmocka_unit_test(json_size_at_limit_is_taken_and_beyond_refused),
		cmocka_unit_test(json_tree_is_walked),
		cmocka_unit_test(json_tree_of_other_types_answers_nothing),
		cmocka_unit_test_setup_teardown(json_decode_fills_every_kind, setup, teardown),
		cmocka_unit_test_setup_teardown(
			json_decode_absent_and_null_leave_zero, setup, teardown),
		cmocka_unit_test_setup_teardown(
			json_decode_empty_is_told_from_absent, setup, teardown),
		cmocka_unit_test_setup_teardown(
			json_decode_refuses_what_the_table_forbids, setup, teardown),
		cmocka_unit_test_setup_teardown(
			json_decode_takes_canonical_base64url_only_c19, setup, teardown),
		cmocka_unit_test_setup_teardown(
			json_decode_failure_holds_no_secret, setup, teardown),
		cmocka_unit_test_setup_teardown(
			json_decode_body_names_a_missing_member, setup, teardown),
		cmocka_unit_test(json_writer_writes_every_kind),
		cmocka_unit_test(json_writer_escapes_and_repairs),
		cmocka_unit_test(json_writer_over_the_maximum_is_not_ok),
		cmocka_unit_test(json_written_text_is_read_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
