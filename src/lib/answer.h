/*
 * Reading the daemon's JSON answers in place. Nothing is allocated but the octets asked for: so secrets have
 * no unwiped copies in a host process, and reading cannot run out of memory half-way.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "lib/custody/custody.h"

#define ANSWER_DEPTH_MAX 32

/* One JSON value within an answer that answer_parse() found well-formed; borrowed from its text. */
struct answer {
	const char *start; /* NULL: no value */
	const char *end;
};

/* false unless the text is exactly one JSON value (RFC 8259), no deeper than ANSWER_DEPTH_MAX. */
bool answer_parse(struct bytes text, struct answer *ret_value) MUST_USE;

/* The first character tells: '{' '[' '"' 't' 'f' 'n' or that of a number; 0 for no value. */
char answer_type(struct answer value);

/* No value if `object` is none, has no such member, or the member is null. */
struct answer answer_member(struct answer object, const char *name);
/* The element after `previous` (no value: the first one); no value at the end or if `array` is none. */
struct answer answer_next(struct answer array, struct answer previous);

/* Decodes text to `size` octets with NUL; false if it is not text, too long, or holds U+0000. */
bool answer_text(struct answer value, char *text, size_t size) MUST_USE;
/* An integer without fraction or exponent. */
bool answer_int(struct answer value, int64_t *ret_number) MUST_USE;
bool answer_bool(struct answer value, bool *ret_flag) MUST_USE;
/* Text of canonical base64url, as octets of the caller's. ERR_CLIENT_ANSWER, ERR_NO_MEMORY. */
bool answer_octets(
	struct answer value, struct custody_secret *ret_octets, struct err *err) MUST_USE;
