/*
 * fork and exec by hand: posix_spawn() knows neither PR_SET_PDEATHSIG nor "close all but these".
 *
 * Invariant: between fork and exec only async-signal-safe calls. The pidfd names the child until it is
 * reaped here, so a signal never goes to a stranger with a reused pid.
 */
#include "loop/child.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define THEIRS_MAX                                                                                 \
	64 /* descriptors of the child lie below, our copies while mapping from here on */

struct child {
	child_fn *fn;
	void *ctx;
	struct watch *watch;
	pid_t pid;
	int pidfd;
	bool running;
};

/* What the child writes to the status pipe when it cannot exec; nothing on success. */
struct failure {
	int error;
	char call[16];
};

static void __attribute__((noreturn)) fail(int status_fd, const char *call)
{
	struct failure failure = {.error = errno};
	(void)memccpy(failure.call, call, '\0', sizeof(failure.call) - 1);
	(void)!write(status_fd, &failure, sizeof(failure)); /* the parent is gone if this fails */
	_exit(127);
}

static void
reset_signals(int status_fd)
{
	struct sigaction action = {.sa_handler = SIG_DFL};
	for (int number = 1; number < NSIG; number++)
		(void)sigaction(number, &action, NULL); /* SIGKILL and SIGSTOP refuse */
	sigset_t none;
	sigemptyset(&none);
	if (sigprocmask(SIG_SETMASK, &none, NULL) < 0)
		fail(status_fd, "sigprocmask");
}

/* First all copies out of the way, then to their places: the numbers may overlap in any manner. */
static void
map_fds(const struct child_spec *spec, int status_fd)
{
	int copies[CHILD_FDS_MAX];
	bool used[THEIRS_MAX] = {false};

	for (size_t i = 0; i < spec->fd_count; i++) {
		copies[i] = fcntl(spec->fds[i].ours, F_DUPFD_CLOEXEC, THEIRS_MAX);
		if (copies[i] < 0)
			fail(status_fd, "dup");
	}
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	int null_copy = fcntl(null_fd, F_DUPFD_CLOEXEC, THEIRS_MAX);
	if (null_copy < 0)
		fail(status_fd, "/dev/null");
	for (size_t i = 0; i < spec->fd_count; i++) {
		used[spec->fds[i].theirs] = true;
		if (dup2(copies[i], spec->fds[i].theirs) < 0)
			fail(status_fd, "dup2");
	}
	for (int fd = 0; fd < THEIRS_MAX; fd++) {
		if (used[fd])
			continue;
		if (fd > 2)
			close(fd);
		else if (dup2(null_copy, fd) < 0)
			fail(status_fd, "dup2");
	}
	if (close_range(THEIRS_MAX, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
		fail(status_fd, "close_range");
}

static void __attribute__((noreturn))
become(const struct child_spec *spec, pid_t parent, int status_fd)
{
	int moved = fcntl(status_fd, F_DUPFD_CLOEXEC, THEIRS_MAX);
	if (moved < 0)
		fail(status_fd, "dup");
	if (spec->parent_death_signal != 0) {
		if (prctl(PR_SET_PDEATHSIG, spec->parent_death_signal) < 0)
			fail(moved, "prctl");
		if (getppid() != parent) /* it died before the prctl */
			_exit(127);
	}
	reset_signals(moved);
	map_fds(spec, moved);
	umask(077);
	if (chdir("/") < 0)
		fail(moved, "chdir");
	/* execve() takes char *const[] for historical reasons and changes nothing. */
	execve(spec->path, (char *const *)(uintptr_t)spec->argv,
		(char *const *)(uintptr_t)spec->envp);
	fail(moved, "execve");
}

static void
on_end(unsigned events, void *ctx)
{
	(void)events;
	struct child *child = ctx;
	int status;

	pid_t reaped = waitpid(child->pid, &status, WNOHANG);
	if (reaped == 0)
		return;
	assert(reaped == child->pid); /* nobody else reaps our children */
	child->running = false;
	watch_free(child->watch);
	child->watch = NULL;
	child->fn(child, status, child->ctx);
}

/* true if the exec succeeded: the pipe closed without a word. */
static bool
read_status(int fd, struct err *err)
{
	struct failure failure = {.error = 0};
	ssize_t got;

	do
		got = read(fd, &failure, sizeof(failure));
	while (got < 0 && errno == EINTR);
	if (got == 0)
		return true;
	failure.call[sizeof(failure.call) - 1] = '\0';
	return err_errno(
		err, ERR_UNAVAILABLE, got == sizeof(failure) ? failure.error : EIO, failure.call);
}

static void
check_spec(const struct child_spec *spec)
{
	assert(spec->path[0] == '/' && spec->fd_count <= CHILD_FDS_MAX);
	for (size_t i = 0; i < spec->fd_count; i++)
		assert(spec->fds[i].theirs >= 0 && spec->fds[i].theirs < THEIRS_MAX);
}

static struct child *
adopt(struct loop *loop, pid_t pid, child_fn *fn, void *ctx, struct err *err)
{
	int pidfd = pidfd_open(pid, 0); /* close-on-exec by itself */
	if (pidfd < 0) {
		err_errno(err, ERR_UNAVAILABLE, errno, "pidfd_open");
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		return NULL;
	}
	struct child *child = calloc(1, sizeof(*child));
	if (child == NULL)
		abort();
	*child = (struct child){.fn = fn, .ctx = ctx, .pid = pid, .pidfd = pidfd, .running = true};
	child->watch = watch_new(loop, "child", pidfd, WATCH_READ, on_end, child);
	return child;
}

struct child *
child_start(
	struct loop *loop, const struct child_spec *spec, child_fn *fn, void *ctx, struct err *err)
{
	check_spec(spec);
	int status[2];
	if (pipe2(status, O_CLOEXEC) < 0) {
		err_errno(err, ERR_UNAVAILABLE, errno, "pipe2");
		return NULL;
	}
	pid_t parent = getpid();
	pid_t pid = fork();
	if (pid == 0)
		become(spec, parent, status[1]);
	int error = errno;
	close(status[1]);
	bool started = pid > 0 ? read_status(status[0], err)
			       : err_errno(err, ERR_UNAVAILABLE, error, "fork");
	close(status[0]);
	if (started)
		return adopt(loop, pid, fn, ctx, err);
	if (pid > 0)
		waitpid(pid, NULL, 0);
	return NULL;
}

pid_t
child_pid(const struct child *child)
{
	return child->pid;
}

bool
child_running(const struct child *child)
{
	return child->running;
}

void
child_kill(struct child *child, int number)
{
	if (child->running)
		(void)pidfd_send_signal(
			child->pidfd, number, NULL, 0); /* ESRCH: it ended, the loop will tell */
}

void
child_free(struct child *child)
{
	if (child == NULL)
		return;
	watch_free(child->watch);
	if (child->running) {
		child_kill(child, SIGKILL);
		while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR)
			continue;
	}
	close(child->pidfd);
	free(child);
}
