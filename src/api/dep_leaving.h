/* Leaving a policy on depd's routes (doc/api.md): what the rollback and the recovery of one are asked for with. As dep_policy.h. */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"

#define API_DEP_FQDN_MAX     253 /* octets, as the catalog's */
#define API_DEP_CONTACT_MAX  128
#define API_DEP_REASON_MAX   256
#define API_DEP_INCIDENT_MAX 64

struct api_dep_rollback { /* the ticket (seed) */
	const char *fqdn, *contact, *reason, *incident;
};
/* All four, none empty; fqdn is a host name of at least two labels. */
bool api_dep_rollback_decode(struct bytes body, struct arena *arena,
	struct api_dep_rollback *ret_rollback, struct err *err) MUST_USE;

/* A reason that is not empty. */
bool api_dep_recover_decode(
	struct bytes body, struct arena *arena, const char **ret_reason, struct err *err) MUST_USE;
