/* The PIN's side of a token: refused once and never again, typed by a person, found to be locked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "support/token_bench.h"

static enum err_code
reason_of(struct bench *bench)
{
	struct err err = {0};
	assert_false(bench_ask(bench, 999999, "x", &err));
	return err.code;
}

static void
write_pin(const struct bench *bench, const char *pin, char path[static 192])
{
	(void)snprintf(path, 192, "%s/pin", bench->token[1].dir);
	FILE *file = fopen(path, "we");
	assert_non_null(file);
	assert_true(fputs(pin, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void
b11_refused_pin_is_tried_once_until_the_file_changes(void **state)
{
	struct bench *bench = *state;
	char path[192], source[200];
	write_pin(bench, "wrong\n", path);
	(void)snprintf(source, sizeof(source), "file:%s", path);
	bench->pin_source = source;
	bench_control(bench, 0, "start=pin\npin=A\n");
	bench_start(bench, true);
	bench_wait(bench, token_state(bench->west) == TOKEN_STATE_REFUSED);

	assert_int_equal(reason_of(bench), ERR_PIN_REFUSED);
	assert_int_equal(bench->token[0].refused, 1);
	assert_int_equal(bench->token[0].record.pin_digest[0], 'A');
	bench_advance(86400000);
	bench_settle(bench, 600);
	assert_int_equal(bench_count(bench, 0, "start"), 1);

	write_pin(bench, "right this time\n", path);
	bench_control(bench, 0, "");
	bench_wait(bench, token_is_ready(bench->west));
	assert_int_equal(bench->token[0].accepted, 1);
	assert_false(bench->token[0].record.pin_refused);
}

static void
b11_restarted_daemon_does_not_try_a_refused_pin(void **state)
{
	struct bench *bench = *state;
	bench_control(bench, 0, "start=pin\npin=A\n");
	bench->token[0].record.pin_refused = true;
	memset(bench->token[0].record.pin_digest, 'A', TOKEN_PIN_DIGEST);
	bench_start(bench, true);
	bench_wait(bench, token_state(bench->west) == TOKEN_STATE_REFUSED);

	assert_int_equal(reason_of(bench), ERR_PIN_REFUSED);
	assert_int_equal(bench_count(bench, 0, "login"), 0);
	assert_int_equal(bench->token[0].refused, 0);
}

static void
b11_source_that_cannot_be_watched_is_read_again_slowly(void **state)
{
	struct bench *bench = *state;
	bench->pin_source = "command:/bin/true";
	bench_control(bench, 0, "start=pin\npin=A\n");
	bench_start(bench, true);
	bench_wait(bench, token_state(bench->west) == TOKEN_STATE_REFUSED);
	for (int i = 0; i < 3; i++) {
		bench_advance(299000);
		bench_settle(bench, 20);
		bench_advance(1001);
		bench_wait(bench, bench_count(bench, 0, "start") == (unsigned)i + 2);
		bench_wait(bench, token_state(bench->west) == TOKEN_STATE_REFUSED);
	}
	assert_int_equal(bench_count(bench, 0, "login"), 1);

	bench_control(bench, 0, "start=pin\npin=B\n");
	bench_advance(300001);
	bench_wait(bench, bench->token[0].refused == 2);
	assert_int_equal(bench_count(bench, 0, "login"), 2);
}

static void
b11_corrected_credential_heals_by_itself(void **state)
{
	struct bench *bench = *state;
	char path[192];
	write_pin(bench, "wrong\n", path);
	assert_int_equal(setenv("CREDENTIALS_DIRECTORY", bench->token[1].dir, 1), 0);
	bench->pin_source = "credential:pin";
	bench_control(bench, 0, "start=pin\npin=A\n");
	bench_start(bench, true);
	bench_wait(bench, token_state(bench->west) == TOKEN_STATE_REFUSED);
	bench_advance(86400000);
	bench_settle(bench, 600);
	assert_int_equal(bench_count(bench, 0, "start"), 1);

	write_pin(bench, "right this time\n", path);
	bench_control(bench, 0, "");
	bench_wait(bench, token_is_ready(bench->west));
	assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
}

static void
b12_locked_pin_is_left_alone(void **state)
{
	struct bench *bench = *state;
	bench_control(bench, 0, "start=error PinLocked\n");
	bench_start(bench, true);
	bench_wait(bench, token_state(bench->west) == TOKEN_STATE_REFUSED);
	bench_wait(bench, token_is_ready(bench->east));

	assert_int_equal(reason_of(bench), ERR_PIN_LOCKED);
	bench_advance(86400000);
	bench_settle(bench, 600);
	assert_int_equal(bench_count(bench, 0, "start"), 1);
	assert_int_equal(bench_count(bench, 0, "login"), 0);
}

/* ---- the login socket ---- */

static int
connect_login(struct bench *bench)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/s.login-west", bench->dir);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

/* The peer's one line; the loop turns until it comes. */
static void
expect_line(struct bench *bench, int fd, const char *start)
{
	char line[512] = {0};
	ssize_t got = -1;
	for (int i = 0; i < 200 && got < 0; i++) {
		loop_turn(bench->loop, 10);
		got = recv(fd, line, sizeof(line) - 1, MSG_DONTWAIT);
	}
	assert_true(got > 0);
	assert_memory_equal(line, start, strlen(start));
	assert_int_equal(line[got - 1], '\n');
}

static void
start_asking(struct bench *bench)
{
	bench->pin_source = "ask";
	bench_control(bench, 0, "start=login\n");
	bench_start(bench, true);
	bench_wait(bench, token_state(bench->west) == TOKEN_STATE_LOGIN_NEEDED);
}

static void
person_logs_in(void **state)
{
	struct bench *bench = *state;
	start_asking(bench);
	assert_int_equal(reason_of(bench), ERR_PIN_NEEDED);
	int fd = connect_login(bench);
	assert_int_equal(send(fd, "1234\n", 5, 0), 5);

	expect_line(bench, fd, "ok");
	bench_wait(bench, token_is_ready(bench->west));
	assert_int_equal(close(fd), 0);
	fd = connect_login(bench);
	expect_line(bench, fd, "error Conflict ");
	assert_int_equal(close(fd), 0);
}

static void
wrong_pin_can_be_corrected(void **state)
{
	struct bench *bench = *state;
	start_asking(bench);
	int fd = connect_login(bench);
	assert_int_equal(send(fd, "9999\n", 5, 0), 5);
	expect_line(bench, fd, "error PinRefused ");
	assert_int_equal(close(fd), 0);
	bench_wait(bench, bench->token[0].refused == 1);
	assert_true(token_state(bench->west) == TOKEN_STATE_LOGIN_NEEDED);

	fd = connect_login(bench);
	assert_int_equal(send(fd, "1234\n", 5, 0), 5);
	bench_wait(bench, token_is_ready(bench->west));
	assert_int_equal(bench->token[0].accepted, 1);
	assert_int_equal(close(fd), 0);
}

static void
only_who_may_logs_in_and_one_at_a_time(void **state)
{
	struct bench *bench = *state;
	start_asking(bench);
	bench->may_login = false;
	int stranger = connect_login(bench);
	expect_line(bench, stranger, "error AccessDenied ");
	assert_int_equal(close(stranger), 0);

	bench->may_login = true;
	int slow = connect_login(bench);
	bench_settle(bench, 40);
	int second = connect_login(bench);
	expect_line(bench, second, "error Conflict ");
	assert_int_equal(close(second), 0);
	assert_int_equal(send(slow, "1234\n", 5, 0), 5);
	bench_wait(bench, token_is_ready(bench->west));
	assert_int_equal(close(slow), 0);
}

static void
b04_person_has_time_but_the_token_has_a_deadline(void **state)
{
	struct bench *bench = *state;
	start_asking(bench);
	int fd = connect_login(bench);
	struct token_status status;
	do {
		loop_turn(bench->loop, 10);
		token_status_get(bench->west, &status);
	} while (strcmp(status.worker.step, "wait for PIN") != 0);
	bench_advance(200000);
	bench_settle(bench, 50);
	assert_true(token_state(bench->west) == TOKEN_STATE_LOGIN_NEEDED);

	assert_int_equal(send(fd, "hang\n", 5, 0), 5);
	bench_wait(bench, bench_count(bench, 0, "login") == 1);
	bench_settle(bench, 20);
	bench_advance(20001);
	bench_wait(bench, token_state(bench->west) != TOKEN_STATE_LOGIN_NEEDED);
	assert_int_equal(close(fd), 0);
	bench_advance(1000);
	bench_wait(bench, token_state(bench->west) == TOKEN_STATE_LOGIN_NEEDED);
	assert_int_equal(bench_count(bench, 0, "start"), 2);
}

static void
credential_source_gets_its_directory(void **state)
{
	struct bench *bench = *state;
	assert_int_equal(setenv("CREDENTIALS_DIRECTORY", "/run/credentials/x", 1), 0);
	bench->pin_source = "credential:pin";
	bench_ready(bench);
	assert_int_equal(bench_count(bench, 0, "env CREDENTIALS_DIRECTORY=/run/credentials/x"), 1);
	assert_false(bench_journal_has(bench, 1, "env CREDENTIALS_DIRECTORY"));
	assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
}

static void
login_of_a_token_with_a_keypad_opens_the_socket_too(void **state)
{
	struct bench *bench = *state;
	bench_control(bench, 0, "start=login\n");
	bench_start(bench, true);
	bench_wait(bench, token_state(bench->west) == TOKEN_STATE_LOGIN_NEEDED);
	int fd = connect_login(bench);
	assert_int_equal(send(fd, "1234\n", 5, 0), 5);
	bench_wait(bench, token_is_ready(bench->west));
	assert_int_equal(close(fd), 0);
}

static void
successor_that_would_need_a_person_is_given_up(void **state)
{
	struct bench *bench = *state;
	bench->recycle_memory = 1000;
	start_asking(bench);
	int fd = connect_login(bench);
	assert_int_equal(send(fd, "1234\n", 5, 0), 5);
	bench_wait(bench, token_is_ready(bench->west));
	assert_int_equal(close(fd), 0);
	bench_control(bench, 0, "start=login\nrss=5000\n");
	for (int i = 0; i < 5; i++) {
		bench_advance(70000);
		bench_settle(bench, 150);
		assert_true(token_is_ready(bench->west));
	}
	assert_int_equal(bench_count(bench, 0, "start"), 2);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_setup, bench_teardown)
	const struct CMUnitTest tests[] = {
		TEST(b11_refused_pin_is_tried_once_until_the_file_changes),
		TEST(b11_restarted_daemon_does_not_try_a_refused_pin),
		TEST(b11_source_that_cannot_be_watched_is_read_again_slowly),
		TEST(b11_corrected_credential_heals_by_itself),
		TEST(b12_locked_pin_is_left_alone),
		TEST(person_logs_in),
		TEST(wrong_pin_can_be_corrected),
		TEST(only_who_may_logs_in_and_one_at_a_time),
		TEST(b04_person_has_time_but_the_token_has_a_deadline),
		TEST(credential_source_gets_its_directory),
		TEST(login_of_a_token_with_a_keypad_opens_the_socket_too),
		TEST(successor_that_would_need_a_person_is_given_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
