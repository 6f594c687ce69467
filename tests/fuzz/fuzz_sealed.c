/*
 * A sealed file (threats E22, C27). As it is: both readers, the threads' and the piecewise one, take the same and refuse the same. And
 * the input as plaintext, sealed with a key and then damaged at a place of its choice: what comes out is a beginning of it, and all of
 * it only if nothing was damaged.
 */
#include "fuzz.h"

#include <assert.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "seal/sealed.h"
#include "seal/stream.h"

/* each input seals once and opens twice, with buffers of a MiB */
unsigned
fuzz_inputs(void)
{
	return 200;
}

static int
file_of(const uint8_t *data, size_t size)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	assert(fd >= 0 && write(fd, data, size) == (ssize_t)size && lseek(fd, 0, SEEK_SET) == 0);
	return fd;
}

static size_t
length_of(int fd)
{
	struct stat status;
	assert(fstat(fd, &status) == 0);
	return (size_t)status.st_size;
}

/* By the piecewise reader; ERR_NONE if it opened. */
static enum err_code
pull_all(int in, const struct sealed_header *header, const struct secret *key, int out)
{
	struct err err = {0};
	struct bytes octets = {NULL, 1};
	CLEAN(sealed_reader)
	struct sealed_reader *reader = sealed_reader_new(in, header, key, &err);
	if (reader == NULL)
		return err.code;
	while (octets.len > 0) {
		if (!sealed_reader_pull(reader, &octets, &err))
			return err.code;
		assert(write(out, octets.data, octets.len) == (ssize_t)octets.len);
	}
	return ERR_NONE;
}

static enum err_code
open_twice(int in, const struct secret *key, int out)
{
	struct err err = {0};
	struct sealed_header header;
	CLEAN(buf)
	struct buf envelope;
	buf_init(&envelope, SEALED_ENVELOPE_MAX);
	if (!sealed_read_header(in, &header, &envelope, &err)) {
		assert(err.code == ERR_SEALED_CORRUPT);
		return err.code;
	}
	assert(envelope.len > 0 && (header.kind == SEALED_FILE || header.kind == SEALED_TREE));
	off_t start = lseek(in, 0, SEEK_CUR);
	int other = memfd_create("pulled", MFD_CLOEXEC);
	assert(other >= 0);
	enum err_code pulled = pull_all(in, &header, key, other);
	assert(lseek(in, start, SEEK_SET) == start);
	bool opened = sealed_open(in, out, &header, key, NULL, NULL, &err);
	assert((opened ? ERR_NONE : err.code) == pulled);
	assert(pulled == ERR_NONE || pulled == ERR_SEALED_CORRUPT);
	assert(length_of(other) == length_of(out));
	(void)close(other);
	return pulled;
}

/* Returns whether anything changed. */
static bool
damage(int fd, const uint8_t how[static 4])
{
	size_t len = length_of(fd);
	off_t at = (off_t)(((size_t)how[1] << 16 | (size_t)how[2] << 8 | how[3]) % len);
	uint8_t octet = 0;
	if (how[0] == 0)
		return false;
	if (how[0] < 64)
		return ftruncate(fd, at) == 0;
	assert(pread(fd, &octet, 1, at) == 1);
	octet ^= how[0];
	return pwrite(fd, &octet, 1, at) == 1;
}

static void
seal_and_damage(const uint8_t *data, size_t size, const struct secret *key)
{
	struct err err = {0};
	struct sealed_header header;
	uint8_t plain[4096];
	int in = file_of(data + 4, size - 4);
	int sealed = memfd_create("sealed", MFD_CLOEXEC);
	int out = memfd_create("out", MFD_CLOEXEC);
	sealed_header_new(SEALED_FILE, &header);
	assert(sealed >= 0 && out >= 0);
	assert(sealed_seal(in, sealed, &header, bytes_of_text("{}"), key, NULL, NULL, &err));
	bool damaged = damage(sealed, data);
	assert(lseek(sealed, 0, SEEK_SET) == 0);
	enum err_code code = open_twice(sealed, key, out);
	/* the envelope is the daemon's to judge: here its octets may be any */
	bool inside = damaged && data[0] >= 64 &&
		      ((size_t)data[1] << 16 | (size_t)data[2] << 8 | data[3]) % length_of(sealed) -
				      (SEALED_CONTEXT_LEN + 4) <
			      2;
	assert((code == ERR_NONE) == (!damaged || inside));
	ssize_t got = pread(out, plain, sizeof(plain), 0);
	assert(got >= 0 && (size_t)got <= size - 4);
	assert(got == 0 || memcmp(plain, data + 4, (size_t)got) == 0);
	assert(code != ERR_NONE || length_of(out) == size - 4);
	(void)close(in);
	(void)close(sealed);
	(void)close(out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEAN(secret)
	struct secret *key = secret_new(STREAM_KEY_LEN);
	assert(key != NULL);
	int in = file_of(data, size);
	int out = memfd_create("out", MFD_CLOEXEC);
	assert(out >= 0);
	(void)open_twice(in, key, out);
	(void)close(in);
	(void)close(out);
	if (size >= 4 && size - 4 <= 4096)
		seal_and_damage(data, size, key);
	return 0;
}
