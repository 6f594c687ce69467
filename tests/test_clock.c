#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attr.h"

static int64_t
fake_wall_us(void)
{
	return 1700000000123456;
}

static int64_t
fake_monotonic_us(void)
{
	return 5999;
}

static int
restore(void **state)
{
	(void)state;
	clock_override(NULL, NULL);
	return 0;
}

static void
clock_overridden_gives_the_tests_time(void **state)
{
	(void)state;

	clock_override(fake_wall_us, fake_monotonic_us);

	assert_int_equal(clock_wall_us(), 1700000000123456);
	assert_int_equal(clock_wall_s(), 1700000000);
	assert_int_equal(clock_monotonic_us(), 5999);
	assert_int_equal(clock_monotonic_ms(), 5);
}

static void
clock_monotonic_never_goes_back(void **state)
{
	(void)state;
	int64_t before = clock_monotonic_us();

	for (int i = 0; i < 1000; i++) {
		int64_t now = clock_monotonic_us();
		assert_true(now >= before);
		before = now;
	}
}

static void
clock_wall_is_after_the_day_of_this_test(void **state)
{
	(void)state;

	assert_true(clock_wall_s() > 1700000000);
}

static void
clock_format_writes_utc_and_clamps(void **state)
{
	(void)state;
	static const struct {
		int64_t wall_s;
		const char *text;
	} rows[] = {
		{0,            "1970-01-01T00:00:00Z"},
		{951782400,    "2000-02-29T00:00:00Z"},
		{1795490719,   "2026-11-24T03:25:19Z"},
		{253402300799, "9999-12-31T23:59:59Z"},
		{253402300800, "9999-12-31T23:59:59Z"},
		{INT64_MAX,    "9999-12-31T23:59:59Z"},
		{-1,           "1970-01-01T00:00:00Z"},
		{INT64_MIN,    "1970-01-01T00:00:00Z"},
	};
	char text[21];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		clock_format(rows[i].wall_s, text);
		assert_string_equal(text, rows[i].text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(clock_overridden_gives_the_tests_time, restore),
		cmocka_unit_test(clock_monotonic_never_goes_back),
		cmocka_unit_test(clock_wall_is_after_the_day_of_this_test),
		cmocka_unit_test(clock_format_writes_utc_and_clamps),
	};
	return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
