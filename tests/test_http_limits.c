/* What a hostile or unlucky client costs: sizes, time, connections, descriptors (threats C2, C11, C12, C15, C16). */
#include <fcntl.h>
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "http/http.h"
#include "http/refusal.h"
#include "http_fixture.h"

#define H    "Host: a\r\n"
#define ASK  "GET /echo HTTP/1.1\r\n" H "\r\n"
#define HOLD "GET /hold HTTP/1.1\r\n" H "\r\n"

static struct http_limits
limits_with(int64_t idle_ms, int64_t request_ms, int64_t answer_ms)
{
	struct http_limits limits;
	http_limits_init(&limits);
	limits.idle_ms = idle_ms;
	limits.request_ms = request_ms;
	limits.answer_ms = answer_ms;
	return limits;
}

static bool
status_is(const char *answer, int status)
{
	char line[32];
	(void)snprintf(line, sizeof(line), "HTTP/1.1 %d ", status);
	return strncmp(answer, line, strlen(line)) == 0;
}

/* ---- sizes ---- */

static void
http_target_at_limit_is_taken_and_beyond_is_414_c15(void **state)
{
	(void)state;
	struct http_fixture *f = http_fixture_new(NULL);
	for (size_t extra = 0; extra < 2; extra++) {
		char text[8192] = "GET /echo?";
		size_t fill = f->limits.target_bytes - strlen("/echo?") + extra;
		memset(text + 10, 'a', fill);
		memcpy(text + 10 + fill, " HTTP/1.1\r\n" H "\r\n",
			sizeof(" HTTP/1.1\r\n" H "\r\n"));

		const char *answer = http_fixture_ask(f, text, strlen(text));

		assert_true(status_is(answer, extra == 0 ? 200 : 414));
		assert_int_equal(f->ended, extra != 0);
	}
	http_fixture_free(f);
}

static void
http_endless_target_is_414_without_its_end_c15(void **state)
{
	(void)state;
	struct http_fixture *f = http_fixture_new(NULL);
	char text[5000];
	memset(text, 'a', sizeof(text));
	memcpy(text, "GET /", 5);

	assert_true(status_is(http_fixture_ask(f, text, sizeof(text)), 414));

	http_fixture_free(f);
}

static void
http_too_many_or_too_large_headers_are_431_c15(void **state)
{
	(void)state;
	struct http_fixture *f = http_fixture_new(NULL);
	static char text[32768];

	for (int count = 64; count <= 65; count++) {
		size_t len = (size_t)snprintf(text, sizeof(text), "GET /echo HTTP/1.1\r\n" H);
		for (int i = 1; i < count; i++)
			len += (size_t)snprintf(text + len, sizeof(text) - len, "X-%d: y\r\n", i);
		len += (size_t)snprintf(text + len, sizeof(text) - len, "\r\n");
		assert_true(status_is(http_fixture_ask(f, text, len), count == 64 ? 200 : 431));
	}
	/* one header without an end */
	size_t len = (size_t)snprintf(text, sizeof(text), "GET /echo HTTP/1.1\r\n" H "X: ");
	memset(text + len, 'y', sizeof(text) - len);
	const char *answer = http_fixture_ask(f, text, sizeof(text));
	assert_true(status_is(answer, 431));
	assert_non_null(strstr(answer, "{\"error\":{\"code\":\"BadParameter\",\"message\":\"The "
				       "request headers are larger than allowed.\"}}"));

	http_fixture_free(f);
}

static void
http_body_at_limit_is_taken_c16(void **state)
{
	(void)state;
	struct http_fixture *f = http_fixture_new(NULL);
	static char text[65536 + 128];
	size_t len = (size_t)snprintf(
		text, sizeof(text), "POST /hold HTTP/1.1\r\n" H "Content-Length: 65536\r\n\r\n");
	memset(text + len, 'y', 65536);
	int client = http_fixture_connect(f);

	http_fixture_send(f, client, text, len + 65536);
	http_fixture_turns(f, 20);
	(void)http_fixture_read(f, client);

	assert_int_equal(f->held_count, 1);
	assert_int_equal(http_request_body(f->held[0]).len, 65536);
	http_answer(f->held[0], 200, NULL, 0, NULL);
	close(client);
	http_fixture_free(f);
}

static void
http_limits_raised_hold_for_open_connections(void **state)
{
	(void)state;
	struct http_fixture *f = http_fixture_new(NULL);
	static char text[300000];
	size_t len = (size_t)snprintf(
		text, sizeof(text), "POST /hold HTTP/1.1\r\n" H "Content-Length: 262144\r\n\r\n");
	memset(text + len, 'y', 262144);
	int client = http_fixture_connect(f);
	struct http_limits limits = f->limits;
	limits.body_bytes = 262144;

	http_server_set_limits(f->server, &limits);
	http_fixture_send(f, client, text, len + 262144);
	http_fixture_turns(f, 20);
	(void)http_fixture_read(f, client);

	assert_int_equal(f->held_count, 1);
	assert_int_equal(http_request_body(f->held[0]).len, 262144);
	http_answer(f->held[0], 200, NULL, 0, NULL);
	close(client);
	http_fixture_free(f);
}

/* POST /hold?big may have 300 octets more than others. */
static size_t
allow_big(const struct peer *peer, enum http_method method, struct bytes target, void *ctx)
{
	const struct http_fixture *f = ctx;
	bool ours = peer->uid == getuid() && method == HTTP_POST;
	return ours && bytes_equal(target, bytes_of_text("/hold?big")) ? f->limits.body_bytes + 300
								       : 0;
}

static void
http_some_requests_may_have_a_larger_body_c16(void **state)
{
	(void)state;
	static const struct {
		const char *line;
		size_t more;
		size_t most;
		bool taken;
	} cases[] = {
		{"POST /hold?big", 300, 1 << 20, true },
		{"POST /hold?big", 301, 1 << 20, false},
		{"POST /hold?big", 300, 65836,   true },
		{"POST /hold?big", 300, 65835,   false},
		{"POST /hold",     1,   1 << 20, false},
		{"POST /hold",     0,   1 << 20, true },
		{"PUT /hold?big",  1,   1 << 20, false},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct http_fixture *f = http_fixture_new(NULL);
		static char text[70000];
		size_t body = f->limits.body_bytes + cases[i].more;
		size_t len = (size_t)snprintf(text, sizeof(text),
			"%s HTTP/1.1\r\n" H "Content-Length: %zu\r\n\r\n", cases[i].line, body);
		memset(text + len, 'y', body);
		int client = http_fixture_connect(f);

		http_server_set_body_limit(f->server, cases[i].most, allow_big, f);
		http_fixture_send(f, client, text, len + body);
		http_fixture_turns(f, 20);
		const char *answer = http_fixture_read(f, client);

		assert_int_equal(f->held_count, cases[i].taken ? 1 : 0);
		if (cases[i].taken) {
			assert_int_equal(http_request_body(f->held[0]).len, body);
			http_answer(f->held[0], 200, NULL, 0, NULL);
		} else {
			assert_true(status_is(answer, 413));
		}
		close(client);
		http_fixture_free(f);
	}
}

/* A pipelining client gets no memory: nothing is read while its request is pending. */
static void
http_flood_behind_a_pending_request_stays_in_the_kernel_c15(void **state)
{
	(void)state;
	struct http_fixture *f = http_fixture_new(NULL);
	static char flood[65536];
	size_t taken = 0;
	memset(flood, 'G', sizeof(flood));
	int client = http_fixture_connect(f);
	http_fixture_send(f, client, HOLD, strlen(HOLD));
	(void)http_fixture_read(f, client);
	size_t before = mallinfo2().uordblks;

	for (int i = 0; i < 200; i++) {
		ssize_t got = send(client, flood, sizeof(flood), MSG_NOSIGNAL);
		taken += got > 0 ? (size_t)got : 0;
		loop_turn(f->loop, 0);
	}

	assert_true(taken < 1 << 20);
	assert_true(mallinfo2().uordblks < before + 131072);
	close(client);
	http_answer(f->held[0], 200, NULL, 0, NULL);
	http_fixture_free(f);
}

/* ---- time ---- */

static void
http_idle_connection_is_closed_c11(void **state)
{
	(void)state;
	struct http_limits limits = limits_with(40, 10000, 10000);
	struct http_fixture *f = http_fixture_new(&limits);
	http_fixture_clock(f, 0);
	int client = http_fixture_connect(f);
	http_fixture_send(f, client, ASK, strlen(ASK));
	assert_true(status_is(http_fixture_read(f, client), 200));

	http_fixture_clock(f, 39);
	(void)http_fixture_read(f, client);
	assert_false(f->ended);
	http_fixture_clock(f, 1);

	assert_string_equal(http_fixture_read(f, client), "");
	assert_true(f->ended);
	close(client);
	http_fixture_free(f);
}

/* A byte now and then does not move the deadline, wherever it is in the request. */
static void
http_slow_request_is_408_c11(void **state)
{
	(void)state;
	static const char *const starts[] = {"", "GET /echo HTTP/1.1\r\n" H,
		"POST /echo HTTP/1.1\r\n" H "Content-Length: 1000\r\n\r\n"};
	for (size_t i = 0; i < ARRAY_LEN(starts); i++) {
		struct http_limits limits = limits_with(10000, 40, 10000);
		struct http_fixture *f = http_fixture_new(&limits);
		http_fixture_clock(f, 0);
		int client = http_fixture_connect(f);
		http_fixture_send(f, client, starts[i], strlen(starts[i]));
		http_fixture_send(f, client, "a", 1);
		http_fixture_clock(f, 0);
		for (int step = 0; step < 3; step++) {
			http_fixture_clock(f, 13);
			assert_string_equal(http_fixture_read(f, client), "");
			http_fixture_send(f, client, "a", 1);
		}

		http_fixture_clock(f, 1);

		const char *answer = http_fixture_read(f, client);
		assert_string_equal(
			answer, http_fixture_expect("408 Request Timeout",
					"{\"error\":{\"code\":\"BadParameter\",\"message\":\"The "
					"request took too long to arrive.\"}}",
					true));
		close(client);
		http_fixture_free(f);
	}
}

static void
http_client_that_does_not_read_is_closed_c11(void **state)
{
	(void)state;
	struct http_limits limits = limits_with(10000, 10000, 40);
	struct http_fixture *f = http_fixture_new(&limits);
	static const char text[] = "GET /big HTTP/1.1\r\n" H "\r\n";
	http_fixture_clock(f, 0);
	int client = http_fixture_connect(f);

	http_fixture_send(f, client, text, sizeof(text) - 1);
	http_fixture_clock(f, 0);
	http_fixture_clock(f, 39);
	assert_int_equal(http_server_stats(f->server).connections, 1);
	http_fixture_clock(f, 1);

	assert_int_equal(http_server_stats(f->server).connections, 0);
	close(client);
	http_fixture_free(f);
}

static void
http_large_answer_reaches_a_slow_reader_whole(void **state)
{
	(void)state;
	struct http_fixture *f = http_fixture_new(NULL);
	static const char text[] = "GET /big HTTP/1.1\r\n" H "\r\n" ASK;
	static char chunk[10000];
	size_t total = 0;
	char last[32] = "";
	int client = http_fixture_connect(f);
	http_fixture_send(f, client, text, sizeof(text) - 1);

	for (int quiet = 0; quiet < 10;) {
		loop_turn(f->loop, 0);
		ssize_t got = recv(client, chunk, sizeof(chunk), 0);
		quiet = got > 0 ? 0 : quiet + 1;
		total += got > 0 ? (size_t)got : 0;
		if (got > 16)
			memcpy(last, chunk + got - 16, 16);
	}

	assert_in_range(total, (1 << 20) + 300, (1 << 20) + 600);
	assert_string_equal(last, "\nGET [echo] a|a ");
	close(client);
	http_fixture_free(f);
}

static void
http_old_connection_is_closed_after_its_answer_c2(void **state)
{
	(void)state;
	struct http_limits limits = limits_with(40, 40, 40);
	limits.idle_ms = 10000;
	limits.age_ms = 60;
	struct http_fixture *f = http_fixture_new(&limits);
	http_fixture_clock(f, 0);
	int busy = http_fixture_connect(f);
	int idle = http_fixture_connect(f);
	http_fixture_send(f, busy, HOLD, strlen(HOLD));
	(void)http_fixture_read(f, busy);

	http_fixture_clock(f, 59);
	(void)http_fixture_read(f, idle);
	assert_false(f->ended);
	http_fixture_clock(f, 1);

	(void)http_fixture_read(f, idle);
	assert_true(f->ended);
	http_answer(f->held[0], 200, NULL, 0, NULL);
	assert_non_null(strstr(http_fixture_read(f, busy), "Connection: close"));
	assert_true(f->ended);
	close(busy);
	close(idle);
	http_fixture_free(f);
}

static void
http_refused_client_that_goes_on_sending_reads_its_answer(void **state)
{
	(void)state;
	struct http_fixture *f = http_fixture_new(NULL);
	static char junk[60000];
	static const char text[] = "POST / HTTP/1.1\r\n" H "Content-Length: 1000000\r\n\r\n";
	int client = http_fixture_connect(f);
	http_fixture_send(f, client, text, sizeof(text) - 1);
	loop_turn(f->loop, 0);

	for (int i = 0; i < 10; i++) {
		assert_int_equal(send(client, junk, sizeof(junk), MSG_NOSIGNAL), sizeof(junk));
		loop_turn(f->loop, 0);
	}

	assert_true(status_is(http_fixture_read(f, client), 413));
	close(client);
	http_fixture_turns(f, 2);
	assert_int_equal(http_server_stats(f->server).connections, 0);
	http_fixture_free(f);
}

/* ---- connections ---- */

static void
http_connections_of_one_uid_are_bounded_c11(void **state)
{
	(void)state;
	struct http_limits limits = limits_with(10000, 10000, 10000);
	limits.connections_uid = 3;
	struct http_fixture *f = http_fixture_new(&limits);
	int clients[4];
	for (size_t i = 0; i < 4; i++)
		clients[i] = http_fixture_connect(f);

	const char *answer = http_fixture_read(f, clients[3]);
	assert_non_null(strstr(answer, "HTTP/1.1 429 Too Many Requests\r\n"));
	assert_non_null(strstr(answer, "\r\nRetry-After: 1\r\n"));
	assert_non_null(strstr(answer, "{\"error\":{\"code\":\"Throttled\",\"message\":\"This user "
				       "has too many connections; close some.\"}}"));
	assert_true(f->ended);
	close(clients[0]);
	loop_turn(f->loop, 0);
	int again = http_fixture_connect(f);
	http_fixture_send(f, again, ASK, strlen(ASK));
	assert_true(status_is(http_fixture_read(f, again), 200));

	assert_int_equal(http_server_stats(f->server).refused, 1);
	for (size_t i = 1; i < 4; i++)
		close(clients[i]);
	close(again);
	http_fixture_free(f);
}

static bool
takes_octets(int client)
{
	return send(client, "G", 1, MSG_NOSIGNAL) == 1;
}

/* It is refused before it asked; its request must not break on a closed socket before it has read why. */
static void
http_refused_client_can_write_for_a_while_c26(void **state)
{
	(void)state;
	struct http_limits limits = limits_with(10000, 10000, 10000);
	limits.connections_uid = 1;
	struct http_fixture *f = http_fixture_new(&limits);
	int clients[REFUSALS_MAX + 2];

	for (size_t i = 0; i < ARRAY_LEN(clients); i++)
		clients[i] = http_fixture_connect(f);

	assert_false(takes_octets(clients[1])); /* only so many are kept */
	for (size_t i = 2; i < ARRAY_LEN(clients); i++)
		assert_true(takes_octets(clients[i]));
	assert_true(status_is(http_fixture_read(f, clients[2]), 429));
	assert_int_equal(http_server_stats(f->server).connections, 1);
	for (size_t i = 0; i < ARRAY_LEN(clients); i++)
		close(clients[i]);
	http_fixture_free(f);
}

static void
refusals_are_closed_when_their_time_is_over(void **state)
{
	(void)state;
	struct err err;
	struct loop *loop = loop_new(&err);
	struct refusals *refusals = refusals_new(loop, 10);
	int pair[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);

	refusals_add(refusals, pair[1]);
	assert_true(takes_octets(pair[0]));
	while (takes_octets(pair[0]))
		loop_turn(loop, 1);
	close(pair[0]);

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	refusals_add(refusals, pair[1]);
	refusals_free(refusals);
	assert_false(takes_octets(pair[0]));
	close(pair[0]);
	loop_free(loop);
}

static bool
is_uid(const struct peer *peer, void *ctx)
{
	const uid_t *uid = ctx;
	return peer->uid == *uid;
}

static void
http_administrators_have_a_reserve_c11(void **state)
{
	(void)state;
	struct http_limits limits = limits_with(10000, 10000, 10000);
	limits.connections = 4;
	limits.connections_kept = 2;
	struct http_fixture *f = http_fixture_new(&limits);
	uid_t us = geteuid();
	int clients[6];
	for (size_t i = 0; i < 3; i++)
		clients[i] = http_fixture_connect(f);
	assert_int_equal(http_server_stats(f->server).connections, 2);

	http_server_set_privileged(f->server, is_uid, &us);
	for (size_t i = 3; i < 6; i++)
		clients[i] = http_fixture_connect(f);

	assert_int_equal(http_server_stats(f->server).connections, 4);
	assert_int_equal(http_server_stats(f->server).refused, 2);
	http_fixture_send(f, clients[4], ASK, strlen(ASK));
	assert_true(status_is(http_fixture_read(f, clients[4]), 200));
	for (size_t i = 0; i < 6; i++)
		close(clients[i]);
	http_fixture_free(f);
}

/* ---- descriptors ---- */

static int
dial(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static void
http_out_of_descriptors_pauses_and_resumes_c12(void **state)
{
	(void)state;
	struct http_fixture *f = http_fixture_new(NULL);
	struct err err;
	char directory[] = "/tmp/http.XXXXXX";
	char path[64];
	char lock[64];
	struct rlimit saved;
	assert_non_null(mkdtemp(directory));
	(void)snprintf(path, sizeof(path), "%s/s", directory);
	(void)snprintf(lock, sizeof(lock), "%s/s.lock", directory);
	struct listener *listener = listener_open(path, 0600, (gid_t)-1, &err);
	assert_non_null(listener);
	http_server_listen(f->server, listener);
	int client = dial(path);
	int null = open("/dev/null", O_WRONLY);
	log_set_fd(null);

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &saved), 0);
	struct rlimit low = {.rlim_cur = (rlim_t)null + 1, .rlim_max = saved.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	http_fixture_turns(f, 30);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &saved), 0);

	assert_in_range(http_server_stats(f->server).paused, 1, 3); /* each 100 ms: did not spin */
	assert_int_equal(http_server_stats(f->server).connections, 0);
	for (int turn = 0; turn < 500 && http_server_stats(f->server).connections == 0; turn++)
		loop_turn(f->loop, 10);
	assert_int_equal(http_server_stats(f->server).connections, 1);
	http_fixture_send(f, client, ASK, strlen(ASK));
	assert_true(status_is(http_fixture_read(f, client), 200));

	log_set_fd(STDERR_FILENO);
	close(null);
	close(client);
	http_fixture_free(f);
	listener_free(listener);
	assert_int_equal(unlink(lock), 0);
	assert_int_equal(rmdir(directory), 0);
}

static void
http_many_clients_connect_and_are_served(void **state)
{
	(void)state;
	struct http_fixture *f = http_fixture_new(NULL);
	int clients[200];
	for (size_t i = 0; i < 200; i++)
		clients[i] = http_fixture_connect(f);
	for (size_t i = 0; i < 200; i++)
		http_fixture_send(f, clients[i], ASK, strlen(ASK));
	for (size_t i = 0; i < 200; i++)
		assert_true(status_is(http_fixture_read(f, clients[i]), 200));
	for (size_t i = 0; i < 200; i++)
		close(clients[i]);
	for (int turn = 0; turn < 100 && http_server_stats(f->server).connections > 0; turn++)
		loop_turn(f->loop, 0);
	assert_int_equal(http_server_stats(f->server).connections, 0);
	http_fixture_free(f);
}

/* ---- stopping ---- */

static void
note_drained(void *ctx)
{
	((struct http_fixture *)ctx)->drained = true;
}

static void
http_drain_answers_what_is_pending_and_closes_the_rest(void **state)
{
	(void)state;
	struct http_fixture *f = http_fixture_new(NULL);
	int idle = http_fixture_connect(f);
	int busy = http_fixture_connect(f);
	http_fixture_send(f, busy, HOLD, strlen(HOLD));
	(void)http_fixture_read(f, busy);

	http_server_drain(f->server, note_drained, f);

	(void)http_fixture_read(f, idle);
	assert_true(f->ended);
	assert_false(f->drained);
	int late = http_fixture_connect(f);
	assert_non_null(strstr(http_fixture_read(f, late), "HTTP/1.1 503 Service Unavailable\r\n"));
	http_answer(f->held[0], 200, NULL, 0, NULL);
	assert_non_null(strstr(http_fixture_read(f, busy), "Connection: close\r\n"));
	assert_true(f->ended);
	http_fixture_turns(f, 2);
	assert_true(f->drained);
	close(idle);
	close(busy);
	close(late);
	http_fixture_free(f);
}

static void
http_drain_without_connections_is_done_next_turn(void **state)
{
	(void)state;
	struct http_fixture *f = http_fixture_new(NULL);

	http_server_drain(f->server, note_drained, f);
	assert_false(f->drained);
	loop_turn(f->loop, 0);

	assert_true(f->drained);
	http_fixture_free(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(http_target_at_limit_is_taken_and_beyond_is_414_c15),
		cmocka_unit_test(http_endless_target_is_414_without_its_end_c15),
		cmocka_unit_test(http_too_many_or_too_large_headers_are_431_c15),
		cmocka_unit_test(http_body_at_limit_is_taken_c16),
		cmocka_unit_test(http_limits_raised_hold_for_open_connections),
		cmocka_unit_test(http_some_requests_may_have_a_larger_body_c16),
		cmocka_unit_test(http_flood_behind_a_pending_request_stays_in_the_kernel_c15),
		cmocka_unit_test(http_idle_connection_is_closed_c11),
		cmocka_unit_test(http_slow_request_is_408_c11),
		cmocka_unit_test(http_client_that_does_not_read_is_closed_c11),
		cmocka_unit_test(http_large_answer_reaches_a_slow_reader_whole),
		cmocka_unit_test(http_old_connection_is_closed_after_its_answer_c2),
		cmocka_unit_test(http_refused_client_that_goes_on_sending_reads_its_answer),
		cmocka_unit_test(http_connections_of_one_uid_are_bounded_c11),
		cmocka_unit_test(http_refused_client_can_write_for_a_while_c26),
		cmocka_unit_test(refusals_are_closed_when_their_time_is_over),
		cmocka_unit_test(http_administrators_have_a_reserve_c11),
		cmocka_unit_test(http_out_of_descriptors_pauses_and_resumes_c12),
		cmocka_unit_test(http_many_clients_connect_and_are_served),
		cmocka_unit_test(http_drain_answers_what_is_pending_and_closes_the_rest),
		cmocka_unit_test(http_drain_without_connections_is_done_next_turn),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
