#include "http_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"

#define QUIET_TURNS 32 /* without an answer: the largest request takes fewer to be read */

static void
echo(void *ctx)
{
	struct http_request *request = ctx;
	const char *const *segments;
	const char *name = NULL;
	const char *value = NULL;
	CLEAN(buf)
	struct buf body;

	buf_init(&body, 8192);
	(void)buf_printf(&body, "%s ", http_method_name(http_request_method(request)));
	size_t count = http_request_segments(request, &segments);
	for (size_t i = 0; i < count; i++)
		(void)buf_printf(&body, "[%s]", segments[i]);
	for (size_t i = 0; http_request_param_at(request, i, &name, &value); i++)
		(void)buf_printf(&body, " %s=%s", name, value);
	struct bytes sent = http_request_body(request);
	(void)buf_printf(&body, " %s|%s %.*s", http_request_host(request),
		http_request_vault(request), (int)sent.len,
		sent.data != NULL ? (const char *)sent.data : "");
	http_answer(request, 200, NULL, 0, &body);
}

static void
answer_big(struct http_request *request)
{
	CLEAN(buf)
	struct buf body;
	buf_init(&body, 1 << 20);
	uint8_t *room = buf_reserve(&body, (1 << 20) - 1);
	memset(room, 'x', (1 << 20) - 1);
	buf_add_len(&body, (1 << 20) - 1);
	http_answer(request, 200, NULL, 0, &body);
}

static void
answer_fail(struct http_request *request)
{
	static const struct http_header headers[] = {
		{"Retry-After", "7"}
        };
	struct err err = {.code = ERR_NONE};
	(void)err_set(&err, ERR_KEY_DISABLED, "A \"quoted\\ message.");
	http_answer_error(request, &err, headers, 1, bytes_of_text("[{\"k\":1}]"));
}

static void
on_request(struct http_request *take_request, void *ctx)
{
	struct http_fixture *fixture = ctx;
	const char *const *segments;
	(void)http_request_segments(take_request, &segments);

	if (strcmp(segments[0], "later") == 0) {
		loop_defer(fixture->loop, "test", echo, take_request);
	} else if (strcmp(segments[0], "hold") == 0) {
		fixture->held[fixture->held_count++] = take_request;
	} else if (strcmp(segments[0], "big") == 0) {
		answer_big(take_request);
	} else if (strcmp(segments[0], "fail") == 0) {
		answer_fail(take_request);
	} else if (strcmp(segments[0], "purge") == 0) {
		http_answer(take_request, 204, NULL, 0, NULL);
	} else {
		echo(take_request);
	}
}

struct http_fixture *
http_fixture_new(const struct http_limits *limits)
{
	struct err err;
	struct http_fixture *fixture = calloc(1, sizeof(*fixture));
	assert_non_null(fixture);
	http_limits_init(&fixture->limits);
	if (limits != NULL)
		fixture->limits = *limits;
	fixture->loop = loop_new(&err);
	assert_non_null(fixture->loop);
	fixture->server = http_server_new(fixture->loop, &fixture->limits, on_request, fixture);
	return fixture;
}

void
http_fixture_free(struct http_fixture *fixture)
{
	clock_override(NULL, NULL);
	http_server_free(fixture->server);
	loop_free(fixture->loop);
	free(fixture);
}

int
http_fixture_connect(struct http_fixture *fixture)
{
	int pair[2];
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
	http_server_adopt(fixture->server, pair[1]);
	return pair[0];
}

void
http_fixture_send(struct http_fixture *fixture, int client, const char *text, size_t len)
{
	for (size_t sent = 0; sent < len;) {
		ssize_t got = send(client, text + sent, len - sent, MSG_NOSIGNAL);
		if (got < 0)
			loop_turn(fixture->loop, 0);
		if (got < 0 && http_fixture_read(fixture, client) != NULL && fixture->ended)
			return;
		sent += got > 0 ? (size_t)got : 0;
	}
}

static int64_t
real_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void
http_fixture_turns(struct http_fixture *fixture, int64_t wait_ms)
{
	int64_t until_ms = real_ms() + wait_ms;
	do
		loop_turn(fixture->loop, 1);
	while (real_ms() < until_ms);
	loop_turn(fixture->loop, 0);
}

static int64_t test_now_us;

static int64_t
test_clock(void)
{
	return test_now_us;
}

void
http_fixture_clock(struct http_fixture *fixture, int64_t pass_ms)
{
	test_now_us += pass_ms * 1000;
	clock_override(NULL, test_clock);
	http_fixture_turns(fixture, 15);
}

/* The id is random: its place is checked, its digits are not. */
static void
hide_ids(char *text)
{
	static const char name[] = "x-ms-request-id: ";
	while ((text = strstr(text, name)) != NULL) {
		text += sizeof(name) - 1;
		size_t len = strspn(text, "0123456789abcdef-");
		assert_int_equal(len, 36);
		memcpy(text, "ID", 2);
		memmove(text + 2, text + len, strlen(text + len) + 1);
	}
}

const char *
http_fixture_read(struct http_fixture *fixture, int client)
{
	fixture->answer_len = 0;
	fixture->ended = false;
	for (int quiet = 0; quiet < QUIET_TURNS && !fixture->ended;) {
		loop_turn(fixture->loop, 0);
		size_t room = sizeof(fixture->answer) - 1 - fixture->answer_len;
		ssize_t got = recv(client, fixture->answer + fixture->answer_len, room, 0);
		fixture->ended = got == 0;
		quiet = got > 0 ? 0 : quiet + 1;
		fixture->answer_len += got > 0 ? (size_t)got : 0;
	}
	fixture->answer[fixture->answer_len] = '\0';
	hide_ids(fixture->answer);
	return fixture->answer;
}

const char *
http_fixture_ask(struct http_fixture *fixture, const char *text, size_t len)
{
	int client = http_fixture_connect(fixture);
	http_fixture_send(fixture, client, text, len);
	const char *answer = http_fixture_read(fixture, client);
	close(client);
	loop_turn(fixture->loop, 0);
	return answer;
}

const char *
http_fixture_expect(const char *status_line, const char *body, bool close)
{
	static char text[8192];
	(void)snprintf(text, sizeof(text),
		"HTTP/1.1 %s\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: "
		"%zu\r\n"
		"x-ms-request-id: ID\r\nCache-Control: no-cache\r\n%s\r\n%s",
		status_line, strlen(body), close ? "Connection: close\r\n" : "", body);
	return text;
}
