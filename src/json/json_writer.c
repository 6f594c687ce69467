/* Invariant: `buf` always ends where the next value or its comma goes; errors are kept by buf->overflow alone. */
#include "json/json_writer.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/b64.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

void
json_writer_init(struct json_writer *writer, struct buf *buf)
{
	*writer = (struct json_writer){.buf = buf};
}

/* The octets of the UTF-8 sequence at `text`, 0 if it is none (RFC 3629 §4). */
static size_t
sequence_len(const uint8_t *text, size_t left)
{
	uint8_t c = text[0];
	size_t len = c < 0x80                 ? 1
		     : c >= 0xc2 && c <= 0xdf ? 2
		     : c >= 0xe0 && c <= 0xef ? 3
		     : c >= 0xf0 && c <= 0xf4 ? 4
					      : 0;
	if (len == 0 || len > left)
		return 0;
	for (size_t i = 1; i < len; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
	}
	bool overlong = (c == 0xe0 && text[1] < 0xa0) || (c == 0xf0 && text[1] < 0x90);
	bool beyond = (c == 0xed && text[1] > 0x9f) || (c == 0xf4 && text[1] > 0x8f);
	return overlong || beyond ? 0 : len;
}

static void
put_control(struct buf *buf, uint8_t c)
{
	switch (c) {
	case '"':
		buf_append(buf, "\\\"", 2);
		break;
	case '\\':
		buf_append(buf, "\\\\", 2);
		break;
	case '\n':
		buf_append(buf, "\\n", 2);
		break;
	default:
		buf_printf(buf, "\\u%04x", c);
		break;
	}
}

static void
put_string(struct buf *buf, const char *text, size_t len)
{
	const uint8_t *data = (const uint8_t *)text;
	size_t plain = 0; /* start of what can be copied as it is */
	size_t at = 0;

	buf_append(buf, "\"", 1);
	while (at < len) {
		uint8_t c = data[at];
		size_t octets = sequence_len(data + at, len - at);
		if (octets > 0 && c >= ' ' && c != '"' && c != '\\' && c != 0x7f) {
			at += octets;
			continue;
		}
		buf_append(buf, data + plain, at - plain);
		if (octets == 0)
			buf_append(buf, REPLACEMENT, sizeof(REPLACEMENT) - 1);
		else
			put_control(buf, c);
		plain = ++at;
	}
	buf_append(buf, data + plain, at - plain);
	buf_append(buf, "\"", 1);
}

/* What comes before a value: the comma and the member's name. */
static void
begin(struct json_writer *writer, const char *name)
{
	if (writer->comma[writer->depth])
		buf_append(writer->buf, ",", 1);
	writer->comma[writer->depth] = true;
	assert((name != NULL) == (writer->depth > 0 && writer->close[writer->depth] == '}'));
	if (name == NULL)
		return;
	put_string(writer->buf, name, strlen(name));
	buf_append(writer->buf, ":", 1);
}

static void
open_with(struct json_writer *writer, const char *name, const char *bracket, char close)
{
	begin(writer, name);
	assert(writer->depth + 1 < JSON_WRITER_DEPTH_MAX);
	buf_append(writer->buf, bracket, 1);
	writer->depth++;
	writer->comma[writer->depth] = false;
	writer->close[writer->depth] = close;
}

void
json_write_object(struct json_writer *writer, const char *name)
{
	open_with(writer, name, "{", '}');
}

void
json_write_array(struct json_writer *writer, const char *name)
{
	open_with(writer, name, "[", ']');
}

void
json_write_end(struct json_writer *writer)
{
	assert(writer->depth > 0);
	buf_append(writer->buf, &writer->close[writer->depth], 1);
	writer->depth--;
}

void
json_write_chars(struct json_writer *writer, const char *name, const char *text, size_t len)
{
	begin(writer, name);
	put_string(writer->buf, text, len);
}

void
json_write_text(struct json_writer *writer, const char *name, const char *text)
{
	if (text == NULL)
		json_write_null(writer, name);
	else
		json_write_chars(writer, name, text, strlen(text));
}

void
json_write_int(struct json_writer *writer, const char *name, int64_t number)
{
	begin(writer, name);
	buf_number(writer->buf, number);
}

void
json_write_bool(struct json_writer *writer, const char *name, bool flag)
{
	begin(writer, name);
	buf_text(writer->buf, flag ? "true" : "false");
}

void
json_write_null(struct json_writer *writer, const char *name)
{
	begin(writer, name);
	buf_text(writer->buf, "null");
}

void
json_write_base64(struct json_writer *writer, const char *name, const void *data, size_t len)
{
	begin(writer, name);
	buf_append(writer->buf, "\"", 1);
	b64_append(writer->buf, data, len);
	buf_append(writer->buf, "\"", 1);
}

void
json_write_secret(struct json_writer *writer, const char *name, const struct secret *secret)
{
	struct bytes bytes = secret != NULL ? secret_bytes(secret) : (struct bytes){NULL, 0};
	json_write_base64(writer, name, bytes.data, bytes.len);
}

void
json_write_hex(struct json_writer *writer, const char *name, const void *data, size_t len)
{
	begin(writer, name);
	buf_append(writer->buf, "\"", 1);
	char *hex = (char *)buf_reserve(writer->buf, 2 * len + 1);
	if (hex != NULL) {
		hex_encode(data, len, hex);
		buf_add_len(writer->buf, 2 * len);
	}
	buf_append(writer->buf, "\"", 1);
}

void
json_write_raw(struct json_writer *writer, const char *name, struct bytes json)
{
	begin(writer, name);
	buf_append(writer->buf, json.data, json.len);
}

bool
json_writer_ok(const struct json_writer *writer)
{
	return writer->depth == 0 && writer->comma[0] && !writer->buf->overflow;
}
