/* Unit tests of src/base/percent.c. */
#include "base/percent.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void
percent_append_leaves_unreserved_characters_alone(void **state)
{
	(void)state;
	CLEAN(buf)
	struct buf path;
	buf_init(&path, 100);
	assert_true(percent_append(&path, "Anna.B-1_~@contoso.com"));
	assert_string_equal(buf_peek(&path), "Anna.B-1_~@contoso.com");
	assert_true(percent_append(&path, ""));
	assert_int_equal(path.len, 22);
}

static void
percent_append_encodes_everything_else(void **state)
{
	(void)state;
	CLEAN(buf)
	struct buf path;
	buf_init(&path, 100);
	assert_true(percent_append(&path, "a/../b?c=%41&d e\n\xc3\xa9"));
	assert_string_equal(buf_peek(&path), "a%2F..%2Fb%3Fc%3D%2541%26d%20e%0A%C3%A9");
}

static void
percent_append_stops_at_the_maximum(void **state)
{
	(void)state;
	CLEAN(buf)
	struct buf path;
	buf_init(&path, 5);
	assert_false(percent_append(&path, "//"));
	assert_true(path.overflow);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(percent_append_leaves_unreserved_characters_alone),
		cmocka_unit_test(percent_append_encodes_everything_else),
		cmocka_unit_test(percent_append_stops_at_the_maximum),
	};
	return cmocka_run_group_tests_name("percent", tests, NULL, NULL);
}
