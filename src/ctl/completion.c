/* Run at build time: writes custodyctl's bash completion from the table. */
#include <stdio.h>
#include <string.h>

#include "ctl/command.h"

static const char head[] = "# bash completion of custodyctl, made from its command table\n"
			   "_custodyctl()\n"
			   "{\n"
			   "\tlocal cur prev words cword\n"
			   "\tcur=${COMP_WORDS[COMP_CWORD]}\n"
			   "\tprev=${COMP_WORDS[COMP_CWORD-1]}\n"
			   "\tlocal command=${COMP_WORDS[1]-} second=${COMP_WORDS[2]-}\n"
			   "\tif [ \"$command\" = keyvault ] && [ \"$second\" = key ]; then\n"
			   "\t\tcommand=key second=${COMP_WORDS[3]-}\n"
			   "\tfi\n"
			   "\tCOMPREPLY=()\n";

/* Values after an option: paths, or the words of its metavar. */
static void
write_values(void)
{
	(void)fputs("\tcase $prev in\n", stdout);
	for (int i = 0; i < OPTION_COUNT; i++) {
		const struct option_row *option = &command_options[i];
		if (option->kind == OPTION_KIND_FILE) {
			(void)printf("\t--%s) COMPREPLY=($(compgen -f -- \"$cur\")); return ;;\n",
				option->name);
		} else if (strchr(option->metavar, '|') != NULL) {
			(void)printf("\t--%s) COMPREPLY=($(compgen -W '", option->name);
			for (const char *c = option->metavar; *c != '\0'; c++)
				(void)putchar(*c == '|' ? ' ' : *c);
			(void)fputs("' -- \"$cur\")); return ;;\n", stdout);
		}
	}
	(void)fputs("\tesac\n", stdout);
}

static void
write_options(const struct command *command)
{
	(void)printf("\t'%s') options='", command->words);
	for (int i = 0; i < OPTION_COUNT; i++) {
		if (command_takes(command, (enum option_id)i))
			(void)printf("--%s ", command_options[i].name);
	}
	(void)printf("' arguments=%d ;;\n", command->max);
}

/* The first words, each once: the rows of a group stand together. */
static void
write_first_words(void)
{
	const char *previous = "";
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		const char *words = command_table[i].words;
		size_t len = strcspn(words, " ");
		if (strncmp(words, previous, len) != 0 || previous[len] != ' ')
			(void)printf("%.*s ", (int)len, words);
		previous = words;
	}
}

static void
write_second_words(void)
{
	const char *previous = "";
	size_t previous_len = 0;
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		const char *words = command_table[i].words;
		size_t len = strcspn(words, " ");
		if (words[len] == '\0')
			continue;
		if (len != previous_len || strncmp(words, previous, len) != 0)
			(void)printf("%s\t\t%.*s) COMPREPLY=($(compgen -W '",
				previous_len == 0 ? "" : "' -- \"$cur\")); return ;;\n", (int)len,
				words);
		(void)printf("%s ", words + len + 1);
		previous = words;
		previous_len = len;
	}
	(void)fputs("' -- \"$cur\")); return ;;\n", stdout);
}

int
main(void)
{
	(void)fputs(head, stdout);
	write_values();
	(void)fputs("\tif [ \"$COMP_CWORD\" -eq 1 ]; then\n\t\tCOMPREPLY=($(compgen -W '", stdout);
	write_first_words();
	(void)fputs("' -- \"$cur\")); return\n\tfi\n", stdout);
	(void)fputs("\tif [ \"$COMP_CWORD\" -eq 2 ]; then\n\t\tcase $command in\n", stdout);
	write_second_words();
	(void)fputs("\t\tesac\n\tfi\n\tlocal options= arguments=0\n", stdout);
	(void)fputs("\tcase \"$command $second\" in\n", stdout);
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		if (strchr(command_table[i].words, ' ') != NULL)
			write_options(&command_table[i]);
	}
	(void)fputs("\t*) case $command in\n", stdout);
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		if (strchr(command_table[i].words, ' ') == NULL)
			write_options(&command_table[i]);
	}
	(void)fputs("\tesac ;;\n\tesac\n"
		    "\tcase $cur in\n"
		    "\t-*) COMPREPLY=($(compgen -W \"$options\" -- \"$cur\")) ;;\n"
		    "\t*) [ \"$arguments\" -eq 0 ] || COMPREPLY=($(compgen -f -- \"$cur\")) ;;\n"
		    "\tesac\n}\ncomplete -o filenames -F _custodyctl custodyctl\n",
		stdout);
	return fflush(stdout) == 0 ? 0 : 1;
}
