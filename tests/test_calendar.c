/* Trusted time under clocks that jump (threats D14, D15). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "db_fixture.h"
#include "service/calendar.h"

#define DAY   86400
#define START 1700000000

static int64_t wall_s, monotonic_s;
static struct calendar *calendar;

static int64_t
wall_us(void)
{
	return wall_s * 1000000;
}

static int64_t
monotonic_us(void)
{
	return monotonic_s * 1000000;
}

static void
pass(int64_t seconds)
{
	wall_s += seconds;
	monotonic_s += seconds;
}

static int
setup(void **state)
{
	wall_s = START;
	monotonic_s = 500;
	clock_override(wall_us, monotonic_us);
	int result = db_fixture_setup(state);
	struct db_fixture *fixture = *state;
	calendar = calendar_new(fixture->db, DAY);
	return result;
}

static int
teardown(void **state)
{
	calendar_free(calendar);
	clock_override(NULL, NULL);
	return db_fixture_teardown(state);
}

static void
tick(struct db_fixture *fixture)
{
	if (!calendar_tick(calendar, &fixture->err))
		fail_msg("%s", fixture->err.message);
}

static void
restart(struct db_fixture *fixture)
{
	calendar_free(calendar);
	db_fixture_restart(fixture);
	calendar = calendar_new(fixture->db, DAY);
}

static void
time_passes_and_is_stored(void **state)
{
	struct db_fixture *fixture = *state;
	int64_t now = 0;
	assert_false(calendar_purge_time_s(calendar, &now)); /* before the first look */
	tick(fixture);
	assert_true(calendar_purge_time_s(calendar, &now));
	assert_int_equal(now, START);
	for (int i = 0; i < 100; i++) {
		pass(50 * 60);
		tick(fixture);
	}

	assert_true(calendar_purge_time_s(calendar, &now));
	assert_int_equal(now, wall_s);
	assert_int_equal(calendar_now_s(calendar), wall_s);
	assert_int_equal(db_time_mark(fixture->db), wall_s);
	uint64_t generation = db_generation(fixture->db);
	pass(10);
	tick(fixture);
	assert_int_equal(db_generation(fixture->db), generation); /* not each second to the disk */
}

static void
jump_ahead_while_running_purges_nothing_d14(void **state)
{
	struct db_fixture *fixture = *state;
	int64_t now = -1;
	tick(fixture);

	wall_s += 100 * DAY;
	tick(fixture);
	assert_false(calendar_purge_time_s(calendar, &now));
	assert_int_equal(calendar_jump_s(calendar), 100 * DAY);
	assert_true(db_time_mark(fixture->db) < START + DAY);
	assert_int_equal(calendar_now_s(calendar), wall_s);

	wall_s -= 100 * DAY; /* put right: as if nothing had been */
	pass(60);
	tick(fixture);
	assert_true(calendar_purge_time_s(calendar, &now));
	assert_int_equal(now, START + 60);
}

static void
jump_ahead_between_starts_waits_for_confirmation_d14(void **state)
{
	struct db_fixture *fixture = *state;
	int64_t now;
	tick(fixture);
	wall_s += 100 * DAY;
	restart(fixture);
	tick(fixture);
	assert_false(calendar_purge_time_s(calendar, &now));
	restart(fixture);
	pass(10);
	tick(fixture);
	assert_false(calendar_purge_time_s(calendar, &now)); /* a restart confirms nothing */

	assert_true(calendar_confirm(calendar, &fixture->err));

	assert_true(calendar_purge_time_s(calendar, &now));
	assert_int_equal(now, wall_s);
	restart(fixture);
	tick(fixture);
	assert_true(calendar_purge_time_s(calendar, &now));
}

static void
many_small_steps_are_a_jump_too_d14(void **state)
{
	struct db_fixture *fixture = *state;
	int64_t now;
	tick(fixture);

	for (int i = 0; i < 3; i++) {
		wall_s += DAY / 2;
		tick(fixture);
	}

	assert_false(calendar_purge_time_s(calendar, &now));
}

static void
limit_exactly_is_no_jump(void **state)
{
	struct db_fixture *fixture = *state;
	int64_t now;
	tick(fixture);

	wall_s += DAY;
	tick(fixture);
	assert_true(calendar_purge_time_s(calendar, &now));
	wall_s += 1;
	tick(fixture);
	assert_false(calendar_purge_time_s(calendar, &now));
	calendar_set_limit(calendar, 2 * DAY);
	tick(fixture);
	assert_true(calendar_purge_time_s(calendar, &now));
}

static void
clock_set_back_lengthens_nothing_d15(void **state)
{
	struct db_fixture *fixture = *state;
	int64_t now;
	tick(fixture);

	wall_s -= 100 * DAY;
	pass(3600);
	tick(fixture);
	assert_int_equal(calendar_now_s(calendar), START + 3600);
	assert_true(calendar_purge_time_s(calendar, &now));
	assert_int_equal(now, START + 3600);

	restart(fixture);
	pass(60);
	tick(fixture);
	assert_int_equal(calendar_now_s(calendar), START + 3660);
}

static void
run_begins_no_earlier_than_the_last_one_ended_d15(void **state)
{
	struct db_fixture *fixture = *state;
	tick(fixture);
	pass(30); /* too little for a tick to store it */
	tick(fixture);
	int64_t before = calendar_now_s(calendar);
	assert_true(calendar_keep(calendar, &fixture->err));
	wall_s -= 100 * DAY;
	restart(fixture);

	assert_int_equal(calendar_now_s(calendar), before);
}

static void
storage_failing_is_reported(void **state)
{
	struct db_fixture *fixture = *state;
	tick(fixture);
	db_latch(fixture->db);
	pass(120);

	assert_false(calendar_tick(calendar, &fixture->err));
	assert_int_equal(fixture->err.code, ERR_STORAGE);
}

int
main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(time_passes_and_is_stored),
		TEST(jump_ahead_while_running_purges_nothing_d14),
		TEST(jump_ahead_between_starts_waits_for_confirmation_d14),
		TEST(many_small_steps_are_a_jump_too_d14),
		TEST(limit_exactly_is_no_jump),
		TEST(clock_set_back_lengthens_nothing_d15),
		TEST(run_begins_no_earlier_than_the_last_one_ended_d15),
		TEST(storage_failing_is_reported),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
