/* custodyctl status, doctor, token ..., help. */
#include "ctl.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "ctl/help.h"
#include "ctl/terminal.h"
#include "json/json.h"

#define PATH_SIZE 256
#define PIN_MAX   256

static const struct output_column token_columns[] = {
	{"Name",     "name"           },
	{"Region",   "region"         },
	{"State",    "state"          },
	{"Enrolled", "enrolled"       },
	{"Sessions", "sessions"       },
	{"InFlight", "inFlight"       },
	{"Breaker",  "breaker"        },
	{"Pid",      "worker.pid"     },
	{"Restarts", "worker.restarts"},
	{"Detail",   "detail"         },
	{NULL,       NULL             },
};

static const struct output_column finding_columns[] = {
	{"Kind",    "kind"   },
	{"Subject", "subject"},
	{"Message", "message"},
	{NULL,      NULL     },
};

/* A GET whose answer is shown as it is; `list`: the member that a table has rows of, `always` also in JSON. */
static int
show(const struct ctl *ctl, const char *method, const char *path, const char *list, bool always,
	const struct output_column *columns, size_t *ret_count)
{
	int exit_code = EXIT_OK;
	CLEAN(buf)
	struct buf empty;
	buf_init(&empty, 16);
	(void)buf_text(&empty, "{}");
	bool post = strcmp(method, "POST") == 0;
	CLEAN(json)
	struct json_value *answer =
		ctl_call(ctl, method, NULL, path, post ? &empty : NULL, &exit_code);
	if (answer == NULL)
		return exit_code;
	CLEAN(buf)
	struct buf json;
	struct json_writer writer;
	buf_init(&json, OUTPUT_MAX);
	json_writer_init(&writer, &json);
	answers_copy(&writer, NULL, answer);
	if (ret_count != NULL)
		*ret_count = json_count(json_member(answer, list));
	bool rows = list != NULL && (always || ctl->form != OUTPUT_JSON);
	return ctl_answer(ctl, &json, rows ? list : NULL, columns);
}

int
ctl_status(struct ctl *ctl)
{
	return show(ctl, "GET", "/status", "tokens", false, token_columns, NULL);
}

int
ctl_doctor(struct ctl *ctl)
{
	size_t count = 0;
	int exit_code = show(ctl, "GET", "/doctor", "findings", true, finding_columns, &count);
	return exit_code == EXIT_OK && count > 0 ? EXIT_NO : exit_code;
}

int
ctl_token_list(struct ctl *ctl)
{
	return show(ctl, "GET", "/tokens", "value", true, token_columns, NULL);
}

int
ctl_token_show(struct ctl *ctl)
{
	struct err err;
	const char *name;
	char path[PATH_SIZE];
	if (!ctl_token_name(ctl, &name, &err))
		return ctl_fail(ctl, &err);
	(void)snprintf(path, sizeof(path), "/tokens/%s", name);
	return show(ctl, "GET", path, NULL, false, token_columns, NULL);
}

int
ctl_token_enroll(struct ctl *ctl)
{
	struct err err;
	const char *name;
	char path[PATH_SIZE];
	if (!ctl_token_name(ctl, &name, &err))
		return ctl_fail(ctl, &err);
	(void)snprintf(path, sizeof(path), "/tokens/%s/enroll", name);
	return show(ctl, "POST", path, NULL, false, token_columns, NULL);
}

/* Threat F12: the PIN comes from the terminal, a private file or standard input, and from nowhere else. */
int
ctl_token_login(struct ctl *ctl)
{
	struct err err;
	struct custody_error error;
	const char *name;
	char prompt[96];
	CLEAN(buf)
	struct buf pin;
	buf_init(&pin, PIN_MAX);
	if (!ctl_token_name(ctl, &name, &err))
		return ctl_fail(ctl, &err);
	(void)snprintf(prompt, sizeof(prompt), "PIN of token %s: ", name);
	if (!terminal_read_pin(prompt, cmdline_text(&ctl->options, OPTION_PIN_FILE), &pin, &err))
		return ctl_fail(ctl, &err);
	if (!custody_token_login(
		    ctl->client, name, (struct custody_bytes){pin.data, pin.len}, &error))
		return ctl_fail_call(ctl, &error);
	return EXIT_OK;
}

/* Keys are purged by this clock: a person looks at it first (threat D14). */
int
ctl_clock_confirm(struct ctl *ctl)
{
	struct err err;
	char now[21];
	char question[128];
	int exit_code = EXIT_OK;
	clock_format(clock_wall_s(), now);
	(void)snprintf(
		question, sizeof(question), "The clock says %s. Is that right? (yes/no)", now);
	if (!cmdline_flag(&ctl->options, OPTION_YES, false) &&
		!terminal_confirm(question, "yes", &err))
		return ctl_fail(ctl, &err);
	CLEAN(json)
	struct json_value *answer = ctl_call(ctl, "POST", NULL, "/clock/confirm", NULL, &exit_code);
	return answer != NULL ? EXIT_OK : exit_code;
}

int
ctl_help(struct ctl *ctl)
{
	const struct cmdline *options = &ctl->options;
	char *given[CMDLINE_ARGUMENTS_MAX + 1] = {NULL};
	int count = 0;
	for (size_t i = 0; i < options->argument_count; i++)
		given[i] = (char *)(uintptr_t)options->arguments[i]; /* argv, not const there */
	char *const *words = command_words(given);
	const struct command *command = words[0] != NULL ? command_find(words, &count) : NULL;
	if (words[0] == NULL)
		help_overview(stdout);
	else if (command != NULL)
		help_command(stdout, command);
	else if (strcmp(words[0], "permissions") == 0)
		help_permissions(stdout);
	else if (strcmp(words[0], "exits") == 0)
		help_exits(stdout);
	else if (words[1] != NULL || help_group(stdout, words[0]) == 0) {
		help_unknown(stderr, words);
		return EXIT_USAGE;
	}
	return EXIT_OK;
}
