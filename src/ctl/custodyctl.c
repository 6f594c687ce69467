/* Invariant: enum option_id, enum command_id and the tables have the order of the rows of custodyctl.tbl. */
#include "custodyctl.h"

_Static_assert(OPTION_COUNT <= COMMAND_OPTIONS_MAX, "options of a command are bits");

const struct option_row custodyctl_options[OPTION_COUNT] = {
#define OPTION(symbol, long, letter, kind, metavar, help)                                          \
	[OPTION_##symbol] = {long, letter, OPTION_KIND_##kind, metavar, help},
#include "common_option.tbl"
#define OPTION(symbol, long, letter, kind, metavar, help)                                          \
	[OPTION_##symbol] = {long, letter, OPTION_KIND_##kind, metavar, help},
#include "custodyctl.tbl"
};

const struct command custodyctl_commands[COMMAND_COUNT] = {
#define COMMAND(symbol, words, min, max, options, synopsis, help, exits)                           \
	[COMMAND_##symbol] = {COMMAND_##symbol, words, min, max, options, synopsis, help, exits},
#include "custodyctl.tbl"
};

const struct word_row custodyctl_permissions[] = {
#define PERMISSION(word, help) {word, help},
#include "custodyctl.tbl"
};
const size_t custodyctl_permission_count = sizeof(custodyctl_permissions) / sizeof(struct word_row);

const struct command_table custodyctl_table = {
	.program = "custodyctl",
	.about = "keys in the vaults of custodyd",
	.az = true,
	.options = custodyctl_options,
	.option_count = OPTION_COUNT,
	.commands = custodyctl_commands,
	.command_count = COMMAND_COUNT,
	.permissions = custodyctl_permissions,
	.permission_count = sizeof(custodyctl_permissions) / sizeof(struct word_row),
	.permissions_option = OPTION_KEY_PERMISSIONS,
};
