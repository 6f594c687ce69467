/*
 * Request line and headers of HTTP/1.1 (RFC 9112), strictly: octets to offsets, no allocation, nothing
 * decoded. Whatever could be read in two ways is refused.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "http/http.h"

/* A range of the octets given to head_parse(), followed by a NUL put there by head_terminate(). */
struct head_text {
	uint32_t start;
	uint32_t len;
};

struct head_field {
	struct head_text name;
	struct head_text value; /* without surrounding blanks */
};

struct head {
	enum http_method method;
	struct head_text target;
	struct head_field fields[HTTP_HEADERS_MAX];
	size_t field_count;
	struct head_text host;
	size_t len;      /* octets up to and with the empty line */
	size_t body_len; /* Content-Length, 0 without */
	bool close;      /* Connection: close, or HTTP/1.0 */
	bool expect;     /* Expect: 100-continue */
	bool encoded;    /* Content-Encoding is there */
};

/* How far the search for the end of the head came; zero it for each request. */
struct head_scan {
	size_t seen;       /* octets looked at */
	size_t line_start; /* of the line that `seen` is in */
	size_t skip;       /* octets before the request line: one empty line, RFC 9112 §2.2 */
};

enum head_result {
	HEAD_MORE = 1, /* not complete yet */
	HEAD_DONE,     /* scan->seen octets are the head */
	HEAD_BAD,      /* err says why; nothing behind this can be trusted */
};

/* Looks for the end of the head in data[0..len); a bare LF, a NUL or a limit passed is found at once. */
enum head_result head_find_end(const uint8_t *data, size_t len, const struct http_limits *limits,
	struct head_scan *scan, struct err *err) MUST_USE;
/* Parses the head that head_find_end() delimited. */
bool head_parse(const uint8_t *data, const struct head_scan *scan, const struct http_limits *limits,
	struct head *ret_head, struct err *err) MUST_USE;
/* Puts a NUL behind each text of a parsed head, over separators that are not needed any more. */
void head_terminate(const struct head *head, uint8_t *data);
