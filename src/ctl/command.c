#include "command.h"

#include <string.h>
#include <strings.h>

const struct word_row command_exits[] = {
#define EXIT(code, symbol, meaning) {#code, meaning},
#include "exit.tbl"
};
const size_t command_exit_count = sizeof(command_exits) / sizeof(struct word_row);

/* How many words of `argv` are the command's; 0: it is another one. */
static int
match_words(const char *words, char *const *argv)
{
	int count = 0;
	while (*words != '\0') {
		size_t len = strcspn(words, " ");
		if (argv[count] == NULL || strlen(argv[count]) != len ||
			memcmp(argv[count], words, len) != 0)
			return 0;
		count++;
		words += len;
		words += strspn(words, " ");
	}
	return count;
}

char *const *
command_words(const struct command_table *table, char *const *argv)
{
	bool az = table->az && argv[0] != NULL && argv[1] != NULL &&
		  strcmp(argv[0], "keyvault") == 0 && strcmp(argv[1], "key") == 0;
	return az ? argv + 1 : argv;
}

const struct command *
command_find(const struct command_table *table, char *const *argv, int *ret_words)
{
	char *const *words = command_words(table, argv);
	for (size_t i = 0; i < table->command_count; i++) {
		int count = match_words(table->commands[i].words, words);
		if (count > 0) {
			*ret_words = count + (int)(words - argv);
			return &table->commands[i];
		}
	}
	return NULL;
}

bool
command_takes(const struct command *command, int option)
{
	return (command->options >> option & 1) != 0;
}

bool
command_lists_values(const char *metavar)
{
	return strchr(metavar, '|') != NULL;
}

const char *
command_find_value(const char *metavar, const char *word, size_t word_len)
{
	for (;;) {
		size_t len = strcspn(metavar, "|");
		if (len == word_len && strncasecmp(metavar, word, len) == 0)
			return metavar;
		if (metavar[len] == '\0')
			return NULL;
		metavar += len + 1;
	}
}
