/*
 * Opening a tree. Everything in the archive may be hostile: opening does not prove who sealed it.
 * Invariant: nothing is made outside the new directory beside the target, and that directory becomes the
 * target only when the stream's last segment proved right; on any failure it is removed.
 */
#include "tree.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "seal/archive_err.h"
#include "seal/fdio.h"

#define REMOVE_DESCRIPTORS 16 /* of nftw(): deeper trees are walked more slowly */

struct unpacking {
	struct sealed_reader *reader;
	struct archive *tar;
	struct archive *disk;
	char root[PATH_MAX]; /* the new directory; absolute, without symbolic links */
	bool owners;
	bool has_top; /* the entry of the tree's top was seen: its status is below */
	struct stat top;
	sealed_progress *progress;
	void *progress_data;
	struct tree_count count;
	struct err *err;
	bool pull_failed; /* *err tells more than libarchive can */
};

/* ---- removing ---- */

static int
open_up(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void)walk;
	(void)status;
	if (type == FTW_D || type == FTW_DNR) /* as far as possible: removing tells the rest */
		(void)chmod(path, 0700);
	return 0;
}

static int
remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void)status;
	(void)type;
	(void)walk;
	(void)remove(path); /* as far as possible: there is an error to report already */
	return 0;
}

/* The archive may have left directories that nobody may write to. */
static void
remove_tree(const char *path)
{
	(void)nftw(path, open_up, REMOVE_DESCRIPTORS, FTW_PHYS);
	(void)nftw(path, remove_one, REMOVE_DESCRIPTORS, FTW_PHYS | FTW_DEPTH);
}

/* ---- names ---- */

/* Relative, not empty, no component "..": such a name stays in the tree unless a symbolic link leads out. */
static bool
name_is_inside(const char *name)
{
	if (name == NULL || name[0] == '\0' || name[0] == '/')
		return false;
	for (const char *part = name; part != NULL; part = strchr(part, '/')) {
		part += *part == '/' ? 1 : 0;
		if (strncmp(part, "..", 2) == 0 && (part[2] == '/' || part[2] == '\0'))
			return false;
	}
	return true;
}

static bool
corrupt(struct unpacking *unpacking, const char *why)
{
	(void)err_set(unpacking->err, ERR_SEALED_CORRUPT, NULL);
	return err_origin(unpacking->err, "%s", why);
}

/*
 * root/name. Longer than PATH_MAX is refused: libarchive would change the process's working directory for it.
 */
static bool
make_path(struct unpacking *unpacking, const char *name, char path[static PATH_MAX])
{
	if (!name_is_inside(name))
		return corrupt(unpacking, "an entry's name leads out of the tree");
	int len = snprintf(path, PATH_MAX, "%s/%s", unpacking->root, name);
	if (len < 0 || len >= PATH_MAX)
		return err_set(unpacking->err, ERR_CLIENT_FILE, "A name in the tree is too long.");
	return true;
}

/* ---- unpacking ---- */

static la_ssize_t
pull(struct archive *tar, void *data, const void **ret_octets)
{
	struct unpacking *unpacking = data;
	struct bytes octets;
	if (!sealed_reader_pull(unpacking->reader, &octets, unpacking->err)) {
		unpacking->pull_failed = true;
		archive_set_error(tar, EIO, "the opener failed");
		return -1;
	}
	*ret_octets = octets.data;
	return (la_ssize_t)octets.len;
}

static bool
fail(struct unpacking *unpacking, enum err_code code, struct archive *archive, const char *call)
{
	if (unpacking->pull_failed)
		return false;
	/* SECURE_SYMLINKS: an entry whose path runs through a link that the archive made */
	if (archive_errno(archive) == ELOOP)
		code = ERR_SEALED_CORRUPT;
	return archive_err_set(unpacking->err, code, archive, call);
}

static bool
check_entry(struct unpacking *unpacking, struct archive_entry *entry)
{
	mode_t type = archive_entry_filetype(entry);
	if (archive_entry_hardlink(entry) != NULL) {
		/* With data it would write through whatever its target has become. */
		if (archive_entry_size_is_set(entry) && archive_entry_size(entry) > 0)
			return corrupt(unpacking, "a hard link with data");
		return true;
	}
	if (type != AE_IFREG && type != AE_IFDIR && type != AE_IFLNK)
		return corrupt(unpacking, "an entry is no file, directory or link");
	if (!unpacking->owners) /* set-id bits belong to an owner */
		archive_entry_set_perm(entry, archive_entry_perm(entry) & 0777);
	return true;
}

static bool
place_entry(struct unpacking *unpacking, struct archive_entry *entry)
{
	char path[PATH_MAX];
	const char *target = archive_entry_hardlink(entry);
	if (target != NULL) {
		if (!make_path(unpacking, target, path))
			return false;
		archive_entry_set_hardlink(entry, path);
	}
	if (!make_path(unpacking, archive_entry_pathname(entry), path))
		return false;
	archive_entry_set_pathname(entry, path);
	return true;
}

static bool
report(struct unpacking *unpacking, size_t len)
{
	unpacking->count.bytes += len;
	if (unpacking->progress == NULL ||
		unpacking->progress(unpacking->progress_data, unpacking->count.bytes))
		return true;
	return err_set(unpacking->err, ERR_CLIENT_FILE, "Stopped.");
}

static bool
unpack_data(struct unpacking *unpacking)
{
	for (;;) {
		const void *block = NULL;
		size_t len = 0;
		la_int64_t offset = 0;
		int result = archive_read_data_block(unpacking->tar, &block, &len, &offset);
		if (result == ARCHIVE_EOF)
			return true;
		if (result != ARCHIVE_OK)
			return fail(unpacking, ERR_SEALED_CORRUPT, unpacking->tar,
				"archive_read_data_block");
		if (archive_write_data_block(unpacking->disk, block, len, offset) != ARCHIVE_OK)
			return fail(unpacking, ERR_CLIENT_FILE, unpacking->disk,
				"archive_write_data_block");
		if (!report(unpacking, len))
			return false;
	}
}

/* ".", "./", "././." and the like: the tree's top, however it is written, since libarchive reads them all as root itself. */
static bool
names_top(const char *name)
{
	for (const char *c = name; *c != '\0'; c++) {
		bool begins = c == name || c[-1] == '/';
		bool ends = c[1] == '/' || c[1] == '\0';
		if (*c != '/' && (*c != '.' || !begins || !ends))
			return false;
	}
	return true;
}

/*
 * The top exists already, and libarchive sets the times of a directory that exists at once, before its
 * contents change them again: so this is ours, at the end.
 */
static bool
set_top(struct unpacking *unpacking, int fd)
{
	const struct stat *top = &unpacking->top;
	const struct timespec times[2] = {
		{0, UTIME_OMIT},
                top->st_mtim
        };
	if (unpacking->owners && fchown(fd, top->st_uid, top->st_gid) != 0)
		return fdio_fail(unpacking->err, "The owner of the directory cannot be set");
	if (fchmod(fd, top->st_mode & 07777) != 0)
		return fdio_fail(unpacking->err, "The mode of the directory cannot be set");
	if (futimens(fd, times) != 0)
		return fdio_fail(unpacking->err, "The times of the directory cannot be set");
	return true;
}

static bool
finish_top(struct unpacking *unpacking)
{
	if (!unpacking->has_top)
		return true;
	int fd = open(unpacking->root, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return fdio_fail(unpacking->err, "The directory cannot be opened");
	bool good = set_top(unpacking, fd);
	(void)close(fd); /* nothing was written */
	return good;
}

/* Anything but a directory would take the place of the new directory while that is empty: a link to anywhere, a file. */
static bool
take_top(struct unpacking *unpacking, struct archive_entry *entry)
{
	if (archive_entry_hardlink(entry) != NULL || archive_entry_filetype(entry) != AE_IFDIR)
		return corrupt(unpacking, "the tree's top is no directory");
	unpacking->has_top = true;
	unpacking->top = *archive_entry_stat(entry);
	unpacking->count.files++;
	return true;
}

static bool
unpack_entry(struct unpacking *unpacking, struct archive_entry *entry)
{
	const char *name = archive_entry_pathname(entry);
	if (!check_entry(unpacking, entry))
		return false;
	if (!name_is_inside(name))
		return corrupt(unpacking, "an entry's name leads out of the tree");
	if (names_top(name))
		return take_top(unpacking, entry);
	if (!place_entry(unpacking, entry))
		return false;
	if (archive_write_header(unpacking->disk, entry) != ARCHIVE_OK)
		return fail(unpacking, ERR_CLIENT_FILE, unpacking->disk, "archive_write_header");
	unpacking->count.files++;
	if (archive_entry_size(entry) > 0 && !unpack_data(unpacking))
		return false;
	if (archive_write_finish_entry(unpacking->disk) != ARCHIVE_OK)
		return fail(
			unpacking, ERR_CLIENT_FILE, unpacking->disk, "archive_write_finish_entry");
	return true;
}

/* The archive ends before the stream does (padding), and only the stream's last segment proves the whole. */
static bool
drain(struct unpacking *unpacking)
{
	struct bytes octets;
	do
		if (!sealed_reader_pull(unpacking->reader, &octets, unpacking->err))
			return false;
	while (octets.len > 0);
	return true;
}

static bool
unpack_all(struct unpacking *unpacking)
{
	for (;;) {
		struct archive_entry *entry = NULL;
		int result = archive_read_next_header(unpacking->tar, &entry);
		if (result == ARCHIVE_EOF)
			break;
		if (result != ARCHIVE_OK)
			return fail(unpacking, ERR_SEALED_CORRUPT, unpacking->tar,
				"archive_read_next_header");
		if (!unpack_entry(unpacking, entry))
			return false;
	}
	if (!drain(unpacking))
		return false;
	/* Modes and times of directories are set now. */
	if (archive_write_close(unpacking->disk) != ARCHIVE_OK)
		return fail(unpacking, ERR_CLIENT_FILE, unpacking->disk, "archive_write_close");
	return finish_top(unpacking);
}

static bool
setup(struct unpacking *unpacking)
{
	/* NOABSOLUTEPATHS and NODOTDOT hold by name_is_inside(); the paths given to libarchive are absolute. */
	int flags = ARCHIVE_EXTRACT_PERM | ARCHIVE_EXTRACT_TIME | ARCHIVE_EXTRACT_SECURE_SYMLINKS |
		    ARCHIVE_EXTRACT_SECURE_NODOTDOT;
	if (unpacking->owners)
		flags |= ARCHIVE_EXTRACT_OWNER;
	if (archive_write_disk_set_options(unpacking->disk, flags) != ARCHIVE_OK)
		return fail(unpacking, ERR_CLIENT_FILE, unpacking->disk,
			"archive_write_disk_set_options");
	if (archive_read_support_format_tar(unpacking->tar) != ARCHIVE_OK ||
		archive_read_open(unpacking->tar, unpacking, NULL, pull, NULL) != ARCHIVE_OK)
		return fail(unpacking, ERR_SEALED_CORRUPT, unpacking->tar, "archive_read_open");
	return true;
}

static bool
run(struct unpacking *unpacking)
{
	unpacking->tar = archive_read_new();
	unpacking->disk = archive_write_disk_new();
	bool good = unpacking->tar != NULL && unpacking->disk != NULL;
	if (!good)
		(void)err_set(unpacking->err, ERR_NO_MEMORY, NULL);
	good = good && setup(unpacking) && unpack_all(unpacking);
	(void)archive_write_free(unpacking->disk);
	(void)archive_read_free(unpacking->tar);
	return good;
}

/* ---- the target ---- */

/* A new directory beside `target`. SECURE_SYMLINKS looks at the whole path, so it must be a real one. */
static bool
make_root(const char *target, char root[static PATH_MAX], struct err *err)
{
	struct stat status;
	if (lstat(target, &status) == 0)
		return err_set(err, ERR_CLIENT_FILE, "%s exists; choose a new name.", target);
	char beside[PATH_MAX];
	int len = (int)strlen(target);
	while (len > 1 && target[len - 1] == '/')
		len--;
	int written = snprintf(beside, sizeof(beside), "%.*s.XXXXXX", len, target);
	if (written < 0 || (size_t)written >= sizeof(beside))
		return err_set(err, ERR_CLIENT_FILE, "The target's name is too long.");
	if (mkdtemp(beside) == NULL)
		return fdio_fail(err, "%s cannot be made", target);
	if (realpath(beside, root) == NULL) {
		(void)fdio_fail(err, "%s cannot be made", target);
		(void)rmdir(beside);
		return false;
	}
	return true;
}

static bool
move_to_target(const char *root, const char *target, struct err *err)
{
	/* Somebody may have made the target meanwhile. */
	if (renameat2(AT_FDCWD, root, AT_FDCWD, target, RENAME_NOREPLACE) == 0)
		return true;
	/* EINVAL: a file system that cannot promise it; rename() replaces an empty directory at most. */
	if (errno == EINVAL && rename(root, target) == 0)
		return true;
	return fdio_fail(err, "%s cannot be made", target);
}

bool
tree_open(int in, const char *target, bool owners, const struct sealed_header *header,
	const struct secret *key, sealed_progress *progress, void *progress_data,
	struct tree_count *ret_count, struct err *err)
{
	struct unpacking unpacking = {
		.owners = owners,
		.progress = progress,
		.progress_data = progress_data,
		.err = err,
	};
	CLEAN(sealed_reader)
	struct sealed_reader *reader = sealed_reader_new(in, header, key, err);
	unpacking.reader = reader;
	if (reader == NULL || !make_root(target, unpacking.root, err))
		return false;
	if (!run(&unpacking) || !move_to_target(unpacking.root, target, err)) {
		remove_tree(unpacking.root);
		return false;
	}
	*ret_count = unpacking.count;
	return true;
}
