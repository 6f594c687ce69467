/* Internal to pkcs11/: proving that a private or secret half belongs to its fingerprint (threat A10). */
#pragma once

#include "pkcs11/hsmkey_priv.h"

/*
 * RSA and EC: the fingerprint is the SPKI's SHA-256, and the private half opens or signs something fresh that the
 * public half made or verifies. AES and HMAC: the fingerprint is the SHA-256 of what the key makes of a fixed
 * text, in the one family that it has; nothing that a caller can ask for yields that value. A key without any
 * private operation has only its SPKI. ERR_KEY_INTEGRITY if the halves do not belong together.
 */
bool possession_prove(struct session *session, const struct hsmkey *key,
	uint8_t ret_fingerprint[static HSMKEY_FINGERPRINT_LEN], struct err *err) MUST_USE;
