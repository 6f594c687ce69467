/* A request target taken apart and percent-decoded, once: segments of the path, parameters of the query. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"
#include "http/http.h"

struct target_param {
	const char *name;
	const char *value;
};

struct target {
	const char *segments[HTTP_SEGMENTS_MAX];
	size_t segment_count;
	struct target_param params[HTTP_PARAMS_MAX];
	size_t param_count;
};

/*
 * `text` is an origin-form target: "/…", printable ASCII. A broken escape, a segment that is "." or ".." or holds
 * anything but printable ASCII without '/' and blank, a parameter with a control character, a '#': ERR_BAD_PARAMETER.
 * More segments than any path has: ERR_NOT_FOUND.
 */
bool target_parse(
	const char *text, struct arena *arena, struct target *ret_target, struct err *err) MUST_USE;
