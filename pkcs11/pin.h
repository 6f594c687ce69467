/*
 * What is remembered of a PIN that a token refused, so that the same is never tried twice, by no later worker and
 * after no restart (threat B11). Call after module_load().
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/secret.h"

#define PIN_SALT_MIN   16
#define PIN_DIGEST_LEN 32

/* scrypt of the PIN under the daemon's salt of 16 octets or more; some 50 ms. ERR_INTERNAL, ERR_NO_MEMORY. */
bool pin_digest(const struct secret *pin, struct bytes salt,
	uint8_t ret_digest[static PIN_DIGEST_LEN], struct err *err) MUST_USE;
