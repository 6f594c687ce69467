/* The options and arguments of one command line, parsed and checked against the command's row. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "ctl/command.h"

#define CMDLINE_WORDS_MAX     64 /* values of one option */
#define CMDLINE_ARGUMENTS_MAX 4

struct option_values {
	size_t count;                         /* 0: not given */
	const char *words[CMDLINE_WORDS_MAX]; /* of argv */
};

struct cmdline {
	const struct command_table *table;
	struct option_values values[COMMAND_OPTIONS_MAX];
	const char *arguments[CMDLINE_ARGUMENTS_MAX];
	size_t argument_count;
};

/*
 * `argv` begins with the command's last word, as getopt wants it. ERR_CLIENT_USAGE: unknown option, no value
 * where one belongs, a value out of the allowed ones (which get their own spelling in argv), given twice, too many or too few arguments.
 */
bool cmdline_parse(const struct command_table *table, const struct command *command, int argc,
	char **argv, struct cmdline *ret_options, struct err *err) MUST_USE;

bool cmdline_given(const struct cmdline *options, int option);
/* The value of an option that takes one; NULL if not given. Borrowed from argv. */
const char *cmdline_text(const struct cmdline *options, int option);
/* The value of a BOOL or FLAG, `absent` if not given. */
bool cmdline_flag(const struct cmdline *options, int option, bool absent);
/* ERR_CLIENT_USAGE unless the option is given and a number in low..high. */
bool cmdline_number(const struct cmdline *options, int option, int64_t low, int64_t high,
	int64_t *ret_number, struct err *err) MUST_USE;
/* "2027-01-31T12:00:00Z" or "2027-01-31", UTC, as Unix seconds. */
bool cmdline_time(
	const struct cmdline *options, int option, int64_t *ret_time, struct err *err) MUST_USE;

/* ERR_CLIENT_USAGE with the option's name: it must be given. Returns false. */
bool cmdline_missing(const struct cmdline *options, int option, struct err *err);
