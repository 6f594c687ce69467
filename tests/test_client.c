#include "client/client.h"

#include <fcntl.h>
#include <grp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/fake_server.h"

struct fixture {
	char directory[64];
	char path[96];
	struct peer *peer;
	struct client_config config;
	struct buf body;
	/* what the peer does and saw */
	struct peer_reply replies[4];
	unsigned reply_count;
	unsigned served;
	char head[4096];
	char target[256];
	char sent[4096];
};

static void
play(void *data, const struct peer_request *request, struct peer_reply *reply)
{
	struct fixture *f = data;
	unsigned i = f->served < f->reply_count ? f->served : f->reply_count - 1;
	f->served++;
	*reply = f->replies[i];
	(void)snprintf(f->head, sizeof(f->head), "%s", request->head);
	(void)snprintf(f->target, sizeof(f->target), "%s %s", request->method, request->target);
	(void)snprintf(f->sent, sizeof(f->sent), "%s", request->body);
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	assert_non_null(f);
	(void)snprintf(f->directory, sizeof(f->directory), "/tmp/custody-client-XXXXXX");
	assert_non_null(mkdtemp(f->directory));
	(void)snprintf(f->path, sizeof(f->path), "%s/s", f->directory);
	f->config =
		(struct client_config){.socket_path = f->path, .timeout_ms = 5000, .retries = 2};
	uds_trust_add(&f->config.trust, geteuid());
	f->replies[0].status = 200;
	f->reply_count = 1;
	buf_init_soft(&f->body, 65536);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	peer_stop(f->peer);
	buf_clear(&f->body);
	(void)rmdir(f->directory);
	free(f);
	return 0;
}

static const struct client_request get = {.method = "GET",
	.host = "west",
	.path = "/keys/?a=b",
	.authorize = true,
	.repeatable = true};
static const struct client_request create = {
	.method = "POST",
	.host = "west",
	.path = "/keys/k/create",
	.body = {(const uint8_t *)"{}", 2}
};

static bool
call(struct fixture *f, const struct client_request *request, struct client_answer *answer,
	struct err *err)
{
	CLEAN(client)
	struct client *client = client_new(&f->config, err);
	if (client == NULL)
		return false;
	*answer = (struct client_answer){.body = &f->body};
	return client_call(client, request, answer, err);
}

static void
request_is_sent_as_asked(void **state)
{
	struct fixture *f = *state;
	f->config.application = "11111111-2222-3333-4444-555555555555";
	(void)snprintf(
		f->replies[0].headers, sizeof(f->replies[0].headers), "x-ms-request-id: abc-1\r\n");
	(void)snprintf(f->replies[0].body, sizeof(f->replies[0].body), "{\"a\":1}");
	f->peer = peer_start(f->path, play, f);

	struct client_answer answer;
	struct err err = {0};
	struct client_request request = create;
	request.authorize = true;
	request.path = "/keys/k//wrapkey?api-version=7.4";
	assert_true(call(f, &request, &answer, &err));

	assert_int_equal(answer.status, 200);
	assert_string_equal(answer.request_id, "abc-1");
	assert_string_equal(buf_peek(&f->body), "{\"a\":1}");
	assert_string_equal(f->target, "POST /keys/k//wrapkey?api-version=7.4");
	assert_string_equal(f->sent, "{}");
	assert_non_null(strstr(f->head, "Host: west\r\n"));
	assert_non_null(strstr(f->head, "Authorization: Bearer local\r\n"));
	assert_non_null(
		strstr(f->head, "x-custody-application: 11111111-2222-3333-4444-555555555555\r\n"));
	assert_null(strstr(f->head, "Expect"));
}

static void
connection_is_kept_for_reads_and_fresh_for_changes(void **state)
{
	struct fixture *f = *state;
	f->peer = peer_start(f->path, play, f);
	struct err err = {0};
	CLEAN(client)
	struct client *client = client_new(&f->config, &err);
	struct client_answer answer = {.body = &f->body};

	assert_true(client_call(client, &get, &answer, &err));
	assert_true(client_call(client, &get, &answer, &err));
	assert_int_equal(peer_connections(f->peer), 1);
	assert_true(client_call(client, &create, &answer, &err));

	assert_int_equal(peer_connections(f->peer), 2);
	assert_int_equal(peer_requests(f->peer), 3);
}

static void
proxy_of_the_environment_is_ignored(void **state)
{
	struct fixture *f = *state;
	f->peer = peer_start(f->path, play, f);
	struct client_answer answer;
	struct err err = {0};

	(void)setenv("http_proxy", "http://127.0.0.1:9", 1);
	(void)setenv("ALL_PROXY", "http://127.0.0.1:9", 1);
	bool done = call(f, &get, &answer, &err);
	(void)unsetenv("http_proxy");
	(void)unsetenv("ALL_PROXY");

	assert_true(done);
}

static void
redirect_is_not_followed(void **state)
{
	struct fixture *f = *state;
	f->replies[0].status = 307;
	(void)snprintf(f->replies[0].headers, sizeof(f->replies[0].headers),
		"Location: http://west/other\r\n");
	f->peer = peer_start(f->path, play, f);
	struct client_answer answer;
	struct err err = {0};

	assert_true(call(f, &get, &answer, &err));

	assert_int_equal(answer.status, 307);
	assert_int_equal(peer_requests(f->peer), 1);
}

static void
answer_at_the_bound_fits_and_above_is_refused(void **state)
{
	struct fixture *f = *state;
	memset(f->replies[0].body, 'x', 1000);
	f->peer = peer_start(f->path, play, f);
	struct client_answer answer;
	struct err err = {0};

	f->body.max = 1000;
	assert_true(call(f, &get, &answer, &err));
	f->body.max = 999;
	assert_false(call(f, &get, &answer, &err));

	assert_int_equal(err.code, ERR_CLIENT_ANSWER);
}

static void
no_daemon_is_unavailable_after_the_retries(void **state)
{
	struct fixture *f = *state;
	f->config.retries = 1;
	struct client_answer answer;
	struct err err = {0};

	assert_false(call(f, &create, &answer, &err));

	assert_int_equal(err.code, ERR_CLIENT_CONNECT);
	assert_int_equal(err_class(err.code), ERR_CLASS_UNAVAILABLE);
}

/* Threat C25: the fate of a change whose answer is lost is unknown, and it is not repeated. */
static void
change_whose_answer_is_lost_is_not_repeated(void **state)
{
	struct fixture *f = *state;
	f->replies[0].status = 0;
	f->peer = peer_start(f->path, play, f);
	struct client_answer answer;
	struct err err = {0};

	assert_false(call(f, &create, &answer, &err));

	assert_int_equal(err.code, ERR_OUTCOME_UNKNOWN);
	assert_int_equal(peer_requests(f->peer), 1);
}

/* The same on a connection that was used before, where libcurl would repeat it by itself. */
static void
change_on_a_used_client_is_not_repeated(void **state)
{
	struct fixture *f = *state;
	f->replies[1].status = 0;
	f->reply_count = 2;
	f->peer = peer_start(f->path, play, f);
	struct err err = {0};
	CLEAN(client)
	struct client *client = client_new(&f->config, &err);
	struct client_answer answer = {.body = &f->body};
	assert_true(client_call(client, &get, &answer, &err));

	assert_false(client_call(client, &create, &answer, &err));

	assert_int_equal(err.code, ERR_OUTCOME_UNKNOWN);
	assert_int_equal(peer_requests(f->peer), 2);
}

static void
change_that_times_out_is_unknown(void **state)
{
	struct fixture *f = *state;
	f->config.timeout_ms = 50;
	f->replies[0].delay_ms = 200;
	f->peer = peer_start(f->path, play, f);
	struct client_answer answer;
	struct err err = {0};

	assert_false(call(f, &create, &answer, &err));
	assert_int_equal(err.code, ERR_OUTCOME_UNKNOWN);

	assert_false(call(f, &get, &answer, &err));
	assert_int_equal(err.code, ERR_TIMEOUT);
}

static void
read_whose_answer_is_lost_is_repeated(void **state)
{
	struct fixture *f = *state;
	f->replies[0].status = 0;
	f->replies[1].status = 200;
	f->reply_count = 2;
	f->peer = peer_start(f->path, play, f);
	struct client_answer answer;
	struct err err = {0};

	assert_true(call(f, &get, &answer, &err));

	assert_int_equal(answer.status, 200);
	assert_int_equal(peer_requests(f->peer), 2);
}

struct busy_case {
	const char *label;
	const char *headers;
	bool repeatable;
	unsigned requests;
};

static void
busy_answer_is_repeated_only_with_retry_after_and_for_reads(void **state)
{
	static const struct busy_case cases[] = {
		{"read, Retry-After",   "Retry-After: 0\r\n",                             true,  2},
		{"read, none",          "",					       true,  1},
		{"read, too long",      "Retry-After: 3600\r\n",                          true,  1},
		{"read, a date",        "Retry-After: Wed, 21 Oct 2026 07:28:00 GMT\r\n", true,  1},
		{"change, Retry-After", "Retry-After: 0\r\n",                             false, 1},
	};
	struct fixture *f = *state;
	f->reply_count = 2;
	f->replies[0].status = 503;
	f->replies[1].status = 200;
	f->peer = peer_start(f->path, play, f);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct busy_case *row = &cases[i];
		print_message("%s\n", row->label);
		f->served = 0;
		(void)snprintf(
			f->replies[0].headers, sizeof(f->replies[0].headers), "%s", row->headers);
		struct client_request request = row->repeatable ? get : create;
		struct client_answer answer;
		struct err err = {0};

		assert_true(call(f, &request, &answer, &err));

		assert_int_equal(f->served, row->requests);
		assert_int_equal(answer.status, row->requests == 1 ? 503 : 200);
	}
}

struct told {
	unsigned count;
	uint32_t wait_ms;
	char why[128];
};

static void
note_waiting(void *data, const char *why, uint32_t wait_ms)
{
	struct told *told = data;
	told->count++;
	told->wait_ms = wait_ms;
	(void)snprintf(told->why, sizeof(told->why), "%s", why);
}

static void
pause_before_a_repetition_is_told(void **state)
{
	struct fixture *f = *state;
	struct told told = {0};
	f->config.waiting = note_waiting;
	f->config.waiting_data = &told;
	f->reply_count = 2;
	f->replies[0].status = 503;
	(void)snprintf(f->replies[0].headers, sizeof(f->replies[0].headers), "Retry-After: 0\r\n");
	f->replies[1].status = 200;
	f->peer = peer_start(f->path, play, f);
	struct client_answer answer;
	struct err err = {0};

	assert_true(call(f, &get, &answer, &err));

	assert_int_equal(told.count, 1);
	assert_int_equal(told.wait_ms, 100);
	assert_string_equal(told.why, "The daemon cannot do it now.");
}

static void
last_failure_is_not_followed_by_a_pause(void **state)
{
	struct fixture *f = *state;
	struct told told = {0};
	f->config.retries = 0;
	f->config.waiting = note_waiting;
	f->config.waiting_data = &told;
	struct client_answer answer;
	struct err err = {0};

	assert_false(call(f, &get, &answer, &err)); /* nobody listens */

	assert_int_equal(err.code, ERR_CLIENT_CONNECT);
	assert_int_equal(told.count, 0);
}

static void
no_http_is_a_bad_answer(void **state)
{
	struct fixture *f = *state;
	(void)snprintf(f->replies[0].headers, sizeof(f->replies[0].headers),
		"Content-Length: nonsense\r\n");
	f->peer = peer_start(f->path, play, f);
	struct client_answer answer;
	struct err err = {0};

	assert_false(call(f, &get, &answer, &err));

	assert_int_equal(err.code, ERR_CLIENT_ANSWER);
}

static void
target_with_control_characters_is_refused(void **state)
{
	struct fixture *f = *state;
	f->peer = peer_start(f->path, play, f);
	struct client_request request = get;
	struct client_answer answer;
	struct err err = {0};

	request.path = "/keys/a\r\nX: y";
	assert_false(call(f, &request, &answer, &err));
	assert_int_equal(err.code, ERR_URI_TOO_LONG);
	request.path = "/keys";
	request.host = "west\nX: y";
	assert_false(call(f, &request, &answer, &err));
	assert_int_equal(peer_requests(f->peer), 0);
}

/* ---- threat C8: an impostor at our path ---- */

static void
c8_socket_of_another_uid_gets_nothing(void **state)
{
	struct fixture *f = *state;
	f->peer = peer_start(f->path, play, f);
	f->config.trust.count = 0;
	struct stat status;
	assert_return_code(stat(f->directory, &status), 0);
	/* the directory passes, the peer (we ourselves) does not */
	if (geteuid() != 0)
		skip();
	assert_return_code(chown(f->directory, 12345, (gid_t)-1), 0);
	uds_trust_add(&f->config.trust, 12345);
	struct client_answer answer;
	struct err err = {0};

	assert_false(call(f, &create, &answer, &err));

	assert_int_equal(err.code, ERR_CLIENT_CONNECT);
	assert_non_null(strstr(err.message, "nothing was sent"));
	assert_int_equal(peer_requests(f->peer), 0);
	assert_return_code(chown(f->directory, geteuid(), (gid_t)-1), 0);
}

/* A real second user binds the socket in his own directory; we (root) do not trust him. */
static void
c8_listener_of_another_user_gets_nothing(void **state)
{
	struct fixture *f = *state;
	if (geteuid() != 0)
		skip();
	int ready[2];
	assert_return_code(pipe(ready), 0);
	pid_t child = fork();
	if (child == 0) {
		struct sockaddr_un address = {.sun_family = AF_UNIX};
		memcpy(address.sun_path, f->path, strlen(f->path) + 1);
		(void)chmod(f->directory, 0777);
		bool dropped = setgroups(0, NULL) == 0 && setgid(65533) == 0 && setuid(65533) == 0;
		int fd = socket(AF_UNIX, SOCK_STREAM, 0);
		if (!dropped || bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
			listen(fd, 1) != 0 || write(ready[1], "x", 1) != 1)
			_exit(2);
		int peer = accept(fd, NULL, NULL);
		char byte;
		_exit(read(peer, &byte, 1) == 0 ? 0 : 1); /* closed without a byte */
	}
	char byte;
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_return_code(chmod(f->directory, 0700), 0);
	struct client_answer answer;
	struct err err = {0};

	assert_false(call(f, &create, &answer, &err));

	assert_non_null(strstr(err.message, "65533"));
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	(void)close(ready[0]);
	(void)close(ready[1]);
	(void)unlink(f->path);
}

static void
c8_directory_writable_by_others_is_refused(void **state)
{
	static const mode_t modes[] = {0777, 01777, 0770, 0702};
	struct fixture *f = *state;
	f->peer = peer_start(f->path, play, f);
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		print_message("%o\n", modes[i]);
		assert_return_code(chmod(f->directory, modes[i]), 0);
		struct client_answer answer;
		struct err err = {0};

		assert_false(call(f, &get, &answer, &err));

		assert_int_equal(err.code, ERR_CLIENT_CONNECT);
	}
	assert_int_equal(peer_connections(f->peer), 0);
}

static void
c8_directory_of_another_uid_is_refused(void **state)
{
	struct fixture *f = *state;
	f->peer = peer_start(f->path, play, f);
	f->config.trust.uids[0] = geteuid() + 1;
	struct client_answer answer;
	struct err err = {0};

	assert_false(call(f, &get, &answer, &err));

	assert_int_equal(err.code, ERR_CLIENT_CONNECT);
	assert_int_equal(peer_connections(f->peer), 0);
}

static void
path_of_107_characters_connects_and_108_is_refused(void **state)
{
	struct fixture *f = *state;
	char path[160];
	size_t len = strlen(f->directory);
	memset(path, 'p', sizeof(path));
	memcpy(path, f->directory, len);
	path[len] = '/';
	f->config.socket_path = path;
	struct client_answer answer;
	struct err err = {0};

	path[107] = '\0';
	f->peer = peer_start(path, play, f);
	assert_true(call(f, &get, &answer, &err));
	path[107] = 'p';
	path[108] = '\0';
	assert_false(call(f, &get, &answer, &err));

	assert_int_equal(err.code, ERR_CLIENT_CONNECT);
	assert_non_null(strstr(err.message, "107"));
}

/* Threat C2: a connection is not inherited by programs that we start. */
static void
c2_descriptor_is_close_on_exec(void **state)
{
	struct fixture *f = *state;
	f->peer = peer_start(f->path, play, f);
	struct err err = {0};

	int fd = uds_connect(f->path, &f->config.trust, 1000, &err);

	assert_true(fd >= 0);
	assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
	(void)close(fd);
}

static void
client_free_takes_null(void **state)
{
	(void)state;
	client_free(NULL);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(request_is_sent_as_asked),
		TEST(connection_is_kept_for_reads_and_fresh_for_changes),
		TEST(proxy_of_the_environment_is_ignored),
		TEST(redirect_is_not_followed),
		TEST(answer_at_the_bound_fits_and_above_is_refused),
		TEST(no_daemon_is_unavailable_after_the_retries),
		TEST(change_whose_answer_is_lost_is_not_repeated),
		TEST(change_on_a_used_client_is_not_repeated),
		TEST(change_that_times_out_is_unknown),
		TEST(read_whose_answer_is_lost_is_repeated),
		TEST(busy_answer_is_repeated_only_with_retry_after_and_for_reads),
		TEST(pause_before_a_repetition_is_told),
		TEST(last_failure_is_not_followed_by_a_pause),
		TEST(no_http_is_a_bad_answer),
		TEST(target_with_control_characters_is_refused),
		TEST(c8_socket_of_another_uid_gets_nothing),
		TEST(c8_listener_of_another_user_gets_nothing),
		TEST(c8_directory_writable_by_others_is_refused),
		TEST(c8_directory_of_another_uid_is_refused),
		TEST(path_of_107_characters_connects_and_108_is_refused),
		TEST(c2_descriptor_is_close_on_exec),
		TEST(client_free_takes_null),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
