/* Whose token it is: enrolment, impostors, clones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/clock.h"
#include "support/token_bench.h"

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

static void
assert_refused(struct bench *bench, enum err_code code)
{
	struct err err = {0};
	assert_false(bench_ask(bench, 999999, "x", &err));
	assert_int_equal(err.code, code);
}

static void
new_token_serves_nothing_until_enrolled(void **state)
{
	struct bench *bench = *state;
	struct err err = {0};
	bench_start(bench, false);
	bench_wait(bench, token_state(bench->west) == TOKEN_STATE_NOT_ENROLLED);
	assert_refused(bench, ERR_TOKEN_NOT_ENROLLED);
	assert_int_equal(bench->token[0].ready, 0);
	assert_false(status_of(bench->west).enrolled);

	int64_t deadline_ms = clock_monotonic_ms() + 10000;
	assert_true(
		token_enroll(bench->west, false, (struct token_ticket){5, 0}, deadline_ms, &err));
	assert_false(
		token_enroll(bench->west, false, (struct token_ticket){6, 0}, deadline_ms, &err));
	assert_int_equal(err.code, ERR_CONFLICT);
	bench_expect(bench, 5, ERR_NONE);
	assert_int_equal(bench_find(bench, 5)->type, WIRE_ENROLL);

	assert_true(token_is_ready(bench->west));
	assert_true(bench->token[0].record.spki_len > 0);
	assert_int_equal(bench->token[0].ready, 1);
	assert_true(bench_ask(bench, 7, "x", &err));
	bench_expect(bench, 7, ERR_NONE);
	assert_false(
		token_enroll(bench->west, false, (struct token_ticket){8, 0}, deadline_ms, &err));
	assert_int_equal(err.code, ERR_CONFLICT);
}

static void
b23_token_that_cannot_prove_its_identity_is_refused_for_good(void **state)
{
	struct bench *bench = *state;
	static const char *const lies[] = {"prove=other\n", "prove=old\n"};
	for (unsigned i = 0; i < 2; i++)
		bench_control(bench, i, lies[i]);
	bench_start(bench, true);
	bench_wait(bench, token_state(bench->west) == TOKEN_STATE_REFUSED);
	bench_wait(bench, token_state(bench->east) == TOKEN_STATE_REFUSED);
	assert_refused(bench, ERR_TOKEN_IMPOSTOR);

	control_both(bench, "");
	bench_advance(3600000);
	bench_settle(bench, 600);
	assert_int_equal(bench_count(bench, 0, "start"), 1);
	assert_int_equal(bench->token[0].ready, 0);
}

static void
b23_other_identity_is_refused(void **state)
{
	struct bench *bench = *state;
	bench_start(bench, true);
	/* The catalog remembers another key than the token has. */
	bench->token[0].record = bench->token[1].record;
	memset(&bench->token[1].record, 0, sizeof(bench->token[1].record));
	bench_wait(bench, token_state(bench->west) == TOKEN_STATE_REFUSED);
	assert_refused(bench, ERR_TOKEN_IMPOSTOR);
}

static void
b24_clone_is_not_enrolled(void **state)
{
	struct bench *bench = *state;
	struct err err = {0};
	char from[192], to[192];
	bench_start(bench, true);
	(void)snprintf(from, sizeof(from), "%s/identity.pem", bench->token[0].dir);
	(void)snprintf(to, sizeof(to), "%s/identity.pem", bench->token[1].dir);
	assert_int_equal(unlink(to), 0);
	assert_int_equal(link(from, to), 0);
	memset(&bench->token[1].record, 0, sizeof(bench->token[1].record));
	bench_wait(bench, token_state(bench->east) == TOKEN_STATE_NOT_ENROLLED);
	bench_wait(bench, token_is_ready(bench->west));

	int64_t deadline_ms = clock_monotonic_ms() + 10000;
	assert_true(
		token_enroll(bench->east, false, (struct token_ticket){5, 0}, deadline_ms, &err));
	bench_expect(bench, 5, ERR_TOKEN_IMPOSTOR);
	bench_wait(bench, token_state(bench->east) == TOKEN_STATE_REFUSED);
	assert_int_equal(bench->token[1].record.spki_len, 0);
	assert_true(token_is_ready(bench->west));
}

static void
b24_two_tokens_of_one_recorded_identity_are_not_both_used(void **state)
{
	struct bench *bench = *state;
	bench_start(bench, true);
	bench->token[1].record = bench->token[0].record;
	bench_wait(bench, token_state(bench->east) == TOKEN_STATE_REFUSED);
	assert_int_equal(status_of(bench->east).last_error.code, ERR_TOKEN_IMPOSTOR);
	assert_int_equal(bench_count(bench, 1, "start"), 0);
}

static void
b39_token_that_lost_an_algorithm_makes_no_keys_until_that_is_accepted(void **state)
{
	struct bench *bench = *state;
	struct err err = {0};
	bench_start(bench, false);
	bench_wait(bench, token_state(bench->west) == TOKEN_STATE_NOT_ENROLLED);
	int64_t deadline_ms = clock_monotonic_ms() + 200000;
	assert_true(
		token_enroll(bench->west, false, (struct token_ticket){1, 0}, deadline_ms, &err));
	bench_expect(bench, 1, ERR_NONE);
	assert_true(bench_generate(bench, 2, "x", &err));
	bench_expect(bench, 2, ERR_NONE);

	bench_control(bench, 0, "capabilities=less\n"); /* the module was upgraded */
	assert_true(bench_ask(bench, 3, "crash", &err));
	bench_expect(bench, 3, ERR_UNAVAILABLE);
	bench_advance(1000);
	bench_wait(bench, token_is_ready(bench->west));
	assert_false(bench_generate(bench, 4, "x", &err));
	assert_int_equal(err.code, ERR_TOKEN_REDUCED);
	assert_non_null(strstr(err.message, "RSA-OAEP-256"));
	assert_string_equal(status_of(bench->west).detail, err.message);
	assert_true(bench_ask(bench, 5, "still opens", &err));
	bench_expect(bench, 5, ERR_NONE);

	assert_true(
		token_enroll(bench->west, false, (struct token_ticket){6, 0}, deadline_ms, &err));
	bench_expect(bench, 6, ERR_NONE);
	assert_true(bench_generate(bench, 7, "x", &err));
	bench_expect(bench, 7, ERR_NONE);
	assert_string_equal(status_of(bench->west).detail, "");
	assert_false(
		token_enroll(bench->west, false, (struct token_ticket){8, 0}, deadline_ms, &err));
	assert_int_equal(err.code, ERR_CONFLICT);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_setup, bench_teardown)
	const struct CMUnitTest tests[] = {
		TEST(new_token_serves_nothing_until_enrolled),
		TEST(b23_token_that_cannot_prove_its_identity_is_refused_for_good),
		TEST(b23_other_identity_is_refused),
		TEST(b24_clone_is_not_enrolled),
		TEST(b39_token_that_lost_an_algorithm_makes_no_keys_until_that_is_accepted),
		TEST(b24_two_tokens_of_one_recorded_identity_are_not_both_used),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
