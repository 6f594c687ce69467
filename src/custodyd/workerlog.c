#include "custodyd/workerlog.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

#define READ_MAX  4096 /* octets a turn: a chatterbox does not hold up the loop */
#define DRAIN_MAX 16   /* reads when freed */

struct workerlog {
	const char *name;
	int fd;
	struct watch *watch;
	char line[WORKERLOG_LINE_MAX + 1];
	size_t len;
	bool cut; /* the line is longer; its rest is skipped */
};

static void
write_line(struct workerlog *log)
{
	log->line[log->len] = '\0';
	if (log->len > 0)
		log_info("worker.output", LOG_TEXT("token", log->name), LOG_TEXT("line", log->line),
			LOG_INT("cut", log->cut ? 1 : 0));
	log->len = 0;
	log->cut = false;
}

static void
take(struct workerlog *log, const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char octet = (unsigned char)data[i];
		if (octet == '\n') {
			write_line(log);
		} else if (log->len == WORKERLOG_LINE_MAX) {
			log->cut = true;
		} else {
			bool printable = octet >= 0x20 && octet != 0x7f;
			log->line[log->len++] = printable ? (char)octet : '?';
		}
	}
}

/* false: nothing more for now, or for ever. */
static bool
read_some(struct workerlog *log)
{
	char data[READ_MAX];
	ssize_t got = read(log->fd, data, sizeof(data));
	if (got > 0) {
		take(log, data, (size_t)got);
		return true;
	}
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	write_line(log);
	watch_set(log->watch, WATCH_NONE);
	return false;
}

static void
readable(unsigned events, void *ctx)
{
	(void)events;
	(void)read_some(ctx);
}

struct workerlog *
workerlog_new(struct loop *loop, const char *name, int *ret_fd, struct err *err)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) != 0) {
		(void)err_errno(err, ERR_UNAVAILABLE, errno, "pipe2");
		return NULL;
	}
	struct workerlog *log = calloc(1, sizeof(*log));
	if (log == NULL)
		abort();
	(void)fcntl(ends[0], F_SETFL,
		O_NONBLOCK); /* cannot fail on a fresh pipe; the writer's end blocks */
	log->name = name;
	log->fd = ends[0];
	log->watch = watch_new(loop, "workerlog", log->fd, WATCH_READ, readable, log);
	*ret_fd = ends[1];
	return log;
}

void
workerlog_free(struct workerlog *log)
{
	if (log == NULL)
		return;
	for (int i = 0; i < DRAIN_MAX && read_some(log); i++)
		;
	write_line(log);
	watch_free(log->watch);
	(void)close(log->fd);
	free(log);
}
