/* What "seal" and "open" of custodyctl and depctl do alike: under two keys, or under a scope. */
#pragma once

#include <stdbool.h>

#include "ctl/ctl.h"

struct seal_work {
	const char *path;                      /* a file, a directory, "-" */
	const char *out;                       /* where it goes; NULL: beside it */
	bool replace;                          /* a file of that name */
	bool show_secret;                      /* content may go to a terminal */
	const struct custody_sealing *sealing; /* keys and context, without progress */
	const struct custody_scope
		*scope; /* NULL: two keys; for opening any scope will do, the header has it */
};

/* Exit codes; what went wrong was said. */
int seal_work_seal(struct ctl *ctl, const struct seal_work *work);
int seal_work_open(struct ctl *ctl, const struct seal_work *work);
