/*
 * What a handler sees of a request, and how it answers. Every answer, whoever gives it, goes through
 * answer_format(): one place for the headers of akv-contract §14.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "http/http_priv.h"

#define CLIENT_ID_MAX    64
#define ERROR_BODY_EXTRA 4096 /* of an error around its details */

const char *
http_method_name(enum http_method method)
{
	static const char *const names[] = {
		[HTTP_OTHER] = "OTHER",
		[HTTP_GET] = "GET",
		[HTTP_HEAD] = "HEAD",
		[HTTP_POST] = "POST",
		[HTTP_PUT] = "PUT",
		[HTTP_PATCH] = "PATCH",
		[HTTP_DELETE] = "DELETE",
	};
	return names[method];
}

/* ---- preparing ---- */

static const char *
text_at(const struct http_request *request, struct head_text text)
{
	return (const char *)request->connection->in.data + text.start;
}

/* Lower case, without port and one trailing dot. The characters were checked with the head. */
static const char *
canonical_host(struct http_request *request)
{
	char *host = arena_strndup(
		request->arena, text_at(request, request->head.host), request->head.host.len);
	char *port = host[0] == '[' ? strchr(host, ']') + 1 : strchr(host, ':');
	if (port != NULL)
		*port = '\0';
	size_t len = strlen(host);
	if (len > 0 && host[len - 1] == '.')
		host[len - 1] = '\0';
	id_fold(host, host);
	return host;
}

static const char *
first_label(struct http_request *request, const char *host)
{
	if (host[0] == '[' || strspn(host, "0123456789.") == strlen(host))
		return "";
	return arena_strndup(request->arena, host, strcspn(host, "."));
}

/* 1 to 64 of letters, digits, '.', '_', '-': whatever else a caller sent is not echoed. */
static const char *
sane_client_id(const struct http_request *request)
{
	const char *id = http_request_header(request, "x-ms-client-request-id");
	size_t len = id != NULL ? strlen(id) : 0;
	if (len == 0 || len > CLIENT_ID_MAX)
		return "";
	for (size_t i = 0; i < len; i++) {
		char c = id[i];
		bool sane = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
			    (c >= 'A' && c <= 'Z') || c == '.' || c == '_' || c == '-';
		if (!sane)
			return "";
	}
	return id;
}

bool
request_prepare(struct http_request *request, struct err *err)
{
	request->client_id = sane_client_id(request);
	request->host = canonical_host(request);
	request->vault = first_label(request, request->host);
	if (request->head.encoded)
		return err_set(err, ERR_UNSUPPORTED_MEDIA_TYPE,
			"Content-Encoding is not served; send the body as it is.");
	return target_parse(
		text_at(request, request->head.target), request->arena, &request->target, err);
}

void
request_finish(struct http_request *request)
{
	arena_free(request->arena);
	request->arena = NULL;
}

/* ---- reading ---- */

enum http_method
http_request_method(const struct http_request *request)
{
	return request->head.method;
}

size_t
http_request_segments(const struct http_request *request, const char *const **ret_segments)
{
	*ret_segments = request->target.segments;
	return request->target.segment_count;
}

bool
http_request_param_at(const struct http_request *request, size_t index, const char **ret_name,
	const char **ret_value)
{
	if (index >= request->target.param_count)
		return false;
	*ret_name = request->target.params[index].name;
	*ret_value = request->target.params[index].value;
	return true;
}

size_t
http_request_param_count(const struct http_request *request, const char *name, bool *ret_equal)
{
	const char *first = NULL;
	size_t count = 0;

	*ret_equal = true;
	for (size_t i = 0; i < request->target.param_count; i++) {
		const struct target_param *param = &request->target.params[i];
		if (strcmp(param->name, name) != 0)
			continue;
		if (first != NULL && strcmp(first, param->value) != 0)
			*ret_equal = false;
		else
			first = param->value;
		count++;
	}
	return count;
}

const char *
http_request_param(const struct http_request *request, const char *name)
{
	for (size_t i = 0; i < request->target.param_count; i++) {
		if (strcmp(request->target.params[i].name, name) == 0)
			return request->target.params[i].value;
	}
	return NULL;
}

const char *
http_request_header(const struct http_request *request, const char *name)
{
	for (size_t i = 0; i < request->head.field_count; i++) {
		const struct head_field *field = &request->head.fields[i];
		if (strcasecmp(text_at(request, field->name), name) == 0)
			return text_at(request, field->value);
	}
	return NULL;
}

const char *
http_request_host(const struct http_request *request)
{
	return request->host;
}

const char *
http_request_vault(const struct http_request *request)
{
	return request->vault;
}

struct bytes
http_request_body(const struct http_request *request)
{
	return request->body;
}

bool
http_request_check_json(const struct http_request *request, struct err *err)
{
	static const char json[] = "application/json";
	const char *type = http_request_header(request, "Content-Type");
	if (type == NULL)
		return true;
	size_t len = strcspn(type, "; \t");
	if (len == sizeof(json) - 1 && strncasecmp(type, json, len) == 0)
		return true;
	return err_set(err, ERR_UNSUPPORTED_MEDIA_TYPE, NULL);
}

const struct peer *
http_request_peer(const struct http_request *request)
{
	return &request->connection->peer;
}

struct arena *
http_request_arena(struct http_request *request)
{
	return request->arena;
}

const char *
http_request_id(const struct http_request *request)
{
	return request->id;
}

const char *
http_request_client_id(const struct http_request *request)
{
	return request->client_id;
}

int64_t
http_request_start_us(const struct http_request *request)
{
	return request->start_us;
}

/* ---- answering ---- */

static const char *
reason_of(int status)
{
	static const struct {
		int status;
		const char *reason;
	} reasons[] = {
		{200, "OK"			     },
		{201, "Created"                        },
		{202, "Accepted"                       },
		{204, "No Content"                     },
		{400, "Bad Request"                    },
		{401, "Unauthorized"                   },
		{403, "Forbidden"                      },
		{404, "Not Found"                      },
		{405, "Method Not Allowed"             },
		{408, "Request Timeout"                },
		{409, "Conflict"                       },
		{411, "Length Required"                },
		{413, "Content Too Large"              },
		{414, "URI Too Long"                   },
		{415, "Unsupported Media Type"         },
		{429, "Too Many Requests"              },
		{431, "Request Header Fields Too Large"},
		{500, "Internal Server Error"          },
		{501, "Not Implemented"                },
		{503, "Service Unavailable"            },
	};
	for (size_t i = 0; i < ARRAY_LEN(reasons); i++) {
		if (reasons[i].status == status)
			return reasons[i].reason;
	}
	return "Status"; /* the phrase is optional and for people only, RFC 9112 §4 */
}

static bool
header_sane(const struct http_header *header)
{
	for (const char *c = header->value; *c != '\0'; c++) {
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			return false;
	}
	return true;
}

static void
put_header(struct buf *out, const char *name, const char *value)
{
	buf_text(out, name);
	buf_append(out, ": ", 2);
	buf_text(out, value);
	buf_append(out, "\r\n", 2);
}

void
answer_format(struct buf *out, const struct http_request *request, const char *id, int status,
	const struct http_header *headers, size_t header_count, const struct buf *body,
	unsigned flags)
{
	size_t len = body != NULL ? body->len : 0;

	assert(status != 204 || len == 0);
	buf_printf(out, "HTTP/1.1 %d %s\r\n", status, reason_of(status));
	if (status != 204) {
		buf_text(out, "Content-Type: application/json; charset=utf-8\r\n");
		buf_printf(out, "Content-Length: %zu\r\n", len);
	}
	put_header(out, "x-ms-request-id", id);
	if (request != NULL && request->client_id[0] != '\0')
		put_header(out, "x-ms-client-request-id", request->client_id);
	buf_text(out, "Cache-Control: no-cache\r\n");
	for (size_t i = 0; i < header_count; i++) {
		assert(header_sane(&headers[i]));
		put_header(out, headers[i].name, headers[i].value);
	}
	if ((flags & ANSWER_CLOSE) != 0)
		buf_text(out, "Connection: close\r\n");
	buf_append(out, "\r\n", 2);
	if (len > 0 && (flags & ANSWER_HEAD_ONLY) == 0)
		buf_append(out, body->data, len);
	assert(!out->overflow);
}

void
http_answer(struct http_request *take_request, int status, const struct http_header *headers,
	size_t header_count, const struct buf *body)
{
	struct http_request *request = take_request;
	struct connection *connection = request->connection;

	assert(request->arena != NULL); /* answered exactly once */
	if (connection->state != CONNECTION_CLOSED) {
		const struct http_server *server = connection->server;
		int64_t age_ms = loop_now_ms(server->loop) - connection->born_ms;
		connection->close_after =
			request->head.close || server->draining || age_ms >= server->limits.age_ms;
		unsigned flags = (connection->close_after ? ANSWER_CLOSE : 0U) |
				 (request->head.method == HTTP_HEAD ? ANSWER_HEAD_ONLY : 0U);
		answer_format(&connection->out, request, request->id, status, headers, header_count,
			body, flags);
	}
	connection_answered(connection);
}

/* A JSON string of a message of ours; anything unusual in it becomes '?'. */
static void
put_text(struct buf *body, const char *text)
{
	buf_append(body, "\"", 1);
	for (const char *c = text; *c != '\0'; c++) {
		char safe[2] = {'\\', *c};
		if (*c == '"' || *c == '\\')
			buf_append(body, safe, 2);
		else
			buf_append(body, *c < ' ' || *c == 0x7f ? "?" : c, 1);
	}
	buf_append(body, "\"", 1);
}

void
http_error_body(const struct err *err, bool names, struct bytes details, struct buf *body)
{
	const char *inner = names ? "" : err_dialect_inner(err->code);
	buf_text(body, "{\"error\":{\"code\":");
	put_text(body, names ? err_name(err->code) : err_dialect_code(err->code));
	buf_text(body, ",\"message\":");
	put_text(body, err->message);
	if (*inner != '\0') {
		buf_text(body, ",\"innererror\":{\"code\":");
		put_text(body, inner);
		buf_text(body, "}");
	}
	if (details.len > 0) {
		buf_text(body, ",\"details\":");
		buf_append(body, details.data, details.len);
	}
	buf_text(body, "}}");
}

void
http_answer_error(struct http_request *take_request, const struct err *err,
	const struct http_header *headers, size_t header_count, struct bytes details)
{
	CLEAN(buf)
	struct buf body;
	buf_init(&body, details.len + ERROR_BODY_EXTRA);
	const struct connection *connection = take_request->connection;
	http_error_body(
		err, connection != NULL && connection->server->names_errors, details, &body);
	http_answer(take_request, err_status(err->code), headers, header_count, &body);
}

void
answer_format_error(struct buf *out, const char *id, const struct err *err, unsigned flags)
{
	static const struct http_header retry = {"Retry-After", "1"};
	CLEAN(buf)
	struct buf body;
	buf_init(&body, ERROR_BODY_EXTRA);
	http_error_body(err, (flags & ANSWER_NAMES_ERROR) != 0, (struct bytes){NULL, 0}, &body);
	size_t retries = err_class(err->code) == ERR_CLASS_UNAVAILABLE ? 1 : 0;
	answer_format(out, NULL, id, err_status(err->code), &retry, retries, &body, flags);
}
