/* The starter of daemons, with this very program as the daemon. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <systemd/sd-daemon.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"

#define LIMIT_MS 20000

static const char *self;

static int
play_daemon(const char *role)
{
	(void)fprintf(stderr, "daemon %s\n", role);
	if (strcmp(role, "dies") == 0)
		return 7;
	if (strcmp(role, "ends") == 0)
		return 0;
	if (strcmp(role, "says-less") == 0)
		(void)sd_notify(0, "STATUS=READY=1 soon");
	if (strcmp(role, "serves") == 0)
		(void)sd_notify(0, "STATUS=up\nREADY=1\n");
	(void)alarm(30); /* never outlives a broken test for long */
	for (;;)
		(void)pause();
}

struct fixture {
	char directory[64];
	char name[80];
};

static int
setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	if (fixture == NULL)
		return -1;
	(void)snprintf(fixture->directory, sizeof(fixture->directory), "/tmp/custody-run.XXXXXX");
	if (mkdtemp(fixture->directory) == NULL)
		return -1;
	(void)snprintf(fixture->name, sizeof(fixture->name), "%s/d", fixture->directory);
	*state = fixture;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *fixture = *state;
	static const char *const suffixes[] = {"log", "pid", "exit", "status"};
	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
		char path[128];
		(void)snprintf(path, sizeof(path), "%s.%s", fixture->name, suffixes[i]);
		(void)unlink(path);
	}
	int removed = rmdir(fixture->directory);
	free(fixture);
	return removed;
}

/* Runs notify-run and returns its exit status. */
static int
run(struct fixture *fixture, const char *limit, const char *role)
{
	const char *program = getenv("NOTIFY_RUN");
	if (program == NULL)
		program = "tests/support/notify-run";
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)execl(program, program, limit, fixture->name, self, role, (char *)NULL);
		_exit(99);
	}
	int status = 0;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* The number in NAME.<suffix>, which may take a moment to come. */
static int
number(struct fixture *fixture, const char *suffix)
{
	char path[128];
	(void)snprintf(path, sizeof(path), "%s.%s", fixture->name, suffix);
	int64_t deadline_ms = clock_monotonic_ms() + LIMIT_MS;
	while (access(path, R_OK) != 0) {
		assert_true(clock_monotonic_ms() < deadline_ms);
		(void)usleep(1000);
	}
	struct err err;
	CLEAN(buf)
	struct buf text;
	buf_init(&text, 100);
	assert_true(file_read(path, &text, ERR_STORAGE, &err));
	int value = 0;
	assert_int_equal(sscanf(buf_peek(&text), "%d", &value), 1);
	return value;
}

static void
notify_run_returns_when_ready_and_leaves_the_daemon(void **state)
{
	assert_int_equal(run(*state, "20", "serves"), 0);

	int pid = number(*state, "pid");
	assert_int_equal(kill(pid, 0), 0);
	assert_int_equal(kill(pid, SIGTERM), 0);
	assert_int_equal(number(*state, "exit"), 128 + SIGTERM);
	assert_int_equal(kill(pid, 0), -1); /* no zombie either */
}

static void
notify_run_of_a_daemon_that_dies_gives_its_status(void **state)
{
	assert_int_equal(run(*state, "20", "dies"), 7);

	assert_int_equal(number(*state, "exit"), 7);
}

static void
notify_run_of_a_daemon_that_ends_early_fails(void **state)
{
	assert_int_equal(run(*state, "20", "ends"), 125);

	assert_int_equal(number(*state, "exit"), 0);
}

static void
notify_run_kills_what_is_never_ready(void **state)
{
	assert_int_equal(run(*state, "0.1", "says-less"), 124);

	assert_int_equal(number(*state, "exit"), 128 + SIGKILL);
}

static void
notify_run_keeps_the_output(void **state)
{
	struct fixture *fixture = *state;
	char path[128];
	struct err err;
	CLEAN(buf)
	struct buf text;
	buf_init(&text, 1000);

	assert_int_equal(run(fixture, "20", "dies"), 7);

	(void)snprintf(path, sizeof(path), "%s.log", fixture->name);
	assert_true(file_read(path, &text, ERR_STORAGE, &err));
	assert_string_equal(buf_peek(&text), "daemon dies\n");
}

int
main(int argc, char **argv)
{
	if (argc == 2)
		return play_daemon(argv[1]);
	self = argv[0];
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			notify_run_returns_when_ready_and_leaves_the_daemon, setup, teardown),
		cmocka_unit_test_setup_teardown(
			notify_run_of_a_daemon_that_dies_gives_its_status, setup, teardown),
		cmocka_unit_test_setup_teardown(
			notify_run_of_a_daemon_that_ends_early_fails, setup, teardown),
		cmocka_unit_test_setup_teardown(
			notify_run_kills_what_is_never_ready, setup, teardown),
		cmocka_unit_test_setup_teardown(notify_run_keeps_the_output, setup, teardown),
	};
	return cmocka_run_group_tests_name("notify_run", tests, NULL, NULL);
}
