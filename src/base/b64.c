/*
 * Secrets pass through here (plaintexts in JSON), so no table is indexed by data and no branch is
 * taken on it: ranges are compared by arithmetic, as in the constant-time decoders of other libraries.
 */
#include "b64.h"

#include <string.h>

size_t
b64_encoded_len(size_t len)
{
	return len / 3 * 4 + (len % 3 * 8 + 5) / 6;
}

size_t
b64_decoded_max(size_t len)
{
	return len / 4 * 3 + len % 4 * 6 / 8;
}

/* All ones if low <= value <= high, else 0; all values below 2^16. */
static unsigned
in_range(unsigned value, unsigned low, unsigned high)
{
	return ~(((value - low) | (high - value)) >> 16) & 0xffff;
}

static char
encode_digit(unsigned digit)
{
	unsigned c = in_range(digit, 0, 25) & (digit + 'A');
	c |= in_range(digit, 26, 51) & (digit - 26 + 'a');
	c |= in_range(digit, 52, 61) & (digit - 52 + '0');
	c |= in_range(digit, 62, 62) & '-';
	c |= in_range(digit, 63, 63) & '_';
	return (char)(c & 0xff);
}

/* 0 to 63, or a value with bits above 0xff for a character outside the alphabet. */
static unsigned
decode_digit(unsigned char c)
{
	unsigned upper = in_range(c, 'A', 'Z');
	unsigned lower = in_range(c, 'a', 'z');
	unsigned digit = in_range(c, '0', '9');
	unsigned dash = in_range(c, '-', '-');
	unsigned line = in_range(c, '_', '_');
	unsigned value = (upper & (c - 'A')) | (lower & (c - 'a' + 26u)) |
			 (digit & (c - '0' + 52u)) | (dash & 62) | (line & 63);
	unsigned known = upper | lower | digit | dash | line;
	return (value & 0xff) | (~known & 0xff00);
}

void
b64_encode(const void *data, size_t len, char *text)
{
	const uint8_t *in = data;
	unsigned bits = 0;
	unsigned count = 0;
	for (size_t i = 0; i < len; i++) {
		bits = (bits << 8 | in[i]) & 0xffff;
		count += 8;
		while (count >= 6) {
			count -= 6;
			*text++ = encode_digit(bits >> count & 63);
		}
	}
	if (count > 0)
		*text++ = encode_digit(bits << (6 - count) & 63);
	*text = '\0';
}

bool
b64_append(struct buf *buf, const void *data, size_t len)
{
	if (len > buf->max)
		return buf->overflow = true, false;
	uint8_t *room = buf_reserve(buf, b64_encoded_len(len));
	if (room == NULL)
		return false;
	b64_encode(data, len, (char *)room);
	buf_add_len(buf, b64_encoded_len(len));
	return true;
}

bool
b64_decode(const char *text, size_t len, void *data, size_t *ret_len)
{
	if (len % 4 == 1)
		return false;
	uint8_t *out = data;
	size_t out_len = 0;
	unsigned bad = 0;
	unsigned bits = 0;
	unsigned count = 0;
	for (size_t i = 0; i < len; i++) {
		unsigned digit = decode_digit((unsigned char)text[i]);
		bad |= digit & 0xff00;
		bits = (bits << 6 | (digit & 63)) & 0xffff;
		count += 6;
		if (count >= 8) {
			count -= 8;
			out[out_len++] = (uint8_t)(bits >> count);
		}
	}
	bad |= bits & ((1u << count) - 1); /* trailing bits must be zero */
	if (bad != 0)
		return false;
	*ret_len = out_len;
	return true;
}

void
hex_encode(const void *data, size_t len, char *text)
{
	const uint8_t *in = data;
	for (size_t i = 0; i < len; i++) {
		text[2 * i] = "0123456789abcdef"[in[i] >> 4];
		text[2 * i + 1] = "0123456789abcdef"[in[i] & 15];
	}
	text[2 * len] = '\0';
}

int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* One spelling for each value: what is stored or compared is lower case. */
static int
lower_hex_digit(char c)
{
	return c >= 'A' && c <= 'F' ? -1 : hex_digit(c);
}

bool
hex_decode(const char *text, void *data, size_t len)
{
	uint8_t *out = data;
	if (strnlen(text, 2 * len + 1) != 2 * len)
		return false;
	for (size_t i = 0; i < len; i++) {
		int high = lower_hex_digit(text[2 * i]);
		int low = lower_hex_digit(text[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}
