/*
 * RSA paddings around a raw private operation (CKM_RSA_X_509) done by a token that lacks the mechanism.
 * Every padding is made or checked by OpenSSL; there is no padding code of ours. Thread-safe.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/secret.h"
#include "crypto/hash.h"
#include "crypto/pubkey.h"

#define RSAPAD_DIGEST_INFO_MAX 83 /* 19 octets and SHA-512 */

/*
 * Whether `c`, which must be exactly as long as the modulus, is fit for a raw private operation:
 * 1 < c < n - 1 (threat A13). Public values, so not in constant time.
 */
bool rsapad_raw_valid(const struct pubkey *pubkey, struct bytes c) MUST_USE;

/*
 * EME-OAEP decoding (RFC 8017 §7.1.2 step 3), empty label, MGF1 with the same hash. `raw` is the result
 * of the raw private operation, right-aligned in a secret of exactly the modulus' length; a token that
 * strips leading zeros has had them put back. The message must be 1 octet or more, and exactly
 * `expected_len` octets if that is not 0.
 *
 * Time does not depend on where or why the padding is wrong. NULL with ERR_BAD_CIPHERTEXT for every
 * reason alike, an empty or wrong-length message included; ERR_NO_MEMORY.
 */
struct secret *rsapad_oaep_decode(
	const struct secret *raw, enum hash hash, size_t expected_len, struct err *err) MUST_USE;

/*
 * The constant-time part of it alone, for the test that watches it under memcheck: writes the message to
 * the front of `ret_message` (as long as `raw`) and returns its length, or -1. Nothing else is touched.
 */
int rsapad_oaep_check(const struct secret *raw, enum hash hash, struct secret *ret_message);

/*
 * EMSA-PSS (RFC 8017 §9.1.1) with a fresh salt as long as the hash: writes modulus-length octets, ready
 * for the raw operation. ERR_BAD_PARAMETER: digest of a wrong length.
 */
bool rsapad_pss_encode(const struct pubkey *pubkey, enum hash hash, struct bytes digest,
	uint8_t out[static PUBKEY_MODULUS_MAX], size_t *ret_len, struct err *err) MUST_USE;

/* EMSA-PKCS1-v1_5 (RFC 8017 §9.2): the same for RS*. */
bool rsapad_pkcs1_encode(const struct pubkey *pubkey, enum hash hash, struct bytes digest,
	uint8_t out[static PUBKEY_MODULUS_MAX], size_t *ret_len, struct err *err) MUST_USE;

/* DigestInfo (RFC 8017 §9.2 step 2) alone: the input of CKM_RSA_PKCS. */
bool rsapad_digest_info(enum hash hash, struct bytes digest,
	uint8_t out[static RSAPAD_DIGEST_INFO_MAX], size_t *ret_len, struct err *err) MUST_USE;
