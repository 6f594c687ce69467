#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "custodyd/latency.h"

static void
quantile_with_few_samples_is_unknown(void **state)
{
	(void)state;
	struct latency latency;
	latency_clear(&latency);
	for (int i = 0; i < 7; i++)
		latency_add(&latency, 500);

	assert_int_equal(latency_quantile_us(&latency, 50), 0);
	latency_add(&latency, 500);
	assert_int_not_equal(latency_quantile_us(&latency, 50), 0);
}

static void
quantile_is_within_a_quarter_octave(void **state)
{
	(void)state;
	static const int64_t values[] = {4, 7, 23, 467, 1868, 3899, 120000, 9000000};
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct latency latency;
		latency_clear(&latency);
		for (int n = 0; n < 20; n++)
			latency_add(&latency, values[i]);

		int64_t found = latency_quantile_us(&latency, 50);
		print_message("%lld -> %lld\n", (long long)values[i], (long long)found);
		assert_true(found >= values[i]);
		assert_true(found <= values[i] + values[i] / 4 + 1);
	}
}

static void
quantiles_split_fast_from_slow(void **state)
{
	(void)state;
	struct latency latency;
	latency_clear(&latency);
	for (int i = 0; i < 100; i++)
		latency_add(&latency, i < 90 ? 500 : 50000);

	assert_true(latency_quantile_us(&latency, 50) < 700);
	assert_true(latency_quantile_us(&latency, 95) >= 50000);
}

static void
a_token_that_becomes_slow_is_seen_soon(void **state)
{
	(void)state;
	struct latency latency;
	latency_clear(&latency);
	for (int i = 0; i < 100000; i++)
		latency_add(&latency, 500);
	for (int i = 0; i < 400; i++)
		latency_add(&latency, 300000);

	assert_true(latency_quantile_us(&latency, 50) >= 300000);
}

static void
impossible_durations_do_no_harm(void **state)
{
	(void)state;
	struct latency latency;
	latency_clear(&latency);
	for (int i = 0; i < 8; i++)
		latency_add(&latency, i % 2 == 0 ? -5 : INT64_MAX);

	assert_true(latency_quantile_us(&latency, 100) > 0);
	assert_true(latency_quantile_us(&latency, 1) > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quantile_with_few_samples_is_unknown),
		cmocka_unit_test(quantile_is_within_a_quarter_octave),
		cmocka_unit_test(quantiles_split_fast_from_slow),
		cmocka_unit_test(a_token_that_becomes_slow_is_seen_soon),
		cmocka_unit_test(impossible_durations_do_no_harm),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
