/*
 * Dual operations on our own routes (doc/api.md): requests as structs, answers from structs. Unknown members are refused.
 * A body that breaks a rule is ERR_BAD_PARAMETER, the message names the member. Encoders as in key.h.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/id.h"
#include "base/secret.h"
#include "jose/envelope.h"

#define API_DUAL_KEYS       2
#define API_DUAL_LENGTH_MIN 16 /* octets of a generated key */
#define API_DUAL_LENGTH_MAX 64

/* The two keys as named: text in the arena, and taken apart. That vaults and tokens differ is the caller's to check. */
struct api_dual_keys {
	bool set;
	const char *text[API_DUAL_KEYS];
	struct kid kid[API_DUAL_KEYS]; /* version "" for the newest */
};

/* /dual/wrapkey and /dual/generatekey */
struct api_dual_make {
	struct api_dual_keys keys; /* always set */
	struct bytes context;      /* may be empty */
	struct secret *value;      /* wrapkey: 1 to ENVELOPE_PLAINTEXT_MAX octets; else NULL */
	size_t length;             /* generatekey; else 0 */
};
/* ERR_UNAVAILABLE: no locked memory left. */
bool api_dual_wrap_decode(struct bytes body, struct arena *arena, struct api_dual_make *ret_make,
	struct err *err) MUST_USE;
bool api_dual_generate_decode(struct bytes body, struct arena *arena,
	struct api_dual_make *ret_make, struct err *err) MUST_USE;
void api_dual_make_clear(struct api_dual_make *make);

/* /dual/unwrapkey, /dual/check (keys never set) and /dual/rewrapkey */
struct api_dual_open {
	struct envelope
		*envelope;    /* freed by api_dual_open_clear(), or stolen by setting it to NULL */
	struct bytes context; /* may be empty */
	struct api_dual_keys keys; /* rewrapkey, if given */
};
/* Errors of the envelope are those of envelope_decode(). */
bool api_dual_open_decode(struct bytes body, struct arena *arena, struct api_dual_open *ret_open,
	struct err *err) MUST_USE;
bool api_dual_rewrap_decode(struct bytes body, struct arena *arena, struct api_dual_open *ret_open,
	struct err *err) MUST_USE;
void api_dual_open_clear(struct api_dual_open *open);

/* How one recipient fared. */
struct api_attempt {
	const char *kid;
	const char *token;  /* NULL: null (the key is not known) */
	enum err_code code; /* ERR_NONE: opened; else outcome is the class of the code */
};

/* [Attempt …]: for error.details. */
void api_attempts_format(const struct api_attempt *attempts, size_t count, struct buf *out);

/* Answers. `envelope` is JSON text, from envelope_format(). */

/* wrapkey (value NULL) and generatekey. */
void api_dual_made_format(struct bytes envelope, const struct secret *value,
	const char *const *warnings, size_t warning_count, struct buf *out);
/* unwrapkey; `value` is never empty. */
void api_dual_opened_format(const struct secret *value, const char *kid, bool degraded,
	const struct api_attempt *attempts, size_t count, struct buf *out);
void api_dual_rewrapped_format(struct bytes envelope, bool degraded,
	const struct api_attempt *attempts, size_t count, const char *const *warnings,
	size_t warning_count, struct buf *out);
/* check: `redundancy` is counted from the attempts that opened, at most 2. */
void api_dual_check_format(const struct api_attempt *attempts, size_t count, struct buf *out);

static inline void
api_dual_make_clean(struct api_dual_make *make)
{
	api_dual_make_clear(make);
}

static inline void
api_dual_open_clean(struct api_dual_open *open)
{
	api_dual_open_clear(open);
}
