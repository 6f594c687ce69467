/* Invariant: enum option_id, enum command_id and the tables have the order of the rows of depctl.tbl. */
#include "ctl/depctl.h"

_Static_assert(OPTION_COUNT <= COMMAND_OPTIONS_MAX, "options of a command are bits");

static const struct option_row options[OPTION_COUNT] = {
#define OPTION(symbol, long, letter, kind, metavar, help)                                          \
	[OPTION_##symbol] = {long, letter, OPTION_KIND_##kind, metavar, help},
#include "common_option.tbl"
#define OPTION(symbol, long, letter, kind, metavar, help)                                          \
	[OPTION_##symbol] = {long, letter, OPTION_KIND_##kind, metavar, help},
#include "depctl.tbl"
};

static const struct command commands[COMMAND_COUNT] = {
#define COMMAND(symbol, words, min, max, options, synopsis, help, exits)                           \
	[COMMAND_##symbol] = {COMMAND_##symbol, words, min, max, options, synopsis, help, exits},
#include "depctl.tbl"
};

const struct command_table depctl_table = {
	.program = "depctl",
	.about = "data encryption policies of depd",
	.options = options,
	.option_count = OPTION_COUNT,
	.commands = commands,
	.command_count = COMMAND_COUNT,
	.permissions_option = -1,
};
