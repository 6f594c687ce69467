#include "loop/child.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"

struct seen {
	struct loop *loop;
	struct child *child;
	struct err err;
	int ends;
	int status;
};

static const char *const no_environment[] = {NULL};

static int
setup(void **state)
{
	static struct seen seen;
	memset(&seen, 0, sizeof(seen));
	seen.loop = loop_new(&seen.err);
	assert_non_null(seen.loop);
	*state = &seen;
	return 0;
}

static int
teardown(void **state)
{
	struct seen *seen = *state;
	child_free(seen->child);
	loop_free(seen->loop);
	return 0;
}

static void
on_end(struct child *child, int wait_status, void *ctx)
{
	struct seen *seen = ctx;
	assert_ptr_equal(child, seen->child);
	seen->ends++;
	seen->status = wait_status;
}

static struct child_spec
shell(const char *const *argv)
{
	return (struct child_spec){.path = "/bin/sh", .argv = argv, .envp = no_environment};
}

static void
wait_end(struct seen *seen)
{
	int64_t until_ms = clock_monotonic_ms() + 5000;
	while (seen->ends == 0 && clock_monotonic_ms() < until_ms)
		loop_turn(seen->loop, 10);
	assert_int_equal(seen->ends, 1);
}

static void
child_exit_status_is_reported_once(void **state)
{
	struct seen *seen = *state;
	static const char *const argv[] = {"sh", "-c", "exit 3", NULL};
	struct child_spec spec = shell(argv);

	seen->child = child_start(seen->loop, &spec, on_end, seen, &seen->err);
	assert_non_null(seen->child);
	assert_true(child_running(seen->child));
	assert_true(child_pid(seen->child) > 0);
	wait_end(seen);
	loop_turn(seen->loop, 1);

	assert_int_equal(seen->ends, 1);
	assert_true(WIFEXITED(seen->status));
	assert_int_equal(WEXITSTATUS(seen->status), 3);
	assert_false(child_running(seen->child));
	child_kill(seen->child, SIGKILL); /* nothing happens */
}

static void
child_killed_reports_the_signal(void **state)
{
	struct seen *seen = *state;
	static const char *const argv[] = {"sh", "-c", "while :; do read x; done", NULL};
	struct child_spec spec = shell(argv);
	int pair[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	struct child_fd fds[] = {
		{.theirs = 0, .ours = pair[1]}
        };
	spec.fds = fds;
	spec.fd_count = 1;

	seen->child = child_start(seen->loop, &spec, on_end, seen, &seen->err);
	assert_non_null(seen->child);
	child_kill(seen->child, SIGTERM);
	wait_end(seen);

	assert_true(WIFSIGNALED(seen->status));
	assert_int_equal(WTERMSIG(seen->status), SIGTERM);
	close(pair[0]);
	close(pair[1]);
}

static void
child_program_missing_is_unavailable_with_errno(void **state)
{
	struct seen *seen = *state;
	static const char *const argv[] = {"x", NULL};
	struct child_spec spec = shell(argv);
	spec.path = "/nonexistent/program";

	assert_null(child_start(seen->loop, &spec, on_end, seen, &seen->err));

	assert_int_equal(seen->err.code, ERR_UNAVAILABLE);
	assert_string_equal(seen->err.origin, "execve: No such file or directory");
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* nothing left to reap */
	assert_int_equal(errno, ECHILD);
}

/* Runs a command whose output goes to `text`. */
static void
run_output(struct seen *seen, struct child_spec *spec, struct child_fd *fds, size_t fd_count,
	char *text, size_t size)
{
	int pipes[2];
	size_t len = 0;
	ssize_t got;

	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	fds[fd_count] = (struct child_fd){.theirs = 1, .ours = pipes[1]};
	spec->fds = fds;
	spec->fd_count = fd_count + 1;
	seen->child = child_start(seen->loop, spec, on_end, seen, &seen->err);
	assert_non_null(seen->child);
	close(pipes[1]);
	while ((got = read(pipes[0], text + len, size - 1 - len)) > 0)
		len += (size_t)got;
	text[len] = '\0';
	close(pipes[0]);
	wait_end(seen);
}

static void
child_has_only_its_descriptors_and_environment(void **state)
{
	struct seen *seen = *state;
	static const char *const argv[] = {"sh", "-c",
		"for fd in /proc/self/fd/*; do echo ${fd##*/}; done; readlink /proc/self/fd/0; "
		"env; pwd; umask",
		NULL};
	static const char *const environment[] = {"ONLY=this", NULL};
	struct child_spec spec = shell(argv);
	spec.envp = environment;
	char text[1024];
	struct child_fd fds[2];
	int leak = open("/dev/null", O_RDONLY); /* without close-on-exec, on purpose */
	int high = fcntl(leak, F_DUPFD, 200);
	assert_true(leak >= 0 && high >= 200);

	run_output(seen, &spec, fds, 0, text, sizeof(text));

	close(leak);
	close(high);
	/* the shell itself opens the directory as 3 while it expands the pattern */
	assert_true(strncmp(text, "0\n1\n2\n", 6) == 0);
	char *null = strstr(text, "/dev/null\n");
	assert_non_null(null);
	assert_true(null - text <= 8);
	assert_non_null(strstr(null, "ONLY=this\n"));
	assert_null(strstr(null, "PATH=/"));
	assert_null(strstr(null, "HOME="));
	assert_non_null(strstr(null, "\n/\n0077\n"));
}

static void
child_descriptors_may_swap_numbers(void **state)
{
	struct seen *seen = *state;
	static const char *const argv[] = {"sh", "-c", "read a <&8; read b <&9; echo $a $b", NULL};
	struct child_spec spec = shell(argv);
	int a[2];
	int b[2];
	char text[64];
	assert_int_equal(pipe2(a, O_CLOEXEC), 0);
	assert_int_equal(pipe2(b, O_CLOEXEC), 0);
	int a_write = fcntl(a[1], F_DUPFD_CLOEXEC, 20); /* out of the way of 8 and 9 */
	int b_write = fcntl(b[1], F_DUPFD_CLOEXEC, 20);
	int a_read = fcntl(a[0], F_DUPFD_CLOEXEC, 20);
	int b_read = fcntl(b[0], F_DUPFD_CLOEXEC, 20);
	for (int i = 0; i < 2; i++) {
		close(a[i]);
		close(b[i]);
	}
	assert_int_equal(dup2(a_read, 9), 9); /* ours 9 becomes theirs 8 and the reverse */
	assert_int_equal(dup2(b_read, 8), 8);
	assert_int_equal(write(a_write, "A\n", 2), 2);
	assert_int_equal(write(b_write, "B\n", 2), 2);
	struct child_fd fds[3] = {
		{8, 9},
                {9, 8}
        };

	run_output(seen, &spec, fds, 2, text, sizeof(text));

	assert_string_equal(text, "A B\n");
	assert_int_equal(fcntl(9, F_GETFD) & FD_CLOEXEC, 0); /* ours are untouched */
	close(a_write);
	close(b_write);
	close(a_read);
	close(b_read);
	close(8);
	close(9);
}

static void
child_has_default_signals(void **state)
{
	struct seen *seen = *state;
	static const char *const argv[] = {
		"sh", "-c", "grep -E '^Sig(Blk|Ign|Cgt)' /proc/self/status", NULL};
	struct child_spec spec = shell(argv);
	char text[256];
	struct child_fd fds[1];
	sigset_t blocked;
	sigset_t saved;
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR2);
	sigprocmask(SIG_BLOCK, &blocked, &saved);

	run_output(
		seen, &spec, fds, 0, text, sizeof(text)); /* SIGPIPE is ignored here by the loop */

	sigprocmask(SIG_SETMASK, &saved, NULL);
	assert_non_null(strstr(text, "SigBlk:\t0000000000000000"));
	unsigned long long ignored = ~0ULL;
	assert_int_equal(sscanf(strstr(text, "SigIgn:"), "SigIgn: %llx", &ignored), 1);
	assert_int_equal(ignored & ~(3ULL << 31), 0); /* 32 and 33 are the C library's own */
}

static void
child_dies_with_its_parent_if_asked(void **state)
{
	struct seen *seen = *state;
	int pipes[2];
	char octet;
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);

	pid_t middle = fork();
	if (middle == 0) {
		static const char *const argv[] = {"sh", "-c", "kill -STOP $$", NULL};
		struct child_spec spec = shell(argv);
		struct child_fd fds[] = {
			{.theirs = 5, .ours = pipes[1]}
                };
		struct err err;
		spec.fds = fds;
		spec.fd_count = 1;
		spec.parent_death_signal = SIGKILL;
		_exit(child_start(seen->loop, &spec, on_end, seen, &err) != NULL ? 0 : 1);
	}
	close(pipes[1]);
	int status = 0;
	assert_int_equal(waitpid(middle, &status, 0), middle);
	assert_int_equal(status, 0);

	/* the grandchild held the other end */
	assert_int_equal(read(pipes[0], &octet, 1), 0);
	close(pipes[0]);
}

static void
child_freed_while_running_is_reaped_without_callback(void **state)
{
	struct seen *seen = *state;
	static const char *const argv[] = {"sh", "-c", "kill -STOP $$", NULL};
	struct child_spec spec = shell(argv);
	struct child *child = child_start(seen->loop, &spec, on_end, seen, &seen->err);
	assert_non_null(child);

	child_free(child);
	loop_turn(seen->loop, 1);

	assert_int_equal(seen->ends, 0);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(child_exit_status_is_reported_once),
		TEST(child_killed_reports_the_signal),
		TEST(child_program_missing_is_unavailable_with_errno),
		TEST(child_has_only_its_descriptors_and_environment),
		TEST(child_descriptors_may_swap_numbers),
		TEST(child_has_default_signals),
		TEST(child_dies_with_its_parent_if_asked),
		TEST(child_freed_while_running_is_reaped_without_callback),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
