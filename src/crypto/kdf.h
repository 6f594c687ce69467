/* Keys from keys and from passwords: HKDF (RFC 5869) and scrypt (RFC 7914). Thread-safe. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/secret.h"
#include "crypto/hash.h"

#define KDF_SCRYPT_LEN 32

/*
 * Extract and expand (RFC 5869 §2): fills `out` with `len` octets, at most 255 * hash_len(hash). An empty
 * salt is hash_len zero octets, as the RFC says. ERR_BAD_PARAMETER: too long; ERR_NO_MEMORY.
 */
bool kdf_hkdf(enum hash hash, struct bytes key, struct bytes salt, struct bytes info, uint8_t *out,
	size_t len, struct err *err) MUST_USE;

/*
 * The digest under which a PIN is remembered: scrypt with N = 2^14, r = 8, p = 1 (RFC 7914 §2; 16 MiB for
 * the call, some 50 ms) of `pin` and `salt` (16 octets or more, secret and kept by the caller). A new
 * secret of 32 octets, or NULL with ERR_NO_MEMORY.
 */
struct secret *kdf_scrypt(const struct secret *pin, struct bytes salt, struct err *err) MUST_USE;
