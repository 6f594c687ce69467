/* depctl seal and open: files, directory trees and pipes under a scope, custody-sealed(5). */
#include "ctl/depctl.h"
#include "ctl/seal_work.h"

static struct seal_work
make_work(const struct ctl *ctl, const struct custody_sealing *sealing,
	const struct custody_scope *scope)
{
	const struct cmdline *options = &ctl->options;
	return (struct seal_work){
		.path = options->arguments[0],
		.out = cmdline_text(options, OPTION_OUT_FILE),
		.replace = cmdline_flag(options, OPTION_FORCE, false),
		.show_secret = cmdline_flag(options, OPTION_SHOW_SECRET, false),
		.sealing = sealing,
		.scope = scope,
	};
}

int
depctl_seal(struct ctl *ctl)
{
	struct err err;
	struct custody_sealing sealing = {.size = sizeof(sealing)};
	struct custody_scope scope = {
		.kind = cmdline_text(&ctl->options, OPTION_KIND),
		.id = cmdline_text(&ctl->options, OPTION_SCOPE),
	};
	if ((scope.kind == NULL && !cmdline_missing(&ctl->options, OPTION_KIND, &err)) ||
		(scope.id == NULL && !cmdline_missing(&ctl->options, OPTION_SCOPE, &err)))
		return ctl_fail(ctl, &err);
	struct seal_work work = make_work(ctl, &sealing, &scope);
	return seal_work_seal(ctl, &work);
}

/* Which scope it is of stands in the header. */
int
depctl_open(struct ctl *ctl)
{
	struct custody_sealing sealing = {.size = sizeof(sealing)};
	struct custody_scope any = {.kind = NULL};
	struct seal_work work = make_work(ctl, &sealing, &any);
	return seal_work_open(ctl, &work);
}
