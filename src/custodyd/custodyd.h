/* The daemon's state, passed down everywhere; there is no other. Who owns what: daemon.c makes and frees all of it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "custodyd/access.h"
#include "custodyd/keystore.h"
#include "custodyd/options.h"
#include "custodyd/tokens.h"
#include "custodyd/vaults.h"
#include "db/db_custody.h"
#include "service/host.h"

struct inspector;
struct reconciler;
struct rollback;
struct rotator;
struct witness;

struct custodyd {
	union { /* the members of the host can be named directly */
		struct host host;
		struct {
			HOST_MEMBERS
		};
	};
	const char *config_path;
	struct options *options;
	struct access *access;
	struct vaults *vaults;
	struct keystore *keys;
	struct reconciler *reconciler;
	struct rotator *rotator;
	struct inspector *inspector;
	struct witness *witness;
	struct tokens *tokens;
	struct rollback *rollback; /* NULL: the catalog is not an old copy */
	uint64_t openings;         /* of dual envelopes */
	uint64_t hedges;           /* of them, asked of a second token before the first answered */
};

/* Notes an error for status, and logs it where it says that somebody must act. */
static inline void
custodyd_note(
	struct custodyd *daemon, const char *event, const struct err *err, const char *subject)
{
	host_note(&daemon->host, event, err, subject);
}
