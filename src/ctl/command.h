/* A command line as tables: what exists, not what it does. custodyctl.tbl and depctl.tbl are made into one each. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COMMAND_OPTIONS_MAX 64 /* bits of a uint64_t */

enum common_option { /* the first ones of every table */
#define OPTION(symbol, long, letter, kind, metavar, help) OPTION_##symbol,
#include "common_option.tbl"
	OPTION_COMMON_COUNT
};

enum exit_code {
#define EXIT(code, symbol, meaning) EXIT_##symbol = (code),
#include "exit.tbl"
};

enum option_kind {
	OPTION_KIND_FLAG = 1,
	OPTION_KIND_BOOL,
	OPTION_KIND_TEXT,
	OPTION_KIND_TEXTS,
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
	int id;            /* its index in the table */
	const char *words; /* "key create" */
	int min;           /* arguments that are not options */
	int max;
	uint64_t options; /* bit for each option, by its index in the table */
	const char *synopsis;
	const char *help;
	const char *exits; /* "0 2 3" */
};

struct word_row {
	const char *word;
	const char *help;
};

struct command_table {
	const char *program; /* "custodyctl" */
	const char *about;   /* "keys in the vaults of custodyd" */
	bool az;             /* "keyvault key create", as az has it, is key create */
	const struct option_row *options;
	int option_count;
	const struct command *commands;
	size_t command_count;
	const struct word_row *
		permissions; /* the words that option `permissions_option` takes; NULL: there is none */
	size_t permission_count;
	int permissions_option;
};

extern const struct command_table custodyctl_table; /* custodyctl.c */
extern const struct command_table depctl_table;     /* depctl_table.c */
extern const struct word_row command_exits[];       /* word: the digit */
extern const size_t command_exit_count;

/* `argv` without az's word "keyvault" in front of "key". */
char *const *command_words(const struct command_table *table, char *const *argv);
/* The command whose words `argv` (NULL at the end) begins with; *ret_words: how many of `argv` they are. NULL: none. */
const struct command *command_find(
	const struct command_table *table, char *const *argv, int *ret_words);
bool command_takes(const struct command *command, int option);
/* Whether `metavar` is a list of values. */
bool command_lists_values(const char *metavar);
/* Where the value `word` of `len` octets, in any case as with az, stands in `metavar`; NULL: it is none of them. */
const char *command_find_value(const char *metavar, const char *word, size_t len);
