#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "custodyd/backoff.h"

static struct backoff
fresh(void)
{
	struct backoff backoff;
	backoff_init(&backoff, 100, 60000, 60000);
	return backoff;
}

static void
pauses_grow_to_the_maximum(void **state)
{
	(void)state;
	struct backoff backoff = fresh();
	int64_t last = 0;
	for (int i = 0; i < 20; i++) {
		int64_t pause = backoff_down(&backoff, 1000 * i, 0);
		assert_true(pause >= last);
		assert_true(pause <= 60000);
		last = pause;
	}
	assert_int_equal(last, 60000);
}

static void
jitter_stays_between_half_and_all(void **state)
{
	(void)state;
	for (uint32_t random = 0; random < 5000; random += 7) {
		struct backoff backoff = fresh();
		(void)backoff_down(&backoff, 0, 0);
		int64_t pause = backoff_down(&backoff, 0, random);
		assert_in_range(pause, 100, 200);
	}
}

/* threats B18: a square wave of a second up, a second down */
static void
b18_up_every_second_is_tried_less_and_less(void **state)
{
	(void)state;
	struct backoff backoff = fresh();
	int64_t now_ms = 0;
	int tries = 0;
	while (now_ms < 60000) {
		backoff_up(&backoff, now_ms);
		now_ms += 1000;
		now_ms += backoff_down(&backoff, now_ms, UINT32_MAX);
		tries++;
	}

	assert_true(tries <= 14);
	assert_true(backoff_flaps(&backoff, now_ms));
}

static void
a_stable_time_starts_afresh(void **state)
{
	(void)state;
	struct backoff backoff = fresh();
	for (int i = 0; i < 10; i++)
		(void)backoff_down(&backoff, 0, 0);
	backoff_up(&backoff, 1000);

	assert_int_equal(backoff_down(&backoff, 61000, 0), 100);
}

static void
few_or_old_failures_are_no_flapping(void **state)
{
	(void)state;
	struct backoff backoff = fresh();
	for (int i = 0; i < BACKOFF_FLAPS - 1; i++)
		(void)backoff_down(&backoff, 0, 0);
	assert_false(backoff_flaps(&backoff, 0));

	(void)backoff_down(&backoff, 10, 0);
	assert_true(backoff_flaps(&backoff, 10));
	assert_false(backoff_flaps(&backoff, BACKOFF_FLAP_MS + 11));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pauses_grow_to_the_maximum),
		cmocka_unit_test(jitter_stays_between_half_and_all),
		cmocka_unit_test(b18_up_every_second_is_tried_less_and_less),
		cmocka_unit_test(a_stable_time_starts_afresh),
		cmocka_unit_test(few_or_old_failures_are_no_flapping),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
