/* The clock of a daemon, confirmed by a person: keys and data are purged by it (threats D14). */
#include <stdio.h>

#include "base/clock.h"
#include "ctl/ctl.h"
#include "ctl/terminal.h"

int
ctl_confirm_clock(struct ctl *ctl, bool yes)
{
	struct err err;
	char now[21];
	char question[128];
	int exit_code = EXIT_OK;
	clock_format(clock_wall_s(), now);
	(void)snprintf(
		question, sizeof(question), "The clock says %s. Is that right? (yes/no)", now);
	if (!yes && !terminal_confirm(question, "yes", &err))
		return ctl_fail(ctl, &err);
	CLEAN(json)
	struct json_value *answer = ctl_call(ctl, "POST", NULL, "/clock/confirm", NULL, &exit_code);
	return answer != NULL ? EXIT_OK : exit_code;
}
