/*
 * Borrowed byte ranges and the one growing buffer. Out of memory aborts (see HACKING.md); growth is
 * bounded by the maximum given at birth, so an abort cannot be caused from outside.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "attr.h"

/* A borrowed range; data may be NULL only if len is 0. */
struct bytes {
	const uint8_t *data;
	size_t len;
};

/* Borrows a string without its NUL. */
struct bytes bytes_of_text(const char *text);
bool bytes_equal(struct bytes a, struct bytes b); /* not for secrets */

/* Growing buffer. data[len] is always readable and NUL, so text needs no copy. Wiped when freed. */
struct buf {
	uint8_t *data;
	size_t len;
	size_t size;    /* allocated octets */
	size_t max;     /* len never exceeds this */
	bool overflow;  /* something did not fit; the contents are then not to be used */
	bool soft;      /* out of memory is an overflow too, not an abort */
	bool no_memory; /* and that is why it overflowed */
};

void buf_init(struct buf *buf, size_t max);
/* For libcustody, which lives in other people's processes: running out of memory is an overflow. */
void buf_init_soft(struct buf *buf, size_t max);
/* Wipes, frees and leaves an empty buffer with the same maximum. */
void buf_clear(struct buf *buf);
/* Wipes the contents and keeps the memory. */
void buf_reset(struct buf *buf);

/* Appending: false (and overflow set) when the maximum would be passed; nothing is appended then. */
bool buf_append(struct buf *buf, const void *data, size_t len);
bool buf_text(struct buf *buf, const char *text);
bool buf_printf(struct buf *buf, const char *fmt, ...) PRINTF(2, 3);
bool buf_number(
	struct buf *buf, int64_t number); /* decimal; several times as fast as buf_printf() */
/* Makes room for `len` octets at the end and returns them for writing; buf_add_len() claims them. NULL: overflow. */
uint8_t *buf_reserve(struct buf *buf, size_t len);
void buf_add_len(struct buf *buf, size_t len);

struct bytes buf_bytes(const struct buf *buf); /* borrowed until the next change */
const char *buf_peek(const struct buf *buf);   /* NUL-terminated, borrowed until the next change */

static inline void
buf_clean(struct buf *buf)
{
	buf_clear(buf);
}
