/*
 * What a worker, or the vendor's module in it, writes to its standard output and error: line by line into our
 * log, cut and without control characters (threats B31). The log itself limits repeats.
 */
#pragma once

#include "base/attr.h"
#include "base/err.h"
#include "loop/loop.h"

#define WORKERLOG_LINE_MAX 512 /* octets; the rest of a longer line is dropped */

struct workerlog;

/* `name` of the token, borrowed. *ret_fd is the end to write to: the child's; the caller closes its own. */
struct workerlog *workerlog_new(
	struct loop *loop, const char *name, int *ret_fd, struct err *err) MUST_USE;
/* Reads what is left first. NULL is fine. */
void workerlog_free(struct workerlog *log);

DEFINE_CLEAN(workerlog, struct workerlog)
