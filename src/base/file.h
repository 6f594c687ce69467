/* Files as the daemons need them: bounded reads, durable writes. All blocking: at start or in tools. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "attr.h"
#include "buf.h"
#include "err.h"

/* Reads a regular file of at most buf->max octets into `buf`. `code` is the error's code. */
bool file_read(const char *path, struct buf *buf, enum err_code code, struct err *err) MUST_USE;
/* The same from an open descriptor, to its end. */
bool file_read_fd(int fd, struct buf *buf, enum err_code code, struct err *err) MUST_USE;
/* Writes beside, syncs, renames over `path`, syncs the directory: after true the file is durable and whole. */
bool file_write_atomic(
	const char *path, const void *data, size_t len, mode_t mode, struct err *err) MUST_USE;
/* fsync of the directory that holds `path`. */
bool file_sync_directory(const char *path, struct err *err) MUST_USE;
/* Writes all of it, across EINTR and short writes. */
bool file_write_all(int fd, const void *data, size_t len, struct err *err) MUST_USE;
/*
 * ERR_CONFIG unless `path` is a regular file (not a symlink, one link) owned by the caller's euid or
 * root and without any of the mode bits in `forbidden` (0077 for secrets). A missing file is fine.
 */
bool file_check_private(const char *path, mode_t forbidden, struct err *err) MUST_USE;

/*
 * "<path> cannot be <what>: <reason of error>." as ERR_STORAGE, or ERR_STORAGE_FULL if that is the reason: for what a person
 * reads at the start. Returns false.
 */
bool file_fail(struct err *err, const char *path, const char *what, int error);
