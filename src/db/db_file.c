/*
 * Files of the catalog. Invariant: the lock is on the catalog itself, by flock() on a descriptor that stays open
 * as long as SQLite has the file; a stale lock file or a reused pid cannot stop or fool a start.
 */
#include "db_file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/file.h"

#define PATH_TEXT 4096

/* Where locks or syncs may not hold (threats D21). Those that linux/magic.h lacks are from statfs(2). */
static const struct {
	long type;
	const char *name;
} network_filesystems[] = {
	{NFS_SUPER_MAGIC,  "NFS" },
	{SMB_SUPER_MAGIC,  "SMB" },
	{0xFF534D42,       "CIFS"},
	{0xFE534D42,       "SMB2"},
	{AFS_SUPER_MAGIC,  "AFS" },
	{CODA_SUPER_MAGIC, "Coda"},
	{NCP_SUPER_MAGIC,  "NCP" },
	{V9FS_MAGIC,       "9P"  },
	{0x00C36400,       "Ceph"},
};

static bool
check_filesystem(int fd, const char *path, struct err *err)
{
	struct statfs status;
	if (fstatfs(fd, &status) != 0)
		return err_errno(err, ERR_STORAGE, errno, "fstatfs");
	for (size_t i = 0; i < ARRAY_LEN(network_filesystems); i++)
		if ((long)status.f_type == network_filesystems[i].type)
			return err_set(err, ERR_CONFIG,
				"%s is on a network file system (%s), where locks and syncs may "
				"not hold; "
				"see network-filesystem in custodyd.conf(5).",
				path, network_filesystems[i].name);
	return true;
}

static bool
check_modes(const char *path, struct err *err)
{
	static const char *const suffixes[] = {"", "-wal", "-shm", ".reserve"};
	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
		char name[PATH_TEXT];
		int len = snprintf(name, sizeof name, "%s%s", path, suffixes[i]);
		if (len < 0 || (size_t)len >= sizeof name)
			return err_set(err, ERR_CONFIG, "The path of the catalog is too long.");
		if (!file_check_private(name, 0077, err))
			return false;
	}
	return true;
}

static int
open_or_make(const char *path, struct err *err)
{
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd >= 0 || errno != ENOENT) {
		if (fd < 0)
			(void)file_fail(err, path, "opened", errno);
		return fd;
	}
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0) {
		(void)file_fail(err, path, "made", errno);
		return -1;
	}
	if (!file_sync_directory(path, err)) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

bool
db_file_lock(const struct db_settings *settings, int *ret_fd, struct err *err)
{
	if (settings->path[0] != '/')
		return err_set(err, ERR_CONFIG, "The path of the catalog must be absolute.");
	if (!check_modes(settings->path, err))
		return false;
	int fd = open_or_make(settings->path, err);
	if (fd < 0)
		return false;
	if (!settings->allow_network_filesystem && !check_filesystem(fd, settings->path, err)) {
		(void)close(fd);
		return false;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno == EWOULDBLOCK)
			(void)err_set(err, ERR_CATALOG_LOCKED,
				"Another daemon has the catalog %s open.", settings->path);
		else
			(void)err_errno(err, ERR_STORAGE, errno, "flock");
		(void)close(fd);
		return false;
	}
	*ret_fd = fd;
	return true;
}

static void
reserve_name(const char *path, char name[static PATH_TEXT])
{
	(void)snprintf(name, PATH_TEXT, "%s.reserve", path); /* check_modes() knows that it fits */
}

bool
db_file_reserve(const char *path, int64_t size, struct err *err)
{
	char name[PATH_TEXT];
	reserve_name(path, name);
	struct stat status;
	if (size == 0 || (lstat(name, &status) == 0 && status.st_size >= size))
		return true;
	int fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_errno(err, ERR_STORAGE, errno, "make the catalog's reserve");
	int error = posix_fallocate(fd, 0, size);
	if (error == 0 && fsync(fd) != 0)
		error = errno;
	(void)close(fd);
	if (error == 0)
		return file_sync_directory(path, err);
	(void)unlink(name); /* part of a reserve is none, and the room is needed */
	return err_errno(err, ERR_STORAGE, error, "make the catalog's reserve");
}

bool
db_file_has_room(const char *path, int64_t size)
{
	struct statvfs status;
	return statvfs(path, &status) == 0 &&
	       (uint64_t)status.f_bavail * status.f_frsize >= 2 * (uint64_t)size;
}

bool
db_file_release(const char *path)
{
	char name[PATH_TEXT];
	reserve_name(path, name);
	return unlink(name) == 0;
}

void
db_file_forget(int fd, const char *path)
{
	/* advice: where the kernel does not take it, the check that follows sees its memory instead */
	(void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	char name[PATH_TEXT];
	int len = snprintf(name, sizeof name, "%s-wal", path);
	int wal = len > 0 && (size_t)len < sizeof name ? open(name, O_RDONLY | O_CLOEXEC) : -1;
	if (wal < 0)
		return;
	(void)posix_fadvise(wal, 0, 0, POSIX_FADV_DONTNEED);
	(void)close(wal);
}
