/* Invariant: data is NULL or data[len] == 0, and len <= max. */
#include "buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct bytes
bytes_of_text(const char *text)
{
	return (struct bytes){(const uint8_t *)text, strlen(text)};
}

bool
bytes_equal(struct bytes a, struct bytes b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

void
buf_init(struct buf *buf, size_t max)
{
	*buf = (struct buf){.max = max};
}

void
buf_init_soft(struct buf *buf, size_t max)
{
	*buf = (struct buf){.max = max, .soft = true};
}

void
buf_clear(struct buf *buf)
{
	if (buf->data != NULL) {
		explicit_bzero(buf->data, buf->size);
		free(buf->data);
	}
	*buf = (struct buf){.max = buf->max, .soft = buf->soft};
}

void
buf_reset(struct buf *buf)
{
	if (buf->data != NULL)
		explicit_bzero(buf->data, buf->len);
	buf->len = 0;
	buf->overflow = false;
	buf->no_memory = false;
}

/* A new block instead of realloc(): the old one may hold secrets and is wiped. */
static bool
grow(struct buf *buf, size_t need)
{
	size_t size = buf->size < 256 ? 256 : buf->size;
	while (size < need)
		size *= 2;
	uint8_t *data = malloc(size);
	if (data == NULL) {
		if (!buf->soft)
			abort();
		return false;
	}
	if (buf->data != NULL) {
		memcpy(data, buf->data, buf->len);
		explicit_bzero(buf->data, buf->size);
		free(buf->data);
	}
	buf->data = data;
	buf->size = size;
	return true;
}

uint8_t *
buf_reserve(struct buf *buf, size_t len)
{
	if (buf->overflow || len > buf->max - buf->len) {
		buf->overflow = true;
		return NULL;
	}
	bool fits = buf->data != NULL && buf->size - buf->len > len;
	if (!fits && !grow(buf, buf->len + len + 1)) {
		buf->overflow = true;
		buf->no_memory = true;
		return NULL;
	}
	return buf->data + buf->len;
}

void
buf_add_len(struct buf *buf, size_t len)
{
	assert(len < buf->size - buf->len);
	buf->len += len;
	buf->data[buf->len] = 0;
}

bool
buf_append(struct buf *buf, const void *data, size_t len)
{
	uint8_t *room = buf_reserve(buf, len);
	if (room == NULL)
		return false;
	if (len > 0)
		memcpy(room, data, len);
	buf_add_len(buf, len);
	return true;
}

bool
buf_text(struct buf *buf, const char *text)
{
	return buf_append(buf, text, strlen(text));
}

/* Into the room that is there already, which is the usual case; true: it fitted. */
static bool
print_at_once(struct buf *buf, const char *fmt, va_list args, size_t *ret_len)
{
	size_t room = buf->data == NULL ? 0 : buf->size - buf->len;
	if (room > buf->max - buf->len + 1)
		room = buf->max - buf->len + 1;
	char *at = room > 0 ? (char *)buf->data + buf->len : NULL;
	int len = vsnprintf(at, room, fmt, args);
	assert(len >= 0);
	*ret_len = (size_t)len;
	if (*ret_len < room)
		return true;
	if (room > 0)
		explicit_bzero(at, room);
	return false;
}

bool
buf_printf(struct buf *buf, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	va_list again;
	va_copy(again, args);
	size_t len = 0;
	bool done = !buf->overflow && print_at_once(buf, fmt, args, &len);
	uint8_t *room = done || buf->overflow ? NULL : buf_reserve(buf, len);
	if (room != NULL)
		(void)vsnprintf((char *)room, len + 1, fmt, again);
	if (done || room != NULL)
		buf_add_len(buf, len);
	va_end(again);
	va_end(args);
	return done || room != NULL;
}

bool
buf_number(struct buf *buf, int64_t number)
{
	char digits[20]; /* of 2^63, and a sign */
	size_t at = sizeof(digits);
	uint64_t left = number < 0 ? -(uint64_t)number : (uint64_t)number;
	do {
		digits[--at] = (char)('0' + left % 10);
		left /= 10;
	} while (left > 0);
	if (number < 0)
		digits[--at] = '-';
	return buf_append(buf, digits + at, sizeof(digits) - at);
}

struct bytes
buf_bytes(const struct buf *buf)
{
	return (struct bytes){buf->data, buf->len};
}

const char *
buf_peek(const struct buf *buf)
{
	return buf->data == NULL ? "" : (const char *)buf->data;
}
