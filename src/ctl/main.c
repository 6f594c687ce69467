/* custodyctl. The manual is custodyctl(1). */
#include "ctl/custodyctl.h"
#include "ctl/program.h"

/* Its row of the table is a command like any other. */
int
ctl_help(struct ctl *ctl)
{
	return program_help(ctl);
}

static program_function *const functions[COMMAND_COUNT] = {
#define COMMAND(symbol, words, min, max, options, synopsis, help, exits)                           \
	[COMMAND_##symbol] = ctl_##symbol,
#include "custodyctl.tbl"
};

static const struct program custodyctl = {.table = &custodyctl_table, .functions = functions};

int
main(int argc, char **argv)
{
	return program_main(&custodyctl, argc, argv);
}
