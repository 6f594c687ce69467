/*
 * The proof that a token is the enrolled one (threats B23): it signs our fresh challenge with its identity key,
 * and we verify in software.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "wire/wire.h"

#define PROOF_CHALLENGE 32 /* octets */

/*
 * `spki` is the expected identity. ERR_TOKEN_IMPOSTOR: another identity answered, or the signature does not
 * verify; ERR_CATALOG_INTEGRITY: the expected identity is no key.
 */
bool proof_check(struct bytes spki, const uint8_t challenge[static PROOF_CHALLENGE],
	const struct wire_prove_answer *answer, struct err *err) MUST_USE;
