/* custodyctl as people run it: the program itself, against a scripted daemon, with and without a terminal. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "ctl/custodyctl.h"
#include "support/fake_server.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define TEXT_MAX     16384
#define ARGS_MAX     40
#define KEY_VERSION  "0123456789abcdef0123456789abcdef"
#define KID          "https://west.vault.test/keys/k1/" KEY_VERSION
#define KID_EAST     "https://east.vault.test/keys/k2/" KEY_VERSION
#define THE_KEY      "--vault-name", "west", "--name", "k1"
#define TWO_KEYS     "--key", KID, "--key", KID_EAST

struct fixture {
	char directory[64];
	char path[96];
	struct peer *peer;
	/* the peer */
	int status;
	int later_status;      /* of all but the first answer; 0: the same */
	const char *bodies[4]; /* the last one is repeated */
	unsigned served;
	char targets[4][512];
	char sent[8192];
	char head[2048];
	/* the program */
	char out[TEXT_MAX];
	char err[TEXT_MAX];
	int exit_code;
};

static void
play(void *data, const struct peer_request *request, struct peer_reply *reply)
{
	struct fixture *f = data;
	const char *body = f->bodies[0];
	for (unsigned i = 0; i <= f->served && i < COUNT(f->bodies) && f->bodies[i] != NULL; i++)
		body = f->bodies[i];
	if (f->served < COUNT(f->targets))
		(void)snprintf(f->targets[f->served], sizeof(f->targets[0]), "%s %s",
			request->method, request->target);
	reply->status = f->served > 0 && f->later_status != 0 ? f->later_status : f->status;
	f->served++;
	(void)snprintf(reply->body, sizeof(reply->body), "%s", body);
	(void)snprintf(f->sent, sizeof(f->sent), "%s", request->body);
	(void)snprintf(f->head, sizeof(f->head), "%s", request->head);
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	assert_non_null(f);
	(void)snprintf(f->directory, sizeof(f->directory), "/tmp/custody-ctl-XXXXXX");
	assert_non_null(mkdtemp(f->directory));
	(void)snprintf(f->path, sizeof(f->path), "%s/s", f->directory);
	(void)setenv("CUSTODY_SOCKET", f->path, 1);
	f->status = 200;
	f->bodies[0] = "{}";
	f->peer = peer_start(f->path, play, f);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	peer_stop(f->peer);
	assert_int_equal(rmdir(f->directory), 0); /* also: nothing was left behind */
	free(f);
	return 0;
}

/* ---- running it ---- */

/* The program itself, as libtool's script in its place takes as long again; it finds its library by LD_LIBRARY_PATH. */
static const char *
program(void)
{
	static char real[4200];
	const char *path = getenv("CUSTODYCTL");
	if (path == NULL)
		path = "src/ctl/custodyctl";
	const char *slash = strrchr(path, '/');
	if (slash == NULL)
		return path;
	int directory = (int)(slash - path);
	(void)snprintf(real, sizeof(real), "%.*s/../lib/.libs", directory, path);
	(void)setenv("LD_LIBRARY_PATH", real, 1);
	(void)snprintf(real, sizeof(real), "%.*s/.libs/%s", directory, path, slash + 1);
	return access(real, X_OK) == 0 ? real : path;
}

static size_t
drain(int fd, char *text, size_t len)
{
	ssize_t got = read(fd, text + len, TEXT_MAX - 1 - len);
	if (got <= 0)
		return 0;
	text[len + (size_t)got] = '\0';
	return (size_t)got;
}

/* Reads both pipes to their ends, at most ten seconds. */
static void
collect(struct fixture *f, int out, int err)
{
	size_t lens[2] = {0, 0};
	struct pollfd fds[2] = {
		{out, POLLIN, 0},
                {err, POLLIN, 0}
        };
	char *texts[2] = {f->out, f->err};
	while (fds[0].fd >= 0 || fds[1].fd >= 0) {
		assert_true(poll(fds, 2, 10000) > 0);
		for (int i = 0; i < 2; i++) {
			if (fds[i].revents == 0)
				continue;
			size_t got = drain(fds[i].fd, texts[i], lens[i]);
			lens[i] += got;
			if (got == 0)
				fds[i].fd = -1;
		}
	}
}

static void
fill_args(char **argv, const char *name, const char *const *args)
{
	size_t count = 0;
	argv[count++] = strdup(name);
	for (; *args != NULL && count < ARGS_MAX; args++)
		argv[count++] = strdup(*args);
	argv[count] = NULL;
}

static void
free_args(char **argv)
{
	for (; *argv != NULL; argv++)
		free(*argv);
}

static void
run_program(struct fixture *f, const char *input, const char *name, const char *const *args)
{
	int in[2];
	int out[2];
	int err[2];
	char *argv[ARGS_MAX + 2];
	fill_args(argv, name, args);
	f->served = 0;
	f->out[0] = f->err[0] = '\0';
	assert_return_code(pipe2(in, O_CLOEXEC), errno);
	assert_return_code(pipe2(out, O_CLOEXEC), errno);
	assert_return_code(pipe2(err, O_CLOEXEC), errno);
	pid_t child = fork();
	if (child == 0) {
		(void)dup2(in[0], 0);
		(void)dup2(out[1], 1);
		(void)dup2(err[1], 2);
		(void)execv(argv[0], argv);
		_exit(127);
	}
	assert_true(child > 0);
	(void)close(in[0]);
	(void)close(out[1]);
	(void)close(err[1]);
	assert_int_equal(write(in[1], input, strlen(input)), (ssize_t)strlen(input));
	(void)close(in[1]);
	collect(f, out[0], err[0]);
	(void)close(out[0]);
	(void)close(err[0]);
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	f->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
	free_args(argv);
}

static void
run_with(struct fixture *f, const char *input, const char *const *args)
{
	run_program(f, input, program(), args);
}

static void
run_line(struct fixture *f, const char *line)
{
	char copy[1024];
	const char *args[ARGS_MAX + 1];
	size_t count = 0;
	(void)snprintf(copy, sizeof(copy), "%s", line);
	char *rest = NULL;
	for (char *word = strtok_r(copy, " ", &rest); word != NULL && count < ARGS_MAX;
		word = strtok_r(NULL, " ", &rest))
		args[count++] = strcmp(word, "''") == 0 ? "" : word;
	args[count] = NULL;
	run_with(f, "", args);
}

#define RUN(f, input, ...) run_with((f), (input), (const char *const[]){__VA_ARGS__, NULL})

/* On a pseudo terminal that is its controlling one; what appears there goes to f->out. */
static void
run_on_terminal(struct fixture *f, const char *typed, const char *const *args)
{
	char *argv[ARGS_MAX + 2];
	int terminal;
	fill_args(argv, program(), args);
	f->served = 0;
	f->out[0] = '\0';
	pid_t child = forkpty(&terminal, NULL, NULL, NULL);
	if (child == 0) {
		(void)execv(argv[0], argv);
		_exit(127);
	}
	assert_true(child > 0);
	size_t len = 0;
	bool written = false;
	for (;;) {
		struct pollfd fd = {terminal, POLLIN, 0};
		assert_true(poll(&fd, 1, 10000) > 0);
		size_t got = drain(terminal, f->out, len);
		if (got == 0)
			break;
		len += got;
		bool asked = strstr(f->out, "(yes/no) ") != NULL ||
			     strstr(f->out, "go on: ") != NULL ||
			     strstr(f->out, "PIN of token") != NULL;
		if (asked && !written) {
			assert_int_equal(
				write(terminal, typed, strlen(typed)), (ssize_t)strlen(typed));
			written = true;
		}
	}
	(void)close(terminal);
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	f->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
	free_args(argv);
}

#define RUN_TTY(f, typed, ...)                                                                     \
	run_on_terminal((f), (typed), (const char *const[]){__VA_ARGS__, NULL})

static void
assert_says(const char *text, const char *wanted)
{
	if (strstr(text, wanted) == NULL)
		fail_msg("\"%s\" is not in:\n%s", wanted, text);
}

static void
remove_file(struct fixture *f, const char *name)
{
	char path[160];
	(void)snprintf(path, sizeof(path), "%s/%s", f->directory, name);
	assert_return_code(unlink(path), errno);
}

static char *
file_path(struct fixture *f, const char *name)
{
	static char path[160];
	(void)snprintf(path, sizeof(path), "%s/%s", f->directory, name);
	return path;
}

/* ---- requests ---- */

struct request_case {
	const char *line; /* words; '' is an empty one */
	const char *target;
	const char *sent;
};

static const char vault[] =
	"{\"name\":\"west\",\"uri\":\"https://west.vault.test/\",\"token\":\"w\",\"region\":\"r\","
	"\"retentionDays\":90,\"enablePurgeProtection\":false,\"backup\":\"trusted\",\"created\":1,"
	"\"updated\":2,\"tags\":{},\"accessPolicies\":[]}";

static const char bundle[] =
	"{\"key\":{\"kid\":\"" KID "\",\"kty\":\"RSA\",\"key_ops\":[\"wrapKey\"],\"n\":\"AQ\","
	"\"e\":\"AQAB\"},\"attributes\":{\"enabled\":true,\"created\":1,\"updated\":2},\"tags\":{}"
	"}";

static void
commands_send_what_they_are_asked(void **state)
{
	static const struct request_case cases[] = {
#define REQUEST(line, target, sent) {line, target, sent},
#include "test_custodyctl.tbl"
	};
	struct fixture *f = *state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct request_case *row = &cases[i];
		print_message("%s\n", row->line);
		bool about_vault = strncmp(row->line, "keyvault ", 9) == 0 &&
				   strncmp(row->line, "keyvault key ", 13) != 0;
		f->bodies[0] = about_vault ? vault : bundle;

		run_line(f, row->line);

		assert_string_equal(f->err, "");
		assert_int_equal(f->exit_code, 0);
		assert_string_equal(f->targets[0], row->target);
		assert_string_equal(f->sent, row->sent);
		assert_int_equal(f->served, 1);
	}
}

static const char custody[] =
	"{\"kid\":\"" KID
	"\",\"token\":\"w\",\"region\":\"r\",\"state\":\"ok\",\"strengthBits\":112,"
	"\"mixed\":true,\"provenance\":{\"hsmGenerated\":false,\"local\":true,"
	"\"alwaysSensitive\":true,\"neverExtractable\":false}}";

/* Threats A4, A22: the second request is for the version that the first one was answered with, on a route of ours. */
static void
key_show_asks_where_the_key_comes_from(void **state)
{
	static const struct request_case cases[] = {
		{"key show --vault-name west --name k1",                 "GET /keys/k1/?api-version=7.4",                ""},
		{"key show --vault-name West.vault.test --name K1",      "GET /keys/K1/?api-version=7.4",
                 ""													},
		{"key show --id " KID,                                   "GET /keys/k1/" KEY_VERSION "?api-version=7.4", ""},
		{"key show --vault-name west --name k1 -v " KEY_VERSION,
                 "GET /keys/k1/" KEY_VERSION "?api-version=7.4",                                                         ""},
	};
	struct fixture *f = *state;
	f->bodies[0] = bundle;
	f->bodies[1] = custody;
	for (size_t i = 0; i < COUNT(cases); i++) {
		print_message("%s\n", cases[i].line);

		run_line(f, cases[i].line);

		assert_string_equal(f->err, "");
		assert_int_equal(f->exit_code, 0);
		assert_int_equal(f->served, 2);
		assert_string_equal(f->targets[0], cases[i].target);
		assert_string_equal(f->targets[1], "GET /vaults/west/keys/k1/" KEY_VERSION);
		assert_says(f->out, "  \"custody\": {\n    \"kid\": \"" KID "\",");
		assert_says(f->out, "\"neverExtractable\": false");
	}
	run_line(f, "key show --vault-name west --name k1 -o tsv");
	assert_string_equal(
		f->out, "k1\tRSA\t\tTrue\t\twrapKey\t" KID "\t112\tTrue\tTrue\tTrue\tFalse\n");
}

/* A daemon from before the route says that there is nothing at the path; any other "no" is one. */
static void
key_show_goes_on_without_it_on_an_older_daemon(void **state)
{
	struct fixture *f = *state;
	f->bodies[0] = bundle;
	f->bodies[1] = "{\"error\":{\"code\":\"NotFound\",\"message\":\"Nothing.\"}}";
	f->later_status = 404;

	RUN(f, "", "key", "show", THE_KEY);
	assert_int_equal(f->exit_code, 0);
	assert_says(f->err, "custodyctl key show: warning: This daemon is too old");
	assert_says(f->out, "\"custody\": null");
	assert_says(f->out, "\"kty\": \"RSA\"");
	f->bodies[1] = "{\"error\":{\"code\":\"KeyNotFound\",\"message\":\"Gone.\"}}";
	RUN(f, "", "key", "show", THE_KEY);

	assert_int_equal(f->exit_code, 3);
	assert_says(f->err, "Gone. [KeyNotFound]");
	assert_string_equal(f->out, "");
}

static void
application_and_host_are_sent(void **state)
{
	struct fixture *f = *state;
	f->bodies[0] = bundle;

	RUN(f, "", "key", "show-deleted", "--id", KID, "--application",
		"11111111-2222-3333-4444-555555555555");

	assert_int_equal(f->exit_code, 0);
	assert_says(f->head, "Host: west.vault.test\r\n");
	assert_says(f->head, "x-custody-application: 11111111-2222-3333-4444-555555555555\r\n");
}

static void
keyvault_create_gives_the_caller_all_permissions(void **state)
{
	struct fixture *f = *state;
	f->bodies[0] = vault;

	RUN(f, "", "keyvault", "create", "--name", "west", "--token", "w", "-o", "tsv");

	assert_int_equal(f->exit_code, 0);
	assert_int_equal(f->served, 2);
	assert_string_equal(f->targets[0], "PUT /vaults/west");
	assert_says(f->targets[1], "PUT /vaults/west/policies/user%3A");
	assert_string_equal(f->sent, "{\"permissions\":{\"keys\":[\"all\"]}}");
	assert_string_equal(f->out, "west\tw\tr\t90\tFalse\ttrusted\n");
}

static void
lists_follow_pages_up_to_maxresults(void **state)
{
	struct fixture *f = *state;
	f->bodies[0] =
		"{\"value\":[{\"kid\":\"https://west.vault.test/keys/a\",\"attributes\":{}},"
		"{\"kid\":\"https://west.vault.test/keys/b\",\"attributes\":{}}],"
		"\"nextLink\":\"https://west.vault.test/keys?api-version=7.4&$skiptoken=x\"}";
	f->bodies[1] =
		"{\"value\":[{\"kid\":\"https://west.vault.test/keys/c\",\"attributes\":{}}],"
		"\"nextLink\":null}";

	RUN(f, "", "key", "list", "--vault-name", "west", "-o", "table");
	assert_int_equal(f->exit_code, 0);
	assert_string_equal(f->targets[1], "GET /keys?api-version=7.4&$skiptoken=x");
	assert_says(f->out, "\na  ");
	assert_says(f->out, "\nc  ");
	RUN(f, "", "key", "list", "--vault-name", "west", "-o", "tsv", "--maxresults", "2");

	assert_int_equal(f->served, 1);
	assert_null(strstr(f->out, "c\t"));
}

/* ---- wrong input, a row for each command ---- */

struct wrong_case {
	const char *line; /* words; '' is an empty one */
	const char *says;
};

static void
wrong_input_is_refused_before_anything_is_sent(void **state)
{
	static const struct wrong_case cases[] = {
#define WRONG(line, says) {line, says},
#include "test_custodyctl.tbl"
	};
	struct fixture *f = *state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct wrong_case *row = &cases[i];
		print_message("%s\n", row->line);

		run_line(f, row->line);

		assert_int_equal(f->exit_code, 2);
		assert_string_equal(f->out, "");
		assert_says(f->err, row->says);
		assert_int_equal(f->served, 0);
	}
}

static void
every_command_has_a_row_of_wrong_input(void **state)
{
	(void)state;
	static const char *const lines[] = {
#define WRONG(line, says) line,
#include "test_custodyctl.tbl"
	};
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		const char *words = custodyctl_commands[i].words;
		bool found = false;
		for (size_t j = 0; j < COUNT(lines); j++)
			found |= strncmp(lines[j], words, strlen(words)) == 0;
		if (!found)
			fail_msg("%s", words);
	}
}

static void
help_works_without_a_daemon(void **state)
{
	struct fixture *f = *state;
	static const char *const words[] = {"keyvault", "key", "dual", "token"};
	for (size_t i = 0; i < COUNT(words); i++) {
		RUN(f, "", words[i], "--help");
		assert_int_equal(f->exit_code, 0);
		assert_says(f->out, words[i]);
	}
	RUN(f, "", "help", "permissions");
	assert_says(f->out, "unwrapKey");
	RUN(f, "", "help", "exits");
	assert_says(f->out, "class denied");
	RUN(f, "", "keyvault", "key", "--help");
	assert_int_equal(f->exit_code, 0);
	assert_says(f->out, "key unwrap");
	RUN(f, "", "help", "keyvault", "key", "wrap");
	assert_says(f->out, "Usage: custodyctl key wrap");
	RUN(f, "", "key", "sign", "--help");
	assert_says(f->out, " ES256K");
	RUN(f, "", "help", "key", "wrap");
	assert_says(f->out, "Usage: custodyctl key wrap");
	RUN(f, "", "--version");
	assert_int_equal(f->exit_code, 0);
	RUN(f, "", "key", "create", "--help");
	assert_says(f->out, "--kty");
	assert_int_equal(f->served, 0);
}

/* ---- exit codes ---- */

struct exit_case {
	int status;
	const char *body;
	int exit_code;
	const char *says;
};

static void
answers_of_the_daemon_have_exit_codes_by_class(void **state)
{
	static const struct exit_case cases[] = {
		{400, "{\"error\":{\"code\":\"BadParameter\",\"message\":\"No.\"}}",               3,
                 "custodyctl key show: No. [BadParameter]\n"                                                          },
		{404, "{\"error\":{\"code\":\"KeyNotFound\",\"message\":\"Gone.\"}}",              3,
                 "[KeyNotFound]"										      },
		{403,
                 "{\"error\":{\"code\":\"Forbidden\",\"message\":\"No.\",\"innererror\":{"
			"\"code\":"
			"\"KeyDisabled\"}}}",						      4, "[KeyDisabled]" },
		{503, "{\"error\":{\"code\":\"ServiceUnavailable\",\"message\":\"Later.\"}}",      5,
                 "[ServiceUnavailable]"									       },
		{503,
                 "{\"error\":{\"code\":\"ServiceUnavailable\",\"message\":\"x\","
			"\"innererror\":{"
			"\"code\":\"KeyIntegrity\"}}}",					    6, "[KeyIntegrity]"},
		{500, "{\"error\":{\"code\":\"InternalError\",\"message\":\"Oh.\"}}",              1,
                 "[InternalError]"										    },
		{200, "not json",								  1, "[BadAnswer]"   },
		{400, "{\"error\":{\"code\":\"BadParameter\",\"message\":\"a\\u001b[31mb\\nc\"}}",
                 3,										   "a?[31mb?c"     },
	};
	struct fixture *f = *state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		print_message("%d\n", cases[i].status);
		f->status = cases[i].status;
		f->bodies[0] = cases[i].body;

		RUN(f, "", "key", "show", THE_KEY);

		assert_int_equal(f->exit_code, cases[i].exit_code);
		assert_string_equal(f->out, "");
		assert_says(f->err, cases[i].says);
		assert_int_equal(strchr(f->err, '\n') - f->err, (ssize_t)strlen(f->err) - 1);
	}
}

static void
no_output_is_printed_if_none_is_wanted(void **state)
{
	struct fixture *f = *state;
	f->bodies[0] = bundle;

	RUN(f, "", "key", "show", THE_KEY, "-o", "none");

	assert_int_equal(f->exit_code, 0);
	assert_string_equal(f->out, "");
	assert_int_equal(f->served, 2);
}

struct closed_case {
	const char *redirection;
	const char *command;
	int exit_code;
};

/* Else the socket, or the file with the plaintext, would be what is written to as output or for people. */
static void
closed_descriptors_are_nothing_else(void **state)
{
	static const struct closed_case cases[] = {
		{">&-",             "key show --vault-name west --name k1",           3},
		{">/dev/full",      "key show --vault-name west --name k1",           3},
		{">/dev/full",      "help",					   3},
		{">/dev/full",      "key show --help",                                3},
		{"2>&- >/dev/full", "key show --vault-name west --name k1",           3},
		{"<&-",             "key wrap --vault-name west --name k1 -a A256KW", 3},
		{"0>&- 1>&- 2>&-",  "key show --vault-name west --name k1 -o none",   0},
	};
	struct fixture *f = *state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char command[512];
		print_message("%s %s\n", cases[i].command, cases[i].redirection);
		f->bodies[0] = bundle;
		f->served = 0;
		(void)snprintf(command, sizeof(command), "'%s' %s %s", program(), cases[i].command,
			cases[i].redirection);

		run_program(f, "", "/bin/sh", (const char *const[]){"-c", command, NULL});

		assert_int_equal(f->exit_code, cases[i].exit_code);
	}
}

static void
no_daemon_is_unavailable(void **state)
{
	struct fixture *f = *state;
	RUN(f, "", "status", "--socket", "/nonexistent/custodyd.sock");

	assert_int_equal(f->exit_code, 5);
	assert_says(f->err, "[ConnectionFailed]");
}

/* Threat C8: a directory that others may write to could hold anybody's socket. */
static void
c8_impostor_directory_is_refused(void **state)
{
	struct fixture *f = *state;
	assert_return_code(chmod(f->directory, 0777), errno);

	RUN(f, "", "status");

	assert_return_code(chmod(f->directory, 0700), errno);
	assert_int_equal(f->exit_code, 5);
	assert_says(f->err, "nothing was sent");
	assert_int_equal(f->served, 0);
}

static void
answers_of_no_have_an_exit_code(void **state)
{
	struct fixture *f = *state;
	f->bodies[0] = "{\"value\":false}";
	RUN(f, "", "key", "verify", THE_KEY, "-a", "RS256", "--digest", "AQ==", "--signature",
		"Ag");
	assert_int_equal(f->exit_code, 7);
	assert_says(f->out, "\"isValid\": false");
	f->bodies[0] = "{\"value\":true}";
	RUN(f, "", "key", "verify", THE_KEY, "-a", "RS256", "--digest", "AQ", "--signature",
		"Ag==");
	assert_int_equal(f->exit_code, 0);
	assert_string_equal(f->sent, "{\"alg\":\"RS256\",\"digest\":\"AQ\",\"value\":\"Ag\"}");
	f->bodies[0] = "{\"findings\":[{\"kind\":\"k\",\"subject\":\"s\",\"message\":\"m\"}]}";
	RUN(f, "", "doctor", "-o", "tsv");
	assert_int_equal(f->exit_code, 7);
	assert_string_equal(f->out, "k\ts\tm\n");
	f->bodies[0] = "{\"findings\":[]}";
	RUN(f, "", "doctor");
	assert_int_equal(f->exit_code, 0);
	assert_string_equal(f->out, "[]\n");
	f->bodies[0] =
		"{\"recipients\":[{\"kid\":\"" KID
		"\",\"token\":\"w\",\"outcome\":\"opened\",\"code\":null}],\"redundancy\":1}";
	RUN(f, "{}", "dual", "check");
	assert_int_equal(f->exit_code, 7);
	assert_says(f->out, "\"redundancy\": 1");
}

/* ---- plaintexts ---- */

static void
encrypt_takes_files_pipes_and_base64(void **state)
{
	struct fixture *f = *state;
	f->bodies[0] = "{\"kid\":\"" KID "\",\"value\":\"-_8\",\"iv\":\"AQI\",\"tag\":\"Aw\"}";

	RUN(f, "secret", "key", "encrypt", THE_KEY, "-a", "A256GCM", "--aad", "0Aff");
	assert_int_equal(f->exit_code, 0);
	assert_string_equal(
		f->sent, "{\"alg\":\"A256GCM\",\"value\":\"c2VjcmV0\",\"aad\":\"Cv8\"}");
	assert_says(f->out, "\"result\": \"+/8=\"");
	assert_says(f->out, "\"iv\": \"0102\"");
	assert_says(f->out, "\"kid\": \"" KID "\"");
	RUN(f, "c2Vj\ncmV0\n", "key", "wrap", THE_KEY, "-a", "A256KW", "--data-type", "base64");

	assert_string_equal(f->sent, "{\"alg\":\"A256KW\",\"value\":\"c2VjcmV0\"}");
}

static void
decrypt_gives_json_file_or_octets(void **state)
{
	struct fixture *f = *state;
	char *path = file_path(f, "plain");
	f->bodies[0] = "{\"kid\":\"" KID "\",\"value\":\"c2VjcmV0\"}";

	RUN(f, "", "key", "decrypt", THE_KEY, "-a", "A256GCM", "--value", "+/8=", "--iv", "0102",
		"--tag", "03");
	assert_string_equal(
		f->sent, "{\"alg\":\"A256GCM\",\"value\":\"-_8\",\"iv\":\"AQI\",\"tag\":\"Aw\"}");
	assert_says(f->out, "\"result\": \"c2VjcmV0\"");
	RUN(f, "", "key", "decrypt", THE_KEY, "-a", "RSA-OAEP", "--value", "+/8=", "--data-type",
		"plaintext");
	assert_says(f->out, "\"result\": \"secret\"");
	RUN(f, "", "key", "unwrap", THE_KEY, "-a", "RSA-OAEP", "--value", "+/8=", "--out", "-");
	assert_string_equal(f->out, "secret");
	RUN(f, "", "key", "unwrap", THE_KEY, "-a", "RSA-OAEP", "--value", "+/8=", "--out", path);
	assert_string_equal(f->out, "");
	struct stat status;
	assert_return_code(stat(path, &status), errno);
	assert_int_equal(status.st_mode & 07777, 0600);
	assert_int_equal(status.st_size, 6);

	RUN(f, "", "key", "unwrap", THE_KEY, "-a", "RSA-OAEP", "--value", "+/8=", "--out", path);
	assert_int_equal(f->exit_code, 3);
	assert_says(f->err, "exists");
	assert_int_equal(f->served, 0);
	RUN(f, "", "key", "unwrap", THE_KEY, "-a", "RSA-OAEP", "--value", "+/8=", "--out", path,
		"--force");
	assert_int_equal(f->exit_code, 0);
	remove_file(f, "plain");
}

static void
failed_unwrap_leaves_no_file(void **state)
{
	struct fixture *f = *state;
	f->status = 400;
	f->bodies[0] = "{\"error\":{\"code\":\"BadParameter\",\"message\":\"No.\"}}";

	RUN(f, "", "key", "unwrap", THE_KEY, "-a", "RSA-OAEP", "--value", "+/8=", "--out",
		file_path(f, "plain"));

	assert_int_equal(f->exit_code, 3); /* teardown: the directory is empty */
}

/* Threat F13: a plaintext gets to a terminal only if that was asked for. */
static void
f13_plaintext_is_kept_from_a_terminal(void **state)
{
	struct fixture *f = *state;
	f->bodies[0] = "{\"kid\":\"" KID "\",\"value\":\"c2VjcmV0\",\"degraded\":false}";

	RUN_TTY(f, "", "key", "unwrap", THE_KEY, "-a", "RSA-OAEP", "--value", "+/8=");
	assert_int_equal(f->exit_code, 2);
	assert_says(f->out, "--show-secret");
	assert_null(strstr(f->out, "c2VjcmV0"));
	assert_int_equal(f->served, 0);
	RUN_TTY(f, "", "key", "decrypt", THE_KEY, "-a", "RSA-OAEP", "--value", "+/8=", "--out",
		"-");
	assert_int_equal(f->exit_code, 2);
	RUN_TTY(f, "", "dual", "unwrap", "--in", "/dev/null");
	assert_int_equal(f->exit_code, 2);
	assert_int_equal(f->served, 0);
	RUN_TTY(f, "", "key", "unwrap", THE_KEY, "-a", "RSA-OAEP", "--value",
		"+/8=", "--show-secret");
	assert_int_equal(f->exit_code, 0);
	assert_says(f->out, "c2VjcmV0");
}

static void
dual_generate_writes_key_and_envelope(void **state)
{
	struct fixture *f = *state;
	f->bodies[0] =
		"{\"value\":\"AAAAAAAAAAAAAAAAAAAAAA\",\"envelope\":{\"p\":1},\"warnings\":[]}";

	RUN(f, "", "dual", "generate", TWO_KEYS, "--length", "16", "--context", "ctx", "--out",
		file_path(f, "key"));

	assert_int_equal(f->exit_code, 0);
	assert_string_equal(f->out, "{\"p\":1}\n");
	assert_says(f->sent, "\"context\":\"Y3R4\",\"length\":16");
	remove_file(f, "key");
}

static void
dual_wrap_and_unwrap_go_round(void **state)
{
	struct fixture *f = *state;
	f->bodies[0] = "{\"envelope\":{\"p\":1},\"warnings\":[]}";
	RUN(f, "secret", "dual", "wrap", TWO_KEYS);
	assert_string_equal(f->out, "{\"p\":1}\n");
	f->bodies[0] =
		"{\"value\":\"c2VjcmV0\",\"kid\":\"" KID "\",\"degraded\":true,\"attempts\":[]}";

	RUN(f, "{\"p\":1}\n", "dual", "unwrap", "--out", "-");

	assert_int_equal(f->exit_code, 0);
	assert_string_equal(f->out, "secret");
	assert_says(f->err, "warning: degraded: only " KID);
	f->bodies[0] = "{\"envelope\":{\"p\":2},\"warnings\":[]}";
	RUN(f, "{\"p\":1}", "dual", "rewrap");
	assert_string_equal(f->sent, "{\"envelope\":{\"p\":1},\"context\":\"\"}");
	assert_string_equal(f->out, "{\"p\":2}\n");
}

/* ---- questions ---- */

static void
destructive_commands_ask_on_a_terminal(void **state)
{
	struct fixture *f = *state;
	f->bodies[0] = bundle;

	RUN_TTY(f, "no\n", "key", "delete", THE_KEY);
	assert_int_equal(f->exit_code, 2);
	assert_int_equal(f->served, 0);
	RUN_TTY(f, "yes\n", "key", "delete", THE_KEY);
	assert_int_equal(f->exit_code, 0);
	assert_int_equal(f->served, 1);
	RUN_TTY(f, "y\n", "keyvault", "delete", "--name", "west");
	assert_int_equal(f->exit_code, 2);
	assert_int_equal(f->served, 0);
}

/* Threat F2: purging takes the whole name, typed; --yes does not skip it on a terminal. */
static void
f2_purge_takes_the_full_name(void **state)
{
	static const char *const answers[] = {"yes\n", "k\n", "K1\n", "k1 \n", "\n"};
	struct fixture *f = *state;
	f->bodies[0] = bundle;
	for (size_t i = 0; i < COUNT(answers); i++) {
		print_message("%s", answers[i]);
		RUN_TTY(f, answers[i], "key", "purge", THE_KEY, "--yes");
		assert_int_equal(f->exit_code, 2);
		assert_int_equal(f->served, 1); /* only looked at */
	}
	RUN_TTY(f, "k1\n", "key", "purge", THE_KEY);
	assert_int_equal(f->exit_code, 0);
	assert_string_equal(f->targets[1], "DELETE /deletedkeys/k1?api-version=7.4");
}

/* ---- PINs ---- */

struct desk {
	char line[64];
	pid_t pid;
	int result;
};

/* The worker's end of a login, in a process of its own. */
static void
desk_open(struct fixture *f, struct desk *desk, const char *answer)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int pipes[2];
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s.login-w", f->path);
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_return_code(bind(listener, (struct sockaddr *)&address, sizeof(address)), errno);
	assert_return_code(listen(listener, 1), errno);
	assert_return_code(pipe2(pipes, O_CLOEXEC), errno);
	desk->pid = fork();
	if (desk->pid == 0) {
		(void)alarm(20);
		int fd = accept(listener, NULL, NULL);
		char line[64];
		ssize_t got = read(fd, line, sizeof(line));
		bool done = got > 0 && write(pipes[1], line, (size_t)got) == got &&
			    write(fd, answer, strlen(answer)) == (ssize_t)strlen(answer);
		_exit(done ? 0 : 1);
	}
	(void)close(listener);
	(void)close(pipes[1]);
	desk->result = pipes[0];
}

static void
desk_close(struct fixture *f, struct desk *desk)
{
	int status;
	ssize_t got = read(desk->result, desk->line, sizeof(desk->line) - 1);
	desk->line[got > 0 ? got : 0] = '\0';
	(void)close(desk->result);
	assert_int_equal(waitpid(desk->pid, &status, 0), desk->pid);
	remove_file(f, "s.login-w");
}

static void
f12_pin_comes_from_a_file_or_a_hidden_line(void **state)
{
	struct fixture *f = *state;
	struct desk desk;

	desk_open(f, &desk, "ok\n");
	RUN(f, "1234\n", "token", "login", "--name", "w", "--pin-file", "-");
	desk_close(f, &desk);
	assert_int_equal(f->exit_code, 0);
	assert_string_equal(desk.line, "1234\n");

	desk_open(f, &desk, "error PinRefused The PIN is wrong.\n");
	RUN_TTY(f, "98765\n", "token", "login", "--name", "w");
	desk_close(f, &desk);
	assert_int_equal(f->exit_code, 5);
	assert_string_equal(desk.line, "98765\n");
	assert_says(f->out, "[PinRefused]");
	assert_null(strstr(f->out, "98765")); /* no echo */
}

static void
f12_pin_file_that_others_can_read_is_refused(void **state)
{
	struct fixture *f = *state;
	char *path = file_path(f, "pin");
	int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, "1234\n", 5), 5);
	assert_return_code(fchmod(fd, 0640), errno);
	(void)close(fd);

	RUN(f, "", "token", "login", "--name", "w", "--pin-file", path);

	assert_int_equal(f->exit_code, 3);
	assert_null(strstr(f->err, "1234"));
	remove_file(f, "pin");
}

/* Threat C3: set-uid copies refuse to work for whoever runs them. */
static void
c3_set_uid_program_refuses(void **state)
{
	struct fixture *f = *state;
	struct statvfs where;
	if (geteuid() != 0 ||
		(statvfs(f->directory, &where) == 0 && (where.f_flag & ST_NOSUID) != 0))
		skip();
	/* with libcustody in it: the loader does not look for libraries in the build for such a program */
	const char *build = getenv("BUILDDIR");
	char whole[4200];
	(void)snprintf(whole, sizeof(whole), "%s/tests/support/custodyctl_whole",
		build != NULL ? build : ".");
	char octets[8192];
	char *copy = file_path(f, "copy");
	int in = open(whole, O_RDONLY | O_CLOEXEC);
	int out = open(copy, O_CREAT | O_WRONLY | O_CLOEXEC, 0755);
	ssize_t got;
	assert_return_code(in, errno);
	while ((got = read(in, octets, sizeof(octets))) > 0)
		assert_int_equal(write(out, octets, (size_t)got), got);
	(void)close(in);
	assert_return_code(fchown(out, 65533, (gid_t)-1), errno);
	assert_return_code(fchmod(out, 04755), errno);
	(void)close(out);
	assert_return_code(chmod(f->directory, 0755), errno);

	run_program(f, "", copy, (const char *const[]){"status", NULL});

#ifdef __SANITIZE_ADDRESS__
	assert_int_not_equal(
		f->exit_code, 0); /* the leak checker cannot look into it, and has the last word */
#else
	assert_int_equal(f->exit_code, 2);
#endif
	assert_says(f->err, "refuses to run set-uid");
	assert_int_equal(f->served, 0);
	assert_return_code(chmod(copy, 0755), errno); /* the same program, when it is not */
	run_program(f, "", copy, (const char *const[]){"status", NULL});
	assert_int_equal(f->exit_code, 0);
	assert_int_equal(f->served, 1);
	remove_file(f, "copy");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(commands_send_what_they_are_asked),
		TEST(key_show_asks_where_the_key_comes_from),
		TEST(key_show_goes_on_without_it_on_an_older_daemon),
		TEST(application_and_host_are_sent),
		TEST(keyvault_create_gives_the_caller_all_permissions),
		TEST(lists_follow_pages_up_to_maxresults),
		TEST(wrong_input_is_refused_before_anything_is_sent),
		cmocka_unit_test(every_command_has_a_row_of_wrong_input),
		TEST(help_works_without_a_daemon),
		TEST(answers_of_the_daemon_have_exit_codes_by_class),
		TEST(no_output_is_printed_if_none_is_wanted),
		TEST(closed_descriptors_are_nothing_else),
		TEST(no_daemon_is_unavailable),
		TEST(c8_impostor_directory_is_refused),
		TEST(answers_of_no_have_an_exit_code),
		TEST(encrypt_takes_files_pipes_and_base64),
		TEST(decrypt_gives_json_file_or_octets),
		TEST(failed_unwrap_leaves_no_file),
		TEST(f13_plaintext_is_kept_from_a_terminal),
		TEST(dual_generate_writes_key_and_envelope),
		TEST(dual_wrap_and_unwrap_go_round),
		TEST(destructive_commands_ask_on_a_terminal),
		TEST(f2_purge_takes_the_full_name),
		TEST(f12_pin_comes_from_a_file_or_a_hidden_line),
		TEST(f12_pin_file_that_others_can_read_is_refused),
		TEST(c3_set_uid_program_refuses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
