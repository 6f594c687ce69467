/* The command line as tables, made from custodyctl.tbl: what exists, not what it does. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum option_id {
#define OPTION(symbol, long, letter, kind, metavar, help) OPTION_##symbol,
#include "custodyctl.tbl"
	OPTION_COUNT
};

enum command_id {
#define COMMAND(symbol, words, min, max, options, synopsis, help, exits) COMMAND_##symbol,
#include "custodyctl.tbl"
	COMMAND_COUNT
};

enum exit_code {
#define EXIT(code, symbol, meaning) EXIT_##symbol = (code),
#include "custodyctl.tbl"
};

enum option_kind {
	OPTION_KIND_FLAG = 1,
	OPTION_KIND_BOOL,
	OPTION_KIND_TEXT,
	OPTION_KIND_NUMBER,
	OPTION_KIND_TIME,
	OPTION_KIND_LIST,
	OPTION_KIND_FILE,
};

struct option_row {
	const char *name; /* without dashes */
	char letter;      /* 0: none */
	enum option_kind kind;
	const char *metavar; /* words separated by '|': the values that it takes */
	const char *help;
};

struct command {
	enum command_id id;
	const char *words; /* "key create" */
	int min;           /* arguments that are not options */
	int max;
	uint64_t options; /* bit for each enum option_id */
	const char *synopsis;
	const char *help;
	const char *exits; /* "0 2 3" */
};

struct word_row {
	const char *word;
	const char *help;
};

extern const struct option_row command_options[OPTION_COUNT];
extern const struct command command_table[COMMAND_COUNT];
extern const struct word_row command_permissions[];
extern const size_t command_permission_count;
extern const struct word_row command_exits[]; /* word: the digit */
extern const size_t command_exit_count;

/* `argv` without az's word "keyvault" in front of "key". */
char *const *command_words(char *const *argv);
/*
 * The command whose words `argv` (NULL at the end) begins with; *ret_words: how many of `argv` they are.
 * "keyvault key create", as az has it, is key create. NULL: none.
 */
const struct command *command_find(char *const *argv, int *ret_words);
bool command_takes(const struct command *command, enum option_id option);
/* Whether `metavar` is a list of values. */
bool command_lists_values(const char *metavar);
/* Where the value `word` of `len` octets, in any case as with az, stands in `metavar`; NULL: it is none of them. */
const char *command_find_value(const char *metavar, const char *word, size_t len);
