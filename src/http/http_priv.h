/* Shared by http.c (server), connection.c (octets in and out) and exchange.c (what handlers see and answer). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/id.h"
#include "http/head.h"
#include "http/http.h"
#include "http/refusal.h"
#include "http/target.h"

#define RANDOM_POOL       256 /* what getentropy(3) gives at most */
#define UID_BUCKETS       64
#define ANSWER_HEAD_BYTES 4096 /* status line and headers of an answer */

/* What is counted per uid; lives as long as the uid has connections. */
struct uid_record {
	struct uid_record *next;
	uid_t uid;
	size_t connections;
	size_t in_flight;
};

struct acceptor {
	struct acceptor *next;
	struct http_server *server;
	struct watch *watch;
	int fd;
};

struct http_server {
	struct loop *loop;
	struct http_limits limits;
	http_handler *handler;
	void *ctx;
	struct acceptor *acceptors;
	struct refusals *refusals;
	struct timer *resume; /* accepting, after descriptors ran out */
	struct timer *sweep;  /* deadlines of connections */
	struct connection *connections;
	size_t unprivileged; /* connections of peers that are not privileged */
	http_privileged *privileged;
	void *privileged_ctx;
	http_body_limit *body_limit;
	void *body_limit_ctx;
	size_t body_most; /* that it may allow */
	struct uid_record *uids[UID_BUCKETS];
	struct http_stats stats;
	bool names_errors;
	bool draining;
	loop_fn *drained;
	void *drained_ctx;
	uint8_t random[RANDOM_POOL];
	size_t random_left;
};

enum connection_state {
	CONNECTION_READING = 1, /* waiting for a request or its rest */
	CONNECTION_PENDING,     /* its request is with the handler */
	CONNECTION_WRITING,     /* the peer has not taken the answer yet */
	CONNECTION_LINGERING,   /* answered and shut down; what still comes is thrown away */
	CONNECTION_CLOSED,      /* only kept for a pending request */
};

struct http_request {
	struct connection *connection;
	struct arena *arena;
	struct head head;
	struct target target;
	struct bytes body;
	const char *host;
	const char *vault;
	const char *client_id;
	int64_t start_us;
	char id[ID_UUID_TEXT];
};

struct connection {
	struct http_server *server; /* NULL: the server is gone */
	struct connection *next;
	struct connection *previous;
	struct watch *watch;
	struct uid_record *record;
	struct peer peer;
	int fd; /* -1: closed */
	enum connection_state state;
	bool privileged;
	bool busy;           /* connection_process() is on the stack */
	bool have_head;      /* request.head is parsed */
	bool close_after;    /* the answer */
	bool linger_after;   /* instead of closing at once */
	int64_t deadline_ms; /* 0: none */
	int64_t born_ms;
	struct head_scan scan;
	struct buf in;  /* starts with the current request */
	struct buf out; /* the current answer */
	size_t sent;    /* octets of `out` that left */
	struct http_request request;
};

/* Takes over a connected descriptor whose peer was admitted. */
struct connection *connection_new(
	struct http_server *server, int take_fd, const struct peer *take_peer);
/* Makes room for what the server's limits allow now; room once given stays. */
void connection_fit(struct connection *connection);
/* Closes at once; the object stays while a request is pending. */
void connection_close(struct connection *connection);
/* Deadline and age. */
void connection_check(struct connection *connection, int64_t now_ms);
/* Nothing of a request has arrived. */
bool connection_idle(const struct connection *connection);
/* The answer is in `out`: sends it and goes on with the next request. */
void connection_answered(struct connection *connection);

enum answer_flags {
	ANSWER_CLOSE = 1,       /* the connection ends with it */
	ANSWER_HEAD_ONLY = 2,   /* to a HEAD */
	ANSWER_NAMES_ERROR = 4, /* its code is the stable name */
};

/* Appends status line, headers and body of an answer; `request` may be NULL, `id` then stands in. */
void answer_format(struct buf *out, const struct http_request *request, const char *id, int status,
	const struct http_header *headers, size_t header_count, const struct buf *body,
	unsigned flags);
/* Flags of an answer that refuses and closes. */
unsigned server_refusal_flags(const struct http_server *server);
/* The same for an error that no handler saw. */
void answer_format_error(struct buf *out, const char *id, const struct err *err, unsigned flags);
/* Prepares a complete request for the handler; false: to be answered with *err, keeping the connection. */
bool request_prepare(struct http_request *request, struct err *err);
void request_finish(struct http_request *request);

void server_random_id(struct http_server *server, char id[static ID_UUID_TEXT]);
/* Counts a connection in and out; server_admit() says why not by ERR_THROTTLED. */
bool server_admit(struct http_server *server, const struct peer *peer, struct err *err);
void server_link(struct http_server *server, struct connection *connection);
void server_unlink(struct http_server *server, struct connection *connection);
