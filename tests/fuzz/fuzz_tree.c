/*
 * The tar stream inside a sealed tree, by whoever could seal to our keys: unpacked to a directory of its own beside one that
 * must not change, whatever links and names it has (threats E22, C27). A failure leaves nothing.
 */
#include "fuzz.h"

#include <assert.h>
#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "seal/tree.h"

#define WALK_DESCRIPTORS 16

static char home[64]; /* of this process; its only entry between two inputs is "victim" */

static int
remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void)status;
	(void)type;
	(void)walk;
	return remove(path);
}

static int
open_up(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void)status;
	(void)walk;
	if (type == FTW_D || type == FTW_DNR)
		(void)chmod(path, 0700);
	return 0;
}

static void
remove_all(const char *path)
{
	(void)nftw(path, open_up, WALK_DESCRIPTORS, FTW_PHYS);
	(void)nftw(path, remove_one, WALK_DESCRIPTORS, FTW_PHYS | FTW_DEPTH);
}

static void
remove_home(void)
{
	remove_all(home);
}

static const char *
in_home(const char *name)
{
	static char paths[2][128];
	static unsigned next;
	char *path = paths[next++ % 2];
	(void)snprintf(path, sizeof(paths[0]), "%s/%s", home, name);
	return path;
}

static void
make_victim(struct stat *ret_status)
{
	if (mkdir(in_home("victim"), 0700) == 0) {
		FILE *file = fopen(in_home("victim/file"), "w");
		assert(file != NULL && fclose(file) == 0 &&
			chmod(in_home("victim/file"), 0600) == 0);
	}
	assert(lstat(in_home("victim"), ret_status) == 0);
}

static void
make_home(void)
{
	if (home[0] != '\0')
		return;
	/* in memory where that is possible: an input is a dozen changes of directories */
	(void)snprintf(home, sizeof(home), "%s/custody-fuzz-XXXXXX",
		access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	assert(mkdtemp(home) != NULL && atexit(remove_home) == 0);
}

static size_t
count_entries(const char *path)
{
	size_t count = 0;
	DIR *directory = opendir(path);
	assert(directory != NULL);
	while (readdir(directory) != NULL)
		count++;
	(void)closedir(directory);
	return count - 2; /* "." and ".." */
}

static void
check_victim(const struct stat *before)
{
	struct stat now, file;
	assert(lstat(in_home("victim"), &now) == 0 && now.st_ino == before->st_ino);
	assert(now.st_mode == before->st_mode && now.st_uid == before->st_uid);
	assert(now.st_mtim.tv_sec == before->st_mtim.tv_sec &&
		now.st_mtim.tv_nsec == before->st_mtim.tv_nsec);
	assert(count_entries(in_home("victim")) == 1);
	assert(lstat(in_home("victim/file"), &file) == 0 && file.st_size == 0 &&
		file.st_nlink == 1);
	assert((file.st_mode & 07777) == 0600);
}

static int
check_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void)path;
	(void)type;
	(void)walk;
	assert(S_ISREG(status->st_mode) || S_ISDIR(status->st_mode) || S_ISLNK(status->st_mode));
	assert(S_ISLNK(status->st_mode) || (status->st_mode & (S_ISUID | S_ISGID | S_ISVTX)) == 0);
	return 0;
}

static int
seal(const uint8_t *data, size_t size, const struct sealed_header *header, const struct secret *key)
{
	struct err err;
	static const uint8_t envelope[] = "{}";
	int fd = memfd_create("sealed", MFD_CLOEXEC);
	assert(fd >= 0);
	CLEAN(sealed_writer)
	struct sealed_writer *writer = sealed_writer_new(
		fd, header, (struct bytes){envelope, sizeof(envelope) - 1}, key, &err);
	assert(writer != NULL && sealed_writer_push(writer, data, size, &err) &&
		sealed_writer_finish(writer, &err));
	assert(lseek(fd, 0, SEEK_SET) == 0);
	return fd;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = {0};
	struct sealed_header header, again;
	struct tree_count count;
	struct stat victim, status;
	CLEAN(secret)
	struct secret *key = secret_new(32);
	CLEAN(buf)
	struct buf envelope;
	buf_init(&envelope, SEALED_ENVELOPE_MAX);
	assert(key != NULL);
	make_home();
	make_victim(&victim);
	sealed_header_new(SEALED_TREE, &header);
	int fd = seal(data, size, &header, key);
	assert(sealed_read_header(fd, &again, &envelope, &err) && again.kind == SEALED_TREE);
	bool good = tree_open(fd, in_home("target"), false, &again, key, NULL, NULL, &count, &err);
	(void)close(fd);
	check_victim(&victim);
	assert(count_entries(home) == (good ? 2 : 1));
	if (good) {
		assert(lstat(in_home("target"), &status) == 0 && S_ISDIR(status.st_mode));
		assert(nftw(in_home("target"), check_entry, WALK_DESCRIPTORS, FTW_PHYS) == 0);
		remove_all(in_home("target"));
	} else {
		assert(err.code == ERR_SEALED_CORRUPT || err.code == ERR_CLIENT_FILE ||
			err.code == ERR_STORAGE_FULL || err.code == ERR_NO_MEMORY);
		assert(lstat(in_home("target"), &status) != 0);
	}
	return 0;
}
