/* The time that depd may go on without the key owners' custodyd, on its routes (doc/api.md); encoders as in key.h. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"

#define API_DEP_BLIND_HOURS_MAX 168

struct api_dep_extend {
	int64_t hours;
	const char *reason;
};
bool api_dep_extend_decode(struct bytes body, struct arena *arena,
	struct api_dep_extend *ret_extend, struct err *err) MUST_USE;

struct api_dep_blind {
	bool silent;      /* the owners' custodyd was not heard when last asked */
	int64_t silent_s; /* for how long */
	int64_t used_s, allowed_s;
	struct { /* what one person wants, and another one is to say too */
		int64_t uid;
		int64_t hours; /* 0: there is none */
		const char *reason;
		int64_t until;
	} proposal;
};
void api_dep_blind_format(const struct api_dep_blind *blind, struct buf *out);
/* {"extended":bool,"message":text,"blindFallback":…} */
void api_dep_extended_format(
	bool extended, const char *message, const struct api_dep_blind *blind, struct buf *out);
