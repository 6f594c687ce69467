/*
 * HTTP/1.1 server on a Unix socket: strict framing, bounded in everything, peer credentials per
 * connection, answers from any later turn of the loop.
 *
 * One request of a connection is with the handler at a time; pipelined ones wait unread and are answered
 * in order. Whatever is malformed or over a limit is answered here, as the dialect's JSON error, and the
 * connection is closed (akv-contract §13); the handler sees only what passed:
 *   - one Host, at most one Content-Length, no Transfer-Encoding (411), no Content-Encoding (415),
 *     no obs-fold, no bare LF, no blank before a colon, no control character, no duplicate of a header that counts
 *   - an origin-form target, its segments and parameters percent-decoded exactly once
 * Nothing blocks. All strings of a request are borrowed until it is answered.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "http/listener.h"
#include "http/peer.h"
#include "loop/loop.h"

#define HTTP_SEGMENTS_MAX 12
#define HTTP_PARAMS_MAX   16
#define HTTP_HEADERS_MAX  64

struct http_server;
struct http_request;

enum http_method {
	HTTP_OTHER = 0, /* a token not listed here; no route has it */
	HTTP_GET,
	HTTP_HEAD,
	HTTP_POST,
	HTTP_PUT,
	HTTP_PATCH,
	HTTP_DELETE,
};
const char *http_method_name(enum http_method method); /* "GET"; "OTHER" */

struct http_limits {
	size_t head_bytes;       /* request line and headers; over: 431 */
	size_t target_bytes;     /* request target; over: 414 */
	size_t body_bytes;       /* declared or sent; over: 413 before it is read */
	size_t answer_bytes;     /* body of an answer (asserted) */
	size_t connections;      /* all; over: answered 429 unread and closed */
	size_t connections_uid;  /* of one uid that is not privileged */
	size_t connections_kept; /* of `connections`: only for privileged peers */
	int64_t idle_ms;         /* without a request: closed */
	int64_t request_ms;      /* from the first octet of a request to its last: 408 */
	int64_t answer_ms;       /* for the peer to take an answer: closed */
	int64_t age_ms; /* connections older than this are closed after the answer, or when idle */
};

/* 16 KiB, 4 KiB, 64 KiB, 1 MiB; 1024, 256, 64; 60 s, 10 s, 30 s, 1 h. */
void http_limits_init(struct http_limits *limits);

/* The handler owns the request and answers it exactly once, now or later. */
typedef void http_handler(struct http_request *take_request, void *ctx);

struct http_server *http_server_new(struct loop *loop, const struct http_limits *limits,
	http_handler *handler, void *ctx) MUST_USE;
/* Accepts from a listener that stays the caller's and outlives the server. When descriptors run out, accepting pauses. */
void http_server_listen(struct http_server *server, const struct listener *listener);
/* Serves a connected Unix stream socket, owned from here on. */
void http_server_adopt(struct http_server *server, int take_fd);
/* In force for what arrives from now on; connections that are over a new limit stay. */
void http_server_set_limits(struct http_server *server, const struct http_limits *limits);
/* Errors have their stable name as code and no inner code (err_name()); otherwise those of the dialect. */
void http_server_set_names_errors(struct http_server *server);
/*
 * Who has a reserve of connections and no bound of his own (administrators): asked for each new connection.
 * Without it nobody is.
 */
typedef bool http_privileged(const struct peer *peer, void *ctx);
void http_server_set_privileged(struct http_server *server, http_privileged *privileged, void *ctx);
/*
 * Which requests may have more than limits.body_bytes: asked for one that has, with its target as it was sent, before
 * its body is read. Octets; at most `most`, whatever it says. Without it none may.
 */
typedef size_t http_body_limit(
	const struct peer *peer, enum http_method method, struct bytes target, void *ctx);
void http_server_set_body_limit(
	struct http_server *server, size_t most, http_body_limit *body_limit, void *ctx);
/*
 * Stops accepting, closes what is idle, closes the rest after its answer. `drained` runs (once, from the
 * loop) when no connection is left.
 */
void http_server_drain(struct http_server *server, loop_fn *drained, void *ctx);
/* Closes everything. Requests still with the handler stay valid: answering them only frees them. */
void http_server_free(struct http_server *server);

struct http_stats {
	size_t connections;
	size_t in_flight; /* requests with the handler */
	uint64_t accepted;
	uint64_t refused;  /* connections closed by a limit */
	uint64_t requests; /* given to the handler */
	uint64_t rejected; /* answered here: malformed, too large, too slow */
	uint64_t paused;   /* times accepting stopped for lack of descriptors */
};
struct http_stats http_server_stats(const struct http_server *server);

/* ---- reading a request; everything is borrowed until it is answered ---- */

enum http_method http_request_method(const struct http_request *request);
/*
 * Segments between the slashes: "/keys/k//wrapkey" is {"keys","k","","wrapkey"}, "/keys/k/" ends in "", "/" is
 * {""}. Decoded once; each is printable ASCII without '/', never "." or "..".
 */
size_t http_request_segments(const struct http_request *request, const char *const **ret_segments);
/* Value of a query parameter, name and value decoded ('+' stays '+'); NULL: absent. The first if repeated. */
const char *http_request_param(const struct http_request *request, const char *name);
/* How often it is there, and whether all values are equal. */
size_t http_request_param_count(
	const struct http_request *request, const char *name, bool *ret_equal);
/* Parameter number `index` < count in order of arrival; false behind the last. */
bool http_request_param_at(const struct http_request *request, size_t index, const char **ret_name,
	const char **ret_value);
/* Value of a header (name in any case), without surrounding blanks; NULL: absent. The first if repeated. */
const char *http_request_header(const struct http_request *request, const char *name);
/* Host without port and one trailing dot, lower case: "contosowestus.vault.azure.net"; "" if empty. */
const char *http_request_host(const struct http_request *request);
/* First label of the host; "" for an IP address or an empty host. */
const char *http_request_vault(const struct http_request *request);
struct bytes http_request_body(const struct http_request *request);
/* ERR_UNSUPPORTED_MEDIA_TYPE unless Content-Type is application/json (any parameters) or absent. */
bool http_request_check_json(const struct http_request *request, struct err *err) MUST_USE;
const struct peer *http_request_peer(const struct http_request *request);
struct arena *http_request_arena(struct http_request *request);
const char *http_request_id(const struct http_request *request); /* x-ms-request-id: a fresh UUID */
const char *http_request_client_id(
	const struct http_request *request); /* x-ms-client-request-id if sane, else "" */
int64_t http_request_start_us(
	const struct http_request *request); /* monotonic, when its last octet was read */
size_t http_server_in_flight_of(
	const struct http_server *server, uid_t uid); /* requests of this uid with the handler */

/* ---- answering; frees the request ---- */

struct http_header {
	const char *name;
	const char *value; /* without control characters (asserted) */
};

/*
 * Answers with `body` as application/json; NULL or empty body for 204. Adds Content-Type, Content-Length,
 * x-ms-request-id, x-ms-client-request-id, Cache-Control. Harmless when the client left.
 */
void http_answer(struct http_request *take_request, int status, const struct http_header *headers,
	size_t header_count, const struct buf *body);
/*
 * Answers with the dialect's error of `err`: its status, code, message, inner code. `details` is a JSON
 * value to add as error.details, {NULL, 0} for none.
 */
void http_answer_error(struct http_request *take_request, const struct err *err,
	const struct http_header *headers, size_t header_count, struct bytes details);
/* Writes the error body of `err` to `body`; `names`: see http_server_set_names_errors(). */
void http_error_body(const struct err *err, bool names, struct bytes details, struct buf *body);
