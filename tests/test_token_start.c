/* From exec to a ready worker: tokens that match or do not, PINs from everywhere, identity, ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "support/tokenproc.h"

#define URI "pkcs11:token=west"

static int
setup(void **state)
{
	struct softhsm *softhsm = calloc(1, sizeof(*softhsm));
	assert_non_null(softhsm);
	softhsm_open(softhsm);
	softhsm_add_token(softhsm, "west");
	*state = softhsm;
	return 0;
}

static int
teardown(void **state)
{
	softhsm_close(*state);
	free(*state);
	return 0;
}

/* Starts a worker and asks it to start; the caller hangs up. */
static bool
try_start(struct tokenproc *proc, const struct wire_start_request *request,
	struct wire_start_answer *answer, struct err *err)
{
	tokenproc_start(proc);
	return tokenproc_ask(proc, WIRE_START, request, answer, err);
}

/* Asserts that a start fails by `code`, and that the worker then ends by itself. */
static void
check_start_fails(const struct wire_start_request *request, enum err_code code, const char *part)
{
	struct tokenproc proc;
	struct wire_start_answer answer;
	struct wire_message message;
	struct err err = {0};
	assert_false(try_start(&proc, request, &answer, &err));
	if (err.code != code || (part != NULL && strstr(err.message, part) == NULL))
		fail_msg("%s: %s (%s)", err_name(err.code), err.message, err.origin);
	assert_false(tokenproc_receive(&proc, &message));
	assert_int_equal(WEXITSTATUS(tokenproc_hang_up(&proc)), 2);
}

static void
start_tells_the_token_and_its_steps(void **state)
{
	struct tokenproc proc;
	struct wire_start_request request = tokenproc_request(*state, URI);
	struct wire_start_answer answer;
	struct err err = {0};

	assert_true(try_start(&proc, &request, &answer, &err));

	assert_int_equal(answer.state, WIRE_STATE_NOT_ENROLLED);
	assert_string_equal(answer.label, "west");
	assert_string_equal(answer.manufacturer, "SoftHSM project");
	assert_int_equal(strlen(answer.serial), 16);
	assert_int_equal(answer.sessions, 2);
	assert_int_equal(answer.flags, 0); /* no device, so a file of the host */
	assert_int_equal(answer.lease, WIRE_LEASE_NONE);
	assert_string_equal(answer.reduced, "");
	assert_string_equal(proc.steps, "|read PIN|load module|start module|find token|open "
					"session|login|probe capabilities|read lease|open "
					"sessions");
	assert_int_equal(tokenproc_stop(&proc), 0);
}

static void
start_of_another_build_or_twice_is_refused(void **state)
{
	struct wire_start_request request = tokenproc_request(*state, URI);
	request.version++;
	check_start_fails(&request, ERR_CONFIG, "builds");

	struct tokenproc proc;
	struct wire_start_answer answer;
	struct err err = {0};
	request.version--;
	assert_true(try_start(&proc, &request, &answer, &err));
	assert_false(tokenproc_ask(&proc, WIRE_START, &request, &answer, &err));
	assert_int_equal(err.code, ERR_INTERNAL);
	assert_int_equal(tokenproc_stop(&proc), 0);
}

static void
start_with_a_wrong_section_names_what_is_wrong(void **state)
{
	struct wire_start_request good = tokenproc_request(*state, URI), request;
	const struct {
		size_t offset;
		const char *value;
		enum err_code code;
		const char *part;
	} cases[] = {
		{offsetof(struct wire_start_request, module),         "libsofthsm2.so",                   ERR_CONFIG,
                 "absolute"													  },
		{offsetof(struct wire_start_request, module),         "/nonexistent.so",                  ERR_CONFIG,
                 "cannot be loaded"												  },
		{offsetof(struct wire_start_request, uri),            "token=west",                       ERR_CONFIG,      "RFC 7512"},
		{offsetof(struct wire_start_request, uri),            "pkcs11:token=west;colour=red",
                 ERR_CONFIG,											       "RFC 7512"},
		{offsetof(struct wire_start_request, uri),            "pkcs11:token=west?pin-value=1234",
                 ERR_CONFIG,											       "PIN"     },
		{offsetof(struct wire_start_request, uri),            "pkcs11:token=east",                ERR_UNAVAILABLE,
                 "No token"													  },
		{offsetof(struct wire_start_request, accept_reduced), "copyable colour",                  ERR_CONFIG,
                 "colour"													    },
		{offsetof(struct wire_start_request, accept_reduced), "sensitive",                        ERR_CONFIG,
                 "sensitive"													 },
		{offsetof(struct wire_start_request, user),           "no-such-user-here",                ERR_CONFIG,
                 "no user"													   },
		{offsetof(struct wire_start_request, pin_source),     "1234",                             ERR_CONFIG,      "none of" },
		{offsetof(struct wire_start_request, pin_source),     "file:pin",                         ERR_CONFIG,
                 "absolute"													  },
		{offsetof(struct wire_start_request, pin_source),     "file:/nonexistent",                ERR_CONFIG,
                 "nonexistent"												       },
		{offsetof(struct wire_start_request, pin_source),     "credential:x",                     ERR_CONFIG,
                 "CREDENTIALS_DIRECTORY"											     },
		{offsetof(struct wire_start_request, pin_source),     "command:false",                    ERR_CONFIG,
                 "absolute"													  },
		{offsetof(struct wire_start_request, pin_source),     "command:/bin/false",               ERR_CONFIG,
                 "failed"													    },
		{offsetof(struct wire_start_request, pin_source),     "command:/bin/true",                ERR_CONFIG,
                 "no PIN"													    },
		{offsetof(struct wire_start_request, pin_source),     "command:/nonexistent",
                 ERR_CONFIG,											       "failed"  },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		request = good;
		*(const char **)((uint8_t *)&request + cases[i].offset) = cases[i].value;
		check_start_fails(&request, cases[i].code, cases[i].part);
	}
}

static void
pin_written_into_the_section_is_not_repeated(void **state)
{
	struct wire_start_request request = tokenproc_request(*state, URI);
	struct tokenproc proc;
	struct wire_start_answer answer;
	struct err err = {0};
	request.pin_source = "4711-is-my-pin";
	assert_false(try_start(&proc, &request, &answer, &err));
	assert_null(strstr(err.message, "4711"));
	assert_null(strstr(err.origin, "4711"));
	(void)tokenproc_hang_up(&proc);
}

static void
pin_comes_from_command_or_credential(void **state)
{
	struct softhsm *softhsm = *state;
	struct wire_start_request request = tokenproc_request(softhsm, URI);
	struct tokenproc proc;
	struct wire_start_answer answer;
	struct err err = {0};
	char command[128], directory[128];
	(void)snprintf(command, sizeof(command), "command:/bin/cat  %s", softhsm->pin_file);
	request.pin_source = command;
	assert_true(try_start(&proc, &request, &answer, &err));
	assert_int_equal(tokenproc_stop(&proc), 0);

	(void)snprintf(directory, sizeof(directory), "CREDENTIALS_DIRECTORY=%s", softhsm->dir);
	request.pin_source = "credential:pin";
	tokenproc_start_env(&proc, (const char *const[]){directory, NULL});
	assert_true(tokenproc_ask(&proc, WIRE_START, &request, &answer, &err));
	assert_int_equal(tokenproc_stop(&proc), 0);
	request.pin_source = "credential:../pin";
	tokenproc_start_env(&proc, (const char *const[]){directory, NULL});
	assert_false(tokenproc_ask(&proc, WIRE_START, &request, &answer, &err));
	assert_int_equal(err.code, ERR_CONFIG);
	(void)tokenproc_hang_up(&proc);
}

static void
pin_file_that_others_may_read_or_odd_is_refused(void **state)
{
	struct softhsm *softhsm = *state;
	struct wire_start_request request = tokenproc_request(softhsm, URI);
	assert_int_equal(chmod(softhsm->pin_file, 0640), 0);
	check_start_fails(&request, ERR_CONFIG, NULL);
	assert_int_equal(chmod(softhsm->pin_file, 0600), 0);
	softhsm_write_pin(softhsm, "\n");
	check_start_fails(&request, ERR_CONFIG, "no PIN");
	softhsm_write_pin(softhsm, "1234\n5678\n");
	check_start_fails(&request, ERR_CONFIG, "no PIN");
	char longest[300];
	memset(longest, 'x', sizeof(longest));
	longest[256] = '\0';
	softhsm_write_pin(softhsm, longest);
	check_start_fails(&request, ERR_CONFIG, "no PIN");
	softhsm_write_pin(softhsm, SOFTHSM_PIN "\r\n");
	struct tokenproc proc;
	struct wire_start_answer answer;
	struct err err = {0};
	assert_true(try_start(&proc, &request, &answer, &err));
	assert_int_equal(tokenproc_stop(&proc), 0);
}

static void
B11_wrong_pin_is_tried_once_for_each_content(void **state)
{
	struct softhsm *softhsm = *state;
	struct wire_start_request request = tokenproc_request(softhsm, URI);
	struct tokenproc proc;
	struct wire_start_answer answer;
	struct err err = {0};
	uint8_t digest[32];
	softhsm_write_pin(softhsm, "9999\n");
	assert_false(try_start(&proc, &request, &answer, &err));
	assert_int_equal(err.code, ERR_PIN_REFUSED);
	assert_non_null(strstr(proc.steps, "|login"));
	assert_int_equal(proc.detail.len, sizeof(digest));
	memcpy(digest, proc.detail.data, sizeof(digest));
	(void)tokenproc_hang_up(&proc);

	request.refused_pin_digest = (struct bytes){digest, sizeof(digest)};
	assert_false(try_start(&proc, &request, &answer, &err));
	assert_int_equal(err.code, ERR_PIN_REFUSED);
	assert_null(strstr(proc.steps, "|login")); /* not tried again */
	assert_int_equal(proc.detail.len, sizeof(digest));
	assert_memory_equal(proc.detail.data, digest, sizeof(digest));
	(void)tokenproc_hang_up(&proc);

	softhsm_write_pin(softhsm, SOFTHSM_PIN "\n");
	assert_true(try_start(&proc, &request, &answer, &err));
	assert_int_equal(tokenproc_stop(&proc), 0);
}

static void
B22_two_tokens_of_one_label_are_refused_naming_both(void **state)
{
	struct softhsm *softhsm = *state;
	struct wire_start_request request = tokenproc_request(softhsm, URI);
	softhsm_add_token(softhsm, "west");

	check_start_fails(&request, ERR_TOKEN_AMBIGUOUS, "label 'west' serial '");

	softhsm_lose_tokens(softhsm);
	softhsm_add_token(softhsm, "west");
}

static size_t
take_identity(struct softhsm *softhsm, uint8_t identity[static 256])
{
	struct tokenproc proc;
	struct wire_enroll_request enroll = {0};
	struct wire_enroll_answer enrolled;
	struct err err = {0};
	tokenproc_ready(&proc, softhsm, URI);
	assert_true(
		tokenproc_ask(&proc, WIRE_ENROLL, &enroll, &enrolled, &err)); /* again: the same */
	size_t len = enrolled.identity.len;
	memcpy(identity, enrolled.identity.data, len);
	assert_int_equal(tokenproc_stop(&proc), 0);
	return len;
}

static void
B23_enrolled_token_is_ready_and_another_is_an_impostor(void **state)
{
	struct softhsm *softhsm = *state;
	uint8_t identity[256];
	size_t len = take_identity(softhsm, identity);
	struct wire_start_request request = tokenproc_request(softhsm, URI);
	request.identity = (struct bytes){identity, len};
	struct tokenproc proc;
	struct wire_start_answer answer;
	struct err err = {0};
	assert_true(try_start(&proc, &request, &answer, &err));
	assert_int_equal(answer.state, WIRE_STATE_READY);
	assert_true(bytes_equal(answer.identity, request.identity));
	assert_non_null(strstr(proc.steps, "|prove identity"));
	assert_int_equal(tokenproc_stop(&proc), 0);

	softhsm_save(softhsm, "enrolled");
	softhsm_lose_tokens(softhsm);
	softhsm_add_token(softhsm, "west");
	check_start_fails(&request, ERR_TOKEN_IMPOSTOR, NULL);
	uint8_t other[256];
	(void)take_identity(softhsm, other); /* another identity key under the same id */
	check_start_fails(&request, ERR_TOKEN_IMPOSTOR, NULL);

	softhsm_restore(softhsm, "enrolled");
	assert_true(try_start(&proc, &request, &answer, &err));
	assert_int_equal(tokenproc_stop(&proc), 0);
}

static void
token_that_is_not_enrolled_uses_no_key(void **state)
{
	struct tokenproc proc;
	struct wire_start_request request = tokenproc_request(*state, URI);
	struct wire_start_answer answer;
	struct wire_empty empty;
	struct wire_ping_answer pong;
	struct err err = {0};
	assert_true(try_start(&proc, &request, &answer, &err));
	struct tokenkey key;
	struct wire_generate_request wanted = tokenkey_aes(256, WIRE_OP_WRAP);

	assert_false(tokenproc_try_generate(&proc, &wanted, &key, &err));

	assert_int_equal(err.code, ERR_TOKEN_NOT_ENROLLED);
	assert_true(tokenproc_ask(&proc, WIRE_PING, &empty, &pong, &err));
	assert_int_equal(tokenproc_stop(&proc), 0);
}

/* --- login by a person --- */

static void
log_in(struct tokenproc *proc, const char *line, char said[static 512],
	struct wire_message *ret_message)
{
	int ends[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	struct wire_empty empty;
	(void)tokenproc_send(proc, WIRE_LOGIN, &empty, ends[1]);
	(void)close(ends[1]);
	assert_int_equal(write(ends[0], line, strlen(line)), strlen(line));
	assert_true(tokenproc_receive(proc, ret_message));
	ssize_t len = read(ends[0], said, 511);
	assert_true(len > 0);
	said[len] = '\0';
	char more;
	assert_int_equal(read(ends[0], &more, 1), 0); /* closed */
	(void)close(ends[0]);
}

static void
login_by_a_person_may_be_repeated_until_it_is_right(void **state)
{
	struct tokenproc proc;
	struct wire_start_request request = tokenproc_request(*state, URI);
	struct wire_start_answer answer;
	struct wire_message message;
	struct wire_empty empty;
	struct wire_ping_answer pong;
	struct bytes detail;
	struct err err = {0};
	char said[512];
	request.pin_source = "ask";
	assert_true(try_start(&proc, &request, &answer, &err));
	assert_int_equal(answer.state, WIRE_STATE_LOGIN_NEEDED);
	assert_false(tokenproc_ask(&proc, WIRE_PING, &empty, &pong, &err));
	assert_int_equal(err.code, ERR_INTERNAL);

	static const char *const wrong[] = {"9999\n", "9999\n", "\n"};
	static const enum err_code codes[] = {ERR_PIN_REFUSED, ERR_PIN_REFUSED, ERR_CLIENT_USAGE};
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		log_in(&proc, wrong[i], said, &message);
		assert_false(wire_decode_answer(&message, &answer, &detail, &err));
		assert_int_equal(err.code, codes[i]);
		assert_int_equal(detail.len, codes[i] == ERR_PIN_REFUSED ? 32 : 0);
		char expected[64];
		(void)snprintf(expected, sizeof(expected), "error %s ", err_name(codes[i]));
		assert_memory_equal(said, expected, strlen(expected));
		assert_int_equal(said[strlen(said) - 1], '\n');
	}
	/* the second attempt of the same PIN was not made */
	assert_non_null(strstr(proc.steps, "|compare PIN with the refused one|wait for PIN"));

	log_in(&proc, SOFTHSM_PIN "\n", said, &message);
	assert_true(wire_decode_answer(&message, &answer, NULL, &err));
	assert_string_equal(said, "ok\n");
	assert_int_equal(answer.state, WIRE_STATE_NOT_ENROLLED);
	assert_true(tokenproc_ask(&proc, WIRE_PING, &empty, &pong, &err));
	assert_int_equal(tokenproc_stop(&proc), 0);
}

/* --- what the process gives up, and how it ends --- */

/* The first word of a field of /proc/PID/status. */
static void
check_status(pid_t pid, const char *field, const char *expected)
{
	char path[64], line[256], word[64] = "";
	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file) != NULL) {
		if (strncmp(line, field, strlen(field)) == 0)
			assert_int_equal(sscanf(line + strlen(field), "%63s", word), 1);
	}
	(void)fclose(file);
	assert_string_equal(word, expected);
}

static void
A26_worker_can_start_no_program_and_holds_nothing_else(void **state)
{
	struct tokenproc proc;
	char path[64];
	tokenproc_ready(&proc, *state, URI);

	check_status(proc.pid, "Seccomp:", "2");
	check_status(proc.pid, "NoNewPrivs:", "1");
	check_status(proc.pid, "CapEff:", "0000000000000000");
	check_status(proc.pid, "CapPrm:", "0000000000000000");
	(void)snprintf(path, sizeof(path), "/proc/%d/environ", (int)proc.pid);
	struct stat environ_stat;
	assert_int_equal(stat(path, &environ_stat), 0);
	assert_int_equal(environ_stat.st_uid, 0); /* undumpable: root's, whoever runs it */
	(void)snprintf(
		path, sizeof(path), "/proc/%d/task/%d/children", (int)proc.pid, (int)proc.pid);
	FILE *children = fopen(path, "r");
	assert_non_null(children);
	assert_int_equal(fgetc(children), EOF);
	(void)fclose(children);
	assert_int_equal(tokenproc_stop(&proc), 0);
}

static void
worker_becomes_the_user_that_the_section_names(void **state)
{
	struct softhsm *softhsm = *state;
	const struct passwd *nobody = getpwnam("nobody");
	if (geteuid() != 0 || nobody == NULL)
		return; /* only root can become somebody */
	char number[64];
	pid_t pid = fork();
	if (pid == 0) {
		(void)execlp("chown", "chown", "-R", "nobody", softhsm->dir, (char *)NULL);
		_exit(127);
	}
	int status = -1;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(
		chown(softhsm->pin_file, 0, 0), 0); /* readable by root only: read before */
	struct wire_start_request request = tokenproc_request(softhsm, URI);
	request.user = "nobody";
	struct tokenproc proc;
	struct wire_start_answer answer;
	struct err err = {0};
	if (!try_start(&proc, &request, &answer, &err))
		fail_msg("%s (%s)", err.message, err.origin);
	(void)snprintf(number, sizeof(number), "%u", (unsigned)nobody->pw_uid);
	check_status(proc.pid, "Uid:", number);
	(void)snprintf(number, sizeof(number), "%u", (unsigned)nobody->pw_gid);
	check_status(proc.pid, "Gid:", number);
	check_status(proc.pid, "CapEff:", "0000000000000000");
	assert_int_equal(tokenproc_stop(&proc), 0);
}

static void
B5_worker_ends_when_its_channel_does(void **state)
{
	struct tokenproc proc;
	tokenproc_ready(&proc, *state, URI);
	int64_t before = clock_monotonic_ms();

	assert_int_equal(tokenproc_hang_up(&proc), 0);

	assert_true(clock_monotonic_ms() - before < 2000);
	tokenproc_start(&proc);
	assert_int_equal(WEXITSTATUS(tokenproc_hang_up(&proc)), 2);
}

static void
requests_before_stop_are_answered(void **state)
{
	enum { PINGS = 20 };
	struct tokenproc proc;
	struct wire_empty empty;
	struct wire_message message;
	tokenproc_ready(&proc, *state, URI);
	for (int i = 0; i < PINGS; i++)
		(void)tokenproc_send(&proc, WIRE_PING, &empty, -1);
	(void)tokenproc_send(&proc, WIRE_STOP, &empty, -1);
	int answers = 0;
	while (tokenproc_receive(&proc, &message))
		answers++;
	assert_int_equal(answers, PINGS);
	assert_int_equal(tokenproc_hang_up(&proc), 0);
}

static void
nonsense_on_the_channel_ends_the_worker(void **state)
{
	struct tokenproc proc;
	struct wire_message message;
	tokenproc_ready(&proc, *state, URI);
	assert_int_equal(send(proc.fd, "nonsense", 8, 0), 8);
	assert_false(tokenproc_receive(&proc, &message));
	assert_int_equal(tokenproc_hang_up(&proc), 0);
}

static void
request_with_broken_fields_gets_an_error(void **state)
{
	struct tokenproc proc;
	struct wire_message message;
	struct wire_sign_answer answer;
	struct err err = {0};
	tokenproc_ready(&proc, *state, URI);
	CLEAN(buf)
	struct buf out;
	buf_init(&out, WIRE_MAX);
	struct wire_list_request request = {.offset = 1};
	assert_true(wire_encode_request(&out, WIRE_LIST, 9, &request));
	out.data[4] = WIRE_SIGN;
	assert_int_equal(wire_send(proc.fd, buf_bytes(&out), -1, &err), WIRE_IO_DONE);
	assert_true(tokenproc_receive(&proc, &message));
	assert_false(wire_decode_answer(&message, &answer, NULL, &err));
	assert_int_equal(err.code, ERR_INTERNAL);
	assert_int_equal(tokenproc_stop(&proc), 0);
}

static void
B6_token_that_goes_away_is_unavailable_and_comes_back(void **state)
{
	struct softhsm *softhsm = *state;
	struct tokenproc proc;
	uint8_t identity[256];
	struct wire_start_request request = tokenproc_request(softhsm, URI);
	request.identity = (struct bytes){identity, take_identity(softhsm, identity)};
	struct wire_start_answer answer;
	struct wire_message message;
	struct err err = {0};
	assert_true(try_start(&proc, &request, &answer, &err));
	struct tokenkey key = tokenproc_generate(&proc, tokenkey_aes(256, WIRE_OP_WRAP));
	uint8_t plain[16] = {1};
	struct wire_encrypt_answer sealed;
	struct bytes data = {plain, sizeof(plain)}, none = {NULL, 0};
	for (int i = 0; i < 4; i++)
		assert_true(tokenproc_encrypt(&proc, &key, "A256KW", data, none, &sealed, &err));
	softhsm_save(softhsm, "before");
	softhsm_lose_tokens(softhsm);

	assert_false(tokenproc_encrypt(&proc, &key, "A256KW", data, none, &sealed, &err));
	assert_int_equal(err_class(err.code), ERR_CLASS_UNAVAILABLE);
	assert_false(tokenproc_receive(&proc, &message));
	assert_int_equal(WEXITSTATUS(tokenproc_hang_up(&proc)), 1);

	check_start_fails(&request, ERR_UNAVAILABLE, "No token");
	softhsm_restore(softhsm, "before");
	assert_true(try_start(&proc, &request, &answer, &err));
	assert_true(tokenproc_encrypt(&proc, &key, "A256KW", data, none, &sealed, &err));
	assert_int_equal(tokenproc_stop(&proc), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(start_tells_the_token_and_its_steps),
		cmocka_unit_test(start_of_another_build_or_twice_is_refused),
		cmocka_unit_test(start_with_a_wrong_section_names_what_is_wrong),
		cmocka_unit_test(pin_written_into_the_section_is_not_repeated),
		cmocka_unit_test(pin_comes_from_command_or_credential),
		cmocka_unit_test(pin_file_that_others_may_read_or_odd_is_refused),
		cmocka_unit_test(B11_wrong_pin_is_tried_once_for_each_content),
		cmocka_unit_test(B22_two_tokens_of_one_label_are_refused_naming_both),
		cmocka_unit_test(token_that_is_not_enrolled_uses_no_key),
		cmocka_unit_test(B23_enrolled_token_is_ready_and_another_is_an_impostor),
		cmocka_unit_test(login_by_a_person_may_be_repeated_until_it_is_right),
		cmocka_unit_test(A26_worker_can_start_no_program_and_holds_nothing_else),
		cmocka_unit_test(B5_worker_ends_when_its_channel_does),
		cmocka_unit_test(requests_before_stop_are_answered),
		cmocka_unit_test(nonsense_on_the_channel_ends_the_worker),
		cmocka_unit_test(request_with_broken_fields_gets_an_error),
		cmocka_unit_test(B6_token_that_goes_away_is_unavailable_and_comes_back),
		cmocka_unit_test(worker_becomes_the_user_that_the_section_names),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
