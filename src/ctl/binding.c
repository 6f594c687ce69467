/* The daemon checks keys and contexts; here is only what a mistyped command line can be told about. */
#include "binding.h"

#include <string.h>

#include "ctl/custodyctl.h"
#include "ctl/terminal.h"

void
binding_init(struct binding *binding)
{
	*binding = (struct binding){
		.key_ids = {NULL, NULL}
        };
	buf_init(&binding->context, CUSTODY_CONTEXT_MAX);
}

void
binding_clean(struct binding *binding)
{
	buf_clear(&binding->context);
}

bool
binding_read_keys(const struct ctl *ctl, struct binding *binding, bool required, struct err *err)
{
	const struct option_values *keys = &ctl->options.values[OPTION_KEY];
	struct kid kid;
	if (keys->count == 0 && !required)
		return true;
	if (keys->count != 2)
		return err_set(err, ERR_CLIENT_USAGE,
			"--key must be given twice, with keys in vaults on two tokens.");
	for (size_t i = 0; i < 2; i++) {
		if (!kid_parse(keys->words[i], &kid))
			return err_set(err, ERR_CLIENT_USAGE,
				"--key must look like https://vault.host/keys/name or "
				".../keys/name/version.");
		binding->key_ids[i] = keys->words[i];
	}
	return true;
}

bool
binding_read_context(const struct ctl *ctl, struct binding *binding, struct err *err)
{
	const char *text = cmdline_text(&ctl->options, OPTION_CONTEXT);
	const char *file = cmdline_text(&ctl->options, OPTION_CONTEXT_FILE);
	if (text != NULL && file != NULL)
		return err_set(
			err, ERR_CLIENT_USAGE, "--context and --context-file exclude each other.");
	if (file != NULL)
		return terminal_read(file, &binding->context, err);
	return text == NULL || buf_text(&binding->context, text) ||
	       err_set(err, ERR_CLIENT_USAGE, "--context has more than %d octets.",
		       CUSTODY_CONTEXT_MAX);
}

void
binding_warn_degraded(const struct ctl *ctl, const struct custody_opened *opened)
{
	ctl_warn(ctl,
		"degraded: only %s opened it; see custodyctl dual check, and repair with dual "
		"rewrap.",
		opened->key_id);
}
