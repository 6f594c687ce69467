/*
 * Octets on a connection: a whole server reads them, its handler reads everything a request offers and
 * answers at once or a turn later. Every octet that comes back belongs to a complete, well-formed answer.
 */
#include "fuzz.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/http.h"
#include "http/router.h"

static const struct route routes[] = {
	{HTTP_GET,  "/keys/{name}/{version?}"        },
	{HTTP_POST, "/keys/{name}/{version?}/wrapkey"},
	{HTTP_POST, "/keys/restore"                  },
	{HTTP_GET,  "/keys/{name}/versions"          },
};

struct fixture {
	struct loop *loop;
	struct http_server *server;
	struct router *router;
	size_t requests;
};

static void
answer(void *ctx)
{
	struct buf body;
	buf_init(&body, 16);
	(void)buf_text(&body, "{}");
	http_answer(ctx, 200, NULL, 0, &body);
	buf_clear(&body);
}

/* What the layers above rely on without looking again. */
static void
check_request(struct http_request *request)
{
	const char *const *segments;
	const char *name = NULL;
	const char *value = NULL;
	size_t count = http_request_segments(request, &segments);

	assert(count >= 1 && count <= HTTP_SEGMENTS_MAX);
	for (size_t i = 0; i < count; i++) {
		for (const char *c = segments[i]; *c != '\0'; c++)
			assert(*c > ' ' && *c < 0x7f && *c != '/');
		assert(strcmp(segments[i], "..") != 0);
	}
	for (size_t i = 0; http_request_param_at(request, i, &name, &value); i++)
		assert(http_request_param(request, name) != NULL && strpbrk(value, "\r\n") == NULL);
	for (const char *c = http_request_host(request); *c != '\0'; c++)
		assert(*c > ' ' && *c < 0x7f && (*c < 'A' || *c > 'Z'));
	assert(strchr(http_request_vault(request), '.') == NULL);
	assert(http_request_body(request).len <= 1024);
	assert(strpbrk(http_request_client_id(request), "\r\n: ") == NULL);
}

static void
on_request(struct http_request *take_request, void *ctx)
{
	struct fixture *fixture = ctx;
	struct router_match match;

	check_request(take_request);
	if (router_match(fixture->router, take_request, &match) == ROUTER_FOUND)
		assert(match.row < ARRAY_LEN(routes));
	if (++fixture->requests % 2 == 0)
		answer(take_request);
	else
		loop_defer(fixture->loop, "fuzz", answer, take_request);
}

/* Status line, headers, Content-Length, body; again until the end. */
static void
check_answers(const char *text, size_t len)
{
	const char *end = text + len;
	while (text < end) {
		assert(strncmp(text, "HTTP/1.1 ", 9) == 0);
		const char *body = strstr(text, "\r\n\r\n");
		assert(body != NULL);
		body += 4;
		if (strncmp(text + 9, "100", 3) == 0) {
			text = body;
			continue;
		}
		const char *length = strstr(text, "Content-Length: ");
		assert(length != NULL && length < body);
		unsigned octets = 0;
		assert(sscanf(length, "Content-Length: %u", &octets) == 1);
		text = body + octets;
		assert(text <= end);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char answers[1 << 18];
	struct http_limits limits;
	struct err err = {.code = ERR_NONE};
	int pair[2];

	/* HEAD has no body although it says a length: not for this check. */
	if (memmem(data, size, "HEAD", 4) != NULL || size > 60000)
		return 0;
	http_limits_init(&limits);
	limits.head_bytes = 2048;
	limits.target_bytes = 512;
	limits.body_bytes = 1024;
	struct fixture fixture = {.loop = loop_new(&err),
		.router = router_new(routes, ARRAY_LEN(routes), sizeof(routes[0]))};
	assert(fixture.loop != NULL);
	fixture.server = http_server_new(fixture.loop, &limits, on_request, &fixture);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) < 0)
		abort();
	http_server_adopt(fixture.server, pair[1]);
	ssize_t sent = size > 0 ? send(pair[0], data, size, MSG_NOSIGNAL) : 0;
	shutdown(pair[0], SHUT_WR);
	size_t len = 0;
	for (int turn = 0; turn < 10000 && sent >= 0; turn++) {
		loop_turn(fixture.loop, 0);
		ssize_t got = recv(pair[0], answers + len, sizeof(answers) - 1 - len, 0);
		if (got == 0)
			break;
		len += got > 0 ? (size_t)got : 0;
	}
	answers[len] = '\0';
	check_answers(answers, len);
	close(pair[0]);
	http_server_free(fixture.server);
	loop_free(fixture.loop);
	router_free(fixture.router);
	return 0;
}
