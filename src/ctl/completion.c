/* Run at build time with "custodyctl.bash" or "depctl.bash": writes that program's bash completion from its table. */
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
	"\tlocal cur=${COMP_WORDS[COMP_CWORD]} at=1 i first second third command option distance "
	"options arguments words=\n"
	"\tCOMPREPLY=()\n"
	"\t[ \"${COMP_WORDS[1]}\" != help ] || [ \"$COMP_CWORD\" -lt 2 ] || at=2\n"
	"\t[ \"${COMP_WORDS[at]} ${COMP_WORDS[at + 1]-}\" != 'keyvault key' ] || [ \"$COMP_CWORD\" "
	"-lt $((at + 2)) ] ||\n"
	"\t\tat=$((at + 1))\n"
	"\tfirst=${COMP_WORDS[at]} second=${COMP_WORDS[at + 1]-} third=${COMP_WORDS[at + 2]-}\n";

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

/* Octets of the first `count` words, without the blank behind them; all of them if there are fewer. */
static size_t
words_len(const char *words, int count)
{
	size_t len = 0;
	for (int i = 0; i < count; i++) {
		if (i > 0 && words[len] == ' ')
			len++;
		len += strcspn(words + len, " ");
	}
	return len;
}

static bool
same_words(const char *a, const char *b, int count)
{
	size_t len = words_len(a, count);
	return len == words_len(b, count) && strncmp(a, b, len) == 0;
}

/* The words that stand behind `count` others, by those: rows of a group stand together. */
static void
write_next_words(const struct command_table *table, int count)
{
	const char *previous = "";
	for (size_t i = 0; i < table->command_count; i++) {
		const char *words = table->commands[i].words;
		size_t len = words_len(words, count), next = words_len(words, count + 1);
		if (next == len)
			continue;
		if (!same_words(words, previous, count))
			(void)printf("%s\t\t'%.*s') words='", previous[0] == '\0' ? "" : "' ;;\n",
				(int)len, words);
		if (!same_words(words, previous, count + 1))
			(void)printf("%.*s ", (int)(next - len - 1), words + len + 1);
		if (count == 1 && table->az && strcmp(words, "keyvault create") == 0)
			(void)fputs("key ", stdout);
		previous = words;
	}
	if (previous[0] != '\0')
		(void)fputs("' ;;\n", stdout);
}

static void
write_later_words(const struct command_table *table)
{
	(void)fputs(
		"\telif [ \"$COMP_CWORD\" -eq $((at + 1)) ]; then\n\t\tcase $first in\n", stdout);
	write_next_words(table, 1);
	(void)fputs("\t\tesac\n\telif [ \"$COMP_CWORD\" -eq $((at + 2)) ]; then\n"
		    "\t\tcase \"$first $second\" in\n",
		stdout);
	write_next_words(table, 2);
	(void)fputs("\t\tesac\n\tfi\n", stdout);
	(void)fputs("\t[ \"${COMP_WORDS[1]}\" != help ] || arguments=0 first=\n", stdout);
}

/* ---- options ---- */

static void
write_options(const struct command_table *table, const struct command *command)
{
	(void)printf("\t'%s '*) command='%s' arguments=%d options='", command->words,
		command->words, command->max);
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
main(int argc, char **argv)
{
	bool dep = argc == 2 && strcmp(argv[1], "depctl.bash") == 0;
	const struct command_table *table = dep ? &depctl_table : &custodyctl_table;
	(void)printf(head, table->program, table->program);
	write_first_words(table);
	write_later_words(table);
	(void)fputs(find_option, stdout);
	(void)fputs("\tcase \"$first $second $third \" in\n", stdout);
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
