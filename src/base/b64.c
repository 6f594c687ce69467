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

/* Characters at a time: the compiler works on the digits of a block side by side. */
#define BLOCK_CHARS  32
#define BLOCK_OCTETS (BLOCK_CHARS / 4 * 3)

/* All ones if low <= value <= high, else 0; all values below 2^15. */
static inline uint16_t
in_range(uint16_t value, uint16_t low, uint16_t high)
{
	unsigned below = (unsigned)value - low, above = (unsigned)high - value;
	return (uint16_t)(((uint16_t)(below | above) >> 15) - 1u);
}

static inline char
encode_digit(uint16_t digit)
{
	unsigned c = in_range(digit, 0, 25) & (digit + 'A');
	c |= in_range(digit, 26, 51) & (digit - 26u + 'a');
	c |= in_range(digit, 52, 61) & (digit - 52u + '0');
	c |= in_range(digit, 62, 62) & '-';
	c |= in_range(digit, 63, 63) & '_';
	return (char)(c & 0xff);
}

/* 0 to 63, or a value with bits above 0xff for a character outside the alphabet. */
static inline uint16_t
decode_digit(uint8_t c)
{
	uint16_t upper = in_range(c, 'A', 'Z');
	uint16_t lower = in_range(c, 'a', 'z');
	uint16_t digit = in_range(c, '0', '9');
	uint16_t dash = in_range(c, '-', '-');
	uint16_t line = in_range(c, '_', '_');
	unsigned value = (upper & (c - 'A')) | (lower & (c - 'a' + 26u)) |
			 (digit & (c - '0' + 52u)) | (dash & 62) | (line & 63);
	unsigned known = upper | lower | digit | dash | line;
	return (uint16_t)((value & 0xff) | (~known & 0xff00));
}

static void
encode_block(const uint8_t in[static BLOCK_OCTETS], char text[static BLOCK_CHARS])
{
	uint16_t digits[BLOCK_CHARS];
	for (unsigned i = 0; i < BLOCK_CHARS / 4; i++) {
		const uint8_t *three = &in[i * 3];
		uint16_t *four = &digits[i * 4];
		four[0] = three[0] >> 2;
		four[1] = (uint16_t)((three[0] << 4 | three[1] >> 4) & 63);
		four[2] = (uint16_t)((three[1] << 2 | three[2] >> 6) & 63);
		four[3] = three[2] & 63;
	}
	for (unsigned i = 0; i < BLOCK_CHARS; i++)
		text[i] = encode_digit(digits[i]);
	explicit_bzero(digits, sizeof(digits));
}

/* Bits above 0xff if a character is outside the alphabet. */
static uint16_t
decode_block(const char text[static BLOCK_CHARS], uint8_t out[static BLOCK_OCTETS])
{
	uint16_t digits[BLOCK_CHARS], bad = 0;
	for (unsigned i = 0; i < BLOCK_CHARS; i++)
		digits[i] = decode_digit((uint8_t)text[i]);
	for (unsigned i = 0; i < BLOCK_CHARS; i++)
		bad |= digits[i];
	for (unsigned i = 0; i < BLOCK_CHARS / 4; i++) {
		const uint16_t *four = &digits[i * 4];
		uint8_t *three = &out[i * 3];
		three[0] = (uint8_t)(four[0] << 2 | four[1] >> 4);
		three[1] = (uint8_t)(four[1] << 4 | four[2] >> 2);
		three[2] = (uint8_t)(four[2] << 6 | four[3]);
	}
	explicit_bzero(digits, sizeof(digits));
	return bad & 0xff00;
}

void
b64_encode(const void *data, size_t len, char *text)
{
	const uint8_t *in = data;
	for (; len >= BLOCK_OCTETS; len -= BLOCK_OCTETS) {
		encode_block(in, text);
		in += BLOCK_OCTETS;
		text += BLOCK_CHARS;
	}
	uint8_t last[BLOCK_OCTETS] = {0};
	char last_text[BLOCK_CHARS];
	if (len > 0)
		memcpy(last, in, len);
	encode_block(last, last_text);
	memcpy(text, last_text, b64_encoded_len(len));
	text[b64_encoded_len(len)] = '\0';
	explicit_bzero(last, sizeof(last));
	explicit_bzero(last_text, sizeof(last_text));
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
	size_t total = b64_decoded_max(len);
	uint16_t bad = 0;
	for (; len >= BLOCK_CHARS; len -= BLOCK_CHARS) {
		bad |= decode_block(text, out);
		text += BLOCK_CHARS;
		out += BLOCK_OCTETS;
	}
	char last_text[BLOCK_CHARS];
	uint8_t last[BLOCK_OCTETS];
	size_t last_len = b64_decoded_max(len);
	memset(last_text, 'A', sizeof(last_text)); /* zeros */
	if (len > 0)
		memcpy(last_text, text, len);
	bad |= decode_block(last_text, last);
	bad |= last[last_len]; /* trailing bits must be zero */
	if (last_len > 0)
		memcpy(out, last, last_len);
	explicit_bzero(last_text, sizeof(last_text));
	explicit_bzero(last, sizeof(last));
	if (bad != 0)
		return false;
	*ret_len = total;
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
