/* One thread, poll(); a request is handled when it is complete. */
#include "support/fake_server.h"

#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#define CONNECTIONS_MAX 64

struct connection {
	int fd;
	char *text;
	size_t len;
};

struct peer {
	struct sockaddr_un address;
	int listener;
	int wake[2];
	pthread_t thread;
	peer_handler *handler;
	void *data;
	atomic_uint requests;
	atomic_uint connections;
	struct connection open[CONNECTIONS_MAX];
	size_t count;
	struct peer_reply reply;
};

static void
drop(struct peer *peer, size_t i)
{
	(void)close(peer->open[i].fd);
	free(peer->open[i].text);
	peer->open[i] = peer->open[--peer->count];
}

static bool
send_all(int fd, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t sent = send(fd, text, len, MSG_NOSIGNAL);
		if (sent <= 0)
			return false;
		text += sent;
		len -= (size_t)sent;
	}
	return true;
}

static bool
answer(struct peer *peer, int fd)
{
	struct peer_reply *reply = &peer->reply;
	if (reply->delay_ms > 0)
		(void)usleep(reply->delay_ms * 1000);
	if (reply->status == 0)
		return false;
	char head[1024];
	int len = snprintf(head, sizeof(head), "HTTP/1.1 %d x\r\nContent-Length: %zu\r\n%s\r\n",
		reply->status, strlen(reply->body), reply->headers);
	return send_all(fd, head, (size_t)len) && send_all(fd, reply->body, strlen(reply->body));
}

/* Handles one request if it is all there. false: close. */
static bool
handle(struct peer *peer, struct connection *connection, bool *ret_more)
{
	char *text = connection->text;
	*ret_more = false;
	char *end = strstr(text, "\r\n\r\n");
	if (end == NULL)
		return true;
	const char *length = strcasestr(text, "\r\nContent-Length:");
	size_t body_len =
		length != NULL && length < end ? (size_t)strtoul(length + 17, NULL, 10) : 0;
	size_t head_len = (size_t)(end - text) + 4;
	if (connection->len < head_len + body_len)
		return true;
	char *body = strndup(text + head_len, body_len);
	end[2] = '\0';
	char *method = strtok_r(text, " ", &end);
	char *target = strtok_r(NULL, " ", &end);
	peer->reply = (struct peer_reply){.status = 200};
	struct peer_request request = {method, target, end, body};
	peer->handler(peer->data, &request, &peer->reply);
	free(body);
	atomic_fetch_add(&peer->requests, 1);
	bool keep = answer(peer, connection->fd);
	connection->len -= head_len + body_len;
	memmove(text, text + head_len + body_len, connection->len + 1);
	*ret_more = keep && connection->len > 0;
	return keep;
}

static void
read_from(struct peer *peer, size_t i)
{
	struct connection *connection = &peer->open[i];
	ssize_t got = recv(connection->fd, connection->text + connection->len,
		PEER_TEXT_MAX - 1 - connection->len, 0);
	if (got <= 0) {
		drop(peer, i);
		return;
	}
	connection->len += (size_t)got;
	connection->text[connection->len] = '\0';
	bool more = true;
	while (more) {
		if (!handle(peer, connection, &more)) {
			drop(peer, i);
			return;
		}
	}
}

static void
accept_one(struct peer *peer)
{
	int fd = accept4(peer->listener, NULL, NULL, SOCK_CLOEXEC);
	if (fd < 0 || peer->count == CONNECTIONS_MAX)
		abort();
	atomic_fetch_add(&peer->connections, 1);
	peer->open[peer->count++] = (struct connection){fd, calloc(1, PEER_TEXT_MAX), 0};
}

static void *
serve(void *data)
{
	struct peer *peer = data;
	for (;;) {
		struct pollfd fds[CONNECTIONS_MAX + 2] = {
			{peer->wake[0],  POLLIN, 0},
                        {peer->listener, POLLIN, 0}
                };
		size_t count = peer->count;
		for (size_t i = 0; i < count; i++)
			fds[i + 2] = (struct pollfd){peer->open[i].fd, POLLIN, 0};
		if (poll(fds, count + 2, -1) < 0 || fds[0].revents != 0)
			return NULL;
		for (size_t i = count; i > 0; i--) {
			if (fds[i + 1].revents != 0)
				read_from(peer, i - 1);
		}
		if (fds[1].revents != 0)
			accept_one(peer);
	}
}

struct peer *
peer_start(const char *path, peer_handler *handler, void *data)
{
	struct peer *peer = calloc(1, sizeof(*peer));
	assert_non_null(peer);
	peer->handler = handler;
	peer->data = data;
	peer->address.sun_family = AF_UNIX;
	assert_true(strlen(path) < sizeof(peer->address.sun_path));
	memcpy(peer->address.sun_path, path, strlen(path) + 1);
	peer->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_return_code(peer->listener, 0);
	assert_return_code(
		bind(peer->listener, (struct sockaddr *)&peer->address, sizeof(peer->address)), 0);
	assert_return_code(listen(peer->listener, 64), 0);
	assert_return_code(pipe(peer->wake), 0);
	assert_int_equal(pthread_create(&peer->thread, NULL, serve, peer), 0);
	return peer;
}

void
peer_stop(struct peer *peer)
{
	if (peer == NULL)
		return;
	(void)close(peer->wake[1]);
	(void)pthread_join(peer->thread, NULL);
	while (peer->count > 0)
		drop(peer, 0);
	(void)close(peer->wake[0]);
	(void)close(peer->listener);
	(void)unlink(peer->address.sun_path);
	free(peer);
}

unsigned
peer_requests(struct peer *peer)
{
	return atomic_load(&peer->requests);
}

unsigned
peer_connections(struct peer *peer)
{
	return atomic_load(&peer->connections);
}
