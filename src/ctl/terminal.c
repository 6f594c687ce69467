/* Invariant: what was read as a secret is in a wiped buffer only; echo is on again whenever a prompt ends. */
#include "terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "base/file.h"

#define LINE_MAX_OCTETS 256

/* ---- reading ---- */

bool
terminal_read(const char *path, struct buf *input, struct err *err)
{
	if (path == NULL || strcmp(path, "-") == 0)
		return file_read_fd(STDIN_FILENO, input, ERR_CLIENT_FILE, err);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY); /* may be a pipe: <(...) */
	if (fd < 0)
		return err_set(
			err, ERR_CLIENT_FILE, "%s cannot be read: %s.", path, strerror(errno));
	bool done = file_read_fd(fd, input, ERR_CLIENT_FILE, err);
	(void)close(fd); /* only read */
	return done;
}

/* ---- writing ---- */

static bool
fail_file(struct err *err, const char *path)
{
	return err_set(err, ERR_CLIENT_FILE, "%s cannot be written: %s.", path, strerror(errno));
}

/* An unnamed file in the same directory; where there are none, one with a name that nobody guesses. */
static bool
open_beside(struct outfile *file, struct err *err)
{
	char copy[4000];
	if (strlen(file->path) >= sizeof(copy))
		return err_set(err, ERR_CLIENT_FILE, "The path is too long.");
	memcpy(copy, file->path, strlen(file->path) + 1);
	file->fd = open(dirname(copy), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
	if (file->fd >= 0)
		return true;
	if (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT)
		return fail_file(err, file->path);
	(void)snprintf(file->name, sizeof(file->name), "%s.XXXXXX", file->path);
	file->fd = mkostemp(file->name, O_CLOEXEC);
	if (file->fd >= 0)
		return true;
	file->name[0] = '\0';
	return fail_file(err, file->path);
}

bool
outfile_open(const char *path, bool replace, struct outfile *ret_file, struct err *err)
{
	struct outfile file = {.fd = STDOUT_FILENO, .path = path, .replace = replace};
	file.standard = strcmp(path, "-") == 0;
	struct stat status;
	if (!file.standard && !replace && lstat(path, &status) == 0)
		return err_set(err, ERR_CLIENT_FILE,
			"%s exists; remove it, choose another name, or use --force.", path);
	if (!file.standard && !open_beside(&file, err))
		return false;
	*ret_file = file;
	return true;
}

/* linkat() cannot replace, so a replacement goes by way of a name of its own. */
static bool
give_name(struct outfile *file, struct err *err)
{
	if (file->name[0] == '\0') {
		char self[64];
		(void)snprintf(self, sizeof(self), "/proc/self/fd/%d", file->fd);
		if (!file->replace)
			return linkat(AT_FDCWD, self, AT_FDCWD, file->path, AT_SYMLINK_FOLLOW) ==
				       0 ||
			       fail_file(err, file->path);
		(void)snprintf(
			file->name, sizeof(file->name), "%s.%d.tmp", file->path, (int)getpid());
		if (linkat(AT_FDCWD, self, AT_FDCWD, file->name, AT_SYMLINK_FOLLOW) != 0) {
			file->name[0] = '\0';
			return fail_file(err, file->path);
		}
	}
	if (!file->replace) {
		if (link(file->name, file->path) != 0)
			return fail_file(err, file->path);
		(void)unlink(file->name); /* a second name of a finished file at worst */
	} else if (rename(file->name, file->path) != 0) {
		return fail_file(err, file->path);
	}
	file->name[0] = '\0';
	return true;
}

bool
outfile_finish(struct outfile *file, struct err *err)
{
	if (file->standard)
		return true;
	bool done = fsync(file->fd) == 0 || fail_file(err, file->path);
	done = done && give_name(file, err) && file_sync_directory(file->path, err);
	outfile_discard(file);
	return done;
}

void
outfile_discard(struct outfile *file)
{
	if (file->standard || file->fd < 0)
		return;
	(void)close(file->fd); /* synced before, or not wanted */
	if (file->name[0] != '\0')
		(void)unlink(file->name);
	file->fd = -1;
}

bool
terminal_allows_secret(int fd, bool told, struct err *err)
{
	return told || isatty(fd) != 1 ||
	       err_set(err, ERR_CLIENT_USAGE,
		       "The plaintext would appear on this terminal: use --out FILE, or "
		       "--show-secret if that is meant.");
}

/* ---- asking ---- */

bool
terminal_present(void)
{
	return isatty(STDIN_FILENO) == 1;
}

/* A line without its end, from a descriptor, an octet at a time: what follows stays unread. */
static bool
read_line(int fd, struct buf *line, struct err *err)
{
	for (;;) {
		char c;
		ssize_t got = read(fd, &c, 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_set(
				err, ERR_CLIENT_FILE, "It cannot be read: %s.", strerror(errno));
		if (got == 0 || c == '\n')
			return true;
		if (!buf_append(line, &c, 1))
			return err_set(err, ERR_CLIENT_FILE, "The line is too long.");
	}
}

static int
open_terminal(struct err *err)
{
	int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		(void)err_set(err, ERR_CLIENT_USAGE, "There is no terminal to ask on.");
	return fd;
}

bool
terminal_confirm(const char *question, const char *wanted, struct err *err)
{
	if (!terminal_present())
		return err_set(err, ERR_CLIENT_USAGE,
			"There is no terminal to ask on: add --yes if you mean it.");
	int fd = open_terminal(err);
	if (fd < 0)
		return false;
	CLEAN(buf)
	struct buf line;
	buf_init(&line, LINE_MAX_OCTETS);
	(void)dprintf(fd, "%s ", question);
	bool done = read_line(fd, &line, err);
	(void)close(fd); /* nothing to lose on a terminal */
	if (!done)
		return false;
	return strcmp(buf_peek(&line), wanted) == 0 ||
	       err_set(err, ERR_CLIENT_USAGE, "Not confirmed; nothing was done.");
}

/* Echo off while the line is read; signals that would end us wait until it is on again. */
static bool
read_hidden(int fd, const char *prompt, struct buf *line, struct err *err)
{
	struct termios before;
	sigset_t signals;
	sigset_t old;
	if (tcgetattr(fd, &before) != 0)
		return err_set(err, ERR_CLIENT_FILE, "The terminal cannot hide what is typed.");
	struct termios hidden = before;
	hidden.c_lflag &= ~(tcflag_t)(ECHO | ISIG);
	(void)sigemptyset(&signals);
	(void)sigaddset(&signals, SIGINT);
	(void)sigaddset(&signals, SIGTERM);
	(void)sigaddset(&signals, SIGTSTP);
	(void)sigprocmask(SIG_BLOCK, &signals, &old);
	bool done = tcsetattr(fd, TCSAFLUSH, &hidden) == 0 ||
		    err_set(err, ERR_CLIENT_FILE, "The terminal cannot hide what is typed.");
	if (done) {
		(void)dprintf(
			fd, "%s", prompt); /* not before: what is typed ahead is thrown away */
		done = read_line(fd, line, err);
	}
	(void)tcsetattr(fd, TCSAFLUSH, &before); /* the best that can be done */
	(void)sigprocmask(SIG_SETMASK, &old, NULL);
	(void)dprintf(fd, "\n");
	if (done && line->len > 0 && memchr(line->data, 0x03, line->len) != NULL) /* ^C */
		return err_set(err, ERR_CLIENT_INTERRUPTED, NULL);
	return done;
}

bool
terminal_read_pin(const char *prompt, const char *path, struct buf *pin, struct err *err)
{
	if (path != NULL && strcmp(path, "-") != 0) {
		if (!file_check_private(path, 0077, err))
			return false;
		int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
		if (fd < 0)
			return err_set(err, ERR_CLIENT_FILE, "%s cannot be read: %s.", path,
				strerror(errno));
		bool done = read_line(fd, pin, err);
		(void)close(fd); /* only read */
		return done;
	}
	if (path != NULL)
		return read_line(STDIN_FILENO, pin, err);
	int fd = open_terminal(err);
	if (fd < 0)
		return false;
	bool done = read_hidden(fd, prompt, pin, err);
	(void)close(fd); /* nothing to lose on a terminal */
	return done;
}
