/* Invariant: answer_parse() has accepted the whole text before any other function looks at a part of it. */
#include "answer.h"

#include <stdlib.h>
#include <string.h>

#include "base/b64.h"

/* ---- well-formedness: each function returns what follows, or NULL ---- */

static const char *skip_value(const char *at, const char *end, unsigned depth);

static const char *
skip_blanks(const char *at, const char *end)
{
	while (at < end && (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r'))
		at++;
	return at;
}

/* Four digits at `at`, or -1. */
static int
hex_unit(const char *at, const char *end)
{
	if (end - at < 4)
		return -1;
	int unit = 0;
	for (int i = 0; i < 4; i++) {
		int digit = hex_digit(at[i]);
		if (digit < 0)
			return -1;
		unit = unit * 16 + digit;
	}
	return unit;
}

static const char *
skip_escape(const char *at, const char *end)
{
	if (at == end)
		return NULL;
	if (*at == 'u')
		return hex_unit(at + 1, end) < 0 ? NULL : at + 5;
	return *at != '\0' && strchr("\"\\/bfnrt", *at) != NULL ? at + 1 : NULL;
}

static const char *
skip_text(const char *at, const char *end)
{
	if (at == end || *at != '"')
		return NULL;
	at++;
	while (at != NULL && at < end) {
		if (*at == '"')
			return at + 1;
		if ((unsigned char)*at < 0x20)
			return NULL;
		at = *at == '\\' ? skip_escape(at + 1, end) : at + 1;
	}
	return NULL;
}

static const char *
skip_digits(const char *at, const char *end)
{
	const char *start = at;
	while (at < end && *at >= '0' && *at <= '9')
		at++;
	return at == start ? NULL : at;
}

static const char *
skip_number(const char *at, const char *end)
{
	if (at < end && *at == '-')
		at++;
	bool zero = at < end && *at == '0';
	at = zero ? at + 1 : skip_digits(at, end);
	if (at != NULL && at < end && *at == '.')
		at = skip_digits(at + 1, end);
	if (at != NULL && at < end && (*at == 'e' || *at == 'E')) {
		at++;
		if (at < end && (*at == '+' || *at == '-'))
			at++;
		at = skip_digits(at, end);
	}
	return at;
}

static const char *
skip_word(const char *at, const char *end, const char *word)
{
	size_t len = strlen(word);
	return (size_t)(end - at) >= len && memcmp(at, word, len) == 0 ? at + len : NULL;
}

/* "name": up to the value. */
static const char *
skip_name(const char *at, const char *end)
{
	at = skip_text(at, end);
	if (at == NULL)
		return NULL;
	at = skip_blanks(at, end);
	return at < end && *at == ':' ? skip_blanks(at + 1, end) : NULL;
}

/* An object or array: what is between its brackets, separated by commas. */
static const char *
skip_group(const char *at, const char *end, unsigned depth)
{
	bool object = *at == '{';
	char close = object ? '}' : ']';
	at = skip_blanks(at + 1, end);
	if (at < end && *at == close)
		return at + 1;
	while (at < end) {
		if (object)
			at = skip_name(at, end);
		if (at != NULL)
			at = skip_value(at, end, depth + 1);
		if (at == NULL)
			return NULL;
		at = skip_blanks(at, end);
		if (at == end || (*at != ',' && *at != close))
			return NULL;
		if (*at == close)
			return at + 1;
		at = skip_blanks(at + 1, end);
	}
	return NULL;
}

static const char *
skip_value(const char *at, const char *end, unsigned depth)
{
	if (at == end || depth > ANSWER_DEPTH_MAX)
		return NULL;
	switch (*at) {
	case '{':
	case '[':
		return skip_group(at, end, depth);
	case '"':
		return skip_text(at, end);
	case 't':
		return skip_word(at, end, "true");
	case 'f':
		return skip_word(at, end, "false");
	case 'n':
		return skip_word(at, end, "null");
	default:
		return skip_number(at, end);
	}
}

bool
answer_parse(struct bytes text, struct answer *ret_value)
{
	if (text.len == 0)
		return false;
	const char *end = (const char *)text.data + text.len;
	const char *start = skip_blanks((const char *)text.data, end);
	const char *after = skip_value(start, end, 1);
	if (after == NULL || skip_blanks(after, end) != end)
		return false;
	*ret_value = (struct answer){start, after};
	return true;
}

/* ---- walking ---- */

char
answer_type(struct answer value)
{
	return value.start == NULL ? '\0' : *value.start;
}

static struct answer
value_at(const char *at, const char *end)
{
	const char *after = skip_value(at, end, 1);
	return (struct answer){at, after};
}

struct answer
answer_next(struct answer array, struct answer previous)
{
	struct answer none = {NULL, NULL};
	if (answer_type(array) != '[')
		return none;
	const char *at = previous.start == NULL ? array.start + 1 : previous.end;
	at = skip_blanks(at, array.end);
	if (*at == ',')
		at = skip_blanks(at + 1, array.end);
	return *at == ']' ? none : value_at(at, array.end);
}

struct answer
answer_member(struct answer object, const char *name)
{
	struct answer none = {NULL, NULL};
	if (answer_type(object) != '{')
		return none;
	const char *at = skip_blanks(object.start + 1, object.end);
	while (*at != '}') {
		const char *after_name = skip_text(at, object.end);
		size_t len = (size_t)(after_name - at) - 2;
		bool found = len == strlen(name) && memcmp(at + 1, name, len) == 0;
		struct answer value = value_at(skip_name(at, object.end), object.end);
		if (found)
			return *value.start == 'n' ? none : value;
		at = skip_blanks(value.end, object.end);
		if (*at == ',')
			at = skip_blanks(at + 1, object.end);
	}
	return none;
}

/* ---- values ---- */

struct out {
	char *text;
	size_t len;
	size_t size;
	bool full;
};

static void
put(struct out *out, uint32_t octet)
{
	if (out->len + 1 >= out->size)
		out->full = true;
	else
		out->text[out->len++] = (char)(octet & 0xff);
}

static void
put_code_point(struct out *out, uint32_t c)
{
	if (c < 0x80) {
		put(out, c);
	} else if (c < 0x800) {
		put(out, 0xc0 | c >> 6);
		put(out, 0x80 | (c & 0x3f));
	} else if (c < 0x10000) {
		put(out, 0xe0 | c >> 12);
		put(out, 0x80 | (c >> 6 & 0x3f));
		put(out, 0x80 | (c & 0x3f));
	} else {
		put(out, 0xf0 | c >> 18);
		put(out, 0x80 | (c >> 12 & 0x3f));
		put(out, 0x80 | (c >> 6 & 0x3f));
		put(out, 0x80 | (c & 0x3f));
	}
}

/* \uXXXX, or a pair of them; `at` is at the first digit. A lone surrogate becomes U+FFFD. */
static const char *
put_unicode(struct out *out, const char *at, const char *end)
{
	uint32_t unit = (uint32_t)hex_unit(at, end);
	at += 4;
	bool high = unit >= 0xd800 && unit < 0xdc00;
	if (high && end - at >= 6 && at[0] == '\\' && at[1] == 'u') {
		uint32_t low = (uint32_t)hex_unit(at + 2, end);
		if (low >= 0xdc00 && low < 0xe000) {
			put_code_point(out, 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00));
			return at + 6;
		}
	}
	if (unit == 0)
		out->full = true; /* no way to say it in C text */
	put_code_point(out, unit >= 0xd800 && unit < 0xe000 ? 0xfffd : unit);
	return at;
}

static const char *
put_escape(struct out *out, const char *at, const char *end)
{
	static const char from[] = "bfnrt";
	static const char to[] = "\b\f\n\r\t";
	if (*at == 'u')
		return put_unicode(out, at + 1, end);
	const char *known = strchr(from, *at);
	put(out, (unsigned char)(known != NULL ? to[known - from] : *at));
	return at + 1;
}

bool
answer_text(struct answer value, char *text, size_t size)
{
	if (answer_type(value) != '"' || size == 0)
		return false;
	struct out out = {.text = text, .size = size};
	const char *end = value.end - 1;
	for (const char *at = value.start + 1; at < end;) {
		if (*at == '\\') {
			at = put_escape(&out, at + 1, end);
		} else {
			put(&out, (unsigned char)*at);
			at++;
		}
	}
	text[out.len] = '\0';
	return !out.full;
}

bool
answer_int(struct answer value, int64_t *ret_number)
{
	char type = answer_type(value);
	if (type != '-' && (type < '0' || type > '9'))
		return false;
	int64_t number = 0;
	for (const char *at = value.start + (type == '-'); at < value.end; at++) {
		int64_t digit = *at - '0';
		if (digit < 0 || digit > 9 || number > (INT64_MAX - digit) / 10)
			return false;
		number = number * 10 + digit;
	}
	*ret_number = type == '-' ? -number : number;
	return true;
}

bool
answer_bool(struct answer value, bool *ret_flag)
{
	char type = answer_type(value);
	if (type != 't' && type != 'f')
		return false;
	*ret_flag = type == 't';
	return true;
}

bool
answer_octets(struct answer value, struct custody_secret *ret_octets, struct err *err)
{
	if (answer_type(value) != '"')
		return err_set(err, ERR_CLIENT_ANSWER, NULL);
	size_t text_len = (size_t)(value.end - value.start) - 2;
	struct custody_secret octets = {malloc(b64_decoded_max(text_len) + 1), 0};
	if (octets.data == NULL)
		return err_set(err, ERR_NO_MEMORY, NULL);
	if (!b64_decode(value.start + 1, text_len, octets.data, &octets.len)) {
		custody_secret_free(&octets);
		return err_set(err, ERR_CLIENT_ANSWER, NULL);
	}
	*ret_octets = octets;
	return true;
}
