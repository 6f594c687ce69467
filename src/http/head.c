/*
 * Refused here although some servers take it: bare LF, blanks around names, obs-fold, control characters,
 * two Hosts, two of any header that decides something, Transfer-Encoding in any form, a Content-Length
 * that is not plain digits. Invariant: nothing of a request is used before all of its head passed.
 */
#include "http/head.h"

#include <string.h>
#include <strings.h>

#define METHOD_MAX 16
#define LINE_EXTRA 32 /* method, blanks and version around the target */
#define HOST_MAX   255

/* RFC 9110 §5.6.2 tchar */
static bool
is_token(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static bool
bad(struct err *err, const char *what)
{
	return err_set(err, ERR_BAD_PARAMETER, "The request is malformed: %s.", what);
}

/* One complete line, from line_start to the LF at `end`. */
static enum head_result
scan_line(const uint8_t *data, size_t end, struct head_scan *scan, struct err *err)
{
	size_t start = scan->line_start;
	if (end == start || data[end - 1] != '\r') {
		bad(err, "a line does not end in CR LF");
		return HEAD_BAD;
	}
	scan->line_start = end + 1;
	scan->seen = end + 1;
	if (end - start > 1)
		return HEAD_MORE;
	if (start == 0) {
		scan->skip = end + 1;
		return HEAD_MORE;
	}
	if (start == scan->skip) {
		bad(err, "empty lines come before it");
		return HEAD_BAD;
	}
	return HEAD_DONE;
}

static enum head_result
check_limits(
	const struct http_limits *limits, const struct head_scan *scan, size_t len, struct err *err)
{
	if (scan->line_start == scan->skip &&
		len - scan->skip > limits->target_bytes + LINE_EXTRA) {
		err_set(err, ERR_URI_TOO_LONG, NULL);
		return HEAD_BAD;
	}
	if (len > limits->head_bytes) {
		err_set(err, ERR_HEADERS_TOO_LARGE, NULL);
		return HEAD_BAD;
	}
	return HEAD_MORE;
}

enum head_result
head_find_end(const uint8_t *data, size_t len, const struct http_limits *limits,
	struct head_scan *scan, struct err *err)
{
	while (scan->seen < len) {
		const uint8_t *lf = memchr(data + scan->seen, '\n', len - scan->seen);
		size_t end = lf != NULL ? (size_t)(lf - data) : len;
		if (memchr(data + scan->seen, '\0', end - scan->seen) != NULL) {
			bad(err, "it holds a NUL");
			return HEAD_BAD;
		}
		if (check_limits(limits, scan, end, err) == HEAD_BAD)
			return HEAD_BAD;
		if (lf == NULL) {
			scan->seen = len;
			return HEAD_MORE;
		}
		enum head_result result = scan_line(data, end, scan, err);
		if (result != HEAD_MORE)
			return result;
	}
	return HEAD_MORE;
}

static enum http_method
method_of(const uint8_t *text, size_t len)
{
	static const enum http_method methods[] = {
		HTTP_GET, HTTP_POST, HTTP_PUT, HTTP_PATCH, HTTP_DELETE, HTTP_HEAD};
	for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
		const char *name = http_method_name(methods[i]);
		if (strlen(name) == len &&
			memcmp(name, text, len) == 0) /* methods are case-sensitive */
			return methods[i];
	}
	return HTTP_OTHER;
}

/* method SP origin-form SP HTTP/1.x, RFC 9112 §3. `end` is the line's CR. */
static bool
parse_request_line(const uint8_t *data, size_t start, size_t end, const struct http_limits *limits,
	struct head *head, struct err *err)
{
	size_t at = start;
	while (at < end && is_token(data[at]))
		at++;
	if (at == start || at - start > METHOD_MAX || at == end || data[at] != ' ')
		return bad(err, "the method is not a word");
	head->method = method_of(data + start, at - start);

	size_t target = ++at;
	while (at < end && data[at] > ' ' && data[at] < 0x7f)
		at++;
	if (at == end || data[at] != ' ')
		return bad(err, "the target holds a character that must be escaped");
	if (at - target > limits->target_bytes)
		return err_set(err, ERR_URI_TOO_LONG, NULL);
	if (at == target || data[target] != '/')
		return bad(err, "the target does not begin with a slash");
	head->target = (struct head_text){(uint32_t)target, (uint32_t)(at - target)};

	if (end - at != 9 || memcmp(data + at + 1, "HTTP/1.", 7) != 0 ||
		(data[at + 8] != '0' && data[at + 8] != '1'))
		return bad(err, "the version is not HTTP/1.1");
	head->close = data[at + 8] == '0';
	return true;
}

/* name ":" OWS value OWS, RFC 9112 §5. `end` is the line's CR. */
static bool
parse_field(
	const uint8_t *data, size_t start, size_t end, struct head_field *field, struct err *err)
{
	size_t at = start;
	if (data[start] == ' ' || data[start] == '\t')
		return bad(err, "a header is folded");
	while (at < end && is_token(data[at]))
		at++;
	if (at == start || at == end || data[at] != ':')
		return bad(err, "a header has no valid name");
	field->name = (struct head_text){(uint32_t)start, (uint32_t)(at - start)};

	for (size_t i = ++at; i < end; i++) {
		if ((data[i] < ' ' && data[i] != '\t') || data[i] == 0x7f)
			return bad(err, "a header holds a control character");
	}
	while (at < end && (data[at] == ' ' || data[at] == '\t'))
		at++;
	while (end > at && (data[end - 1] == ' ' || data[end - 1] == '\t'))
		end--;
	field->value = (struct head_text){(uint32_t)at, (uint32_t)(end - at)};
	return true;
}

static bool
text_is(const uint8_t *data, struct head_text text, const char *word)
{
	return text.len == strlen(word) &&
	       strncasecmp((const char *)data + text.start, word, text.len) == 0;
}

static bool
parse_length(const uint8_t *data, struct head_text value, const struct http_limits *limits,
	struct head *head, struct err *err)
{
	uint64_t length = 0;
	if (value.len == 0)
		return bad(err, "Content-Length is not a number");
	for (size_t i = 0; i < value.len; i++) {
		uint8_t c = data[value.start + i];
		if (c < '0' || c > '9')
			return bad(err, "Content-Length is not a number");
		if (length <=
			limits->body_bytes) /* it cannot overflow, and larger is too large anyway */
			length = length * 10 + (uint64_t)(c - '0');
	}
	if (length > limits->body_bytes)
		return err_set(err, ERR_TOO_LARGE, NULL);
	head->body_len = (size_t)length;
	return true;
}

/* Digits, letters, '.', '-', '_' with an optional port, or an IPv6 address in brackets; empty is fine (RFC 9110 §7.2). */
static bool
check_host(const uint8_t *data, struct head_text host, struct err *err)
{
	const char *text = (const char *)data + host.start;
	size_t at = 0;

	if (host.len > HOST_MAX)
		return bad(err, "Host is too long");
	if (host.len > 0 && text[0] == '[') {
		at = 1;
		while (at < host.len && strchr("0123456789abcdefABCDEF:.", text[at]) != NULL)
			at++;
		if (at == 1 || at == host.len || text[at++] != ']')
			return bad(err, "Host is not a name");
	} else {
		while (at < host.len && text[at] != ':' && is_token((uint8_t)text[at]) &&
			strchr("!#$%&'*+^`|~", text[at]) == NULL)
			at++;
	}
	if (at < host.len && text[at] == ':') {
		at++;
		while (at < host.len && text[at] >= '0' && text[at] <= '9')
			at++;
	}
	return at == host.len || bad(err, "Host is not a name");
}

static bool
has_token(const uint8_t *data, struct head_text list, const char *word)
{
	size_t at = list.start;
	size_t end = at + list.len;
	while (at < end) {
		size_t start = at;
		while (at < end && data[at] != ',' && data[at] != ' ' && data[at] != '\t')
			at++;
		if (text_is(data, (struct head_text){(uint32_t)start, (uint32_t)(at - start)},
			    word))
			return true;
		at++;
	}
	return false;
}

enum deciding {
	HOST,
	CONTENT_LENGTH,
	TRANSFER_ENCODING,
	CONTENT_ENCODING,
	CONTENT_TYPE,
	EXPECT,
	AUTHORIZATION,
	APPLICATION,
	CLIENT_REQUEST_ID,
	DECIDING_COUNT,
};

/* Headers that decide something: twice is refused. */
static const char *const deciding_names[DECIDING_COUNT] = {
	[HOST] = "Host",
	[CONTENT_LENGTH] = "Content-Length",
	[TRANSFER_ENCODING] = "Transfer-Encoding",
	[CONTENT_ENCODING] = "Content-Encoding",
	[CONTENT_TYPE] = "Content-Type",
	[EXPECT] = "Expect",
	[AUTHORIZATION] = "Authorization",
	[APPLICATION] = "x-custody-application",
	[CLIENT_REQUEST_ID] = "x-ms-client-request-id",
};

static bool
find_deciding(const uint8_t *data, struct head *head,
	const struct head_field *found[DECIDING_COUNT], struct err *err)
{
	for (size_t i = 0; i < head->field_count; i++) {
		const struct head_field *field = &head->fields[i];
		if (text_is(data, field->name, "Connection") &&
			has_token(data, field->value, "close"))
			head->close = true;
		for (size_t k = 0; k < DECIDING_COUNT; k++) {
			if (!text_is(data, field->name, deciding_names[k]))
				continue;
			if (found[k] != NULL)
				return err_set(err, ERR_BAD_PARAMETER,
					"The request is malformed: two %s headers.",
					deciding_names[k]);
			found[k] = field;
		}
	}
	return true;
}

/* RFC 9112 §6.3: where the body ends, or refuse. */
static bool
check_framing(
	const uint8_t *data, const struct http_limits *limits, struct head *head, struct err *err)
{
	const struct head_field *found[DECIDING_COUNT] = {NULL};
	if (!find_deciding(data, head, found, err))
		return false;
	if (found[HOST] == NULL)
		return bad(err, "it has no Host");
	head->host = found[HOST]->value;
	if (!check_host(data, head->host, err))
		return false;
	if (found[TRANSFER_ENCODING] != NULL && found[CONTENT_LENGTH] != NULL)
		return bad(err, "both Content-Length and Transfer-Encoding");
	if (found[TRANSFER_ENCODING] != NULL)
		return err_set(err, ERR_LENGTH_REQUIRED, NULL);
	head->encoded = found[CONTENT_ENCODING] != NULL;
	head->expect = found[EXPECT] != NULL;
	if (head->expect && !text_is(data, found[EXPECT]->value, "100-continue"))
		return bad(err, "Expect is not 100-continue");
	return found[CONTENT_LENGTH] == NULL ||
	       parse_length(data, found[CONTENT_LENGTH]->value, limits, head, err);
}

bool
head_parse(const uint8_t *data, const struct head_scan *scan, const struct http_limits *limits,
	struct head *ret_head, struct err *err)
{
	size_t start = scan->skip;
	size_t stop = scan->seen - 2; /* of the last header: the empty line is not one */

	ret_head->field_count = 0;
	ret_head->body_len = 0;
	ret_head->len = scan->seen;
	for (bool first = true; start < stop; first = false) {
		const uint8_t *lf = memchr(data + start, '\n', stop - start);
		size_t end = (size_t)(lf - data) - 1;
		if (first) {
			if (!parse_request_line(data, start, end, limits, ret_head, err))
				return false;
		} else {
			if (ret_head->field_count == HTTP_HEADERS_MAX)
				return err_set(err, ERR_HEADERS_TOO_LARGE, NULL);
			if (!parse_field(data, start, end,
				    &ret_head->fields[ret_head->field_count++], err))
				return false;
		}
		start = end + 2;
	}
	return check_framing(data, limits, ret_head, err);
}

void
head_terminate(const struct head *head, uint8_t *data)
{
	data[head->target.start + head->target.len] = '\0';
	for (size_t i = 0; i < head->field_count; i++) {
		const struct head_field *field = &head->fields[i];
		data[field->name.start + field->name.len] = '\0';
		data[field->value.start + field->value.len] = '\0';
	}
}
