/* Run at build time: writes custodyctl's bash completion from the table. */
#include <stdio.h>
#include <string.h>

#include "ctl/command.h"

/*
 * `at`: where the command begins, behind az's "keyvault" or behind "help". `option` and `distance`: the option
 * nearest before the cursor, and how many words before it.
 */
static const char head[] =
	"# bash completion of %s, made from its command table\n"
	"_%s()\n"
	"{\n"
	"\tlocal cur=${COMP_WORDS[COMP_CWORD]} at=1 i first second command option distance options "
	"arguments words=\n"
	"\tCOMPREPLY=()\n"
	"\t[ \"${COMP_WORDS[1]}\" != help ] || [ \"$COMP_CWORD\" -lt 2 ] || at=2\n"
	"\t[ \"${COMP_WORDS[at]} ${COMP_WORDS[at + 1]-}\" != 'keyvault key' ] || [ \"$COMP_CWORD\" "
	"-lt $((at + 2)) ] ||\n"
	"\t\tat=$((at + 1))\n"
	"\tfirst=${COMP_WORDS[at]} second=${COMP_WORDS[at + 1]-}\n";

static const char find_option[] =
	"\tfor ((i = COMP_CWORD - 1; i > at; i--)); do\n"
	"\t\t[[ ${COMP_WORDS[i]} != -* ]] || break\n"
	"\tdone\n"
	"\toption=${COMP_WORDS[i]} distance=$((COMP_CWORD - i)) options='' arguments=0\n";

static const char tail[] = "\tif [ -n \"$words\" ]; then\n"
			   "\t\tmapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n"
			   "\telif [[ $cur == -* ]]; then\n"
			   "\t\tmapfile -t COMPREPLY < <(compgen -W \"$options\" -- \"$cur\")\n"
			   "\telif [ \"$arguments\" -gt 0 ]; then\n"
			   "\t\tmapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
			   "\tfi\n"
			   "}\n"
			   "complete -o filenames -F _%s %s\n";

/* ---- words of commands ---- */

/* The first words, each once: the rows of a group stand together. */
static void
write_first_words(const struct command_table *table)
{
	const char *previous = "";
	(void)fputs("\tif [ \"$COMP_CWORD\" -eq \"$at\" ]; then\n\t\twords='", stdout);
	for (size_t i = 0; i < table->command_count; i++) {
		const char *words = table->commands[i].words;
		size_t len = strcspn(words, " ");
		if (strncmp(words, previous, len) != 0 || previous[len] != ' ')
			(void)printf("%.*s ", (int)len, words);
		previous = words;
	}
	(void)fputs("'\n", stdout);
}

static void
write_second_words(const struct command_table *table)
{
	const char *previous = "";
	size_t previous_len = 0;
	(void)fputs(
		"\telif [ \"$COMP_CWORD\" -eq $((at + 1)) ]; then\n\t\tcase $first in\n", stdout);
	for (size_t i = 0; i < table->command_count; i++) {
		const char *words = table->commands[i].words;
		size_t len = strcspn(words, " ");
		if (words[len] == '\0')
			continue;
		if (len != previous_len || strncmp(words, previous, len) != 0)
			(void)printf("%s\t\t%.*s) words='", previous_len == 0 ? "" : "' ;;\n",
				(int)len, words);
		(void)printf("%s ", words + len + 1);
		if (table->az && strcmp(words, "keyvault create") == 0)
			(void)fputs("key ", stdout);
		previous = words;
		previous_len = len;
	}
	(void)fputs("' ;;\n\t\tesac\n\tfi\n", stdout);
	(void)fputs("\t[ \"${COMP_WORDS[1]}\" != help ] || arguments=0 first=\n", stdout);
}

/* ---- options ---- */

static void
write_options(const struct command_table *table, const struct command *command)
{
	(void)printf("\t'%s'%s) command='%s' arguments=%d options='", command->words,
		strchr(command->words, ' ') == NULL ? "' '*" : "", command->words, command->max);
	for (int i = 0; i < table->option_count; i++) {
		if (command_takes(command, i))
			(void)printf("--%s ", table->options[i].name);
	}
	(void)fputs("' ;;\n", stdout);
}

static bool
takes_permissions(const struct command_table *table, int option)
{
	return table->permissions != NULL && option == table->permissions_option;
}

static bool
has_values(const struct command_table *table, const struct option_row *option)
{
	return option->kind == OPTION_KIND_FILE || command_lists_values(option->metavar) ||
	       takes_permissions(table, (int)(option - table->options));
}

/* Two options of one name are of one kind; the first speaks for both. */
static bool
name_was_written(const struct command_table *table, int id)
{
	for (int i = 0; i < id; i++) {
		if (strcmp(table->options[i].name, table->options[id].name) == 0)
			return true;
	}
	return false;
}

/* "*' --output'", and for each command that has it as a letter "'key show -o'". */
static void
write_pattern(const struct command_table *table, int id)
{
	const struct option_row *option = &table->options[id];
	const char *separator = "\t";
	if (!name_was_written(table, id)) {
		(void)printf("\t*' --%s'", option->name);
		separator = "|";
	}
	for (size_t i = 0; i < table->command_count && option->letter != 0; i++) {
		if (!command_takes(&table->commands[i], id))
			continue;
		(void)printf("%s'%s -%c'", separator, table->commands[i].words, option->letter);
		separator = "|";
	}
	(void)fputs(") ", stdout);
}

static void
write_values(const struct command_table *table, int id)
{
	const struct option_row *option = &table->options[id];
	write_pattern(table, id);
	if (option->kind != OPTION_KIND_LIST)
		(void)fputs("[ \"$distance\" -gt 1 ] || ", stdout);
	if (option->kind == OPTION_KIND_FILE) {
		(void)fputs("arguments=1 ;;\n", stdout);
		return;
	}
	(void)fputs("words='", stdout);
	if (takes_permissions(table, id)) {
		for (size_t i = 0; i < table->permission_count; i++)
			(void)printf("%s ", table->permissions[i].word);
		(void)fputs("all", stdout);
	} else {
		for (const char *c = option->metavar; *c != '\0'; c++)
			(void)putchar(*c == '|' ? ' ' : *c);
	}
	(void)fputs("' ;;\n", stdout);
}

int
main(void)
{
	const struct command_table *table = &custodyctl_table;
	(void)printf(head, table->program, table->program);
	write_first_words(table);
	write_second_words(table);
	(void)fputs(find_option, stdout);
	(void)fputs("\tcase \"$first $second\" in\n", stdout);
	for (size_t i = 0; i < table->command_count; i++)
		write_options(table, &table->commands[i]);
	(void)fputs("\tesac\n\tcase \"$command $option\" in\n", stdout);
	for (int i = 0; i < table->option_count; i++) {
		if (has_values(table, &table->options[i]))
			write_values(table, i);
	}
	(void)fputs("\tesac\n", stdout);
	(void)printf(tail, table->program, table->program);
	return fflush(stdout) == 0 ? 0 : 1;
}
