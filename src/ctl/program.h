/* A program of commands: its table and what runs each of them. */
#pragma once

#include "ctl/ctl.h"

typedef int program_function(struct ctl *ctl);

struct program {
	const struct command_table *table;
	program_function *const
		*functions;          /* by the commands' index; the one for "help" gets no client */
	const char *socket_variable; /* of the environment; NULL: libcustody's */
	const char *socket_path;     /* without it; NULL: libcustody's */
};

/* The command "help [COMMAND | exits …]". */
program_function program_help;
/* main() of it. */
int program_main(const struct program *program, int argc, char **argv);
