/*
 * A small HTTP server on a Unix socket, in a thread of the test: what the client side is tested against.
 * It understands what our client sends (Content-Length bodies, keep-alive) and nothing more.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define PEER_TEXT_MAX 262144

struct peer_request {
	const char *method;
	const char *target;
	const char *head; /* all header lines */
	const char *body; /* NUL-terminated */
};

struct peer_reply {
	int status;        /* 0: close the connection without an answer */
	char headers[512]; /* more header lines, each with \r\n */
	char body[PEER_TEXT_MAX];
	unsigned delay_ms; /* before answering */
};

/* Fills the reply; runs in the peer's thread. */
typedef void peer_handler(void *data, const struct peer_request *request, struct peer_reply *reply);

struct peer;

/* Listens on `path`, in a directory that exists. Fails the test if it cannot. */
struct peer *peer_start(const char *path, peer_handler *handler, void *data);
/* Ends the thread, removes the socket. NULL is allowed. */
void peer_stop(struct peer *peer);
/* Requests and connections so far. */
unsigned peer_requests(struct peer *peer);
unsigned peer_connections(struct peer *peer);
