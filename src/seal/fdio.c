#include "fdio.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool
fdio_fail(struct err *err, const char *fmt, ...)
{
	int error = errno;
	char text[sizeof(err->message)];
	va_list args;
	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (error == ENOSPC || error == EDQUOT)
		return err_errno(err, ERR_STORAGE_FULL, error, text);
	return err_set(err, ERR_CLIENT_FILE, "%s: %s.", text, strerror(error));
}

bool
fdio_read(int fd, void *data, size_t len, off_t offset, size_t *ret_len, struct err *err)
{
	uint8_t *next = data;
	size_t done = 0;
	while (done < len) {
		ssize_t got = offset < 0 ? read(fd, next + done, len - done)
					 : pread(fd, next + done, len - done, offset + (off_t)done);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return fdio_fail(err, "The input cannot be read");
		if (got == 0)
			break;
		done += (size_t)got;
	}
	*ret_len = done;
	return true;
}

bool
fdio_write(int fd, const void *data, size_t len, struct err *err)
{
	const uint8_t *next = data;
	while (len > 0) {
		ssize_t done = write(fd, next, len);
		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return fdio_fail(err, "The output cannot be written");
		next += done;
		len -= (size_t)done;
	}
	return true;
}
