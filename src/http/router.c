/* Templates are split once; a request is compared with each row of its length, a few dozen at most. */
#include "http/router.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum part_kind {
	PART_WORD,
	PART_CAPTURE,  /* {x} */
	PART_OPTIONAL, /* {x?} */
};

struct part {
	enum part_kind kind;
	const char *word; /* in the template */
	size_t len;
};

struct row {
	enum http_method method;
	struct part parts[HTTP_SEGMENTS_MAX];
	size_t count;
};

struct router {
	size_t count;
	struct row rows[];
};

static void
split(const char *template, struct row *row)
{
	size_t captures = 0;
	assert(template[0] == '/');
	for (const char *at = template; at != NULL;) {
		const char *start = at + 1;
		at = strchr(start, '/');
		size_t len = at != NULL ? (size_t)(at - start) : strlen(start);
		assert(row->count < HTTP_SEGMENTS_MAX &&
			(len > 0 || (row->count == 0 && at == NULL)));
		struct part *part = &row->parts[row->count++];
		*part = (struct part){.kind = PART_WORD, .word = start, .len = len};
		if (len == 0 || start[0] != '{')
			continue;
		captures++;
		assert(start[len - 1] == '}' && captures <= ROUTER_CAPTURES_MAX);
		part->kind = start[len - 2] == '?' ? PART_OPTIONAL : PART_CAPTURE;
	}
}

/* Two rows that match the same paths with the same specificity would make the order of the table decide. */
static bool
rows_clash(const struct row *a, const struct row *b)
{
	if (a->method != b->method || a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		const struct part *x = &a->parts[i];
		const struct part *y = &b->parts[i];
		if ((x->kind == PART_WORD) != (y->kind == PART_WORD))
			return false;
		if (x->kind == PART_WORD &&
			(x->len != y->len || strncasecmp(x->word, y->word, x->len) != 0))
			return false;
	}
	return true;
}

struct router *
router_new(const struct route *routes, size_t count, size_t stride)
{
	struct router *router = calloc(1, sizeof(*router) + count * sizeof(router->rows[0]));
	if (router == NULL)
		abort();
	router->count = count;
	for (size_t i = 0; i < count; i++) {
		const struct route *route =
			(const struct route *)((const char *)routes + i * stride);
		router->rows[i].method = route->method;
		split(route->template, &router->rows[i]);
		for (size_t k = 0; k < i; k++)
			assert(!rows_clash(&router->rows[i], &router->rows[k]));
	}
	return router;
}

void
router_free(struct router *router)
{
	free(router);
}

static bool
part_matches(const struct part *part, const char *segment)
{
	switch (part->kind) {
	case PART_WORD:
		return strlen(segment) == part->len &&
		       strncasecmp(segment, part->word, part->len) == 0;
	case PART_CAPTURE:
		return *segment != '\0';
	case PART_OPTIONAL:
		return true;
	}
	return false;
}

/* `count` is without a trailing empty segment: a missing {x?} at the end and an empty one are alike. */
static bool
row_matches(const struct row *row, const char *const *segments, size_t count)
{
	size_t missing = row->count - count;
	if (count > row->count || missing > 1 ||
		(missing == 1 && row->parts[count].kind != PART_OPTIONAL))
		return false;
	for (size_t i = 0; i < count; i++) {
		if (!part_matches(&row->parts[i], segments[i]))
			return false;
	}
	return true;
}

/* The first segment in which one has a word and the other a capture decides. */
static bool
more_specific(const struct row *a, const struct row *b)
{
	for (size_t i = 0; i < a->count && i < b->count; i++) {
		bool a_word = a->parts[i].kind == PART_WORD;
		bool b_word = b->parts[i].kind == PART_WORD;
		if (a_word != b_word)
			return a_word;
	}
	return a->count < b->count;
}

static void
capture(const struct row *row, const char *const *segments, size_t count,
	struct router_match *match)
{
	for (size_t i = 0; i < row->count; i++) {
		if (row->parts[i].kind != PART_WORD)
			match->captures[match->capture_count++] = i < count ? segments[i] : "";
	}
}

static void
allow(struct router_match *match, enum http_method method)
{
	const char *name = http_method_name(method);
	size_t len = strlen(match->allow);
	if (strstr(match->allow, name) != NULL || len + strlen(name) + 3 > sizeof(match->allow))
		return;
	if (len > 0) {
		memcpy(match->allow + len, ", ", 3);
		len += 2;
	}
	memcpy(match->allow + len, name, strlen(name) + 1);
}

enum router_result
router_match_path(const struct router *router, enum http_method method, const char *const *segments,
	size_t segment_count, struct router_match *ret_match)
{
	const struct row *best = NULL;
	size_t count = segment_count;

	memset(ret_match, 0, sizeof(*ret_match));
	if (count > 1 && *segments[count - 1] == '\0')
		count--;
	for (size_t i = 0; i < router->count; i++) {
		const struct row *row = &router->rows[i];
		if (!row_matches(row, segments, count))
			continue;
		if (row->method != method)
			allow(ret_match, row->method);
		else if (best == NULL || more_specific(row, best))
			best = row;
	}
	if (best == NULL)
		return ret_match->allow[0] != '\0' ? ROUTER_METHOD_NOT_ALLOWED : ROUTER_NOT_FOUND;
	ret_match->row = (size_t)(best - router->rows);
	capture(best, segments, count, ret_match);
	return ROUTER_FOUND;
}

enum router_result
router_match(const struct router *router, const struct http_request *request,
	struct router_match *ret_match)
{
	const char *const *segments;
	size_t count = http_request_segments(request, &segments);
	return router_match_path(router, http_request_method(request), segments, count, ret_match);
}
