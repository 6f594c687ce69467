/* The commands of depctl: int depctl_<symbol>(struct ctl *), see ctl.h; and what its command lines name. */
#pragma once

#include "ctl/ctl.h"

enum option_id {
	OPTION_BEFORE_OWN = OPTION_COMMON_COUNT - 1,
#define OPTION(symbol, long, letter, kind, metavar, help) OPTION_##symbol,
#include "depctl.tbl"
	OPTION_COUNT
};

enum command_id {
#define COMMAND(symbol, words, min, max, options, synopsis, help, exits) COMMAND_##symbol,
#include "depctl.tbl"
	COMMAND_COUNT
};

#define COMMAND(symbol, words, min, max, options, synopsis, help, exits)                           \
	int depctl_##symbol(struct ctl *ctl);
#include "depctl.tbl"

#define DEPCTL_PATH_SIZE 1024
#define DEPCTL_BODY_MAX  65536

/* `head`, then `name` as one segment of a path, then `tail`. ERR_CLIENT_USAGE: the name is too long. */
bool depctl_path(const char *head, const char *name, const char *tail,
	char path[static DEPCTL_PATH_SIZE], struct err *err) MUST_USE;
/* All pages of a list whose path ends with its query ("…?kind=m365"), as an array. */
int depctl_list(struct ctl *ctl, const char *path, const struct output_column *columns);
/* The text as it is to a file (NULL, "-": standard output), which must not be there yet. Returns the exit code. */
int depctl_write_file(const struct ctl *ctl, const char *path, const char *text);
