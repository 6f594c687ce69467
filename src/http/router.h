/*
 * Method and path to a row of the caller's table.
 *
 * A template is "/keys/{name}/{version?}/wrapkey": words compare case-insensitively, {x} captures a
 * non-empty segment, {x?} captures an empty one too and may be missing at the end of the path. One
 * trailing slash is nothing. A word wins over a capture, segment by segment, among the rows of one method.
 */
#pragma once

#include <stddef.h>

#include "base/attr.h"
#include "http/http.h"

#define ROUTER_CAPTURES_MAX 4
#define ROUTER_ALLOW_BYTES  64

struct router;

/* To be embedded anywhere in the caller's row. */
struct route {
	enum http_method method;
	const char *template;
};

enum router_result {
	ROUTER_FOUND = 1,
	ROUTER_NOT_FOUND,          /* 404 */
	ROUTER_METHOD_NOT_ALLOWED, /* 405 with `allow` */
};

struct router_match {
	size_t row; /* index in the caller's table */
	const char *captures
		[ROUTER_CAPTURES_MAX]; /* borrowed from the request; "" for an empty or missing {x?} */
	size_t capture_count;
	char allow[ROUTER_ALLOW_BYTES]; /* value of the Allow header for 405 */
};

/*
 * `routes` is the first row's struct route, `stride` the size of a row. The table must outlive the
 * router; a malformed template or two equal rows are our bug (asserted).
 */
struct router *router_new(const struct route *routes, size_t count, size_t stride) MUST_USE;
void router_free(struct router *router);
enum router_result router_match(const struct router *router, const struct http_request *request,
	struct router_match *ret_match) MUST_USE;
/* The same from method and segments. */
enum router_result router_match_path(const struct router *router, enum http_method method,
	const char *const *segments, size_t segment_count, struct router_match *ret_match) MUST_USE;

DEFINE_CLEAN(router, struct router)
