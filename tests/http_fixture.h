/* A server in this process and raw clients: exact octets in, exact octets out. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "http/http.h"

#define FIXTURE_ANSWER_BYTES (1 << 17)

struct http_fixture {
	struct loop *loop;
	struct http_server *server;
	struct http_limits limits;
	struct http_request *held[8]; /* requests for /hold, to be answered by the test */
	size_t held_count;
	bool drained;
	char answer[FIXTURE_ANSWER_BYTES]; /* of the last http_fixture_read() */
	size_t answer_len;
	bool ended; /* the server closed */
};

/* Serves with `limits`; NULL: the defaults. */
struct http_fixture *http_fixture_new(const struct http_limits *limits);
void http_fixture_free(struct http_fixture *fixture);

/*
 * The handler answers by the first segment: "echo" (what it saw, as JSON), "later" (the same, a turn later),
 * "hold" (kept in `held`), "big" (an answer of 1 MiB), "fail" (403 with details), "purge" (204), else 404.
 */
int http_fixture_connect(struct http_fixture *fixture); /* the client's end, non-blocking */
void http_fixture_send(struct http_fixture *fixture, int client, const char *text, size_t len);
/* Turns the loop until the server closed or nothing comes any more; request ids are replaced by "ID". */
const char *http_fixture_read(struct http_fixture *fixture, int client);
/* Connect, send, half close, read, close. */
const char *http_fixture_ask(struct http_fixture *fixture, const char *text, size_t len);
void http_fixture_turns(struct http_fixture *fixture, int64_t wait_ms);
/*
 * From the first call on, deadlines follow a clock of the test, moved by `pass_ms` here; long enough is waited for the
 * server to look at it if a limit of it is 40 ms or less. Before the first connection, with 0.
 */
void http_fixture_clock(struct http_fixture *fixture, int64_t pass_ms);
/* The octets of an answer of ours; a static buffer. `close`: with Connection: close. */
const char *http_fixture_expect(const char *status_line, const char *body, bool close);
