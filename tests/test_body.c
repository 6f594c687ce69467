#include "lib/body.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void
body_writes_what_json_reads(void **state)
{
	(void)state;
	static const char *const words[] = {"wrapKey", "unwrapKey"};
	struct err err = {0};
	CLEAN(body)
	struct body body;
	body_init(&body);
	body_text(&body, "alg", "a\"b\\c\n\x01");
	body_texts(&body, "key_ops", words, 2);
	body_object(&body, "attributes");
	body_bool(&body, "enabled", true);
	body_int(&body, "nbf", -5);
	body_end(&body);
	body_octets(&body, "value", (struct custody_bytes){(const uint8_t *)"\xff\xef", 2});
	body_octets(&body, "aad", (struct custody_bytes){NULL, 0});
	body_raw(&body, "envelope", bytes_of_text("{\"x\":1}"));
	body_end(&body);

	assert_true(body_ok(&body, &err));

	assert_string_equal(buf_peek(&body.text),
		"{\"alg\":\"a\\\"b\\\\c\\u000a\\u0001\",\"key_ops\":[\"wrapKey\",\"unwrapKey\"],"
		"\"attributes\":{\"enabled\":true,\"nbf\":-5},\"value\":\"_-8\",\"aad\":\"\","
		"\"envelope\":{\"x\":1}}");
}

static void
empty_object_takes_a_member_after_it(void **state)
{
	(void)state;
	CLEAN(body)
	struct body body;
	body_init(&body);
	body_object(&body, "a");
	body_end(&body);
	body_int(&body, "b", 1);
	body_end(&body);

	assert_string_equal(buf_peek(&body.text), "{\"a\":{},\"b\":1}");
}

static void
too_much_is_told_at_the_end(void **state)
{
	(void)state;
	static uint8_t octets[2000000];
	struct err err = {0};
	CLEAN(body)
	struct body body;
	body_init(&body);
	body_octets(&body, "value", (struct custody_bytes){octets, sizeof(octets)});
	body_end(&body);

	assert_false(body_ok(&body, &err));

	assert_int_equal(err.code, ERR_TOO_LARGE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(body_writes_what_json_reads),
		cmocka_unit_test(empty_object_takes_a_member_after_it),
		cmocka_unit_test(too_much_is_told_at_the_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
