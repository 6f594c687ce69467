/* custodyctl: finds the command, parses its options, connects, runs it. The manual is custodyctl(1). */
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>

#include "base/secret.h"
#include "ctl/ctl.h"
#include "ctl/help.h"
#include "json/json.h"

#define TIMEOUT_MAX_S 3600
#define RETRIES_MAX   10

typedef int command_function(struct ctl *ctl);

static command_function *const functions[COMMAND_COUNT] = {
#define COMMAND(symbol, words, min, max, options, synopsis, help, exits)                           \
	[COMMAND_##symbol] = ctl_##symbol,
#include "custodyctl.tbl"
};

static void
set_form(struct ctl *ctl)
{
	const char *form = cmdline_text(&ctl->options, OPTION_OUTPUT);
	if (form != NULL && strcmp(form, "table") == 0)
		ctl->form = OUTPUT_TABLE;
	else if (form != NULL && strcmp(form, "tsv") == 0)
		ctl->form = OUTPUT_TSV;
}

static int
connect_client(struct ctl *ctl)
{
	const struct cmdline *options = &ctl->options;
	struct custody_options given = CUSTODY_OPTIONS_INIT;
	struct custody_error error;
	struct err err;
	int64_t number;
	given.socket_path = cmdline_text(options, OPTION_SOCKET);
	given.application = cmdline_text(options, OPTION_APPLICATION);
	given.waiting = ctl_waiting;
	given.waiting_data = ctl;
	if (cmdline_given(options, OPTION_SERVER_UID) &&
		!cmdline_number(
			options, OPTION_SERVER_UID, 0, UINT32_MAX - 1, &given.server_uid, &err))
		return ctl_fail(ctl, &err);
	if (cmdline_given(options, OPTION_TIMEOUT)) {
		if (!cmdline_number(options, OPTION_TIMEOUT, 1, TIMEOUT_MAX_S, &number, &err))
			return ctl_fail(ctl, &err);
		given.timeout_ms = (uint32_t)number * 1000;
	}
	if (cmdline_given(options, OPTION_RETRIES)) {
		if (!cmdline_number(options, OPTION_RETRIES, 0, RETRIES_MAX, &number, &err))
			return ctl_fail(ctl, &err);
		given.retries = (uint32_t)number;
	}
	if (!custody_client_new(&given, &ctl->client, &error))
		return ctl_fail_call(ctl, &error);
	return EXIT_OK;
}

static int
run(struct ctl *ctl)
{
	if (cmdline_flag(&ctl->options, OPTION_HELP, false)) {
		help_command(stdout, ctl->command);
		return EXIT_OK;
	}
	set_form(ctl);
	int exit_code = ctl->command->id == COMMAND_help ? EXIT_OK : connect_client(ctl);
	if (exit_code == EXIT_OK)
		exit_code = functions[ctl->command->id](ctl);
	custody_client_free(ctl->client);
	return exit_code;
}

/* What was typed is no command: its group, if it is one, or how to find the commands. */
static int
unknown_command(char **argv)
{
	const char *word = argv[1];
	if (word == NULL) {
		help_overview(stderr);
		return EXIT_USAGE;
	}
	if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
		help_overview(stdout);
		return EXIT_OK;
	}
	if (strcmp(word, "--version") == 0) {
		(void)printf("custodyctl %s\n", PACKAGE_VERSION);
		return EXIT_OK;
	}
	bool help =
		argv[2] != NULL && (strcmp(argv[2], "--help") == 0 || strcmp(argv[2], "-h") == 0);
	if (help_group(help ? stdout : stderr, word) > 0)
		return help ? EXIT_OK : EXIT_USAGE;
	char clean[128];
	output_clean(word, clean, sizeof(clean));
	(void)fprintf(stderr, "custodyctl: There is no command %s; see custodyctl help.\n", clean);
	return EXIT_USAGE;
}

int
main(int argc, char **argv)
{
	/* Threat C3: who asks is the kernel's word for this process; it must be the person who runs it. */
	if (getauxval(AT_SECURE) != 0) {
		(void)fputs(
			"custodyctl: It refuses to run set-uid, set-gid or with capabilities.\n",
			stderr);
		return EXIT_USAGE;
	}
	secret_process_harden();
	json_memory_init();
	struct ctl ctl = {.form = OUTPUT_JSON};
	int words = 0;
	ctl.command = argc > 1 ? command_find(argv + 1, &words) : NULL;
	if (ctl.command == NULL)
		return unknown_command(argv);
	struct err err;
	if (!cmdline_parse(ctl.command, argc - words, argv + words, &ctl.options, &err))
		return ctl_fail(&ctl, &err);
	return run(&ctl);
}
