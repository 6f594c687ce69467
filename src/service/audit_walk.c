#include "audit_walk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit_line.h"

#define READ_BYTES 65536 /* at a time; several lines of the longest */

static bool
walk_line(struct audit_walk *walk, const char *text, size_t len)
{
	struct audit_line line;
	if (!audit_line_read(text, len, &line))
		return false;
	if (walk->linked &&
		(line.seq != walk->head.records + 1 ||
			memcmp(line.prev, walk->head.hash, sizeof line.prev) != 0 ||
			line.time_us < walk->time_us || line.catalog < walk->head.catalog))
		return false;
	if (walk->visit != NULL && !walk->visit(walk->ctx, text, len))
		return false;
	walk->head.records = line.seq;
	walk->head.offset += len + 1;
	memcpy(walk->head.hash, line.hash, sizeof line.hash);
	walk->head.catalog = line.catalog;
	walk->time_us = line.time_us;
	walk->linked = true;
	walk->line++;
	return true;
}

/* All whole lines in `text`; ret_used: their octets. false: walk->bad is set. */
static bool
walk_lines(struct audit_walk *walk, const char *text, size_t len, size_t *ret_used)
{
	size_t used = 0;
	for (;;) {
		const char *end = memchr(text + used, '\n', len - used);
		if (end == NULL)
			break;
		size_t line = (size_t)(end - (text + used));
		if (!walk_line(walk, text + used, line)) {
			walk->bad = walk->head.offset;
			walk->bad_is_hole = memchr(text + used, '\0', line) != NULL;
			return false;
		}
		used += line + 1;
	}
	*ret_used = used;
	return true;
}

ssize_t
audit_read_at(int fd, void *data, size_t len, uint64_t offset, struct err *err)
{
	ssize_t got;
	do {
		got = pread(fd, data, len, (off_t)offset);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		(void)err_errno(err, ERR_STORAGE, errno, "read the audit");
	return got;
}

enum audit_walked
audit_walk_file(struct audit_walk *walk, int fd, struct err *err)
{
	char *data = malloc(READ_BYTES);
	if (data == NULL)
		abort();
	enum audit_walked result = AUDIT_WALKED_ALL;
	size_t kept = 0; /* octets of a line not yet whole, at the start of data */
	for (;;) {
		ssize_t got = audit_read_at(
			fd, data + kept, READ_BYTES - kept, walk->head.offset + kept, err);
		if (got <= 0) {
			result = got < 0 ? AUDIT_WALKED_FAILED : AUDIT_WALKED_ALL;
			break;
		}
		size_t len = kept + (size_t)got, used;
		if (!walk_lines(walk, data, len, &used)) {
			result = AUDIT_WALKED_BAD;
			break;
		}
		kept = len - used;
		memmove(data, data + used, kept);
		if (kept >= AUDIT_LINE_MAX) { /* longer than any line: torn, or not ours */
			walk->bad = walk->head.offset;
			walk->bad_is_hole = memchr(data, '\0', kept) != NULL;
			result = AUDIT_WALKED_BAD;
			break;
		}
	}
	free(data);
	return result;
}

bool
audit_walk_start(int fd, uint64_t offset, uint64_t size, uint64_t *ret_start, struct err *err)
{
	if (offset == 0) {
		*ret_start = 0;
		return true;
	}
	char data[AUDIT_LINE_MAX];
	ssize_t got = audit_read_at(fd, data, sizeof data, offset - 1, err);
	if (got < 0)
		return false;
	const char *end = memchr(data, '\n', (size_t)got);
	*ret_start = end == NULL ? size : offset + (uint64_t)(end - data);
	return true;
}

bool
audit_walk_holds(int fd, const struct audit_head *head, bool *ret_holds, struct err *err)
{
	char data[AUDIT_LINE_MAX];
	*ret_holds = head->records == 0;
	if (head->records == 0 || head->offset == 0)
		return true;
	uint64_t start = head->offset > sizeof data ? head->offset - sizeof data : 0;
	ssize_t got = audit_read_at(fd, data, (size_t)(head->offset - start), start, err);
	if (got < 0)
		return false;
	size_t len = (size_t)got;
	if (len == 0 || start + len != head->offset || data[len - 1] != '\n')
		return true;
	const char *before = memrchr(data, '\n', len - 1);
	if (before == NULL && start > 0)
		return true;
	const char *text = before == NULL ? data : before + 1;
	struct audit_line line;
	*ret_holds = audit_line_read(text, (size_t)(data + len - 1 - text), &line) &&
		     line.seq == head->records &&
		     memcmp(line.hash, head->hash, sizeof line.hash) == 0;
	return true;
}
