/* Internal to src/seal: whole reads and writes on descriptors of callers. Blocking, across EINTR. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/attr.h"
#include "base/err.h"

/* Reads up to `len` octets, fewer only at the end. `offset` -1: from where the descriptor stands. ERR_CLIENT_FILE. */
bool fdio_read(
	int fd, void *data, size_t len, off_t offset, size_t *ret_len, struct err *err) MUST_USE;
/* Writes all. ERR_CLIENT_FILE, ERR_STORAGE_FULL. */
bool fdio_write(int fd, const void *data, size_t len, struct err *err) MUST_USE;
/* "<what is said>: <errno's text>." as ERR_CLIENT_FILE; a full disk becomes ERR_STORAGE_FULL. Returns false. */
bool fdio_fail(struct err *err, const char *fmt, ...) PRINTF(2, 3);
