#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/period.h"

#define DAY INT64_C(86400)

static void
periods_are_read(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		struct period period;
	} rows[] = {
		{"P90D",         {0, 0, 90, 0}    },
		{"P3M",          {0, 3, 0, 0}     },
		{"P2Y",          {2, 0, 0, 0}     },
		{"P1Y10D",       {1, 0, 10, 0}    },
		{"P2W",          {0, 0, 14, 0}    },
		{"PT48H",        {0, 0, 0, 172800}},
		{"P1DT1H1M1S",   {0, 0, 1, 3661}  },
		{"P999999D",     {0, 0, 999999, 0}},
		{"P0D",          {0, 0, 0, 0}     },
		{"P1Y2M3W4DT5M", {1, 2, 25, 300}  },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct period period;
		assert_true(period_parse(rows[i].text, &period));
		assert_int_equal(period.years, rows[i].period.years);
		assert_int_equal(period.months, rows[i].period.months);
		assert_int_equal(period.days, rows[i].period.days);
		assert_int_equal(period.seconds, rows[i].period.seconds);
	}
}

static void
what_is_no_period_is_refused(void **state)
{
	(void)state;
	static const char *const rows[] = {"", "P", "PT", "90D", "p90d", "P90", "PD", "P1D1Y",
		"P1D1D", "P-1D", "P1.5D", "P1234567D", "P1DT", "PT1D", "P1D ", " P1D", "P1H",
		"P1DT1HT1M", "P1Y1Y1Y1Y1Y1Y1Y1Y1Y1Y1Y1Y1Y1Y1Y1Y"};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct period period;
		if (period_parse(rows[i], &period))
			fail_msg("taken: %s", rows[i]);
	}
}

static int64_t
after(const char *text, int64_t time_s)
{
	struct period period;
	assert_true(period_parse(text, &period));
	assert_int_equal(period_before(&period, period_after(&period, time_s)), time_s);
	return period_after(&period, time_s);
}

static void
months_and_years_have_the_length_of_the_date(void **state)
{
	(void)state;
	int64_t spring = 1772323200; /* 2026-03-01 */
	assert_int_equal(after("P1M", spring), spring + 31 * DAY);
	assert_int_equal(after("P2Y", spring), spring + (365 + 366) * DAY);
	assert_int_equal(after("P30D", spring), spring + 30 * DAY);
	assert_int_equal(after("PT36H", spring), spring + 36 * 3600);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(periods_are_read),
		cmocka_unit_test(what_is_no_period_is_refused),
		cmocka_unit_test(months_and_years_have_the_length_of_the_date),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
