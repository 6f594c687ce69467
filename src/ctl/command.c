/* Invariant: enum option_id, enum command_id and the tables have the order of the rows of custodyctl.tbl. */
#include "command.h"

#include <string.h>
#include <strings.h>

_Static_assert(OPTION_COUNT <= 64, "options of a command are bits of a uint64_t");

const struct option_row command_options[OPTION_COUNT] = {
#define OPTION(symbol, long, letter, kind, metavar, help)                                          \
	[OPTION_##symbol] = {long, letter, OPTION_KIND_##kind, metavar, help},
#include "custodyctl.tbl"
};

const struct command command_table[COMMAND_COUNT] = {
#define COMMAND(symbol, words, min, max, options, synopsis, help, exits)                           \
	[COMMAND_##symbol] = {COMMAND_##symbol, words, min, max, options, synopsis, help, exits},
#include "custodyctl.tbl"
};

const struct word_row command_permissions[] = {
#define PERMISSION(word, help) {word, help},
#include "custodyctl.tbl"
};
const size_t command_permission_count = sizeof(command_permissions) / sizeof(struct word_row);

const struct word_row command_exits[] = {
#define EXIT(code, symbol, meaning) {#code, meaning},
#include "custodyctl.tbl"
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
command_words(char *const *argv)
{
	bool az = argv[0] != NULL && argv[1] != NULL && strcmp(argv[0], "keyvault") == 0 &&
		  strcmp(argv[1], "key") == 0;
	return az ? argv + 1 : argv;
}

const struct command *
command_find(char *const *argv, int *ret_words)
{
	char *const *words = command_words(argv);
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		int count = match_words(command_table[i].words, words);
		if (count > 0) {
			*ret_words = count + (int)(words - argv);
			return &command_table[i];
		}
	}
	return NULL;
}

bool
command_takes(const struct command *command, enum option_id option)
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
