/*
 * The audit file. Invariant: `head` is the last record in the file and `synced` the last one known to be on disk; when
 * either cannot be said any more, `failed` is set and nothing is appended.
 */
#include "audit.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit_line.h"
#include "audit_walk.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"

#define ROOM_BYTES 65536 /* set aside at a time */

struct audit {
	char *path;
	int fd; /* -1 after a failed audit_reopen() */
	dev_t device;
	ino_t inode;
	const char *program;
	struct audit_head head, synced;
	int64_t time_us; /* of the last record */
	bool failed;
	bool changed;      /* from outside: then nothing of it is missing by accident */
	unsigned promised; /* records that must fit */
	uint64_t
		room_end; /* offset up to which the file has its blocks, at least; they are behind its end */
	struct buf line; /* reused for each record */
};

static bool
fail_line(struct err *err, const char *path, uint64_t offset)
{
	return err_set(err, ERR_AUDIT_INTEGRITY,
		"The audit file %s is not as it was written: the line at octet %llu does not "
		"verify.",
		path, (unsigned long long)offset);
}

static void
close_file(struct audit *audit)
{
	audit->room_end = 0;
	if (audit->fd >= 0)
		(void)close(audit->fd); /* what counts was synced */
	audit->fd = -1;
}

static bool
make_file(const char *path, int *ret_fd, struct err *err)
{
	int fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return file_fail(err, path, "made", errno);
	if (!file_sync_directory(path, err)) {
		(void)close(fd);
		return false;
	}
	*ret_fd = fd;
	return true;
}

static bool
open_file(struct audit *audit, struct err *err)
{
	if (!file_check_private(audit->path, 0077, err))
		return false;
	int fd = open(audit->path, O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 && errno != ENOENT)
		return file_fail(err, audit->path, "opened", errno);
	if (fd < 0 && !make_file(audit->path, &fd, err))
		return false;
	struct stat status;
	if (fstat(fd, &status) != 0 || flock(fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno == EWOULDBLOCK)
			(void)err_set(err, ERR_CATALOG_LOCKED,
				"Another daemon has the audit file %s open.", audit->path);
		else
			(void)err_errno(err, ERR_STORAGE, errno, "lock the audit");
		(void)close(fd);
		return false;
	}
	(void)posix_fadvise(
		fd, 0, 0, POSIX_FADV_DONTNEED); /* read what the disk has (threats D3) */
	audit->fd = fd;
	audit->device = status.st_dev;
	audit->inode = status.st_ino;
	return true;
}

/* More than a line goes to a file of its own: it may be evidence. */
static bool
keep_tail(const struct audit *audit, uint64_t size, struct err *err)
{
	uint64_t offset = audit->head.offset;
	size_t len = (size_t)(size - offset); /* at most AUDIT_TAIL_BYTES */
	if (len < AUDIT_LINE_MAX)
		return true;
	char *data = malloc(len), path[4096];
	if (data == NULL)
		abort();
	int path_len =
		snprintf(path, sizeof path, "%s.cut-%llu", audit->path, (unsigned long long)offset);
	ssize_t got = audit_read_at(audit->fd, data, len, offset, err);
	bool kept = got >= 0;
	if (kept && (path_len < 0 || (size_t)path_len >= sizeof path))
		kept = err_set(err, ERR_CONFIG, "The path of the audit is too long.");
	kept = kept && file_write_atomic(path, data, (size_t)got, 0600, err);
	free(data);
	return kept;
}

/* Cuts what was never written whole and says so in a record. */
static bool
cut_tail(struct audit *audit, uint64_t size, struct err *err)
{
	if (!keep_tail(audit, size, err))
		return false;
	if (ftruncate(audit->fd, (off_t)audit->head.offset) != 0 || fdatasync(audit->fd) != 0)
		return err_errno(err, ERR_STORAGE, errno, "cut the audit");
	char detail[96];
	(void)snprintf(detail, sizeof detail,
		"%llu octets after record %llu were not whole and were cut",
		(unsigned long long)(size - audit->head.offset),
		(unsigned long long)audit->head.records);
	log_warning("audit.cut", LOG_TEXT("path", audit->path), LOG_TEXT("detail", detail));
	const struct audit_record record = {.by_daemon = true,
		.operation = "audit.cut",
		.detail = detail,
		.catalog = audit->head.catalog};
	return audit_append(audit, &record, true, err);
}

/* Verifies the last AUDIT_TAIL_BYTES, sets head, repairs a torn end. */
static bool
load(struct audit *audit, struct err *err)
{
	struct stat status;
	if (fstat(audit->fd, &status) != 0)
		return err_errno(err, ERR_STORAGE, errno, "fstat the audit");
	uint64_t size = (uint64_t)status.st_size;
	struct audit_walk walk = {
		.linked = size <= AUDIT_TAIL_BYTES}; /* the first line continues nothing */
	if (!walk.linked &&
		!audit_walk_start(audit->fd, size - AUDIT_TAIL_BYTES, size, &walk.head.offset, err))
		return false;
	switch (audit_walk_file(&walk, audit->fd, err)) {
	case AUDIT_WALKED_FAILED:
		return false;
	case AUDIT_WALKED_BAD:
		if (!walk.bad_is_hole || !walk.linked)
			return fail_line(err, audit->path, walk.bad);
		break;
	case AUDIT_WALKED_ALL:
		break;
	}
	audit->head = audit->synced = walk.head;
	audit->time_us = walk.time_us;
	return walk.head.offset == size || cut_tail(audit, size, err);
}

struct audit *
audit_open(const char *path, const char *program, struct err *err)
{
	struct audit *audit = calloc(1, sizeof *audit);
	if (audit == NULL || (audit->path = strdup(path)) == NULL)
		abort();
	audit->program = program;
	audit->fd = -1;
	buf_init(&audit->line, AUDIT_LINE_MAX);
	if (!open_file(audit, err) || !load(audit, err)) {
		audit_close(audit);
		return NULL;
	}
	return audit;
}

static void
give_room_back(struct audit *audit)
{
	if (audit->room_end <= audit->head.offset)
		return;
	if (ftruncate(audit->fd, (off_t)audit->head.offset) != 0)
		log_debug("audit.room",
			LOG_TEXT("error", strerror(errno))); /* it stays the audit's */
}

void
audit_close(struct audit *audit)
{
	if (audit == NULL)
		return;
	if (audit->fd >= 0 && !audit->failed) {
		(void)fdatasync(audit->fd); /* the end: nobody is left to be told */
		give_room_back(audit);
	}
	close_file(audit);
	buf_clear(&audit->line);
	free(audit->path);
	free(audit);
}

static bool
fail_changed(struct audit *audit, struct err *err)
{
	audit->failed = audit->changed = true;
	return err_set(err, ERR_AUDIT_INTEGRITY,
		"The audit file %s was cut, replaced or removed from outside.", audit->path);
}

static bool
check_open(const struct audit *audit, struct err *err)
{
	if (!audit->failed && audit->fd >= 0)
		return true;
	return err_set(err, ERR_STORAGE,
		"The audit is closed after a failure; nothing is answered without it.");
}

/* Threats D19, cheap enough for each record: the file ends where our last record ends, and has its name. */
static bool
check_unchanged(struct audit *audit, struct err *err)
{
	struct stat status;
	if (fstat(audit->fd, &status) != 0)
		return err_errno(err, ERR_STORAGE, errno, "fstat the audit");
	if ((uint64_t)status.st_size != audit->head.offset || status.st_nlink != 1)
		return fail_changed(audit, err);
	return true;
}

static bool
sync_file(struct audit *audit, struct err *err)
{
	if (fdatasync(audit->fd) != 0) {
		audit->failed =
			true; /* never tried again as if it could be good now (threats D3) */
		return err_errno(err, ERR_STORAGE, errno, "sync the audit");
	}
	audit->synced = audit->head;
	return true;
}

/* `size` octets of room behind the last record, some more if the disk has them. */
static bool
set_aside(struct audit *audit, uint64_t size, struct err *err)
{
	if (audit->head.offset + size <= audit->room_end)
		return true;
	off_t start = (off_t)audit->head.offset;
	uint64_t taken = size + ROOM_BYTES;
	int rc = fallocate(audit->fd, FALLOC_FL_KEEP_SIZE, start, (off_t)taken);
	if (rc != 0 && errno == ENOSPC) {
		taken = size;
		rc = fallocate(audit->fd, FALLOC_FL_KEEP_SIZE, start, (off_t)taken);
	}
	if (rc != 0 && errno != EOPNOTSUPP)
		return err_errno(err, ERR_STORAGE, errno, "set room aside for the audit");
	audit->room_end = audit->head.offset + taken;
	return true;
}

/* One write(2); what was written of a line that did not fit is taken back. It leaves the room that others were promised. */
static bool
write_line(struct audit *audit, struct err *err)
{
	uint64_t promised = (uint64_t)audit->promised * AUDIT_LINE_MAX;
	if (promised > 0 && !set_aside(audit, audit->line.len + promised, err))
		return false;
	if (file_write_all(audit->fd, audit->line.data, audit->line.len, err))
		return true;
	audit->room_end = 0;
	if (ftruncate(audit->fd, (off_t)audit->head.offset) != 0)
		audit->failed = true;
	return false;
}

bool
audit_promise(struct audit *audit, struct err *err)
{
	uint64_t size = ((uint64_t)audit->promised + 1) * AUDIT_LINE_MAX;
	if (!check_open(audit, err) || !check_unchanged(audit, err) || !set_aside(audit, size, err))
		return false;
	audit->promised++;
	return true;
}

void
audit_release(struct audit *audit)
{
	assert(audit->promised > 0);
	audit->promised--;
}

bool
audit_append(struct audit *audit, const struct audit_record *record, bool durable, struct err *err)
{
	if (!check_open(audit, err) || !check_unchanged(audit, err))
		return false;
	int64_t now = clock_wall_us();
	struct audit_line line = {.seq = audit->head.records + 1,
		.catalog = record->catalog > audit->head.catalog ? record->catalog
								 : audit->head.catalog,
		.time_us = now > audit->time_us ? now : audit->time_us};
	memcpy(line.prev, audit->head.hash, sizeof line.prev);
	buf_reset(&audit->line);
	struct audit_record named = *record;
	if (record->by_daemon)
		named.user = audit->program;
	audit_line_write(&audit->line, &named, &line);
	if (!write_line(audit, err))
		return false;
	audit->head.records = line.seq;
	audit->head.offset += audit->line.len;
	audit->head.catalog = line.catalog;
	memcpy(audit->head.hash, line.hash, sizeof line.hash);
	audit->time_us = line.time_us;
	return !durable || sync_file(audit, err);
}

bool
audit_sync(struct audit *audit, struct err *err)
{
	struct stat status;
	if (!check_open(audit, err) || !check_unchanged(audit, err))
		return false;
	if (lstat(audit->path, &status) != 0 || status.st_ino != audit->inode ||
		status.st_dev != audit->device)
		return fail_changed(audit, err);
	return audit->synced.records == audit->head.records || sync_file(audit, err);
}

bool
audit_failed(const struct audit *audit)
{
	return audit->failed;
}

/*
 * What was synced is there; what came after is, or is said to be lost. Of a file that was changed from outside all must be
 * there, and it must be the same file: a person put it back.
 */
static bool
take_up(struct audit *audit, const struct audit *was, struct err *err)
{
	bool there;
	struct stat status;
	if (fstat(audit->fd, &status) != 0)
		return err_errno(err, ERR_STORAGE, errno, "fstat the audit");
	if (!audit_walk_holds(audit->fd, was->changed ? &was->head : &was->synced, &there, err))
		return false;
	bool same = was->inode == status.st_ino && was->device == status.st_dev &&
		    was->head.offset == (uint64_t)status.st_size;
	if (!there || (was->changed && !same))
		return err_set(err, ERR_AUDIT_INTEGRITY,
			"The audit file %s does not hold what was written to it.", audit->path);
	if (!load(audit, err))
		return false;
	char detail[96];
	uint64_t lost = was->head.records > audit->head.records
				? was->head.records - audit->head.records
				: 0;
	(void)snprintf(detail, sizeof detail,
		"opened again after a failure; %llu records of reads lost",
		(unsigned long long)lost);
	const struct audit_record record = {.by_daemon = true,
		.operation = "audit.reopen",
		.detail = detail,
		.catalog = was->head.catalog};
	return audit_append(audit, &record, true, err);
}

bool
audit_reopen(struct audit *audit, struct err *err)
{
	const struct audit was = *audit;
	close_file(audit);
	audit->failed = audit->changed = false;
	if (open_file(audit, err) && take_up(audit, &was, err))
		return true;
	audit->failed = true;
	audit->changed = was.changed;
	audit->synced = was.synced;
	audit->head = was.head;
	audit->inode = was.inode;
	audit->device = was.device;
	return false;
}

struct audit_head
audit_synced(const struct audit *audit)
{
	return audit->synced;
}

struct audit_head
audit_head(const struct audit *audit)
{
	return audit->head;
}

bool
audit_check(const struct audit *audit, const struct audit_head *remembered, struct err *err)
{
	bool there;
	if (audit->head.catalog > remembered->catalog)
		return err_set(err, ERR_CATALOG_ROLLED_BACK,
			"The catalog is older than the audit: its change %llu, the audit knows of "
			"%llu. An old copy was put back.",
			(unsigned long long)remembered->catalog,
			(unsigned long long)audit->head.catalog);
	if (!audit_walk_holds(audit->fd, remembered, &there, err))
		return false;
	if (!there)
		return err_set(err, ERR_AUDIT_INTEGRITY,
			"The audit file %s does not hold record %llu, which the catalog remembers.",
			audit->path, (unsigned long long)remembered->records);
	return true;
}

struct since {
	audit_visit *visit;
	void *ctx;
};

static bool
visit_line(void *ctx, const char *text, size_t len)
{
	const struct since *since = ctx;
	CLEAN(arena)
	struct arena *arena = arena_new();
	struct audit_entry entry;
	if (!audit_line_entry(text, len, arena, &entry))
		return false;
	since->visit(since->ctx, &entry);
	return true;
}

bool
audit_since(const struct audit *audit, const struct audit_head *from, audit_visit *visit, void *ctx,
	bool *ret_known, struct err *err)
{
	struct since since = {visit, ctx};
	struct audit_walk walk = {
		.head = *from, .linked = true, .visit = visit_line, .ctx = &since};
	if (!audit_walk_holds(audit->fd, from, ret_known, err))
		return false;
	if (!*ret_known)
		return true;
	walk.head.catalog = 0; /* of that record, which is not remembered */
	enum audit_walked walked = audit_walk_file(&walk, audit->fd, err);
	*ret_known = walked == AUDIT_WALKED_ALL;
	return walked != AUDIT_WALKED_FAILED;
}

bool
audit_verify(const char *path, struct audit_head *ret_head, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat status;
	if (fd < 0)
		return err_errno(err, ERR_CLIENT_FILE, errno, "open the audit");
	struct audit_walk walk = {.linked = true};
	enum audit_walked walked = audit_walk_file(&walk, fd, err);
	bool sized = fstat(fd, &status) == 0;
	(void)close(fd);
	if (walked == AUDIT_WALKED_FAILED)
		return false;
	if (walked == AUDIT_WALKED_BAD || !sized || walk.head.offset != (uint64_t)status.st_size)
		return err_set(err, ERR_AUDIT_INTEGRITY,
			"%s: line %llu (octet %llu) does not verify.", path,
			(unsigned long long)walk.line + 1, (unsigned long long)walk.head.offset);
	*ret_head = walk.head;
	return true;
}
