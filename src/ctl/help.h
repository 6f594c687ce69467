/* What custodyctl says about itself, all of it made from the table. */
#pragma once

#include <stdio.h>

#include "ctl/command.h"

/* All commands, a line each. */
void help_overview(FILE *out);
/* The commands that begin with `word`; how many there are (0: nothing was written). */
size_t help_group(FILE *out, const char *word);
/* What is wrong with words that are no command, and what there is instead. */
void help_unknown(FILE *out, char *const *words);
/* One command: what it does, its options, its exit codes. */
void help_command(FILE *out, const struct command *command);
void help_permissions(FILE *out);
void help_exits(FILE *out);
