/*
 * One connection: octets in, one request at a time to the handler, its answer out.
 *
 * Invariants: `in` does not move while a request is pending (nothing is read then), so the strings of a
 * request stay put. A connection is freed only by release(), and only when it is closed, no request is
 * pending and connection_process() is not on the stack.
 */
#include "http/http_priv.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

#define READ_BYTES   4095 /* asked for at once; with its NUL a page, which an idle connection keeps */
#define KEEP_BYTES   8192 /* larger buffers are given back after a request */
#define LINGER_MS    1000 /* for a refused peer to read the answer while it still sends */
#define LINGER_READS 16   /* of READ_BYTES each turn */

static void connection_process(void *ctx);

static void
release(struct connection *connection)
{
	if (connection->state != CONNECTION_CLOSED || connection->busy ||
		connection->request.arena != NULL)
		return;
	peer_clear(&connection->peer);
	buf_clear(&connection->in);
	buf_clear(&connection->out);
	free(connection);
}

void
connection_close(struct connection *connection)
{
	if (connection->state == CONNECTION_CLOSED)
		return;
	connection->state = CONNECTION_CLOSED;
	watch_free(connection->watch);
	connection->watch = NULL;
	close(connection->fd);
	connection->fd = -1;
	loop_defer_cancel(connection->server->loop, connection);
	server_unlink(connection->server, connection);
	connection->server = NULL;
	release(connection);
}

static void
set_deadline(struct connection *connection, int64_t in_ms)
{
	connection->deadline_ms = in_ms > 0 ? loop_now_ms(connection->server->loop) + in_ms : 0;
}

bool
connection_idle(const struct connection *connection)
{
	return connection->state == CONNECTION_READING && connection->in.len == 0;
}

static void
begin_reading(struct connection *connection)
{
	const struct http_limits *limits = &connection->server->limits;
	connection->state = CONNECTION_READING;
	set_deadline(connection, connection->in.len == 0 ? limits->idle_ms : limits->request_ms);
	/* What is there comes first: the end of the stream behind it would close the connection (threats C14). */
	watch_set(connection->watch, connection->in.len == 0 ? WATCH_READ : WATCH_NONE);
}

/* Forgets the request at the start of `in`; what was pipelined behind it moves up. */
static void
consume(struct connection *connection)
{
	struct buf *in = &connection->in;
	size_t used = connection->request.head.len + connection->request.head.body_len;
	size_t left = in->len - used;

	connection->have_head = false;
	connection->scan = (struct head_scan){0};
	if (left == 0 && in->size > KEEP_BYTES) {
		buf_clear(in);
		return;
	}
	memmove(in->data, in->data + used, left);
	explicit_bzero(in->data + left, used);
	in->len = left;
}

static void
after_answer(struct connection *connection)
{
	if (connection->out.size > KEEP_BYTES)
		buf_clear(&connection->out);
	else
		buf_reset(&connection->out);
	connection->sent = 0;
	if (connection->linger_after) {
		connection->state = CONNECTION_LINGERING;
		shutdown(connection->fd, SHUT_WR);
		set_deadline(connection, LINGER_MS);
		watch_set(connection->watch, WATCH_READ);
	} else if (connection->close_after ||
		   (connection->server->draining && connection->in.len == 0)) {
		connection_close(connection);
	} else {
		begin_reading(connection);
	}
}

/* Sends what the peer takes. The rest waits for it to read. */
static void
flush(struct connection *connection)
{
	struct buf *out = &connection->out;
	while (connection->sent < out->len) {
		ssize_t sent = send(connection->fd, out->data + connection->sent,
			out->len - connection->sent, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (sent >= 0) {
			connection->sent += (size_t)sent;
		} else if (errno == EAGAIN) {
			if (connection->state != CONNECTION_WRITING)
				set_deadline(connection, connection->server->limits.answer_ms);
			connection->state = CONNECTION_WRITING;
			watch_set(connection->watch, WATCH_WRITE);
			return;
		} else if (errno != EINTR) {
			connection_close(connection); /* the peer left */
			return;
		}
	}
	after_answer(connection);
}

/* Answers what no handler may see and stops trusting the stream. */
static void
reject(struct connection *connection, const struct err *err)
{
	char id[ID_UUID_TEXT];
	server_random_id(connection->server, id);
	connection->server->stats.rejected++;
	log_debug("http.rejected", LOG_TEXT("error", err_name(err->code)),
		LOG_INT("uid", connection->peer.uid));
	answer_format_error(&connection->out, id, err, server_refusal_flags(connection->server));
	connection->linger_after = true;
	buf_clear(&connection->in);
	flush(connection);
}

/* The body is wanted before it is sent. A peer that cannot take 25 octets now is not worth waiting for. */
static bool
send_continue(struct connection *connection)
{
	static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
	connection->request.head.expect = false;
	ssize_t sent = send(connection->fd, text, sizeof(text) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
	return sent == (ssize_t)(sizeof(text) - 1);
}

static void
dispatch(struct connection *connection)
{
	struct http_server *server = connection->server;
	struct http_request *request = &connection->request;
	struct err err = {.code = ERR_NONE};

	connection->state = CONNECTION_PENDING;
	connection->deadline_ms = 0;
	connection->record->in_flight++;
	server->stats.in_flight++;
	request->connection = connection;
	request->arena = arena_new();
	request->start_us = clock_monotonic_us();
	server_random_id(server, request->id);
	head_terminate(&request->head, connection->in.data);
	request->body =
		(struct bytes){connection->in.data + request->head.len, request->head.body_len};
	if (request_prepare(request, &err)) {
		server->stats.requests++;
		server->handler(request, server->ctx);
	} else {
		server->stats.rejected++;
		http_answer_error(request, &err, NULL, 0, (struct bytes){NULL, 0});
	}
}

/* The head of a request, and room for a body that only some requests may have. */
static bool
take_head(struct connection *connection, struct err *err)
{
	struct http_server *server = connection->server;
	struct http_limits limits = server->limits;
	struct head *head = &connection->request.head;
	struct buf *in = &connection->in;

	if (server->body_limit != NULL && server->body_most > limits.body_bytes)
		limits.body_bytes = server->body_most;
	if (!head_parse(in->data, &connection->scan, &limits, head, err))
		return false;
	if (head->body_len <= server->limits.body_bytes)
		return true;
	struct bytes target = {in->data + head->target.start, head->target.len};
	if (head->body_len >
		server->body_limit(&connection->peer, head->method, target, server->body_limit_ctx))
		return err_set(err, ERR_TOO_LARGE, NULL);
	if (in->max < head->len + head->body_len + READ_BYTES)
		in->max = head->len + head->body_len + READ_BYTES;
	return true;
}

/* Takes one step with what has arrived; false: more is needed. */
static bool
advance(struct connection *connection)
{
	struct http_server *server = connection->server;
	struct http_request *request = &connection->request;
	struct buf *in = &connection->in;
	struct err err = {.code = ERR_NONE};

	if (!connection->have_head) {
		enum head_result found =
			head_find_end(in->data, in->len, &server->limits, &connection->scan, &err);
		if (found == HEAD_MORE)
			return false;
		if (found == HEAD_BAD || !take_head(connection, &err)) {
			reject(connection, &err);
			return true;
		}
		connection->have_head = true;
	}
	if (in->len >= request->head.len + request->head.body_len) {
		dispatch(connection);
		return true;
	}
	if (request->head.expect && !send_continue(connection)) {
		connection_close(connection);
		return true;
	}
	return false;
}

/* Serves requests as long as complete ones are there and are answered at once. */
static void
connection_process(void *ctx)
{
	struct connection *connection = ctx;
	connection->busy = true;
	while (connection->state == CONNECTION_READING && connection->in.len > 0 &&
		advance(connection))
		continue;
	if (connection->state == CONNECTION_READING)
		watch_set(connection->watch, WATCH_READ);
	connection->busy = false;
	release(connection);
}

/* Sends, and sees to it that what was pipelined is served: here if connection_process() runs, else next turn. */
static void
send_answer(struct connection *connection)
{
	bool nested = connection->busy;
	connection->busy = true;
	flush(connection);
	connection->busy = nested;
	if (!nested && connection->state == CONNECTION_READING && connection->in.len > 0)
		loop_defer(connection->server->loop, "http", connection_process, connection);
	release(connection);
}

void
connection_answered(struct connection *connection)
{
	struct http_server *server = connection->server;
	request_finish(&connection->request);
	if (connection->state == CONNECTION_CLOSED) {
		release(connection);
		return;
	}
	assert(connection->state == CONNECTION_PENDING);
	server->stats.in_flight--;
	connection->record->in_flight--;
	consume(connection);
	send_answer(connection);
}

static void
read_some(struct connection *connection)
{
	struct buf *in = &connection->in;
	size_t room = in->max - in->len;
	bool first = in->len == 0;

	assert(room > 0); /* a request that fills it was refused or dispatched */
	size_t want = room < READ_BYTES ? room : READ_BYTES;
	ssize_t got = recv(connection->fd, buf_reserve(in, want), want, MSG_DONTWAIT);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		connection_close(connection);
		return;
	}
	buf_add_len(in, (size_t)got);
	if (first)
		set_deadline(connection, connection->server->limits.request_ms);
	connection_process(connection);
}

/* Throws away what a refused peer still sends, so that it reads the answer instead of a reset. */
static void
discard(struct connection *connection)
{
	uint8_t scratch[READ_BYTES];
	for (int i = 0; i < LINGER_READS; i++) {
		ssize_t got = recv(connection->fd, scratch, sizeof(scratch), MSG_DONTWAIT);
		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		if (got <= 0) {
			connection_close(connection);
			break;
		}
	}
	explicit_bzero(scratch, sizeof(scratch));
}

static void
on_socket(unsigned events, void *ctx)
{
	struct connection *connection = ctx;
	(void)events;
	switch (connection->state) {
	case CONNECTION_READING:
		read_some(connection);
		break;
	case CONNECTION_PENDING:
		watch_set(connection->watch, WATCH_NONE); /* pipelined: it waits in the kernel */
		break;
	case CONNECTION_WRITING:
		send_answer(connection);
		break;
	case CONNECTION_LINGERING:
		discard(connection);
		break;
	case CONNECTION_CLOSED:
		break;
	}
}

void
connection_check(struct connection *connection, int64_t now_ms)
{
	bool old = now_ms - connection->born_ms >= connection->server->limits.age_ms;
	if (connection_idle(connection) && old) {
		connection_close(connection);
		return;
	}
	if (connection->deadline_ms == 0 || now_ms < connection->deadline_ms)
		return;
	if (connection->state == CONNECTION_READING && connection->in.len > 0) {
		struct err err = {.code = ERR_NONE};
		err_set(&err, ERR_REQUEST_TIMEOUT, NULL);
		reject(connection, &err);
		return;
	}
	connection_close(connection);
}

void
connection_fit(struct connection *connection)
{
	const struct http_limits *limits = &connection->server->limits;
	size_t in = limits->head_bytes + limits->body_bytes + READ_BYTES;
	size_t out = limits->answer_bytes + ANSWER_HEAD_BYTES;
	if (connection->in.max < in)
		connection->in.max = in;
	if (connection->out.max < out)
		connection->out.max = out;
}

struct connection *
connection_new(struct http_server *server, int take_fd, const struct peer *take_peer)
{
	struct connection *connection = calloc(1, sizeof(*connection));
	if (connection == NULL)
		abort();
	connection->server = server;
	connection->peer = *take_peer;
	connection->fd = take_fd;
	connection->born_ms = loop_now_ms(server->loop);
	buf_init(&connection->in,
		server->limits.head_bytes + server->limits.body_bytes + READ_BYTES);
	buf_init(&connection->out, server->limits.answer_bytes + ANSWER_HEAD_BYTES);
	server_link(server, connection);
	connection->watch =
		watch_new(server->loop, "http", take_fd, WATCH_READ, on_socket, connection);
	begin_reading(connection);
	return connection;
}
