/* POST /catalog/accept (doc/api.md). Unknown members are refused; a body that breaks a rule is ERR_BAD_PARAMETER. */
#pragma once

#include "base/arena.h"
#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"

#define API_REASON_MAX                                                                             \
	512 /* octets: it fits into the detail of an audit record with what is given up */

struct api_catalog_accept {
	const char *reason; /* not empty, no control characters */
};
bool api_catalog_accept_decode(struct bytes body, struct arena *arena,
	struct api_catalog_accept *ret_accept, struct err *err) MUST_USE;
