/*
 * HTTP requests to a daemon over its Unix socket (libcurl), one connection kept alive. A struct client is
 * used by one thread at a time. All calls block, at most for the time-out times the attempts.
 *
 * A request is repeated only where nothing was done: the connection was refused, or, for requests that
 * change nothing (`repeatable`), whatever cut it short, and an answer of 429 or 503 with a Retry-After of
 * at most CLIENT_RETRY_AFTER_MAX_S. Requests that change something go over a connection of their own,
 * since libcurl by itself repeats what an idle connection lost.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "client/uds.h"

#define CLIENT_RETRY_AFTER_MAX_S 5
#define CLIENT_ID_SIZE           40 /* x-ms-request-id and NUL */
#define CLIENT_PATH_MAX          8192

struct client;

struct client_config { /* borrowed while the client lives */
	const char *socket_path;
	const char *application; /* GUID, checked by the caller; NULL: none */
	struct uds_trust trust;
	uint32_t timeout_ms; /* of one attempt */
	unsigned retries;
	void (*waiting)(
		void *data, const char *why, uint32_t wait_ms); /* before each pause; NULL: none */
	void *waiting_data;
};

struct client_request {
	const char *method;
	const char *host;        /* Host header; printable, no blanks */
	const char *path;        /* with query; begins with '/' */
	const char *application; /* to act as for this request; NULL: the configuration's */
	bool authorize;          /* send an Authorization header, so that no challenge comes back */
	bool repeatable;         /* changes nothing: may be done twice */
	struct bytes body;       /* data NULL: none */
};

struct client_answer {
	int status;
	char request_id[CLIENT_ID_SIZE]; /* "" if unknown or not printable */
	struct buf *body; /* the caller's, soft or not; its maximum bounds the answer */
};

/* ERR_NO_MEMORY, or ERR_CLIENT_CONNECT for a socket path that is too long. Connects to nothing yet. */
struct client *client_new(const struct client_config *config, struct err *err) MUST_USE;
void client_free(struct client *client);

/*
 * true when an answer came, whatever its status. ERR_CLIENT_CONNECT, ERR_TIMEOUT: nothing was done, or
 * nothing that matters; ERR_OUTCOME_UNKNOWN: something may have been done; ERR_CLIENT_ANSWER: the answer
 * is too long or no HTTP; ERR_NO_MEMORY.
 */
bool client_call(struct client *client, const struct client_request *request,
	struct client_answer *answer, struct err *err) MUST_USE;

DEFINE_CLEAN(client, struct client)
