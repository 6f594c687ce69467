/* Texts for people. */
#include "help.h"

#include <stdio.h>
#include <string.h>

#include "ctl/output.h"

#define GROUP_SIZE   64 /* longer than the words of any command */
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

static bool
begins_with(const struct command *command, const char *group)
{
	size_t len = strlen(group);
	return strncmp(command->words, group, len) == 0 && command->words[len] == ' ';
}

static bool
is_group(const struct command_table *table, const char *group)
{
	for (size_t i = 0; i < table->command_count; i++) {
		if (begins_with(&table->commands[i], group))
			return true;
	}
	return false;
}

static void
group_lines(const struct command_table *table, FILE *out, const char *group)
{
	for (size_t i = 0; i < table->command_count; i++) {
		if (begins_with(&table->commands[i], group))
			command_line(out, &table->commands[i]);
	}
}

/* The longest beginning of the words that commands of more words begin with; how many words it has. */
static size_t
find_group(const struct command_table *table, char *const *words, char group[static GROUP_SIZE])
{
	size_t count = 0;
	group[0] = '\0';
	for (; words[count] != NULL && words[count][0] != '-'; count++) {
		char longer[GROUP_SIZE];
		int len = snprintf(longer, sizeof(longer), "%s%s%s", group, count > 0 ? " " : "",
			words[count]);
		if (len < 0 || (size_t)len >= sizeof(longer) || !is_group(table, longer))
			break;
		memcpy(group, longer, sizeof(longer));
	}
	return count;
}

bool
help_group(const struct command_table *table, FILE *out, char *const *words)
{
	char group[GROUP_SIZE];
	size_t count = find_group(table, words, group);
	if (count == 0 || (words[count] != NULL && words[count][0] != '-'))
		return false;
	group_lines(table, out, group);
	return true;
}

void
help_unknown(const struct command_table *table, FILE *out, char *const *words)
{
	const char *program = table->program;
	char group[GROUP_SIZE];
	char word[128];
	size_t count = find_group(table, words, group);
	output_clean(words[count] != NULL ? words[count] : "", word, sizeof(word));
	if (count == 0 && word[0] == '-') {
		(void)fprintf(out,
			"%s: The command comes first, then its options like %s; "
			"see %s help.\n",
			program, word, program);
	} else if (count == 0) {
		(void)fprintf(
			out, "%s: There is no command %s; see %s help.\n", program, word, program);
	} else {
		if (word[0] == '\0' || word[0] == '-')
			(void)fprintf(
				out, "%s: %s is the beginning of one of these:\n", program, group);
		else
			(void)fprintf(out, "%s: There is no command %s %s; there are:\n", program,
				group, word);
		group_lines(table, out, group);
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
