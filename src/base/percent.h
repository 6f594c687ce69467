/* Percent-encoding (RFC 3986 §2.1) of a name that becomes one segment of a path or one value of a query. */
#pragma once

#include <stdbool.h>

#include "buf.h"

/* Unreserved characters and '@' stand as they are. false: buffer's maximum. */
bool percent_append(struct buf *path, const char *name);
