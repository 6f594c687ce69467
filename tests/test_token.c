/* The life of a token: its worker starts, is replaced, and stops. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "custodyd/options.h"
#include "support/token_bench.h"

static struct token_status
status_of(const struct token *token)
{
	struct token_status status;
	token_status_get(token, &status);
	return status;
}

static void
assert_refused(struct bench *bench, enum err_code code)
{
	struct err err = {0};
	assert_false(bench_ask(bench, 999999, "x", &err));
	assert_int_equal(err.code, code);
}

/* ---- starting ---- */

static void
enrolled_token_gets_ready_and_shows_what_it_is(void **state)
{
	struct bench *bench = *state;
	bench_start(bench, true);
	assert_string_equal(status_of(bench->west).state, "starting");
	assert_refused(bench, ERR_UNAVAILABLE);
	bench_wait(bench, token_is_ready(bench->west));

	struct token_status status = status_of(bench->west);
	assert_string_equal(status.name, "west");
	assert_string_equal(status.region, "us-west");
	assert_string_equal(status.state, "ready");
	assert_string_equal(status.detail, "");
	assert_string_equal(status.label, "fake");
	assert_string_equal(status.manufacturer, "Custody?tests");
	assert_true(status.enrolled);
	assert_int_equal(strlen(status.identity), 64);
	assert_true(status.worker.pid > 0);
	assert_int_equal(status.worker.restarts, 0);
	assert_int_equal(status.sessions, 2);
	assert_int_equal(status.objects_ours, 3);
	assert_int_equal(status.objects_foreign, 1);
	assert_string_equal(status.breaker, "closed");
	assert_false(status.flapping);
	assert_int_equal(status.reduced_count, 2);
	assert_string_equal(status.reduced[1], "modifiable");
	assert_int_equal(status.algorithm_count, 1);
	assert_string_equal(status.algorithms[0].alg, "RSA-OAEP-256");
	assert_string_equal(status.algorithms[0].operations, "decrypt unwrapKey");
	assert_int_equal(status.attribute_count, 1);
	assert_string_equal(status.attributes[0].name, "copyable");
	assert_int_equal(bench->token[0].ready, 1);
	assert_int_equal(bench->token[0].accepted, 0);
}

static void
request_is_answered_once_from_the_loop(void **state)
{
	struct bench *bench = *state;
	struct err err = {0};
	bench_ready(bench);

	assert_true(bench_ask(bench, 1, "hello", &err));
	assert_int_equal(bench->delivered, 0);
	bench_expect(bench, 1, ERR_NONE);
	assert_string_equal(bench_find(bench, 1)->data, "hello");
	bench_settle(bench, 45);
	assert_int_equal(bench->delivered, 1);
}

static void
b35_daemon_starts_when_no_worker_can(void **state)
{
	struct bench *bench = *state;
	bench->worker = "/nonexistent/custody-token";
	bench_start(bench, true);
	bench_wait(bench, token_state(bench->west) == TOKEN_STATE_UNAVAILABLE);

	assert_refused(bench, ERR_UNAVAILABLE);
	for (int i = 0; i < 6; i++) {
		bench_advance(60000);
		bench_settle(bench, 45);
	}
	struct token_status status = status_of(bench->west);
	assert_string_equal(status.state, "unavailable");
	assert_int_not_equal(status.last_error.code, ERR_NONE);
	assert_int_equal(status.worker.pid, 0);
}

static void
b04_start_step_that_hangs_is_ended_and_tried_again(void **state)
{
	struct bench *bench = *state;
	bench_control(bench, 0, "start=hang\n");
	bench_start(bench, true);
	bench_wait(bench, strcmp(status_of(bench->west).worker.step, "find token") == 0);
	bench_wait(bench, token_is_ready(bench->east));
	bench_advance(19000);
	bench_settle(bench, 50);
	assert_string_equal(status_of(bench->west).state, "starting");

	bench_advance(1001);
	bench_wait(bench, token_state(bench->west) == TOKEN_STATE_UNAVAILABLE);
	assert_int_equal(status_of(bench->west).last_error.code, ERR_TIMEOUT);
	bench_control(bench, 0, "");
	bench_advance(60000);
	bench_wait(bench, token_is_ready(bench->west));
	assert_int_equal(bench_count(bench, 0, "start"), 2);
}

static void
b18_crashing_start_is_tried_less_and_less(void **state)
{
	struct bench *bench = *state;
	bench_control(bench, 0, "start=crash\n");
	bench_start(bench, true);
	for (int i = 0; i < 60; i++) { /* a minute in steps of a second */
		bench_advance(1000);
		bench_settle(bench, 12);
	}

	unsigned starts = bench_count(bench, 0, "start");
	assert_in_range(starts, 3, 14);
	assert_true(status_of(bench->west).flapping);
	assert_true(token_is_ready(bench->east));
}

static void
record_that_cannot_be_loaded_is_tried_again(void **state)
{
	struct bench *bench = *state;
	bench->load_fails = true;
	bench_start(bench, true);
	bench_wait(bench, token_state(bench->west) == TOKEN_STATE_UNAVAILABLE);
	assert_refused(bench, ERR_STORAGE);
	assert_int_equal(bench_count(bench, 0, "start"), 0);

	bench->load_fails = false;
	bench_advance(60000);
	bench_wait(bench, token_is_ready(bench->west));
}

static void
b37_environment_is_empty_but_for_the_allowed(void **state)
{
	struct bench *bench = *state;
	assert_int_equal(setenv("TOKEN_TEST_ALLOWED", "yes", 1), 0);
	assert_int_equal(setenv("TOKEN_TEST_SECRET", "no", 1), 0);
	bench->env = "TOKEN_TEST_ALLOWED TOKEN_TEST_SET=here TOKEN_TEST_ABSENT";
	bench_ready(bench);

	assert_int_equal(bench_count(bench, 0, "env TOKEN_TEST_ALLOWED=yes"), 1);
	assert_int_equal(bench_count(bench, 0, "env TOKEN_TEST_SET=here"), 1);
	assert_int_equal(bench_count(bench, 0, "env OPENSSL_CONF=/dev/null"), 1);
	assert_false(bench_journal_has(bench, 0, "env TOKEN_TEST_SECRET"));
	assert_false(bench_journal_has(bench, 0, "env TOKEN_TEST_ABSENT"));
	assert_false(bench_journal_has(bench, 0, "env PATH"));
}

/* ---- successors ---- */

static void
b32_worker_that_grew_is_replaced_and_nothing_is_lost(void **state)
{
	struct bench *bench = *state;
	struct err err = {0};
	bench->recycle_memory = 1000;
	bench_ready(bench);
	bench_settle(bench, 50);
	int64_t old_pid = status_of(bench->west).worker.pid;
	bench_advance(5000);
	assert_true(bench_ask(bench, 1, "hold", &err));
	bench_settle(bench, 20);
	bench_control(bench, 0, "rss=5000\n");
	bench_advance(5000); /* the ping is due, the held one not over its limit */
	bench_wait(bench, bench_count(bench, 0, "start") == 2);
	bench_control(bench, 0, "");
	bench_wait(bench, status_of(bench->west).worker.pid != old_pid);

	assert_true(token_is_ready(bench->west));
	assert_null(bench_find(bench, 1)); /* the old worker still has it */
	assert_int_equal(status_of(bench->west).in_flight, 1);
	assert_true(bench_ask(bench, 2, "new", &err));
	bench_expect(bench, 2, ERR_NONE);
	token_cancel(bench->west, (struct token_ticket){1, 0});
	assert_int_equal(bench->token[0].ready, 2);
	assert_int_equal(status_of(bench->west).worker.restarts, 1);
}

static void
b32_without_room_for_two_the_successor_comes_after(void **state)
{
	struct bench *bench = *state;
	struct err err = {0};
	bench->recycle_memory = 1000;
	bench_ready(bench);
	bench_settle(bench, 50);
	bench_advance(5000);
	assert_true(bench_ask(bench, 1, "hold", &err));
	bench_settle(bench, 20);
	bench_control(bench, 0, "rss=5000\nstart=error ServiceUnavailable\n");
	bench_advance(5000);
	bench_wait(bench, bench_count(bench, 0, "start") == 2);
	bench_settle(bench, 100);
	assert_true(bench_ask(bench, 2, "waits for the successor", &err));
	bench_settle(bench, 45);
	assert_int_equal(bench_count(bench, 0, "waits for the successor"), 0);
	bench_control(bench, 0, "");
	token_cancel(bench->west, (struct token_ticket){1, 0});
	bench_advance(5001); /* "hold" runs into its limit; the worker was to leave anyway */

	bench_wait(bench, bench_count(bench, 0, "start") == 3);
	bench_wait(bench, token_is_ready(bench->west));
	bench_expect(bench, 2, ERR_NONE);
}

static void
b32_worker_that_served_long_is_replaced(void **state)
{
	struct bench *bench = *state;
	struct err err = {0};
	bench->recycle_operations = 20; /* the start's own messages are a few of them */
	bench_ready(bench);
	bench_settle(bench, 50);
	int64_t old_pid = status_of(bench->west).worker.pid;
	for (uint64_t op = 1; op <= 20; op++) {
		assert_true(bench_ask(bench, op, "work", &err));
		bench_expect(bench, op, ERR_NONE);
	}
	assert_int_equal(status_of(bench->west).worker.pid, old_pid);
	bench_advance(10000);
	bench_wait(bench, status_of(bench->west).worker.pid != old_pid);

	assert_true(token_is_ready(bench->west));
	assert_int_equal(status_of(bench->west).worker.restarts, 1);
}

static void
b33_idle_token_is_pinged_as_the_options_say(void **state)
{
	struct bench *bench = *state;
	struct err err = {0};
	bench->idle_ping = 40000;
	bench_ready(bench);
	bench_settle(bench, 50);
	bench_advance(39000);
	bench_settle(bench, 600);
	assert_int_equal(bench_count(bench, 0, "ping"), 0);
	bench_advance(1000);
	bench_wait(bench, bench_count(bench, 0, "ping") == 1);

	/* one at work is looked after more often, whatever the idle time is */
	bench_settle(bench, 50);
	assert_true(bench_ask(bench, 1, "work", &err));
	bench_expect(bench, 1, ERR_NONE);
	bench_advance(10000);
	bench_wait(bench, bench_count(bench, 0, "ping") == 2);
}

static void
reload_with_another_pin_source_brings_a_successor(void **state)
{
	struct bench *bench = *state;
	struct options_token sections[BENCH_TOKENS_MAX];
	struct options options;
	bench_ready(bench);
	bench_options(bench, sections, &options);
	tokens_reload(bench->tokens, &options);
	bench_settle(bench, 100);
	assert_int_equal(bench_count(bench, 0, "start"), 1);

	bench->pin_source = "file:/dev/zero";
	bench_options(bench, sections, &options);
	tokens_reload(bench->tokens, &options);
	assert_true(token_is_ready(bench->west));
	bench_wait(bench, bench->token[0].ready == 2);
	assert_int_equal(bench_count(bench, 0, "start"), 2);
	assert_int_equal(bench_count(bench, 1, "start"), 1);
}

/* ---- stopping ---- */

static void
note_stopped(void *ctx)
{
	struct bench *bench = ctx;
	bench->stopped = true;
}

static void
stop_lets_running_work_end_and_takes_no_more(void **state)
{
	struct bench *bench = *state;
	struct err err = {0};
	bench_ready(bench);
	assert_true(bench_ask(bench, 1, "hold", &err));
	assert_true(bench_ask(bench, 2, "release", &err));
	tokens_stop(bench->tokens, 5000, note_stopped, bench);
	assert_refused(bench, ERR_SHUTTING_DOWN);
	bench_wait(bench, bench->stopped);
	bench_expect(bench, 1, ERR_NONE);
	bench_expect(bench, 2, ERR_NONE);
	assert_string_equal(status_of(bench->west).state, "stopped");
}

static void
b05_stop_is_bounded_by_its_limit(void **state)
{
	struct bench *bench = *state;
	struct err err = {0};
	bench_ready(bench);
	assert_true(bench_ask(bench, 1, "eof", &err)); /* its process lingers */
	assert_true(bench_ask_as(bench, bench->east, 1000, 2, "mute", 60000, &err));
	bench_settle(bench, 40);
	tokens_stop(bench->tokens, 5000, note_stopped, bench);
	bench_settle(bench, 45);
	assert_false(bench->stopped);
	bench_advance(5001);
	bench_wait(bench, bench->stopped);
	bench_expect(bench, 2, ERR_UNAVAILABLE);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_setup, bench_teardown)
	const struct CMUnitTest tests[] = {
		TEST(enrolled_token_gets_ready_and_shows_what_it_is),
		TEST(request_is_answered_once_from_the_loop),
		TEST(b35_daemon_starts_when_no_worker_can),
		TEST(b04_start_step_that_hangs_is_ended_and_tried_again),
		TEST(b18_crashing_start_is_tried_less_and_less),
		TEST(record_that_cannot_be_loaded_is_tried_again),
		TEST(b37_environment_is_empty_but_for_the_allowed),
		TEST(b32_worker_that_grew_is_replaced_and_nothing_is_lost),
		TEST(b32_without_room_for_two_the_successor_comes_after),
		TEST(b32_worker_that_served_long_is_replaced),
		TEST(b33_idle_token_is_pinged_as_the_options_say),
		TEST(reload_with_another_pin_source_brings_a_successor),
		TEST(stop_lets_running_work_end_and_takes_no_more),
		TEST(b05_stop_is_bounded_by_its_limit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
