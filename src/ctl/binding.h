/* What an envelope is bound to: the two keys and the context, as options give them. */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "ctl/ctl.h"

struct binding {
	const char *key_ids[2]; /* borrowed from the command line; NULL: not given */
	struct buf context;
};

void binding_init(struct binding *binding);
void binding_clean(struct binding *binding);

/* --key twice; `required` false: or not at all. ERR_CLIENT_USAGE. */
bool binding_read_keys(
	const struct ctl *ctl, struct binding *binding, bool required, struct err *err) MUST_USE;
/* --context or --context-file; empty if neither is given. ERR_CLIENT_USAGE, ERR_CLIENT_FILE. */
bool binding_read_context(const struct ctl *ctl, struct binding *binding, struct err *err) MUST_USE;
/* Says that one of two keys did not open it, and what to do. */
void binding_warn_degraded(const struct ctl *ctl, const struct custody_opened *opened);
