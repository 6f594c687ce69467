#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/attr.h"
#include "custodyd/poison.h"

static const uint8_t bad[32] = {1};
static const uint8_t good[32] = {2};

static void
b02_second_death_bars_and_cuts_the_caller(void **state)
{
	(void)state;
	CLEAN(poison)
	struct poison *poison = poison_new();
	assert_int_equal(poison_check(poison, bad, 0), POISON_CLEAN);

	assert_int_equal(poison_note(poison, bad, 1000, 0), POISON_SUSPECT);
	assert_int_equal(poison_check(poison, bad, 1), POISON_SUSPECT);
	assert_false(poison_caller_is_cut(poison, 1000, 1));
	assert_int_equal(poison_note(poison, bad, 1000, 2), POISON_BARRED);

	assert_int_equal(poison_check(poison, bad, 3), POISON_BARRED);
	assert_int_equal(poison_check(poison, good, 3), POISON_CLEAN);
	assert_true(poison_caller_is_cut(poison, 1000, 3));
	assert_false(poison_caller_is_cut(poison, 1001, 3));
}

static void
bar_ends_by_time_and_starts_afresh(void **state)
{
	(void)state;
	CLEAN(poison)
	struct poison *poison = poison_new();
	(void)poison_note(poison, bad, 1, 0);
	(void)poison_note(poison, bad, 1, 0);

	assert_int_equal(poison_check(poison, bad, POISON_BAR_MS), POISON_CLEAN);
	assert_false(poison_caller_is_cut(poison, 1, POISON_BAR_MS));
	assert_int_equal(poison_note(poison, bad, 1, POISON_BAR_MS), POISON_SUSPECT);
}

static void
suspect_that_ended_well_is_acquitted_but_barred_is_not(void **state)
{
	(void)state;
	CLEAN(poison)
	struct poison *poison = poison_new();
	(void)poison_note(poison, good, 1, 0);
	poison_acquit(poison, good);
	assert_int_equal(poison_check(poison, good, 1), POISON_CLEAN);
	assert_int_equal(poison_note(poison, good, 1, 1), POISON_SUSPECT);

	(void)poison_note(poison, good, 1, 1);
	poison_acquit(poison, good);
	assert_int_equal(poison_check(poison, good, 1), POISON_BARRED);
	poison_acquit(poison, bad);
}

static void
flood_keeps_the_newest(void **state)
{
	(void)state;
	CLEAN(poison)
	struct poison *poison = poison_new();
	uint8_t digest[32] = {0};
	for (uint32_t i = 0; i < 10 * POISON_SUSPECTS; i++) {
		memcpy(digest, &i, sizeof(i));
		(void)poison_note(poison, digest, i, i);
		(void)poison_note(poison, digest, i, i);
	}

	assert_int_equal(poison_check(poison, digest, 2000), POISON_BARRED);
	uint32_t last = 10 * POISON_SUSPECTS - 1;
	assert_true(poison_caller_is_cut(poison, last, 2000));
	memset(digest, 0, sizeof(digest));
	assert_int_equal(poison_check(poison, digest, 2000), POISON_CLEAN);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(b02_second_death_bars_and_cuts_the_caller),
		cmocka_unit_test(bar_ends_by_time_and_starts_afresh),
		cmocka_unit_test(suspect_that_ended_well_is_acquitted_but_barred_is_not),
		cmocka_unit_test(flood_keeps_the_newest),
	};
	poison_free(NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
