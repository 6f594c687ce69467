/* Wrapped data keys as libcustody sees them: text whose scope it can read. */
#pragma once

#include <stdbool.h>

#include "api/dep_token.h"
#include "base/attr.h"
#include "base/b64.h"
#include "lib/custody/custody.h"

_Static_assert((DEP_TOKEN_MAX * 4 + 2) / 3 < CUSTODY_WRAPPED_SIZE, "a wrapped data key fits");

/* `wrapped` is base64url, or NULL. BadCiphertext. */
bool data_key_token(
	const char *wrapped, struct dep_token *ret_token, struct custody_error *error) MUST_USE;
