/* Requests to a token: fair, in time, cancelled, delivered once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "support/token_bench.h"
#include <cmocka.h>
#include <string.h>
#include <unistd.h>

static void
control_both(struct bench *bench, const char *text)
{
	bench_control(bench, 0, text);
	bench_control(bench, 1, text);
}

static struct token_status
status_of(const struct token *token)
{
	struct token_status status;
	token_status_get(token, &status);
	return status;
}

/* ---- deadlines ---- */

static void
b03_callers_deadline_times_out_and_the_late_answer_is_dropped(void **state)
{
	struct bench *bench = *state;
	struct err err = {0};
	bench_ready(bench);
	assert_true(bench_ask_as(bench, bench->west, 1000, 1, "hold", 3000, &err));
	bench_settle(bench, 30);
	assert_null(bench_find(bench, 1));
	bench_advance(3000);
	bench_expect(bench, 1, ERR_TIMEOUT);

	assert_true(bench_ask(bench, 2, "release", &err));
	bench_expect(bench, 2, ERR_NONE);
	bench_settle(bench, 45);
	assert_int_equal(bench->delivered, 2);
	assert_int_equal(status_of(bench->west).late_answers, 1);
	assert_int_equal(status_of(bench->west).worker.restarts, 0);
}

static void
b03_hard_limit_replaces_the_worker(void **state)
{
	struct bench *bench = *state;
	struct err err = {0};
	bench_ready(bench);
	assert_true(bench_ask(bench, 1, "mute", &err));
	bench_settle(bench, 30);
	bench_advance(6000);
	assert_true(bench_ask(bench, 2, "hold", &err));
	bench_settle(bench, 50);
	assert_int_equal(bench->delivered, 0);

	bench_advance(4001);
	bench_expect(bench, 1, ERR_UNAVAILABLE);
	bench_expect(bench, 2, ERR_UNAVAILABLE);
	assert_int_equal(status_of(bench->west).last_error.code, ERR_TIMEOUT);
	bench_advance(1000);
	bench_wait(bench, token_is_ready(bench->west));
	assert_int_equal(status_of(bench->west).worker.restarts, 1);
	assert_true(bench_ask(bench, 5, "hold", &err));
	assert_true(bench_ask(bench, 6, "z", &err));
	bench_expect(bench, 6, ERR_NONE);
	/* Who hung is suspected and runs alone from now on; who merely ran beside it is not. */
	assert_true(bench_ask(bench, 3, "mute", &err));
	assert_true(bench_ask(bench, 4, "y", &err));
	bench_settle(bench, 50);
	assert_null(bench_find(bench, 4));
}

static void
expired_queued_work_is_not_started(void **state)
{
	struct bench *bench = *state;
	struct err err = {0};
	control_both(bench, "sessions=1\n");
	bench_ready(bench);
	assert_true(bench_ask(bench, 1, "hold", &err));
	assert_true(bench_ask_as(bench, bench->west, 1000, 2, "second", 2000, &err));
	assert_false(bench_ask_as(bench, bench->west, 1000, 3, "late", 0, &err));
	assert_int_equal(err.code, ERR_TIMEOUT);
	bench_advance(2000);

	bench_expect(bench, 2, ERR_TIMEOUT);
	assert_int_equal(bench_count(bench, 0, "second"), 0);
	assert_int_equal(status_of(bench->west).queued, 0);
}

static void
work_that_expires_behind_a_slow_one_is_not_started(void **state)
{
	struct bench *bench = *state;
	struct err err = {0};
	control_both(bench, "sessions=1\n");
	bench_ready(bench);
	assert_true(bench_ask(bench, 1, "nap", &err));
	assert_true(bench_ask_as(bench, bench->west, 1000, 2, "second", 2000, &err));
	(void)usleep(150000); /* the answer is there before the loop looks at any clock */
	bench_advance(2000);

	bench_expect(bench, 1, ERR_NONE);
	bench_expect(bench, 2, ERR_TIMEOUT);
	bench_settle(bench, 30);
	assert_int_equal(bench_count(bench, 0, "second"), 0);
}

/* ---- fairness and mutations ---- */

static uint64_t
order_of(struct bench *bench, uint64_t op_id)
{
	for (uint64_t i = 0; i < bench->delivered; i++) {
		if (bench->deliveries[i].ticket.op_id == op_id)
			return i;
	}
	return UINT64_MAX;
}

static void
c23_flood_of_one_caller_does_not_delay_another(void **state)
{
	struct bench *bench = *state;
	struct err err = {0};
	control_both(bench, "sessions=1\n");
	bench_ready(bench);
	for (uint64_t i = 1; i <= 64; i++)
		assert_true(bench_ask(bench, i, "flood", &err));
	assert_false(bench_ask(bench, 65, "flood", &err));
	assert_int_equal(err.code, ERR_THROTTLED);
	assert_true(bench_ask_as(bench, bench->west, 2000, 100, "other", 60000, &err));
	bench_expect(bench, 100, ERR_NONE);
	bench_wait(bench, bench->delivered == 65);
	/* One thread: a request runs, at most a millisecond of work is sent ahead (8), then it is the other's turn. */
	assert_true(order_of(bench, 100) <= 9);
	assert_true(bench_ask(bench, 66, "flood", &err)); /* room again */
}

static void
b36_creations_go_one_at_a_time_and_reads_pass(void **state)
{
	struct bench *bench = *state;
	struct err err = {0};
	bench_ready(bench);
	assert_true(bench_generate(bench, 1, "hold", &err));
	assert_true(bench_generate(bench, 2, "second", &err));
	assert_true(bench_ask(bench, 3, "read", &err));
	bench_expect(bench, 3, ERR_NONE);
	assert_int_equal(bench_count(bench, 0, "second"), 0);

	assert_true(bench_ask(bench, 4, "release", &err));
	bench_expect(bench, 1, ERR_NONE);
	bench_expect(bench, 2, ERR_NONE);
	assert_true(order_of(bench, 1) < order_of(bench, 2));
}

static void
b34_creation_at_one_thread_runs_alone(void **state)
{
	struct bench *bench = *state;
	struct err err = {0};
	control_both(bench, "sessions=1\n");
	bench_ready(bench);
	for (uint64_t i = 10; i < 20; i++) { /* known to be quick: more would be sent ahead */
		assert_true(bench_generate(bench, i, "x", &err));
		bench_expect(bench, i, ERR_NONE);
	}
	assert_true(bench_generate(bench, 1, "hold", &err));
	assert_true(bench_ask(bench, 2, "read", &err));
	bench_settle(bench, 45);
	assert_int_equal(bench_count(bench, 0, "hold"), 1);
	assert_int_equal(bench_count(bench, 0, "read"), 0);
	bench_advance(30000); /* longer than a use of a key may take, less than a creation */
	bench_settle(bench, 50);
	assert_true(token_state(bench->west) == TOKEN_STATE_READY);
}

static void
b14_full_token_still_opens(void **state)
{
	struct bench *bench = *state;
	struct err err = {0};
	bench_ready(bench);
	for (uint64_t i = 1; i <= 20; i++) {
		assert_true(bench_generate(bench, i, "error TokenFull", &err));
		bench_expect(bench, i, ERR_TOKEN_FULL);
	}
	assert_true(token_is_ready(bench->west));
}

/* ---- a socket without room ---- */

static char big[60001];

static const char *
big_order(void)
{
	memset(big, 'b', sizeof(big) - 1);
	return big;
}

static void
requests_wait_for_room_in_the_socket(void **state)
{
	struct bench *bench = *state;
	struct err err = {0};
	control_both(bench, "sessions=9\n");
	bench_ready(bench);
	assert_true(bench_ask(bench, 1, "nap", &err));
	for (uint64_t i = 2; i <= 9; i++)
		assert_true(bench_ask(bench, i, big_order(), &err));
	for (uint64_t i = 1; i <= 9; i++)
		bench_expect(bench, i, ERR_NONE);
	for (uint64_t i = 1; i < 9; i++)
		assert_true(order_of(bench, i) < order_of(bench, i + 1));
}

static void
creation_that_never_reached_the_worker_is_not_of_unknown_outcome(void **state)
{
	struct bench *bench = *state;
	struct err err = {0};
	control_both(bench, "sessions=9\n");
	bench_ready(bench);
	assert_true(bench_ask(bench, 1, "stall", &err));
	for (uint64_t i = 2; i <= 8; i++)
		assert_true(bench_ask(bench, i, big_order(), &err));
	assert_true(bench_generate(bench, 9, "x", &err));
	bench_settle(bench, 40);
	assert_int_equal(bench->delivered, 0);
	bench_advance(10001);
	bench_expect(bench, 1, ERR_UNAVAILABLE);
	bench_expect(bench, 9, ERR_UNAVAILABLE);
}

static void
request_over_the_wires_maximum_is_refused(void **state)
{
	struct bench *bench = *state;
	struct err err = {0};
	static char huge[WIRE_MAX + 1];
	memset(huge, 'h', WIRE_MAX);
	bench_ready(bench);
	assert_false(bench_ask(bench, 1, huge, &err));
	assert_int_equal(err.code, ERR_BAD_PARAMETER);
}

/* ---- cancelling ---- */

static void
cancelled_requests_are_never_delivered(void **state)
{
	struct bench *bench = *state;
	struct err err = {0};
	control_both(bench, "sessions=1\n");
	bench_ready(bench);
	assert_true(bench_ask(bench, 1, "hold", &err));
	assert_true(bench_ask(bench, 2, "waiting", &err));
	bench_settle(bench, 30);
	token_cancel(bench->west, (struct token_ticket){1, 0});
	token_cancel(bench->west, (struct token_ticket){2, 0});
	token_cancel(bench->west, (struct token_ticket){2, 1});
	token_cancel(bench->west, (struct token_ticket){77, 0});
	assert_int_equal(status_of(bench->west).queued, 0);
	bench_advance(10001);
	bench_wait(bench, !token_is_ready(bench->west));
	bench_settle(bench, 45);
	assert_int_equal(bench->delivered, 0);
	assert_int_equal(bench_count(bench, 0, "waiting"), 0);
}

static void
cancel_the_rest(struct bench *bench, const struct bench_delivery *delivery)
{
	for (uint64_t i = 1; i <= 8; i++) {
		if (i != delivery->ticket.op_id)
			token_cancel(bench->west, (struct token_ticket){i, 0});
	}
	struct err err = {0};
	assert_false(bench_ask(bench, 500 + delivery->ticket.op_id, "from a delivery", &err));
}

static void
cancelling_from_a_delivery_of_failures_holds(void **state)
{
	struct bench *bench = *state;
	struct err err = {0};
	control_both(bench, "sessions=8\n");
	bench_ready(bench);
	bench->on_delivery = cancel_the_rest;
	for (uint64_t i = 1; i <= 7; i++)
		assert_true(bench_ask(bench, i, "hold", &err));
	assert_true(bench_ask(bench, 8, "crash", &err));
	bench_wait(bench, bench->delivered > 0);
	bench_settle(bench, 45);
	assert_int_equal(bench->delivered, 1);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_setup, bench_teardown)
	const struct CMUnitTest tests[] = {
		TEST(b03_callers_deadline_times_out_and_the_late_answer_is_dropped),
		TEST(b03_hard_limit_replaces_the_worker),
		TEST(expired_queued_work_is_not_started),
		TEST(work_that_expires_behind_a_slow_one_is_not_started),
		TEST(c23_flood_of_one_caller_does_not_delay_another),
		TEST(b36_creations_go_one_at_a_time_and_reads_pass),
		TEST(b34_creation_at_one_thread_runs_alone),
		TEST(b14_full_token_still_opens),
		TEST(requests_wait_for_room_in_the_socket),
		TEST(creation_that_never_reached_the_worker_is_not_of_unknown_outcome),
		TEST(request_over_the_wires_maximum_is_refused),
		TEST(cancelled_requests_are_never_delivered),
		TEST(cancelling_from_a_delivery_of_failures_holds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
