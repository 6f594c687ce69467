/* Requests from the loop, against a real server on a real socket: answers, failures, many at once, cancelling. */
#include "client/async.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/fake_server.h"

#define ANSWER_MAX 65536
#define TURNS_MAX  2000
#define TURN_MS    10
#define MANY       50

struct fixture {
	char directory[64];
	char path[96];
	struct peer *peer;
	struct loop *loop;
	struct async *async;
	struct client_config config;
	char reply[128];
	unsigned delay_ms;
	int reply_status; /* 0: no answer */
	char head[4096];
	/* what came */
	unsigned done;
	unsigned answered;
	int status;
	char text[ANSWER_MAX];
	enum err_code code;
};

static void
play(void *data, const struct peer_request *request, struct peer_reply *reply)
{
	struct fixture *f = data;
	reply->status = f->reply_status;
	reply->delay_ms = f->delay_ms;
	(void)snprintf(reply->body, sizeof(reply->body), "%s%s", f->reply, request->body);
	(void)snprintf(f->head, sizeof(f->head), "%s %s %s", request->method, request->target,
		request->head);
}

static void
done(void *ctx, const struct client_answer *answer, const struct err *err)
{
	struct fixture *f = ctx;
	f->done++;
	f->answered += answer != NULL ? 1 : 0;
	f->status = answer != NULL ? answer->status : 0;
	f->code = err != NULL ? err->code : ERR_NONE;
	(void)snprintf(
		f->text, sizeof(f->text), "%s", answer != NULL ? buf_peek(answer->body) : "");
}

static void
open_async(struct fixture *f)
{
	struct err err = {0};
	async_free(f->async);
	f->async = async_new(f->loop, &f->config, ANSWER_MAX, &err);
	assert_non_null(f->async);
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct err err = {0};
	assert_non_null(f);
	(void)snprintf(f->directory, sizeof(f->directory), "/tmp/custody-async-XXXXXX");
	assert_non_null(mkdtemp(f->directory));
	(void)snprintf(f->path, sizeof(f->path), "%s/s", f->directory);
	f->reply_status = 200;
	f->peer = peer_start(f->path, play, f);
	f->loop = loop_new(&err);
	assert_non_null(f->loop);
	f->config = (struct client_config){.socket_path = f->path, .timeout_ms = 5000};
	uds_trust_add(&f->config.trust, geteuid());
	open_async(f);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	async_free(f->async);
	peer_stop(f->peer);
	loop_free(f->loop);
	(void)rmdir(f->directory);
	free(f);
	return 0;
}

static const struct client_request get = {.method = "GET",
	.host = "west",
	.path = "/keys/?a=b",
	.authorize = true,
	.repeatable = true};

static uint64_t
start(struct fixture *f, const struct client_request *request)
{
	struct err err = {0};
	uint64_t number = async_call(f->async, request, done, f, &err);
	assert_true(number != 0);
	return number;
}

static void
turn_until(struct fixture *f, unsigned count)
{
	for (int i = 0; i < TURNS_MAX && f->done < count; i++)
		loop_turn(f->loop, TURN_MS);
	assert_int_equal(f->done, count);
}

static void
async_answer_comes_from_the_loop(void **state)
{
	struct fixture *f = *state;
	(void)snprintf(f->reply, sizeof(f->reply), "{}");

	(void)start(f, &get);
	assert_int_equal(f->done, 0); /* not from within the call */
	turn_until(f, 1);

	assert_int_equal(f->status, 200);
	assert_string_equal(f->text, "{}");
	assert_non_null(strstr(f->head, "GET /keys/?a=b"));
	assert_non_null(strstr(f->head, "Authorization: Bearer local"));
	assert_null(strstr(f->head, "x-custody-application"));
}

static void
async_request_is_copied(void **state)
{
	struct fixture *f = *state;
	char method[] = "POST", host[] = "west", path[] = "/dual/unwrapkey", body[] = "{\"a\":1}";
	struct client_request post = {
		.method = method,
		.host = host,
		.path = path,
		.application = "00000002-0000-0ff1-ce00-000000000000",
		.body = {(const uint8_t *)body, sizeof(body) - 1}
        };

	(void)start(f, &post);
	memset(method, 'x', sizeof(method));
	memset(host, 'x', sizeof(host));
	memset(path, 'x', sizeof(path));
	memset(body, 'x', sizeof(body));
	turn_until(f, 1);

	assert_string_equal(f->text, "{\"a\":1}");
	assert_non_null(strstr(f->head, "POST /dual/unwrapkey"));
	assert_non_null(
		strstr(f->head, "x-custody-application: 00000002-0000-0ff1-ce00-000000000000"));
}

static void
async_many_at_once_are_all_answered(void **state)
{
	struct fixture *f = *state;
	for (int i = 0; i < MANY; i++)
		(void)start(f, &get);
	assert_int_equal(async_running(f->async), MANY);

	turn_until(f, MANY);

	assert_int_equal(f->answered, MANY);
	assert_int_equal(async_running(f->async), 0);
}

/* What changes something is never sent again by libcurl on a connection that turned out dead. */
static void
async_changes_have_connections_of_their_own(void **state)
{
	struct fixture *f = *state;
	struct client_request post = get;
	post.method = "POST";
	post.repeatable = false;
	for (unsigned i = 1; i <= 3; i++) {
		(void)start(f, &post);
		turn_until(f, i);
	}
	assert_int_equal(peer_connections(f->peer), 3);
}

static void
async_reads_keep_their_connection(void **state)
{
	struct fixture *f = *state;
	for (unsigned i = 1; i <= 3; i++) {
		(void)start(f, &get);
		turn_until(f, i);
	}
	assert_int_equal(peer_connections(f->peer), 1);
}

static void
async_nobody_there_is_told(void **state)
{
	struct fixture *f = *state;
	peer_stop(f->peer);
	f->peer = NULL;

	(void)start(f, &get);
	turn_until(f, 1);

	assert_int_equal(f->answered, 0);
	assert_int_equal(f->code, ERR_CLIENT_CONNECT);
}

static void
async_strange_peer_gets_nothing(void **state)
{
	struct fixture *f = *state;
	f->config.trust.uids[0] = geteuid() + 1;
	open_async(f);

	(void)start(f, &get);
	turn_until(f, 1);

	assert_int_equal(f->code, ERR_CLIENT_CONNECT);
	assert_string_equal(f->head, "");
}

static void
async_silence_is_a_timeout(void **state)
{
	struct fixture *f = *state;
	f->config.timeout_ms = 50;
	f->delay_ms = 500;
	open_async(f);

	(void)start(f, &get);
	turn_until(f, 1);

	assert_int_equal(f->code, ERR_TIMEOUT);
}

static void
async_lost_answer_of_a_change_is_unknown(void **state)
{
	struct fixture *f = *state;
	struct client_request post = get;
	post.method = "POST";
	post.repeatable = false;
	f->reply_status = 0;

	(void)start(f, &post);
	turn_until(f, 1);

	assert_int_equal(f->code, ERR_OUTCOME_UNKNOWN);
}

static void
async_cancelled_call_is_not_answered(void **state)
{
	struct fixture *f = *state;
	uint64_t first = start(f, &get);
	uint64_t second = start(f, &get);
	assert_true(first != second);

	async_cancel(f->async, first);
	async_cancel(f->async, first);
	turn_until(f, 1);

	assert_int_equal(async_running(f->async), 0);
	f->delay_ms = 200;
	(void)start(f, &get); /* freed while under way: no callback, no leak */
	loop_turn(f->loop, 0);
	async_free(f->async);
	f->async = NULL;
	loop_turn(f->loop, 0);
	assert_int_equal(f->done, 1);
}

static void
async_path_too_long_is_refused(void **state)
{
	struct fixture *f = *state;
	char path[CLIENT_PATH_MAX + 400];
	memset(path, 'a', sizeof(path));
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	struct client_request request = get;
	request.path = path;
	struct err err = {0};
	assert_true(async_call(f->async, &request, done, f, &err) == 0);
	assert_int_equal(err.code, ERR_URI_TOO_LONG);
	async_free(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(async_answer_comes_from_the_loop),
		TEST(async_request_is_copied),
		TEST(async_many_at_once_are_all_answered),
		TEST(async_changes_have_connections_of_their_own),
		TEST(async_reads_keep_their_connection),
		TEST(async_nobody_there_is_told),
		TEST(async_strange_peer_gets_nothing),
		TEST(async_silence_is_a_timeout),
		TEST(async_lost_answer_of_a_change_is_unknown),
		TEST(async_cancelled_call_is_not_answered),
		TEST(async_path_too_long_is_refused),
	};
	return cmocka_run_group_tests_name("async", tests, NULL, NULL);
}
