/* Reading an audit file that is there: whether its lines continue each other, and where they stop doing so. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/attr.h"
#include "base/err.h"
#include "service/audit.h"

/* Walking a chain from some line on. */
struct audit_walk {
	struct audit_head head; /* after the last good line */
	int64_t time_us;
	uint64_t line;    /* number of the line within the walk, for messages */
	bool linked;      /* head.hash is known: the next line must continue it */
	uint64_t bad;     /* offset of the first line that does not verify */
	bool bad_is_hole; /* it holds a NUL: never written, only allocated (threats D4) */
	/* Of each line that verified, without its newline; false: it is bad all the same. NULL: none is looked at. */
	bool (*visit)(void *ctx, const char *text, size_t len);
	void *ctx;
};

enum audit_walked {
	AUDIT_WALKED_ALL, /* every whole line verified; what is behind head.offset has no newline */
	AUDIT_WALKED_BAD, /* walk->bad */
	AUDIT_WALKED_FAILED, /* err */
};

/* From walk->head.offset, the start of a line, to the end of the file. */
enum audit_walked audit_walk_file(struct audit_walk *walk, int fd, struct err *err);

/* The start of the first line at or after `offset`; `size`, that of the file, if there is none within a line's length. */
bool audit_walk_start(
	int fd, uint64_t offset, uint64_t size, uint64_t *ret_start, struct err *err) MUST_USE;
/* Whether the line that ends at head->offset is record number head->records with that hash. false: it could not be read. */
bool audit_walk_holds(
	int fd, const struct audit_head *head, bool *ret_holds, struct err *err) MUST_USE;

/* One read across EINTR; -1 sets err. */
ssize_t audit_read_at(int fd, void *data, size_t len, uint64_t offset, struct err *err);
