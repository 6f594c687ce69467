/* Invariant: PIN octets are only ever in a struct secret. */
#include "pinsource.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"

#define COMMAND_WORDS_MAX 32
#define COMMAND_MS        30000
#define LINE_MS           120000                  /* a person finds and types it */
#define ROOM              (PINSOURCE_PIN_MAX + 2) /* the PIN and "\r\n" */

struct source_kind {
	const char *prefix;
	struct secret *(*read)(const char *rest, struct err *err);
};

/* --- octets from a descriptor --- */

/* false at the deadline or on an error. */
static bool
wait_readable(int fd, int64_t deadline_ms)
{
	for (;;) {
		int64_t left = deadline_ms - clock_monotonic_ms();
		struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
		int ready = left <= 0 ? 0 : poll(&poll_fd, 1, (int)left);
		if (ready > 0)
			return true;
		if (ready == 0 || errno != EINTR)
			return false;
	}
}

struct reading {
	struct secret *octets; /* ROOM of them */
	size_t len;
	bool ended; /* end of file, or `to_line` and a line */
	bool late;
};

/* Until end of file, a full buffer, or with `to_line` a newline. */
static bool
read_octets(int fd, int64_t deadline_ms, bool to_line, struct reading *reading)
{
	uint8_t *data = secret_data(reading->octets);
	while (reading->len < ROOM && !reading->ended) {
		if (!wait_readable(fd, deadline_ms)) {
			reading->late = true;
			return false;
		}
		ssize_t got = read(fd, data + reading->len, ROOM - reading->len);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return false;
		reading->len += (size_t)got;
		reading->ended = got == 0 || (to_line && memchr(data, '\n', reading->len) != NULL);
	}
	return true;
}

/* Cuts the end of line off. NULL: no sensible PIN. */
static struct secret *
trim(struct secret *take_octets, size_t len)
{
	CLEAN(secret)
	struct secret *octets = take_octets;
	const uint8_t *data = secret_peek(octets);
	const uint8_t *newline = memchr(data, '\n', len);
	size_t kept = newline == NULL ? len : (size_t)(newline - data);
	if (newline != NULL && kept > 0 && data[kept - 1] == '\r')
		kept--;
	bool more_lines = newline != NULL && newline + 1 < data + len;
	if (kept == 0 || kept > PINSOURCE_PIN_MAX || more_lines || memchr(data, '\0', kept) != NULL)
		return NULL;
	secret_truncate(octets, kept);
	struct secret *pin = octets;
	octets = NULL;
	return pin;
}

static struct secret *
new_octets(struct err *err)
{
	struct secret *octets = secret_new(ROOM);
	if (octets == NULL)
		(void)err_set(err, ERR_NO_MEMORY, NULL);
	return octets;
}

static struct secret *
no_pin(const char *what, struct err *err)
{
	(void)err_set(err, ERR_CONFIG, "%s holds no PIN: one line of 1 to %d octets is wanted.",
		what, PINSOURCE_PIN_MAX);
	return NULL;
}

/* --- the kinds --- */

static struct secret *
read_file(const char *path, struct err *err)
{
	if (path[0] != '/') {
		(void)err_set(err, ERR_CONFIG, "pin-source: the path '%s' is not absolute.", path);
		return NULL;
	}
	if (!file_check_private(path, 0077, err))
		return NULL;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY);
	if (fd < 0) {
		(void)err_errno(err, ERR_CONFIG, errno, "open");
		(void)err_set(err, ERR_CONFIG, "pin-source: %s cannot be read.", path);
		return NULL;
	}
	struct reading reading = {.octets = new_octets(err)};
	bool good = reading.octets != NULL &&
		    read_octets(fd, clock_monotonic_ms() + COMMAND_MS, false, &reading);
	(void)close(fd); /* nothing was written */
	if (!good) {
		secret_free(reading.octets);
		return no_pin(path, err);
	}
	struct secret *pin = trim(reading.octets, reading.len);
	return pin != NULL ? pin : no_pin(path, err);
}

static struct secret *
read_credential(const char *name, struct err *err)
{
	const char *directory = getenv("CREDENTIALS_DIRECTORY");
	if (name[0] == '\0' || strchr(name, '/') != NULL || directory == NULL) {
		(void)err_set(err, ERR_CONFIG, "pin-source: %s",
			directory == NULL ? "there is no $CREDENTIALS_DIRECTORY."
					  : "a credential's name has no '/'.");
		return NULL;
	}
	char path[PATH_MAX];
	int len = snprintf(path, sizeof(path), "%s/%s", directory, name);
	if (len < 0 || (size_t)len >= sizeof(path)) {
		(void)err_set(err, ERR_CONFIG, "pin-source: the credential's path is too long.");
		return NULL;
	}
	return read_file(path, err);
}

/* Blank-separated words in place; the list ends with NULL. */
static bool
split(char *text, char *words[static COMMAND_WORDS_MAX + 1])
{
	size_t count = 0;
	char *rest = NULL;
	for (char *word = strtok_r(text, " \t", &rest); word != NULL;
		word = strtok_r(NULL, " \t", &rest)) {
		if (count == COMMAND_WORDS_MAX)
			return false;
		words[count++] = word;
	}
	words[count] = NULL;
	return count > 0 && words[0][0] == '/';
}

static pid_t
start_command(char *const words[], int *ret_fd)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) != 0)
		return -1;
	pid_t pid = fork();
	if (pid == 0) {
		/* only async-signal-safe calls from here on */
		if (dup2(ends[1], STDOUT_FILENO) >= 0)
			(void)execv(words[0], words);
		_exit(127);
	}
	(void)close(ends[1]);
	if (pid < 0)
		(void)close(ends[0]);
	else
		*ret_fd = ends[0];
	return pid;
}

/* true if it ended with status 0. A command that closed its output gets no more time. */
static bool
end_command(pid_t pid, bool finished)
{
	int status = 0;
	if (!finished)
		(void)kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return false;
	}
	return finished && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static struct secret *
run_command(char *const words[], struct err *err)
{
	int fd = -1;
	struct reading reading = {.octets = new_octets(err)};
	if (reading.octets == NULL)
		return NULL;
	pid_t pid = start_command(words, &fd);
	bool finished =
		pid > 0 && read_octets(fd, clock_monotonic_ms() + COMMAND_MS, false, &reading);
	if (fd >= 0)
		(void)close(fd);
	if (pid < 0 || !end_command(pid, finished)) {
		secret_free(reading.octets);
		(void)err_set(err, ERR_CONFIG, "pin-source: the command %s %s.", words[0],
			reading.late ? "took too long" : "failed");
		return NULL;
	}
	struct secret *pin = trim(reading.octets, reading.len);
	return pin != NULL ? pin : no_pin("pin-source: the command's output", err);
}

static struct secret *
read_command(const char *line, struct err *err)
{
	char *copy = strdup(line);
	if (copy == NULL)
		abort();
	char *words[COMMAND_WORDS_MAX + 1];
	struct secret *pin = NULL;
	if (split(copy, words))
		pin = run_command(words, err);
	else
		(void)err_set(err, ERR_CONFIG,
			"pin-source: a command is an absolute path and at most %d words.",
			COMMAND_WORDS_MAX);
	free(copy);
	return pin;
}

static const struct source_kind kinds[] = {
	{"file:",       read_file      },
	{"credential:", read_credential},
	{"command:",    read_command   },
};

bool
pinsource_read(const char *source, struct secret **ret_pin, struct err *err)
{
	if (strcmp(source, "ask") == 0) {
		*ret_pin = NULL;
		return true;
	}
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		size_t len = strlen(kinds[i].prefix);
		if (strncmp(source, kinds[i].prefix, len) != 0)
			continue;
		struct secret *pin = kinds[i].read(source + len, err);
		if (pin == NULL)
			return false;
		*ret_pin = pin;
		return true;
	}
	/* not echoed: somebody may have written the PIN itself there */
	return err_set(err, ERR_CONFIG,
		"pin-source is none of file:/PATH, credential:NAME, command:/PATH, ask.");
}

struct secret *
pinsource_read_line(int fd, struct err *err)
{
	struct reading reading = {.octets = new_octets(err)};
	if (reading.octets == NULL)
		return NULL;
	if (!read_octets(fd, clock_monotonic_ms() + LINE_MS, true, &reading)) {
		secret_free(reading.octets);
		(void)err_set(err, reading.late ? ERR_TIMEOUT : ERR_CLIENT_USAGE,
			reading.late ? "No PIN was typed in time."
				     : "The connection broke before the PIN.");
		return NULL;
	}
	struct secret *pin = trim(reading.octets, reading.len);
	if (pin == NULL)
		(void)err_set(err, ERR_CLIENT_USAGE, "A PIN is one line of 1 to %d octets.",
			PINSOURCE_PIN_MAX);
	return pin;
}
