/*
 * The server: accepting, who may have how many connections, deadlines, stopping.
 *
 * Deadlines are kept as numbers in the connections and looked at by one periodic sweep, so that a
 * request costs no timer. Invariant: `connections` holds exactly those that are not closed.
 */
#include "http/http.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "http/http_priv.h"

#define ACCEPT_BATCH    32  /* connections taken each turn */
#define RESUME_MS       100 /* until accepting is tried again after descriptors ran out */
#define SWEEP_MS_MIN    10
#define SWEEP_MS_MAX    1000
#define SWEEPS_IN_LIMIT 4 /* a deadline is noticed at most a quarter of its length late */

void
http_limits_init(struct http_limits *limits)
{
	*limits = (struct http_limits){
		.head_bytes = 16 * 1024,
		.target_bytes = 4 * 1024,
		.body_bytes = 64 * 1024,
		.answer_bytes = 1024 * 1024,
		.connections = 1024,
		.connections_uid = 256,
		.connections_kept = 64,
		.idle_ms = 60 * 1000,
		.request_ms = 10 * 1000,
		.answer_ms = 30 * 1000,
		.age_ms = 3600 * 1000,
	};
}

void
server_random_id(struct http_server *server, char id[static ID_UUID_TEXT])
{
	if (server->random_left < 16) {
		if (getentropy(server->random, sizeof(server->random)) < 0)
			abort(); /* only before the kernel's generator is seeded: not on a running system */
		server->random_left = sizeof(server->random);
	}
	server->random_left -= 16;
	id_uuid_format(server->random + server->random_left, id);
}

/* ---- who may connect ---- */

static struct uid_record **
record_slot(struct http_server *server, uid_t uid)
{
	struct uid_record **slot = &server->uids[uid % UID_BUCKETS];
	while (*slot != NULL && (*slot)->uid != uid)
		slot = &(*slot)->next;
	return slot;
}

static bool
is_privileged(const struct http_server *server, const struct peer *peer)
{
	return server->privileged != NULL && server->privileged(peer, server->privileged_ctx);
}

bool
server_admit(struct http_server *server, const struct peer *peer, struct err *err)
{
	const struct http_limits *limits = &server->limits;
	if (server->draining)
		return err_set(err, ERR_SHUTTING_DOWN, NULL);
	if (server->stats.connections >= limits->connections)
		return err_set(err, ERR_THROTTLED,
			"The server has too many connections; try again later.");
	if (is_privileged(server, peer))
		return true;
	const struct uid_record *record = *record_slot(server, peer->uid);
	if (record != NULL && record->connections >= limits->connections_uid)
		return err_set(
			err, ERR_THROTTLED, "This user has too many connections; close some.");
	if (server->unprivileged >= limits->connections - limits->connections_kept)
		return err_set(err, ERR_THROTTLED,
			"The server has too many connections; try again later.");
	return true;
}

static void
sweep(void *ctx)
{
	struct http_server *server = ctx;
	int64_t now_ms = loop_now_ms(server->loop);
	for (struct connection *connection = server->connections; connection != NULL;) {
		struct connection *next = connection->next;
		connection_check(connection, now_ms);
		connection = next;
	}
}

static int64_t
sweep_ms(const struct http_limits *limits)
{
	int64_t least = limits->idle_ms;
	least = limits->request_ms < least ? limits->request_ms : least;
	least = limits->answer_ms < least ? limits->answer_ms : least;
	least /= SWEEPS_IN_LIMIT;
	if (least < SWEEP_MS_MIN)
		return SWEEP_MS_MIN;
	return least > SWEEP_MS_MAX ? SWEEP_MS_MAX : least;
}

void
server_link(struct http_server *server, struct connection *connection)
{
	struct uid_record **slot = record_slot(server, connection->peer.uid);
	if (*slot == NULL) {
		*slot = calloc(1, sizeof(**slot));
		if (*slot == NULL)
			abort();
		(*slot)->uid = connection->peer.uid;
	}
	connection->record = *slot;
	connection->record->connections++;
	connection->privileged = is_privileged(server, &connection->peer);
	if (!connection->privileged)
		server->unprivileged++;
	connection->next = server->connections;
	if (connection->next != NULL)
		connection->next->previous = connection;
	server->connections = connection;
	server->stats.accepted++;
	if (server->stats.connections++ == 0)
		timer_start_periodic(server->sweep, sweep_ms(&server->limits));
}

static void
note_drained(struct http_server *server)
{
	if (server->draining && server->stats.connections == 0 && server->drained != NULL) {
		loop_defer(server->loop, "http.drained", server->drained, server->drained_ctx);
		server->drained = NULL;
	}
}

void
server_unlink(struct http_server *server, struct connection *connection)
{
	struct uid_record *record = connection->record;
	connection->record = NULL;
	if (--record->connections == 0) {
		struct uid_record **slot = record_slot(server, record->uid);
		*slot = record->next;
		free(record);
	}
	if (!connection->privileged)
		server->unprivileged--;
	*(connection->previous != NULL ? &connection->previous->next : &server->connections) =
		connection->next;
	if (connection->next != NULL)
		connection->next->previous = connection->previous;
	if (--server->stats.connections == 0)
		timer_stop(server->sweep);
	note_drained(server);
}

/* ---- accepting ---- */

/* Says why, as far as the peer's socket buffer takes it at once; it may not even have asked yet (threats C26). */
static void
turn_away(struct http_server *server, int take_fd, const struct err *err)
{
	CLEAN(buf)
	struct buf out;
	char id[ID_UUID_TEXT];

	server->stats.refused++;
	log_debug("http.refused", LOG_TEXT("message", err->message));
	server_random_id(server, id);
	buf_init(&out, ANSWER_HEAD_BYTES);
	answer_format_error(&out, id, err, server_refusal_flags(server));
	(void)send(
		take_fd, out.data, out.len, MSG_NOSIGNAL | MSG_DONTWAIT); /* it is closed anyway */
	refusals_add(server->refusals, take_fd);
}

static void
welcome(struct http_server *server, int fd)
{
	struct peer peer;
	struct err err = {.code = ERR_NONE};

	if (!peer_read(fd, &peer, &err)) {
		turn_away(server, fd, &err);
		return;
	}
	if (!server_admit(server, &peer, &err)) {
		turn_away(server, fd, &err);
		peer_clear(&peer);
		return;
	}
	connection_new(server, fd, &peer);
}

void
http_server_adopt(struct http_server *server, int take_fd)
{
	welcome(server, take_fd);
}

static void
accept_from(struct http_server *server, bool on)
{
	for (struct acceptor *acceptor = server->acceptors; acceptor != NULL;
		acceptor = acceptor->next)
		watch_set(acceptor->watch, on ? WATCH_READ : WATCH_NONE);
}

static void
on_resume(void *ctx)
{
	struct http_server *server = ctx;
	accept_from(server, !server->draining);
}

static void
on_connect(unsigned events, void *ctx)
{
	(void)events;
	struct acceptor *acceptor = ctx;
	struct http_server *server = acceptor->server;

	for (int i = 0; i < ACCEPT_BATCH; i++) {
		int fd = accept4(acceptor->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd >= 0) {
			welcome(server, fd);
			continue;
		}
		if (errno == EINTR || errno == ECONNABORTED)
			continue;
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
			/* The connection stays in the backlog; asking again at once would only spin. */
			server->stats.paused++;
			log_warning("http.accept-paused", LOG_TEXT("error", strerror(errno)),
				LOG_INT("connections", server->stats.connections));
			accept_from(server, false);
			timer_start(server->resume, RESUME_MS);
		}
		return;
	}
}

void
http_server_listen(struct http_server *server, const struct listener *listener)
{
	struct acceptor *acceptor = calloc(1, sizeof(*acceptor));
	if (acceptor == NULL)
		abort();
	acceptor->server = server;
	acceptor->fd = listener_fd(listener);
	acceptor->watch = watch_new(
		server->loop, "http.accept", acceptor->fd, WATCH_READ, on_connect, acceptor);
	acceptor->next = server->acceptors;
	server->acceptors = acceptor;
}

/* ---- life ---- */

struct http_server *
http_server_new(
	struct loop *loop, const struct http_limits *limits, http_handler *handler, void *ctx)
{
	assert(limits->connections > limits->connections_kept);
	struct http_server *server = calloc(1, sizeof(*server));
	if (server == NULL)
		abort();
	server->loop = loop;
	server->limits = *limits;
	server->handler = handler;
	server->ctx = ctx;
	server->refusals = refusals_new(loop, REFUSAL_MS);
	server->resume = timer_new(loop, "http.resume", on_resume, server);
	server->sweep = timer_new(loop, "http.sweep", sweep, server);
	return server;
}

void
http_server_set_limits(struct http_server *server, const struct http_limits *limits)
{
	assert(limits->connections > limits->connections_kept);
	server->limits = *limits;
	for (struct connection *connection = server->connections; connection != NULL;
		connection = connection->next)
		connection_fit(connection);
	if (timer_running(server->sweep))
		timer_start_periodic(server->sweep, sweep_ms(&server->limits));
}

void
http_server_set_names_errors(struct http_server *server)
{
	server->names_errors = true;
}

unsigned
server_refusal_flags(const struct http_server *server)
{
	return ANSWER_CLOSE | (server->names_errors ? ANSWER_NAMES_ERROR : 0U);
}

void
http_server_set_privileged(struct http_server *server, http_privileged *privileged, void *ctx)
{
	server->privileged = privileged;
	server->privileged_ctx = ctx;
}

void
http_server_set_body_limit(
	struct http_server *server, size_t most, http_body_limit *body_limit, void *ctx)
{
	server->body_limit = body_limit;
	server->body_limit_ctx = ctx;
	server->body_most = most;
}

void
http_server_drain(struct http_server *server, loop_fn *drained, void *ctx)
{
	server->draining = true;
	server->drained = drained;
	server->drained_ctx = ctx;
	timer_stop(server->resume);
	accept_from(server, false);
	for (struct connection *connection = server->connections; connection != NULL;) {
		struct connection *next = connection->next;
		if (connection_idle(connection))
			connection_close(connection);
		connection = next;
	}
	note_drained(server);
}

void
http_server_free(struct http_server *server)
{
	if (server == NULL)
		return;
	server->drained = NULL;
	while (server->connections != NULL)
		connection_close(server->connections);
	while (server->acceptors != NULL) {
		struct acceptor *acceptor = server->acceptors;
		server->acceptors = acceptor->next;
		watch_free(acceptor->watch);
		free(acceptor);
	}
	refusals_free(server->refusals);
	timer_free(server->resume);
	timer_free(server->sweep);
	explicit_bzero(server->random, sizeof(server->random));
	free(server);
}

struct http_stats
http_server_stats(const struct http_server *server)
{
	return server->stats;
}

size_t
http_server_in_flight_of(const struct http_server *server, uid_t uid)
{
	for (const struct uid_record *record = server->uids[uid % UID_BUCKETS]; record != NULL;
		record = record->next) {
		if (record->uid == uid)
			return record->in_flight;
	}
	return 0;
}
