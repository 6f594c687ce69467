/*
 * What a vendor's module prints (threats B31): whatever it is, our log gets whole lines of one event, of bounded length, without
 * control characters. The last octet of the input says where it is split into two writes.
 */
#include "fuzz.h"

#include <assert.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"
#include "custodyd/workerlog.h"

#define PIPE_MAX 60000
#define START    "<6>worker.output token=west line="
#define SLOW     "<4>loop.slow "

static size_t
check_lines(const char *text, size_t len)
{
	size_t lines = 0;
	while (len > 0) {
		const char *end = memchr(text, '\n', len);
		assert(end != NULL && (size_t)(end - text) <= 2 * WORKERLOG_LINE_MAX + 64);
		bool slow = strncmp(text, SLOW, sizeof(SLOW) - 1) == 0; /* the loop about itself */
		assert(slow || strncmp(text, START, sizeof(START) - 1) == 0);
		for (const char *c = text; c < end; c++)
			assert((unsigned char)*c >= 0x20 && (unsigned char)*c != 0x7f);
		len -= (size_t)(end + 1 - text);
		text = end + 1;
		lines += slow ? 0 : 1;
	}
	return lines;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char text[4 * PIPE_MAX];
	struct err err;
	int fd = -1;
	if (size == 0 || size > PIPE_MAX / 40)
		return 0;
	size_t first = data[size - 1] % size;
	int out = memfd_create("log", MFD_CLOEXEC);
	assert(out >= 0);
	log_set_fd(out);
	struct loop *loop = loop_new(&err);
	assert(loop != NULL);
	struct workerlog *log = workerlog_new(loop, "west", &fd, &err);
	assert(log != NULL);
	assert(write(fd, data, first) == (ssize_t)first);
	loop_turn(loop, 0);
	assert(write(fd, data + first, size - first) == (ssize_t)(size - first));
	(void)close(fd);
	loop_turn(loop, 0);
	workerlog_free(log);
	loop_free(loop);
	log_set_fd(STDERR_FILENO);
	ssize_t len = pread(out, text, sizeof(text) - 1, 0);
	assert(len >= 0);
	text[len] = '\0';
	size_t newlines = 1;
	for (size_t i = 0; i < size; i++)
		newlines += data[i] == '\n';
	assert(check_lines(text, (size_t)len) <= newlines);
	(void)close(out);
	return 0;
}
