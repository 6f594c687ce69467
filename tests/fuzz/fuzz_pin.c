/*
 * PIN sources: the specification from the configuration, the content of a PIN file, the line of a login. A PIN is one line of 1
 * to 255 octets without NUL, or there is none, and no error repeats any of it.
 */
#include "fuzz.h"

#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "token/pinsource.h"

static char path[64];

static void
remove_file(void)
{
	(void)unlink(path);
}

static void
write_file(const uint8_t *data, size_t size)
{
	int fd;
	if (path[0] == '\0') {
		(void)snprintf(path, sizeof(path), "%s/custody-fuzz-XXXXXX",
			access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
		fd = mkstemp(path);
		assert(atexit(remove_file) == 0);
	} else {
		fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	}
	assert(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	(void)close(fd);
}

static void
check_pin(const struct secret *pin, const uint8_t *data, size_t size)
{
	size_t len = secret_len(pin);
	assert(len >= 1 && len <= PINSOURCE_PIN_MAX && len <= size);
	assert(memcmp(secret_peek(pin), data, len) == 0);
	assert(memchr(secret_peek(pin), '\n', len) == NULL);
	assert(memchr(secret_peek(pin), '\0', len) == NULL);
}

/* A dozen octets do not stand in a sentence of ours by accident. */
static void
check_silent(const struct err *err, const uint8_t *data, size_t size)
{
	const char *const texts[] = {err->message, err->origin};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		assert(size < 12 || size >= sizeof(err->message) ||
			memmem(texts[i], strlen(texts[i]), data, size) == NULL);
}

static void
try_content(const uint8_t *data, size_t size)
{
	struct err err = {0};
	char source[80];
	CLEAN(secret)
	struct secret *pin = NULL;
	write_file(data, size);
	(void)snprintf(source, sizeof(source), "file:%s", path);
	if (pinsource_read(source, &pin, &err)) {
		check_pin(pin, data, size);
	} else {
		assert(err.code == ERR_CONFIG);
		check_silent(&err, data, size);
	}
}

static void
try_line(const uint8_t *data, size_t size)
{
	struct err err = {0};
	int ends[2];
	if (size > 4096)
		size = 4096; /* fits in a pipe */
	assert(pipe2(ends, O_CLOEXEC) == 0);
	assert(write(ends[1], data, size) == (ssize_t)size);
	(void)close(ends[1]);
	CLEAN(secret)
	struct secret *pin = pinsource_read_line(ends[0], &err);
	if (pin != NULL)
		check_pin(pin, data, size);
	else
		assert(err.code == ERR_CLIENT_USAGE);
	(void)close(ends[0]);
}

/* No input makes this program run another one, or read a device: such sources are left to the tests. */
static bool
is_harmless(const char *source)
{
	static const char *const rooted[] = {"command:", "file:"};
	for (size_t i = 0; i < ARRAY_LEN(rooted); i++) {
		size_t len = strlen(rooted[i]);
		if (strncmp(source, rooted[i], len) != 0)
			continue;
		const char *rest = source + len + strspn(source + len, " \t");
		return rest[0] != '/' || strncmp(rest, "/nonexistent/", 13) == 0;
	}
	return true;
}

static void
try_source(const uint8_t *data, size_t size)
{
	struct err err = {0};
	char *source = strndup((const char *)data, size);
	CLEAN(secret)
	struct secret *pin = NULL;
	assert(source != NULL);
	if (is_harmless(source)) {
		bool good = pinsource_read(source, &pin, &err);
		assert(good == (strcmp(source, "ask") == 0) && pin == NULL);
		assert(good || err.code == ERR_CONFIG);
	}
	free(source);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	(void)setenv("CREDENTIALS_DIRECTORY", "/nonexistent", 1);
	try_content(data, size);
	try_line(data, size);
	try_source(data, size);
	return 0;
}
