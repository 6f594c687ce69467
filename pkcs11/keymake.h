/* Making and destroying keys on the token. Nothing here is ever half done when it returns true. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "pkcs11/hsmkey.h"
#include "pkcs11/session.h"

/*
 * Generates the key from a full template, reads every attribute back in a fresh session, proves it by using it
 * once; whatever goes wrong, nothing of it stays on the token (threats A8, B14, B27, B28, B36). One at a time for
 * the whole process. ERR_BAD_PARAMETER: not a key that we make. ERR_CONFLICT: the id is in use.
 * ERR_TOKEN_REDUCED: an attribute was not honoured.
 */
bool keymake_generate(struct session *session, const struct hsmkey_spec *spec,
	struct hsmkey_facts *ret_facts, struct err *err) MUST_USE;

/*
 * Destroys all halves of a key and verifies by a fresh search that it is gone (threat B29). Good if there is none.
 * `fingerprint` NULL: remains of a creation that nobody knows of; whatever has the id goes. Otherwise the key
 * must have it: ERR_KEY_INTEGRITY and nothing is destroyed. One at a time for the whole process.
 */
bool keymake_destroy(struct session *session, const uint8_t id[static HSMKEY_ID_LEN],
	const uint8_t *fingerprint, struct err *err) MUST_USE;
