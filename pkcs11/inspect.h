/*
 * Comparing a key on the token with how we make keys: after its birth, and again from time to time, because on a token
 * that does not honour all hardening attributes somebody with the PIN may have changed it (threats A5, A8).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "pkcs11/hsmkey.h"
#include "pkcs11/session.h"

/*
 * Looks at the token afresh, past the cache. `spec` says what the key was born as; its type, size and curve are read
 * from the token. ERR_KEY_MISSING; ERR_KEY_INTEGRITY: several objects, another fingerprint, halves that do not belong
 * together, or an attribute (named in the origin) that is not as we make it, beyond those that accept-reduced lets
 * the token lack.
 */
bool inspect_key(struct session *session, const struct hsmkey_spec *spec,
	const uint8_t fingerprint[static HSMKEY_FINGERPRINT_LEN], struct hsmkey_facts *ret_facts,
	struct err *err) MUST_USE;
