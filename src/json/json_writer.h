/*
 * The one JSON writer: straight into a buffer, no tree. Answers, audit lines and everything else.
 *
 * `name` is the member's name inside an object, NULL inside an array or at the top. Text that is not
 * UTF-8 is repaired (U+FFFD); control characters are escaped, so a line of output is one line.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/secret.h"

#define JSON_WRITER_DEPTH_MAX                                                                      \
	24 /* more than JSON_DEPTH_MAX: what was parsed can be written inside something */

struct json_writer {
	struct buf *buf;
	unsigned depth;
	bool comma[JSON_WRITER_DEPTH_MAX]; /* something was written at this depth */
	char close[JSON_WRITER_DEPTH_MAX]; /* '}' or ']' */
};

/* Appends to `buf`, which outlives the writer. */
void json_writer_init(struct json_writer *writer, struct buf *buf);
void json_write_object(struct json_writer *writer, const char *name);
void json_write_array(struct json_writer *writer, const char *name);
void json_write_end(struct json_writer *writer); /* of the innermost object or array */
void json_write_text(
	struct json_writer *writer, const char *name, const char *text); /* text NULL: null */
void json_write_chars(struct json_writer *writer, const char *name, const char *text, size_t len);
void json_write_int(struct json_writer *writer, const char *name, int64_t number);
void json_write_bool(struct json_writer *writer, const char *name, bool flag);
void json_write_null(struct json_writer *writer, const char *name);
void json_write_base64(
	struct json_writer *writer, const char *name, const void *data, size_t len); /* base64url */
void json_write_secret(struct json_writer *writer, const char *name,
	const struct secret *secret); /* base64url; NULL: "" */
void json_write_hex(struct json_writer *writer, const char *name, const void *data, size_t len);
/* `json` is a whole JSON value already. */
void json_write_raw(struct json_writer *writer, const char *name, struct bytes json);
/* Everything is closed and everything fitted. */
bool json_writer_ok(const struct json_writer *writer) MUST_USE;
