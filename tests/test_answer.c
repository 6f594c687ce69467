#include "lib/answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static bool
parse(const char *text, struct answer *ret_value)
{
	return answer_parse(bytes_of_text(text), ret_value);
}

static void
parse_accepts_json(void **state)
{
	(void)state;
	static const char *const good[] = {"{}", "[]",
		" {\"a\" : [1, -2.5e+3, true,false,null] } \n", "\"x\"", "0", "-0", "10", "1.0",
		"1e5", "{\"a\":{\"b\":[[],{}]}}",
		"\"\\u00e9\\ud83d\\ude00\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\xc3\xa9\""};
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct answer value;
		print_message("%s\n", good[i]);
		assert_true(parse(good[i], &value));
	}
}

static void
parse_refuses_what_is_no_json(void **state)
{
	(void)state;
	static const char *const bad[] = {"", " ", "{", "}", "[", "[1", "[1,", "[1,]", "{\"a\"}",
		"{\"a\":}", "{\"a\":1,}", "{a:1}", "{\"a\":1}x", "[] []", "\"x", "\"\\x\"",
		"\"\\u12g4\"", "\"\\u123", "\"\\", "01", "1.", ".5", "-", "+1", "1e", "0x1", "tru",
		"nul", "NaN", "\"a\nb\"", "// c\n{}", "{\"a\" 1}", "[1 2]", "'a'"};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct answer value = {NULL, NULL};
		print_message("%s\n", bad[i]);
		assert_false(parse(bad[i], &value));
		assert_null(value.start);
	}
}

static void
parse_is_bounded_in_depth(void **state)
{
	(void)state;
	char text[2 * (ANSWER_DEPTH_MAX + 1) + 1] = "";
	struct answer value;

	memset(text, '[', ANSWER_DEPTH_MAX);
	memset(text + ANSWER_DEPTH_MAX, ']', ANSWER_DEPTH_MAX);
	assert_true(parse(text, &value));
	memset(text, '[', ANSWER_DEPTH_MAX + 1);
	memset(text + ANSWER_DEPTH_MAX + 1, ']', ANSWER_DEPTH_MAX + 1);
	assert_false(parse(text, &value));
}

/* Every prefix of an answer is refused, and nothing is read behind its end. */
static void
parse_of_every_prefix_is_refused(void **state)
{
	(void)state;
	static const char text[] = "{\"error\":{\"code\":\"x\\u00e9\",\"n\":[1,2.5,true,null]}}";
	for (size_t len = 0; len < sizeof(text) - 1; len++) {
		uint8_t *copy = malloc(len + 1);
		memcpy(copy, text, len);
		uint8_t *exact = realloc(copy, len == 0 ? 1 : len);
		struct answer value;
		bool done = answer_parse((struct bytes){exact, len}, &value);
		free(exact);
		assert_false(done);
	}
}

static void
member_finds_by_whole_name_and_skips_null(void **state)
{
	(void)state;
	struct answer value;
	assert_true(parse("{\"ab\":1,\"a\":2,\"n\":null,\"o\":{\"a\":3}}", &value));
	int64_t number = 0;

	assert_true(answer_int(answer_member(value, "a"), &number));
	assert_int_equal(number, 2);
	assert_true(answer_int(answer_member(answer_member(value, "o"), "a"), &number));
	assert_int_equal(number, 3);
	assert_null(answer_member(value, "n").start);
	assert_null(answer_member(value, "b").start);
	assert_null(answer_member(answer_member(value, "a"), "a").start);
}

static void
next_walks_an_array(void **state)
{
	(void)state;
	struct answer value;
	assert_true(parse("[ 1 , [2] , {\"a\":[5]},4 ]", &value));
	size_t count = 0;

	for (struct answer item = answer_next(value, (struct answer){NULL, NULL});
		item.start != NULL; item = answer_next(value, item))
		count++;

	assert_int_equal(count, 4);
	assert_true(parse("[]", &value));
	assert_null(answer_next(value, (struct answer){NULL, NULL}).start);
	assert_true(parse("{}", &value));
	assert_null(answer_next(value, (struct answer){NULL, NULL}).start);
}

struct text_case {
	const char *json;
	const char *text; /* NULL: refused */
};

static void
text_is_decoded_within_its_room(void **state)
{
	(void)state;
	static const struct text_case cases[] = {
		{"\"\"",               ""                },
		{"\"1234567\"",        "1234567"         },
		{"\"12345678\"",       NULL              },
		{"\"\\u00e9\\n\\\"\"", "\xc3\xa9\n\""    },
		{"\"\\ud83d\\ude00\"", "\xf0\x9f\x98\x80"},
		{"\"\\ud83d\"",        "\xef\xbf\xbd"    },
		{"\"\\ude00\"",        "\xef\xbf\xbd"    },
		{"\"\\ud83dx\"",       "\xef\xbf\xbdx"   },
		{"\"a\\u0000b\"",      NULL              },
		{"1",                  NULL              },
		{"null",               NULL              },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char text[8];
		struct answer value;
		print_message("%s\n", cases[i].json);
		assert_true(parse(cases[i].json, &value));

		bool done = answer_text(value, text, sizeof(text));

		assert_int_equal(done, cases[i].text != NULL);
		if (done)
			assert_string_equal(text, cases[i].text);
	}
}

static void
int_takes_integers_only(void **state)
{
	(void)state;
	struct answer value;
	int64_t number = 77;
	static const char *const bad[] = {"1.5", "1e3", "\"1\"", "true", "9223372036854775808"};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		print_message("%s\n", bad[i]);
		assert_true(parse(bad[i], &value));
		assert_false(answer_int(value, &number));
		assert_int_equal(number, 77);
	}
	assert_true(parse("9223372036854775807", &value));
	assert_true(answer_int(value, &number));
	assert_true(number == INT64_MAX);
	assert_true(parse("-42", &value));
	assert_true(answer_int(value, &number));
	assert_int_equal(number, -42);
}

static void
octets_are_canonical_base64url(void **state)
{
	(void)state;
	struct answer value;
	struct err err = {0};
	struct custody_secret octets = {NULL, 0};
	static const char *const bad[] = {
		"\"A\"", "\"AA==\"", "\"A+/A\"", "\"AB\"", "1", "\"\\u0041A\""};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		print_message("%s\n", bad[i]);
		assert_true(parse(bad[i], &value));
		assert_false(answer_octets(value, &octets, &err));
		assert_int_equal(err.code, ERR_CLIENT_ANSWER);
		assert_null(octets.data);
	}
	assert_true(parse("\"_-8\"", &value));
	assert_true(answer_octets(value, &octets, &err));
	assert_int_equal(octets.len, 2);
	assert_memory_equal(octets.data, "\xff\xef", 2);
	custody_secret_free(&octets);
	assert_true(parse("\"\"", &value));
	assert_true(answer_octets(value, &octets, &err));
	assert_int_equal(octets.len, 0);
	custody_secret_free(&octets);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parse_accepts_json),
		cmocka_unit_test(parse_refuses_what_is_no_json),
		cmocka_unit_test(parse_is_bounded_in_depth),
		cmocka_unit_test(parse_of_every_prefix_is_refused),
		cmocka_unit_test(member_finds_by_whole_name_and_skips_null),
		cmocka_unit_test(next_walks_an_array),
		cmocka_unit_test(text_is_decoded_within_its_room),
		cmocka_unit_test(int_takes_integers_only),
		cmocka_unit_test(octets_are_canonical_base64url),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
