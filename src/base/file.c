/* Every descriptor is close-on-exec at birth, every result of a system call is looked at. */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_STEP 4096

static void
fd_clean(const int *fd)
{
	if (*fd >= 0)
		(void)close(
			*fd); /* only descriptors that were read, or whose data was synced before */
}

static void
text_clean(char **text)
{
	free(*text);
}

static bool
fail_read(struct err *err, enum err_code code, const char *path, int error)
{
	(void)err_set(err, code, "%s cannot be read: %s.", path, strerror(error));
	return err_origin(err, "%s: %s", path, strerror(error));
}

static bool
fail_write(struct err *err, const char *call, const char *path)
{
	int error = errno;
	(void)err_errno(err, ERR_STORAGE, error, call);
	return err_origin(err, "%s %s: %s", call, path, strerror(error));
}

/* read() across EINTR. */
static ssize_t
read_some(int fd, void *data, size_t len)
{
	ssize_t got;
	do {
		got = read(fd, data, len);
	} while (got < 0 && errno == EINTR);
	return got;
}

static bool
read_to_end(int fd, const char *path, struct buf *buf, enum err_code code, struct err *err)
{
	for (;;) {
		size_t room = buf->max - buf->len;
		uint8_t beyond = 0; /* a full buffer is right only if this one stays empty */
		uint8_t *data =
			room == 0 ? &beyond : buf_reserve(buf, room < READ_STEP ? room : READ_STEP);
		ssize_t got =
			read_some(fd, data, room == 0 ? 1 : (room < READ_STEP ? room : READ_STEP));
		if (got == 0)
			return true;
		if (got < 0 || room == 0) {
			int error = errno;
			buf_reset(buf);
			if (got < 0)
				return fail_read(err, code, path, error);
			return err_set(err, code, "%s is larger than %zu octets.", path, buf->max);
		}
		buf_add_len(buf, (size_t)got);
	}
}

bool
file_read_fd(int fd, struct buf *buf, enum err_code code, struct err *err)
{
	return read_to_end(fd, "the input", buf, code, err);
}

bool
file_read(const char *path, struct buf *buf, enum err_code code, struct err *err)
{
	/* O_NONBLOCK: a FIFO in the file's place must not stop the start */
	CLEAN(fd)
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat status;
	if (fd < 0 || fstat(fd, &status) != 0)
		return fail_read(err, code, path, errno);
	if (!S_ISREG(status.st_mode))
		return err_set(err, code, "%s is not a regular file.", path);
	return read_to_end(fd, path, buf, code, err);
}

bool
file_write_all(int fd, const void *data, size_t len, struct err *err)
{
	const uint8_t *next = data;
	while (len > 0) {
		ssize_t done = write(fd, next, len);
		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return err_errno(err, ERR_STORAGE, errno, "write");
		next += done;
		len -= (size_t)done;
	}
	return true;
}

bool
file_sync_directory(const char *path, struct err *err)
{
	CLEAN(text)
	char *directory = strdup(path);
	if (directory == NULL)
		abort();
	char *slash = strrchr(directory, '/');
	const char *name = slash == NULL ? "." : directory;
	if (slash != NULL)
		slash[slash == directory ? 1 : 0] = '\0';
	CLEAN(fd)
	int fd = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return fail_write(err, "open", name);
	if (fsync(fd) != 0)
		return fail_write(err, "fsync", name);
	return true;
}

/* Content and mode of the new file are on the disk before it gets its name. */
static bool
write_and_sync(int fd, const void *data, size_t len, mode_t mode, struct err *err)
{
	if (!file_write_all(fd, data, len, err))
		return false;
	if (fchmod(fd, mode) != 0)
		return err_errno(err, ERR_STORAGE, errno, "fchmod");
	if (fsync(fd) != 0)
		return err_errno(err, ERR_STORAGE, errno, "fsync");
	return true;
}

bool
file_write_atomic(const char *path, const void *data, size_t len, mode_t mode, struct err *err)
{
	CLEAN(text)
	char *beside = NULL;
	if (asprintf(&beside, "%s.XXXXXX", path) < 0)
		abort();
	CLEAN(fd)
	int fd = mkostemp(beside, O_CLOEXEC); /* mode 0600 until it is whole */
	if (fd < 0)
		return fail_write(err, "create", path);
	if (!write_and_sync(fd, data, len, mode, err))
		goto undo;
	if (rename(beside, path) != 0) {
		(void)fail_write(err, "rename", path);
		goto undo;
	}
	return file_sync_directory(path, err);
undo:
	(void)unlink(
		beside); /* what remains is a stray temporary file; the first error is the one to tell */
	return false;
}

bool
file_check_private(const char *path, mode_t forbidden, struct err *err)
{
	struct stat status;
	if (lstat(path, &status) != 0) {
		if (errno == ENOENT)
			return true;
		return fail_read(err, ERR_CONFIG, path, errno);
	}
	if (!S_ISREG(status.st_mode) || status.st_nlink != 1)
		return err_set(err, ERR_CONFIG, "%s must be a regular file with one name.", path);
	if (status.st_uid != geteuid() && status.st_uid != 0)
		return err_set(err, ERR_CONFIG, "%s must belong to user %u or root.", path,
			(unsigned)geteuid());
	if ((status.st_mode & forbidden) != 0)
		return err_set(err, ERR_CONFIG, "%s has mode %04o; take away %04o (chmod).", path,
			(unsigned)(status.st_mode & 07777), (unsigned)(status.st_mode & forbidden));
	return true;
}

bool
file_fail(struct err *err, const char *path, const char *what, int error)
{
	struct err cause;
	(void)err_errno(&cause, ERR_STORAGE, error, what);
	(void)err_set(err, cause.code, "%s cannot be %s: %s.", path, what, strerror(error));
	return err_origin(err, "%s", cause.origin);
}
