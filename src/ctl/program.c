/* Finds the command, parses its options, connects, runs it. */
#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "base/id.h"
#include "base/secret.h"
#include "ctl/ctl.h"
#include "ctl/help.h"
#include "ctl/progress.h"
#include "json/json.h"

#define TIMEOUT_MAX_S 3600
#define RETRIES_MAX   10

static void
set_form(struct ctl *ctl)
{
	const char *form = cmdline_text(&ctl->options, OPTION_OUTPUT);
	if (form != NULL && strcmp(form, "table") == 0)
		ctl->form = OUTPUT_TABLE;
	else if (form != NULL && strcmp(form, "tsv") == 0)
		ctl->form = OUTPUT_TSV;
	else if (form != NULL && strcmp(form, "none") == 0)
		ctl->form = OUTPUT_NONE;
}

/* NULL: as libcustody has it. */
static const char *
socket_path(const struct program *program, const struct cmdline *options)
{
	const char *path = cmdline_text(options, OPTION_SOCKET);
	const char *named =
		program->socket_variable != NULL ? getenv(program->socket_variable) : NULL;
	if (path != NULL)
		return path;
	return named != NULL && named[0] != '\0' ? named : program->socket_path;
}

static int
connect_client(const struct program *program, struct ctl *ctl)
{
	const struct cmdline *options = &ctl->options;
	struct custody_options given = CUSTODY_OPTIONS_INIT;
	struct custody_error error;
	struct err err;
	int64_t number;
	given.application = cmdline_text(options, OPTION_APPLICATION);
	if (given.application != NULL && !id_uuid_valid(given.application))
		return ctl_fail_usage(ctl, "--application must be a GUID.");
	given.socket_path = socket_path(program, options);
	given.waiting = ctl_waiting;
	given.waiting_data = ctl;
	given.warning = ctl_warned;
	given.warning_data = ctl;
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
run(const struct program *program, struct ctl *ctl)
{
	if (cmdline_flag(&ctl->options, OPTION_HELP, false)) {
		help_command(ctl->table, stdout, ctl->command);
		return EXIT_OK;
	}
	set_form(ctl);
	bool help = strcmp(ctl->command->words, "help") == 0;
	int exit_code = help ? EXIT_OK : connect_client(program, ctl);
	if (exit_code == EXIT_OK)
		exit_code = program->functions[ctl->command->id](ctl);
	custody_client_free(ctl->client);
	return exit_code;
}

static bool
is_help(const char *word)
{
	return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

/* "key --help", "mailbox policy -h" */
static bool
asks_help(char *const *words)
{
	while (*words != NULL && (*words)[0] != '-')
		words++;
	return *words != NULL && is_help(*words);
}

/* What was typed is no command: its group, if it is one, or how to find the commands. */
static int
unknown_command(const struct command_table *table, char **argv)
{
	char *const *words = command_words(table, argv + 1);
	if (words[0] == NULL) {
		help_overview(table, stderr);
		return EXIT_USAGE;
	}
	if (is_help(words[0])) {
		help_overview(table, stdout);
		return EXIT_OK;
	}
	if (strcmp(words[0], "--version") == 0) {
		(void)printf("%s %s\n", table->program, PACKAGE_VERSION);
		return EXIT_OK;
	}
	if (asks_help(words) && help_group(table, stdout, words))
		return EXIT_OK;
	help_unknown(table, stderr, words);
	return EXIT_USAGE;
}

/*
 * Whoever starts us without one of them would have it be the socket or an output file, and what is meant for
 * people would be written there. Opened the other way round, so that using it is an error.
 */
static bool
reserve_standard_descriptors(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		int flags = fd == STDIN_FILENO ? O_WRONLY : O_RDONLY;
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF && open("/dev/null", flags) != fd)
			return false;
	}
	return true;
}

/* Whatever was said is worth nothing if it did not get out. */
static int
flush(const struct command_table *table, int exit_code)
{
	if (exit_code != EXIT_OK || (fflush(stdout) == 0 && ferror(stdout) == 0))
		return exit_code;
	(void)fprintf(stderr, "%s: The answer cannot be written. [FileError]\n", table->program);
	return EXIT_BAD;
}

int
program_help(struct ctl *ctl)
{
	const struct cmdline *options = &ctl->options;
	char *given[CMDLINE_ARGUMENTS_MAX + 1] = {NULL};
	int count = 0;
	for (size_t i = 0; i < options->argument_count; i++)
		given[i] = (char *)(uintptr_t)options->arguments[i]; /* argv, not const there */
	char *const *words = command_words(ctl->table, given);
	const struct command *command =
		words[0] != NULL ? command_find(ctl->table, words, &count) : NULL;
	if (words[0] == NULL)
		help_overview(ctl->table, stdout);
	else if (command != NULL)
		help_command(ctl->table, stdout, command);
	else if (ctl->table->permissions != NULL && strcmp(words[0], "permissions") == 0)
		help_permissions(ctl->table, stdout);
	else if (strcmp(words[0], "exits") == 0)
		help_exits(stdout);
	else if (!help_group(ctl->table, stdout, words)) {
		help_unknown(ctl->table, stderr, words);
		return EXIT_USAGE;
	}
	return EXIT_OK;
}

int
program_main(const struct program *program, int argc, char **argv)
{
	const struct command_table *table = program->table;
	/* Threat C3: who asks is the kernel's word for this process; it must be the person who runs it. */
	if (getauxval(AT_SECURE) != 0) {
		(void)fprintf(stderr,
			"%s: It refuses to run set-uid, set-gid or with capabilities.\n",
			table->program);
		return EXIT_USAGE;
	}
	if (!reserve_standard_descriptors())
		return EXIT_INTERNAL;
	secret_process_harden();
	json_memory_init();
	struct ctl ctl = {.table = table, .form = OUTPUT_JSON};
	int words = 0;
	ctl.command = argc > 1 ? command_find(table, argv + 1, &words) : NULL;
	if (ctl.command == NULL)
		return flush(table, unknown_command(table, argv));
	struct err err;
	if (!cmdline_parse(table, ctl.command, argc - words, argv + words, &ctl.options, &err))
		return ctl_fail(&ctl, &err);
	int exit_code = flush(table, run(program, &ctl));
	if (exit_code != EXIT_OK)
		progress_die_if_stopped();
	return exit_code;
}
