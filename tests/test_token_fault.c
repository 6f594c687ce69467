/* Tokens that fail: workers that crash, lie and hang, and what callers see of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <string.h>

#include "base/attr.h"
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

/* ---- crashes ---- */

static void
b01_crash_fails_what_ran_and_the_token_comes_back(void **state)
{
	struct bench *bench = *state;
	struct err err = {0};
	bench_ready(bench);
	assert_true(bench_ask(bench, 1, "hold", &err));
	assert_true(bench_ask(bench, 2, "crash", &err));
	bench_expect(bench, 1, ERR_UNAVAILABLE);
	bench_expect(bench, 2, ERR_UNAVAILABLE);
	assert_false(token_is_ready(bench->west));
	assert_true(token_is_ready(bench->east));
	assert_refused(bench, ERR_UNAVAILABLE);

	bench_advance(200);
	bench_wait(bench, token_is_ready(bench->west));
	assert_int_equal(bench->token[0].ready, 2);
	assert_true(bench_ask(bench, 3, "again", &err));
	bench_expect(bench, 3, ERR_NONE);
}

static void
lost_creation_is_of_unknown_outcome(void **state)
{
	struct bench *bench = *state;
	struct err err = {0};
	bench_ready(bench);
	assert_true(bench_generate(bench, 1, "hold", &err));
	assert_true(bench_generate(bench, 2, "waits", &err));
	bench_settle(bench, 40);
	assert_true(bench_ask(bench, 3, "crash", &err));

	bench_expect(bench, 1, ERR_OUTCOME_UNKNOWN);
	bench_expect(bench, 2, ERR_UNAVAILABLE); /* was never sent */
	assert_int_equal(bench_count(bench, 0, "waits"), 0);
}

static void
b02_poison_is_barred_after_two_crashes(void **state)
{
	struct bench *bench = *state;
	struct err err = {0};
	bench_ready(bench);
	assert_true(bench_ask(bench, 1, "hold", &err));
	assert_true(bench_ask(bench, 2, "crash", &err));
	bench_expect(bench, 2, ERR_UNAVAILABLE);
	/* Failover: the same input at the other token. It runs alone there, so nobody else is suspected again. */
	assert_true(bench_ask_as(bench, bench->east, 1000, 3, "hold", 60000, &err));
	assert_true(bench_ask_as(bench, bench->east, 1000, 4, "crash", 60000, &err));
	bench_settle(bench, 45);
	assert_int_equal(bench_count(bench, 1, "crash"), 0);
	token_cancel(bench->east, (struct token_ticket){3, 0});
	bench_advance(10001); /* "hold" is never answered: the hard limit */
	bench_wait(bench, bench_find(bench, 4) != NULL);
	bench_advance(60000);
	bench_wait(bench, token_is_ready(bench->east) && token_is_ready(bench->west));

	assert_true(bench_ask_as(bench, bench->east, 1000, 5, "crash", 60000, &err));
	bench_expect(bench, 5, ERR_UNAVAILABLE);
	bench_advance(60000);
	bench_wait(bench, token_is_ready(bench->east));
	assert_false(bench_ask_as(bench, bench->east, 1000, 6, "crash", 60000, &err));
	assert_int_equal(err.code, ERR_UNAVAILABLE);
	assert_false(bench_ask(bench, 7, "crash", &err));
	assert_int_equal(bench_count(bench, 0, "crash") + bench_count(bench, 1, "crash"), 2);
	/* Others are served; the caller may keep little in flight. */
	assert_true(bench_ask_as(bench, bench->west, 2000, 8, "fine", 60000, &err));
	bench_expect(bench, 8, ERR_NONE);
	assert_true(bench_ask(bench, 9, "mute", &err));
	assert_true(bench_ask(bench, 10, "mute", &err));
	assert_false(bench_ask(bench, 11, "mute", &err));
	assert_int_equal(err.code, ERR_THROTTLED);
}

static void
b02_bystander_of_a_crash_is_acquitted_when_it_ends_well(void **state)
{
	struct bench *bench = *state;
	static const char *const poisons[] = {"crash a", "crash b", "crash c"};
	struct err err = {0};
	bench_ready(bench);
	for (uint64_t i = 0; i < ARRAY_LEN(poisons); i++) {
		bench_control(bench, 0, "maybe=hold\n");
		assert_true(bench_ask(bench, 10 * i + 1, "maybe", &err));
		assert_true(bench_ask(bench, 10 * i + 2, poisons[i], &err));
		bench_expect(bench, 10 * i + 1, ERR_UNAVAILABLE);
		bench_control(bench, 0, "");
		bench_advance(60000);
		bench_wait(bench, token_is_ready(bench->west));
		assert_true(bench_ask(bench, 10 * i + 3, "maybe", &err));
		bench_expect(bench, 10 * i + 3, ERR_NONE);
	}
}

static void
b02_one_death_counts_once_against_what_was_asked_twice(void **state)
{
	struct bench *bench = *state;
	struct err err = {0};
	bench_ready(bench);
	bench_control(bench, 0, "maybe=hold\n");
	assert_true(bench_ask(bench, 1, "maybe", &err));
	assert_true(bench_ask(bench, 2, "maybe", &err));
	bench_wait(bench, bench_count(bench, 0, "maybe") == 2);
	assert_int_equal(kill((pid_t)status_of(bench->west).worker.pid, SIGKILL), 0);
	bench_expect(bench, 1, ERR_UNAVAILABLE);
	bench_expect(bench, 2, ERR_UNAVAILABLE);
	assert_true(bench_ask_as(bench, bench->east, 1000, 3, "maybe", 60000, &err));
	bench_expect(bench, 3, ERR_NONE);
}

static void
crash_in_a_launch_leaves_creations_possible(void **state)
{
	struct bench *bench = *state;
	struct err err = {0};
	bench_control(bench, 0, "capabilities=crash\n");
	bench_start(bench, true);
	bench_wait(bench, token_state(bench->west) == TOKEN_STATE_UNAVAILABLE);
	bench_control(bench, 0, "");
	bench_advance(60000);
	bench_wait(bench, token_is_ready(bench->west));

	assert_true(bench_generate(bench, 1, "x", &err));
	bench_expect(bench, 1, ERR_NONE);
}

static void
a23_nonsense_ends_the_worker_never_the_daemon(void **state)
{
	struct bench *bench = *state;
	static const char *const orders[] = {"junk", "type", "foreign", "short", "twice", "eof"};
	struct err err = {0};
	bench_ready(bench);
	for (unsigned i = 0; i < ARRAY_LEN(orders); i++) {
		print_message("%s\n", orders[i]);
		assert_true(bench_ask(bench, i + 1, orders[i], &err));
		bool good = strcmp(orders[i], "twice") == 0;
		bool ours = strcmp(orders[i], "short") == 0;
		bench_expect(bench, i + 1, good ? ERR_NONE : ours ? ERR_INTERNAL : ERR_UNAVAILABLE);
		bench_wait(bench, !token_is_ready(bench->west));
		bench_advance(60000);
		bench_wait(bench, token_is_ready(bench->west));
	}
	assert_int_equal(bench->delivered, ARRAY_LEN(orders));
	assert_int_equal(status_of(bench->west).worker.restarts, ARRAY_LEN(orders));
}

static void
b31_output_of_the_module_is_harmless(void **state)
{
	struct bench *bench = *state;
	struct err err = {0};
	bench_ready(bench);
	assert_true(bench_ask(bench, 1, "spam", &err));
	bench_expect(bench, 1, ERR_NONE);
	bench_settle(bench, 20);
}

/* ---- health ---- */

static void
a16_bad_ciphertexts_never_open_the_breaker(void **state)
{
	struct bench *bench = *state;
	struct err err = {0};
	bench_ready(bench);
	for (uint64_t i = 1; i <= 100; i++) {
		assert_true(bench_ask(bench, i, "error BadCiphertext", &err));
		bench_expect(bench, i, ERR_BAD_CIPHERTEXT);
	}
	assert_true(token_is_ready(bench->west));
}

static void
failures_open_the_breaker_and_a_probe_closes_it(void **state)
{
	struct bench *bench = *state;
	struct err err = {0};
	bench_ready(bench);
	bench_control(bench, 0, "ping=error ServiceUnavailable\n");
	for (uint64_t i = 1; i <= 5; i++) {
		assert_true(bench_ask(bench, i, "error ServiceUnavailable", &err));
		bench_expect(bench, i, ERR_UNAVAILABLE);
	}
	assert_string_equal(status_of(bench->west).breaker, "open");
	assert_false(token_is_ready(bench->west));
	assert_refused(bench, ERR_UNAVAILABLE);
	bench_advance(1000);
	bench_settle(bench, 50);
	assert_string_equal(status_of(bench->west).breaker, "open");

	bench_control(bench, 0, "");
	bench_advance(60000);
	bench_wait(bench, token_is_ready(bench->west));
	assert_int_equal(status_of(bench->west).worker.restarts, 0);
	assert_true(bench_ask(bench, 9, "x", &err));
	bench_expect(bench, 9, ERR_NONE);
}

static void
b13_worker_without_memory_is_replaced_once_then_it_is_the_breakers(void **state)
{
	struct bench *bench = *state;
	struct err err = {0};
	bench_ready(bench);
	assert_true(bench_ask(bench, 1, "error NoMemory", &err));
	bench_expect(bench, 1, ERR_NO_MEMORY);
	bench_wait(bench, bench->token[0].ready == 2);
	assert_true(token_is_ready(bench->west));
	bench_settle(bench, 100);

	for (uint64_t i = 2; i <= 6; i++) {
		assert_true(bench_ask(bench, i, "error NoMemory", &err));
		bench_expect(bench, i, ERR_NO_MEMORY);
	}
	assert_string_equal(status_of(bench->west).breaker, "open");
	assert_int_equal(bench_count(bench, 0, "start"), 2);
}

static void
b06_probes_that_keep_failing_bring_another_worker(void **state)
{
	struct bench *bench = *state;
	struct err err = {0};
	bench_ready(bench);
	bench_control(bench, 0, "ping=error ServiceUnavailable\n");
	for (uint64_t i = 1; i <= 5; i++) {
		assert_true(bench_ask(bench, i, "error ServiceUnavailable", &err));
		bench_expect(bench, i, ERR_UNAVAILABLE);
	}
	for (int i = 0; i < 3; i++) {
		bench_advance(60000);
		bench_settle(bench, 50);
	}
	bench_control(bench, 0, "");
	bench_advance(60000);
	bench_wait(bench, token_is_ready(bench->west));
	assert_int_equal(status_of(bench->west).worker.restarts, 1);
}

static void
b33_idle_worker_that_hangs_is_found_by_the_ping(void **state)
{
	struct bench *bench = *state;
	bench_ready(bench);
	bench_settle(bench, 45);
	bench_control(bench, 0, "ping=hang\n");
	bench_advance(10000);
	bench_settle(bench, 600);
	bench_control(bench, 0, "");
	bench_advance(10001);
	bench_wait(bench, !token_is_ready(bench->west));
	bench_advance(1000);
	bench_wait(bench, token_is_ready(bench->west));
	assert_int_equal(status_of(bench->west).worker.restarts, 1);
}

static void
latency_is_learnt_by_kind(void **state)
{
	struct bench *bench = *state;
	struct err err = {0};
	bench_ready(bench);
	assert_int_equal(token_latency_us(bench->west, LATENCY_RSA_4096, 95), 0);
	for (uint64_t i = 1; i <= 10; i++) {
		assert_true(bench_ask(bench, i, "x", &err));
		bench_expect(bench, i, ERR_NONE);
	}
	assert_true(token_latency_us(bench->west, LATENCY_RSA_4096, 95) > 0);
	assert_int_equal(token_latency_us(bench->west, LATENCY_AES, 95), 0);
	assert_true(status_of(bench->west).decrypt_us > 0);

	int64_t idle_us = token_load_us(bench->west, LATENCY_RSA_4096);
	assert_true(token_is_idle(bench->west));
	for (uint64_t i = 11; i < 21; i++)
		assert_true(bench_ask(bench, i, "mute", &err));
	assert_false(token_is_idle(bench->west));
	assert_true(token_load_us(bench->west, LATENCY_RSA_4096) > 3 * idle_us);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_setup, bench_teardown)
	const struct CMUnitTest tests[] = {
		TEST(b01_crash_fails_what_ran_and_the_token_comes_back),
		TEST(lost_creation_is_of_unknown_outcome),
		TEST(b02_poison_is_barred_after_two_crashes),
		TEST(b02_bystander_of_a_crash_is_acquitted_when_it_ends_well),
		TEST(b02_one_death_counts_once_against_what_was_asked_twice),
		TEST(crash_in_a_launch_leaves_creations_possible),
		TEST(a23_nonsense_ends_the_worker_never_the_daemon),
		TEST(b31_output_of_the_module_is_harmless),
		TEST(a16_bad_ciphertexts_never_open_the_breaker),
		TEST(failures_open_the_breaker_and_a_probe_closes_it),
		TEST(b13_worker_without_memory_is_replaced_once_then_it_is_the_breakers),
		TEST(b06_probes_that_keep_failing_bring_another_worker),
		TEST(b33_idle_worker_that_hangs_is_found_by_the_ping),
		TEST(latency_is_learnt_by_kind),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
