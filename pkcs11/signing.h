/* Internal to pkcs11/: ECDSA and HMAC with keys on the token. */
#pragma once

#include "pkcs11/hsmkey_priv.h"
#include "pkcs11/mech.h"

/* r || s over a digest of the algorithm's length, verified by the public half before it is returned (threat A25). */
bool signing_ecdsa(struct session *session, const struct hsmkey *key, enum mech mech,
	struct bytes digest, uint8_t out[static PUBKEY_SIGNATURE_MAX], size_t *ret_len,
	struct err *err) MUST_USE;

/* The whole tag. */
bool signing_hmac(struct session *session, const struct hsmkey *key, enum mech mech,
	struct bytes data, uint8_t out[static HASH_LEN_MAX], size_t *ret_len,
	struct err *err) MUST_USE;

/* False in *ret_valid for any wrong tag, of whatever length. */
bool signing_hmac_verify(struct session *session, const struct hsmkey *key, enum mech mech,
	struct bytes data, struct bytes tag, bool *ret_valid, struct err *err) MUST_USE;
