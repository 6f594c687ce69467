/* Texts for people. */
#include "help.h"

#include <string.h>

#include "ctl/output.h"

#define METAVAR_MAX  34 /* longer ones do not fit in front of the help */
#define VALUES_LEFT  35
#define VALUES_RIGHT 110

static void
command_line(FILE *out, const struct command *command)
{
	(void)fprintf(out, "  %-24s %s\n", command->words, command->help);
}

void
help_overview(const struct command_table *table, FILE *out)
{
	(void)fprintf(out, "%s - %s\n\nCommands:\n", table->program, table->about);
	for (size_t i = 0; i < table->command_count; i++)
		command_line(out, &table->commands[i]);
	(void)fprintf(out, "\n%s COMMAND --help tells more; so does %s(1).\n", table->program,
		table->program);
}

size_t
help_group(const struct command_table *table, FILE *out, const char *word)
{
	size_t len = strlen(word);
	size_t count = 0;
	for (size_t i = 0; i < table->command_count; i++) {
		const char *words = table->commands[i].words;
		if (strncmp(words, word, len) != 0 || (words[len] != ' ' && words[len] != '\0'))
			continue;
		command_line(out, &table->commands[i]);
		count++;
	}
	return count;
}

static bool
is_group(const struct command_table *table, const char *word)
{
	size_t len = strlen(word);
	for (size_t i = 0; i < table->command_count; i++) {
		const char *words = table->commands[i].words;
		if (strncmp(words, word, len) == 0 && words[len] == ' ')
			return true;
	}
	return false;
}

void
help_unknown(const struct command_table *table, FILE *out, char *const *words)
{
	const char *program = table->program;
	char first[128];
	char second[128] = "";
	output_clean(words[0], first, sizeof(first));
	if (words[1] != NULL)
		output_clean(words[1], second, sizeof(second));
	if (first[0] == '-') {
		(void)fprintf(out,
			"%s: The command comes first, then its options like %s; "
			"see %s help.\n",
			program, first, program);
	} else if (!is_group(table, words[0])) {
		(void)fprintf(
			out, "%s: There is no command %s; see %s help.\n", program, first, program);
	} else {
		if (second[0] == '\0' || second[0] == '-')
			(void)fprintf(
				out, "%s: %s is the beginning of one of these:\n", program, first);
		else
			(void)fprintf(out, "%s: There is no command %s %s; there are:\n", program,
				first, second);
		(void)help_group(table, out, words[0]);
	}
}

/* A long list of values has lines of its own. */
static void
value_lines(FILE *out, const char *metavar)
{
	size_t column = 0;
	while (*metavar != '\0') {
		size_t len = strcspn(metavar, "|");
		if (column == 0 || column + len > VALUES_RIGHT) {
			(void)fprintf(out, "%s%*s", column == 0 ? "" : "\n", VALUES_LEFT, "");
			column = VALUES_LEFT;
		}
		(void)fprintf(out, "%.*s ", (int)len, metavar);
		column += len + 1;
		metavar += len + (metavar[len] == '|');
	}
	(void)fputc('\n', out);
}

static void
option_line(FILE *out, const struct option_row *option)
{
	char left[64];
	char letter[8] = "   ";
	if (option->letter != 0)
		(void)snprintf(letter, sizeof(letter), "-%c,", option->letter);
	/* a long list of values says less than the name of what it is */
	bool long_list =
		strlen(option->metavar) > METAVAR_MAX && command_lists_values(option->metavar);
	const char *metavar = long_list ? "NAME" : option->metavar;
	(void)snprintf(left, sizeof(left), "  %s --%s %s", letter, option->name, metavar);
	if (strlen(left) > 34)
		(void)fprintf(out, "%s\n  %32s %s\n", left, "", option->help);
	else
		(void)fprintf(out, "%-34s %s\n", left, option->help);
	if (long_list)
		value_lines(out, option->metavar);
}

void
help_command(const struct command_table *table, FILE *out, const struct command *command)
{
	(void)fprintf(out, "Usage: %s %s %s\n\n%s\n\nOptions:\n", table->program, command->words,
		command->synopsis, command->help);
	for (int i = 0; i < table->option_count; i++) {
		if (command_takes(command, i))
			option_line(out, &table->options[i]);
	}
	(void)fputs("\nExit codes:\n", out);
	for (size_t i = 0; i < command_exit_count; i++) {
		if (strstr(command->exits, command_exits[i].word) != NULL)
			(void)fprintf(
				out, "  %s  %s\n", command_exits[i].word, command_exits[i].help);
	}
}

void
help_permissions(const struct command_table *table, FILE *out)
{
	for (size_t i = 0; i < table->permission_count; i++)
		(void)fprintf(out, "  %-12s %s\n", table->permissions[i].word,
			table->permissions[i].help);
	(void)fprintf(out, "  %-12s %s\n", "all", "all of these");
}

void
help_exits(FILE *out)
{
	for (size_t i = 0; i < command_exit_count; i++)
		(void)fprintf(out, "  %s  %s\n", command_exits[i].word, command_exits[i].help);
}
