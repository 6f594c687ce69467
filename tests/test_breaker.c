#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "custodyd/breaker.h"

static void
half_of_the_window_failed_opens(void **state)
{
	(void)state;
	struct breaker breaker;
	breaker_init(&breaker);
	for (int i = 0; i < BREAKER_FAILURES - 1; i++) {
		assert_false(breaker_count(&breaker, true, 0, 0));
		assert_false(breaker_count(&breaker, false, 0, 0));
	}

	assert_true(breaker_count(&breaker, true, 0, 0));
	assert_int_equal(breaker.state, BREAKER_OPEN);
	assert_string_equal(breaker_state_name(breaker.state), "open");
}

static void
old_failures_are_forgotten(void **state)
{
	(void)state;
	struct breaker breaker;
	breaker_init(&breaker);
	for (int round = 0; round < 100; round++) {
		for (int i = 0; i < BREAKER_FAILURES - 1; i++)
			assert_false(breaker_count(&breaker, true, 0, 0));
		for (int i = 0; i < BREAKER_WINDOW; i++)
			assert_false(breaker_count(&breaker, false, 0, 0));
	}
}

static void
open_it(struct breaker *breaker)
{
	breaker_init(breaker);
	for (int i = 0; i < BREAKER_FAILURES; i++)
		(void)breaker_count(breaker, true, 0, 0);
}

static void
open_lets_exactly_one_probe_through(void **state)
{
	(void)state;
	struct breaker breaker;
	open_it(&breaker);

	assert_false(breaker_try(&breaker, breaker.until_ms - 1));
	assert_true(breaker_try(&breaker, breaker.until_ms));
	assert_int_equal(breaker.state, BREAKER_HALF_OPEN);
	assert_false(breaker_try(&breaker, breaker.until_ms + 100000));
	assert_false(breaker_count(&breaker, false, 0, 0));
	assert_int_equal(breaker.state, BREAKER_HALF_OPEN);
}

static void
probe_decides(void **state)
{
	(void)state;
	struct breaker breaker;
	open_it(&breaker);
	int64_t first_pause = breaker.until_ms;
	assert_true(breaker_try(&breaker, first_pause));
	breaker_probed(&breaker, true, first_pause, 0);
	assert_int_equal(breaker.state, BREAKER_OPEN);
	assert_true(breaker.until_ms - first_pause > first_pause);

	assert_true(breaker_try(&breaker, breaker.until_ms));
	breaker_probed(&breaker, false, breaker.until_ms, 0);
	assert_int_equal(breaker.state, BREAKER_CLOSED);
	assert_false(breaker_count(&breaker, true, breaker.until_ms, 0));
}

static void
late_probe_is_ignored(void **state)
{
	(void)state;
	struct breaker breaker;
	breaker_init(&breaker);
	breaker_probed(&breaker, true, 5, 0);
	assert_int_equal(breaker.state, BREAKER_CLOSED);
	open_it(&breaker);
	breaker_probed(&breaker, false, 5, 0);
	assert_int_equal(breaker.state, BREAKER_OPEN);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(half_of_the_window_failed_opens),
		cmocka_unit_test(old_failures_are_forgotten),
		cmocka_unit_test(open_lets_exactly_one_probe_through),
		cmocka_unit_test(probe_decides),
		cmocka_unit_test(late_probe_is_ignored),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
