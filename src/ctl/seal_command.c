/* custodyctl seal and open: files, directory trees and pipes under two keys, custody-sealed(5). */
#include "custodyctl.h"

#include "ctl/binding.h"
#include "ctl/seal_work.h"

static bool
prepare(const struct ctl *ctl, bool keys, struct binding *binding, struct custody_sealing *sealing,
	struct seal_work *work, struct err *err)
{
	const struct cmdline *options = &ctl->options;
	if ((keys && !binding_read_keys(ctl, binding, true, err)) ||
		!binding_read_context(ctl, binding, err))
		return false;
	*sealing = (struct custody_sealing){
		.size = sizeof(*sealing),
		.key_ids = {binding->key_ids[0],   binding->key_ids[1] },
		.context = {binding->context.data, binding->context.len},
	};
	*work = (struct seal_work){
		.path = options->arguments[0],
		.out = cmdline_text(options, OPTION_OUT_FILE),
		.replace = cmdline_flag(options, OPTION_FORCE, false),
		.show_secret = cmdline_flag(options, OPTION_SHOW_SECRET, false),
		.sealing = sealing,
	};
	return true;
}

int
ctl_seal(struct ctl *ctl)
{
	struct err err;
	struct custody_sealing sealing;
	struct seal_work work;
	CLEAN(binding)
	struct binding binding;
	binding_init(&binding);
	if (!prepare(ctl, true, &binding, &sealing, &work, &err))
		return ctl_fail(ctl, &err);
	return seal_work_seal(ctl, &work);
}

int
ctl_open(struct ctl *ctl)
{
	struct err err;
	struct custody_sealing sealing;
	struct seal_work work;
	CLEAN(binding)
	struct binding binding;
	binding_init(&binding);
	if (!prepare(ctl, false, &binding, &sealing, &work, &err))
		return ctl_fail(ctl, &err);
	return seal_work_open(ctl, &work);
}
