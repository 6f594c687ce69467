/*
 * Sealing a tree: archive_read_disk walks it without following links, a tar writer pushes into the sealer.
 * Invariant: what is in the stream has the length its header says, or sealing fails.
 */
#include "tree.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "seal/archive_err.h"
#include "seal/fdio.h"

struct packing {
	const char *directory;
	struct sealed_writer *writer;
	struct archive *disk;
	struct archive *tar;
	struct archive_entry_linkresolver *links;
	struct stat out; /* of the output, which may lie in the tree */
	sealed_progress *progress;
	void *progress_data;
	struct tree_count count;
	struct err *err;
	bool push_failed; /* *err tells more than libarchive can */
	bool ended;
};

static bool
fail(struct packing *packing, struct archive *archive, const char *call)
{
	if (packing->push_failed)
		return false;
	return archive_err_set(packing->err, ERR_CLIENT_FILE, archive, call);
}

/*
 * After an error libarchive frees a writer without what it has for us, so it is not told of ours before the end:
 * what is pushed after a failure is dropped, and tar_done() has the failure seen.
 */
static la_ssize_t
push(struct archive *tar, void *data, const void *octets, size_t len)
{
	struct packing *packing = data;
	if (packing->ended) {
		archive_set_error(tar, EIO, "it is over");
		return -1;
	}
	if (!packing->push_failed &&
		!sealed_writer_push(packing->writer, octets, len, packing->err))
		packing->push_failed = true;
	return (la_ssize_t)len;
}

static bool
tar_done(struct packing *packing, bool good, const char *call)
{
	return !packing->push_failed && (good || fail(packing, packing->tar, call));
}

static bool
setup_disk(struct packing *packing)
{
	struct archive *disk = packing->disk;
	int behavior = ARCHIVE_READDISK_NO_XATTR | ARCHIVE_READDISK_NO_ACL |
		       ARCHIVE_READDISK_NO_FFLAGS | ARCHIVE_READDISK_NO_SPARSE;
	if (archive_read_disk_set_symlink_physical(disk) != ARCHIVE_OK ||
		archive_read_disk_set_behavior(disk, behavior) != ARCHIVE_OK ||
		archive_read_disk_open(disk, packing->directory) != ARCHIVE_OK)
		return fail(packing, disk, "archive_read_disk_open");
	return true;
}

/* Names are octets, not characters of some locale: hdrcharset says so in the archive. */
static bool
setup_tar(struct packing *packing)
{
	struct archive *tar = packing->tar;
	if (archive_write_set_format_pax(tar) != ARCHIVE_OK ||
		archive_write_set_format_option(tar, "pax", "hdrcharset", "BINARY") != ARCHIVE_OK ||
		archive_write_set_bytes_in_last_block(tar, 1) != ARCHIVE_OK ||
		archive_write_open(tar, packing, NULL, push, NULL) != ARCHIVE_OK)
		return fail(packing, tar, "archive_write_open");
	archive_entry_linkresolver_set_strategy(packing->links, ARCHIVE_FORMAT_TAR_PAX_INTERCHANGE);
	return true;
}

/* The name inside the tree: "." for the top, no leading "./" or "/" for the rest. */
static const char *
inner_name(const struct packing *packing, const char *path)
{
	const char *name = path + strlen(packing->directory);
	while (*name == '/')
		name++;
	return *name == '\0' ? "." : name;
}

static bool
is_output(const struct packing *packing, const struct stat *status)
{
	return status->st_dev == packing->out.st_dev && status->st_ino == packing->out.st_ino;
}

static bool
is_kept(const struct stat *status)
{
	return S_ISREG(status->st_mode) || S_ISDIR(status->st_mode) || S_ISLNK(status->st_mode);
}

/* What is in a file only: times of reading and names of owners would tell about the host. */
static void
trim_entry(const struct packing *packing, struct archive_entry *entry)
{
	const char *name = inner_name(packing, archive_entry_pathname(entry));
	char *copy = strdup(name); /* it points into what is set next */
	archive_entry_set_pathname(entry, copy);
	free(copy);
	archive_entry_unset_atime(entry);
	archive_entry_unset_ctime(entry);
	archive_entry_unset_birthtime(entry);
	archive_entry_set_uname(entry, NULL);
	archive_entry_set_gname(entry, NULL);
}

/* `count` zeros for a hole, or for what a file lost since its header was written. */
static bool
write_zeros(struct packing *packing, int64_t count)
{
	static const uint8_t zeros[65536];
	while (count > 0) {
		size_t part = count < (int64_t)sizeof(zeros) ? (size_t)count : sizeof(zeros);
		bool good = archive_write_data(packing->tar, zeros, part) >= 0;
		if (!tar_done(packing, good, "archive_write_data"))
			return false;
		count -= (int64_t)part;
	}
	return true;
}

static bool
report(struct packing *packing, size_t len)
{
	packing->count.bytes += len;
	if (packing->progress == NULL ||
		packing->progress(packing->progress_data, packing->count.bytes))
		return true;
	return err_set(packing->err, ERR_CLIENT_FILE, "Stopped.");
}

static bool
fail_changed(struct packing *packing, struct archive_entry *entry, const char *how)
{
	return err_set(packing->err, ERR_CLIENT_FILE, "%s %s while it was sealed; seal again.",
		archive_entry_pathname(entry), how);
}

/* Half of it old, half new: what is sealed would never have been in the file. */
static bool
check_unchanged(struct packing *packing, struct archive_entry *entry)
{
	struct stat now;
	const char *path = archive_entry_sourcepath(entry);
	if (path == NULL || lstat(path, &now) != 0)
		return true; /* removed since: what was read is whole */
	return (now.st_mtim.tv_sec == archive_entry_mtime(entry) &&
		       now.st_mtim.tv_nsec == archive_entry_mtime_nsec(entry)) ||
	       fail_changed(packing, entry, "changed");
}

static bool
pack_data(struct packing *packing, struct archive_entry *entry)
{
	int64_t size = archive_entry_size(entry);
	int64_t done = 0;
	for (;;) {
		const void *block = NULL;
		size_t len = 0;
		la_int64_t offset = 0;
		int result = archive_read_data_block(packing->disk, &block, &len, &offset);
		if (result == ARCHIVE_EOF)
			break;
		if (result != ARCHIVE_OK)
			return fail(packing, packing->disk, "archive_read_data_block");
		if (!write_zeros(packing, offset - done))
			return false;
		la_ssize_t written = archive_write_data(packing->tar, block, len);
		if (!tar_done(packing, written >= 0, "archive_write_data"))
			return false;
		done = offset + (int64_t)len;
		if (!report(packing, len))
			return false;
		if (done > size || (size_t)written != len)
			break;
	}
	if (done > size)
		return fail_changed(packing, entry, "grew");
	/* A hole at the end comes as a last empty block, so this is a file that lost octets. */
	if (done < size)
		return fail_changed(packing, entry, "was cut");
	return check_unchanged(packing, entry);
}

static bool
pack_entry(struct packing *packing, struct archive_entry *entry)
{
	const struct stat *status = archive_entry_stat(entry);
	if (is_output(packing, status))
		return true;
	if (!is_kept(status)) {
		packing->count.skipped++;
		return true;
	}
	trim_entry(packing, entry);
	struct archive_entry *later = NULL; /* no use in tar */
	archive_entry_linkify(packing->links, &entry, &later);
	bool good = archive_write_header(packing->tar, entry) == ARCHIVE_OK;
	if (!tar_done(packing, good, "archive_write_header"))
		return false;
	packing->count.files++;
	bool has_data = archive_entry_filetype(entry) == AE_IFREG &&
			archive_entry_hardlink(entry) == NULL && archive_entry_size(entry) > 0;
	if (has_data && !pack_data(packing, entry))
		return false;
	good = archive_write_finish_entry(packing->tar) == ARCHIVE_OK;
	return tar_done(packing, good, "archive_write_finish_entry");
}

static bool
pack_all(struct packing *packing)
{
	struct archive_entry *entry = archive_entry_new();
	if (entry == NULL)
		return err_set(packing->err, ERR_NO_MEMORY, NULL);
	bool good = true;
	while (good) {
		int result = archive_read_next_header2(packing->disk, entry);
		if (result == ARCHIVE_EOF)
			break;
		good = (result == ARCHIVE_OK ||
			       fail(packing, packing->disk, "archive_read_next_header2")) &&
		       pack_entry(packing, entry);
		if (good && archive_read_disk_descend(packing->disk) != ARCHIVE_OK)
			good = fail(packing, packing->disk, "archive_read_disk_descend");
	}
	archive_entry_free(entry);
	return good && tar_done(packing, archive_write_close(packing->tar) == ARCHIVE_OK,
			       "archive_write_close");
}

static bool
check_directory(const char *directory, struct err *err)
{
	struct stat status;
	if (lstat(directory, &status) != 0)
		return fdio_fail(err, "%s cannot be read", directory);
	if (S_ISLNK(status.st_mode))
		return err_set(err, ERR_CLIENT_FILE,
			"%s is a symbolic link; name the directory that it leads to.", directory);
	if (!S_ISDIR(status.st_mode))
		return err_set(err, ERR_CLIENT_FILE, "%s is no directory.", directory);
	return true;
}

static bool
run(struct packing *packing)
{
	packing->disk = archive_read_disk_new();
	packing->tar = archive_write_new();
	packing->links = archive_entry_linkresolver_new();
	bool good = packing->disk != NULL && packing->tar != NULL && packing->links != NULL;
	if (!good)
		(void)err_set(packing->err, ERR_NO_MEMORY, NULL);
	good = good && setup_disk(packing) && setup_tar(packing) && pack_all(packing) &&
	       sealed_writer_finish(packing->writer, packing->err);
	/* Freeing an unfinished writer closes it, which would push all that its last file still lacks. */
	packing->ended = true;
	(void)archive_write_free(packing->tar);
	(void)archive_read_free(packing->disk);
	archive_entry_linkresolver_free(packing->links);
	return good;
}

bool
tree_seal(const char *directory, int out, const struct sealed_header *header, struct bytes envelope,
	const struct secret *key, sealed_progress *progress, void *progress_data,
	struct tree_count *ret_count, struct err *err)
{
	struct packing packing = {
		.directory = directory,
		.progress = progress,
		.progress_data = progress_data,
		.err = err,
	};
	if (!check_directory(directory, err))
		return false;
	if (fstat(out, &packing.out) != 0)
		return fdio_fail(err, "The output cannot be looked at");
	CLEAN(sealed_writer)
	struct sealed_writer *writer = sealed_writer_new(out, header, envelope, key, err);
	packing.writer = writer;
	if (writer == NULL || !run(&packing))
		return false;
	*ret_count = packing.count;
	return true;
}
