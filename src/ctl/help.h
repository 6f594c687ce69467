/* What custodyctl or depctl says about itself, all of it made from the table. */
#pragma once

#include <stdio.h>

#include "ctl/command.h"

/* All commands, a line each. */
void help_overview(const struct command_table *table, FILE *out);
/* The commands that begin with the words, up to an option among them. False: there are none, nothing was written. */
bool help_group(const struct command_table *table, FILE *out, char *const *words);
/* What is wrong with words that are no command, and what there is instead. */
void help_unknown(const struct command_table *table, FILE *out, char *const *words);
/* One command: what it does, its options, its exit codes. */
void help_command(const struct command_table *table, FILE *out, const struct command *command);
/* Of a table that has them. */
void help_permissions(const struct command_table *table, FILE *out);
void help_exits(FILE *out);
