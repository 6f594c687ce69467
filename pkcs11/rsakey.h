/* Internal to pkcs11/: private RSA operations, native or raw with OpenSSL's paddings; see mech.h. */
#pragma once

#include "base/secret.h"
#include "pkcs11/hsmkey_priv.h"
#include "pkcs11/mech.h"

/*
 * Opens an OAEP ciphertext of 1 octet or more of plaintext. ERR_BAD_CIPHERTEXT for every fault of the ciphertext
 * alike. `key` is not to be used after a failure.
 */
struct secret *rsakey_decrypt(struct session *session, const struct hsmkey *key, enum mech mech,
	enum mech_service service, struct bytes ciphertext, struct err *err) MUST_USE;

/*
 * Signs a digest of the algorithm's length; modulus octets in `out`. Verified by the public half before it is
 * returned (threat A25): ERR_UNAVAILABLE if it is wrong.
 */
bool rsakey_sign(struct session *session, const struct hsmkey *key, enum mech mech,
	enum mech_service service, struct bytes digest, uint8_t out[static PUBKEY_SIGNATURE_MAX],
	size_t *ret_len, struct err *err) MUST_USE;
