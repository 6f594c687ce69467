/*
 * notify-run: starts a daemon for a test and returns when it says READY=1 (sd_notify(3)), without polling.
 *
 *   notify-run LIMIT NAME COMMAND [ARGUMENT...]
 *
 * The daemon's output goes to NAME.log (appended), its pid to NAME.pid, and when it ends its exit status
 * (128 + n for signal n) to NAME.exit: a supervisor stays behind as its parent, so it leaves no zombie
 * and its end is known. What it says of its status (STATUS=…) until it is ready goes to NAME.status. Status: 0 ready; the daemon's own (125 for 0) if it ended before; 124 after
 * LIMIT seconds, the daemon is then killed; 126 for notify-run's own failures.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"

enum {
	EXIT_TIMEOUT = 124,
	EXIT_EARLY = 125,
	EXIT_TROUBLE = 126,
};

/* What the supervisor tells: first the daemon's pid, then its exit status. */
struct report {
	bool ended;
	int value;
};

_Noreturn static void
trouble(const char *what)
{
	(void)fprintf(stderr, "notify-run: %s: %s\n", what, strerror(errno));
	exit(EXIT_TROUBLE);
}

/* Binds to an abstract address that the kernel chooses: short, unique, gone with the process. */
static int
open_notify_socket(void)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	socklen_t len = sizeof(address);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(sa_family_t)) != 0 ||
		getsockname(fd, (struct sockaddr *)&address, &len) != 0)
		trouble("notify socket");
	char text[sizeof(address.sun_path) + 1];
	size_t name_len = len - offsetof(struct sockaddr_un, sun_path);
	(void)snprintf(text, sizeof(text), "@%.*s", (int)name_len - 1, address.sun_path + 1);
	if (setenv("NOTIFY_SOCKET", text, 1) != 0)
		trouble("setenv");
	return fd;
}

static void
write_number(const char *name, const char *suffix, int number)
{
	char path[4096];
	char text[16];
	struct err err;
	(void)snprintf(path, sizeof(path), "%s.%s", name, suffix);
	int len = snprintf(text, sizeof(text), "%d\n", number);
	if (!file_write_atomic(path, text, (size_t)len, 0644, &err)) {
		(void)fprintf(stderr, "notify-run: %s: %s\n", path, err.origin);
		_exit(EXIT_TROUBLE);
	}
}

static void
redirect_output(const char *name)
{
	char path[4096];
	(void)snprintf(path, sizeof(path), "%s.log", name);
	int log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (log < 0 || null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(log, STDOUT_FILENO) < 0 ||
		dup2(log, STDERR_FILENO) < 0)
		trouble(path);
}

_Noreturn static void
supervise(int reports, const char *name, char *const *command)
{
	redirect_output(name);
	pid_t pid = fork();
	if (pid == 0) {
		(void)execvp(command[0], command);
		trouble(command[0]);
	}
	if (pid < 0)
		trouble("fork");
	write_number(name, "pid", pid);
	struct report report = {false, pid};
	(void)signal(SIGPIPE, SIG_IGN); /* nobody listens any more once the daemon is ready */
	ssize_t ignored = write(reports, &report, sizeof(report));
	int status = 0;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	report.ended = true;
	report.value = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	write_number(name, "exit", report.value);
	ignored = write(reports, &report, sizeof(report));
	(void)ignored;
	_exit(0);
}

/* The last line STATUS=… goes to NAME.status. */
static void
keep_status(const char *name, const char *text)
{
	static const char status[] = "\nSTATUS=";
	const char *line = strstr(text, status);
	char path[4096];
	struct err err;
	if (line == NULL)
		return;
	line += sizeof(status) - 1;
	(void)snprintf(path, sizeof(path), "%s.status", name);
	if (!file_write_atomic(path, line, strcspn(line, "\n"), 0644, &err))
		trouble(path);
}

/* true if the datagram has the line READY=1. */
static bool
is_ready(int notify, const char *name)
{
	char text[4096] = "\n";
	ssize_t len = recv(notify, text + 1, sizeof(text) - 3, 0);
	if (len < 0)
		return false;
	text[1 + len] = '\n';
	text[2 + len] = '\0';
	keep_status(name, text);
	return strstr(text, "\nREADY=1\n") != NULL;
}

static bool
next_report(int reports, struct report *ret_report)
{
	struct report report;
	if (read(reports, &report, sizeof(report)) != sizeof(report))
		return false;
	*ret_report = report;
	return true;
}

static int
kill_and_wait(int reports, pid_t daemon)
{
	struct report report = {false, daemon};
	if (daemon > 0)
		(void)kill(daemon, SIGKILL);
	while (next_report(reports, &report) && !report.ended)
		;
	return EXIT_TIMEOUT;
}

static int
wait_ready(int notify, int reports, const char *name, int64_t deadline_ms)
{
	struct report report = {false, 0};
	bool ready = false;
	while (!ready || report.value == 0) {
		struct pollfd fds[] = {
			{notify,  POLLIN, 0},
                        {reports, POLLIN, 0}
                };
		int64_t left_ms = deadline_ms - clock_monotonic_ms();
		int events = left_ms <= 0 ? 0 : poll(fds, 2, (int)left_ms);
		if (events < 0 && errno != EINTR)
			trouble("poll");
		if (events == 0)
			return kill_and_wait(reports, report.value);
		if (events > 0 && (fds[0].revents & POLLIN) != 0 && is_ready(notify, name))
			ready = true;
		if (events <= 0 || fds[1].revents == 0)
			continue;
		if (!next_report(reports, &report))
			return EXIT_TROUBLE;
		if (report.ended)
			return report.value == 0 ? EXIT_EARLY : report.value;
	}
	return 0;
}

int
main(int argc, char **argv)
{
	char *end = NULL;
	double limit_s = argc >= 4 ? strtod(argv[1], &end) : 0;
	if (limit_s <= 0 || *end != '\0') {
		(void)fprintf(stderr, "usage: notify-run SECONDS NAME COMMAND [ARGUMENT...]\n");
		return EXIT_TROUBLE;
	}
	int64_t deadline_ms = clock_monotonic_ms() + (int64_t)(limit_s * 1000);
	int fds[2];
	int notify = open_notify_socket();
	if (pipe2(fds, O_CLOEXEC) != 0)
		trouble("pipe");
	pid_t pid = fork();
	if (pid < 0)
		trouble("fork");
	if (pid == 0) {
		(void)close(notify);
		(void)close(fds[0]);
		supervise(fds[1], argv[2], argv + 3);
	}
	(void)close(fds[1]);
	return wait_ready(notify, fds[0], argv[2], deadline_ms);
}
