/*
 * Internal to pkcs11/: AES key wrap (SP 800-38F §6.2 and §6.3), through C_Encrypt and C_Decrypt or through session
 * objects that are destroyed at once (threat A21).
 */
#pragma once

#include "base/secret.h"
#include "pkcs11/hsmkey_priv.h"
#include "pkcs11/mech.h"

#define KEYWRAP_BLOCK      8
#define KEYWRAP_PLAIN_MIN  16 /* RFC 3394 §2: two blocks or more */
#define KEYWRAP_PLAIN_MAX  64 /* threat A20 */
#define KEYWRAP_CIPHER_MAX 72 /* of the largest, padded or not */

/*
 * Wraps 16 to 64 octets, a multiple of 8 (KW), or 1 to 64 (KWP): ERR_BAD_PARAMETER otherwise, before the token is
 * asked. The new wrapping is opened once and compared before it is returned (threat B16).
 */
bool keywrap_wrap(struct session *session, const struct hsmkey *key, enum mech mech,
	enum mech_service service, struct bytes plain, uint8_t out[static KEYWRAP_CIPHER_MAX],
	size_t *ret_len, struct err *err) MUST_USE;

/* Opens. ERR_BAD_CIPHERTEXT for every fault of the input alike. `key` is not to be used after a failure. */
struct secret *keywrap_unwrap(struct session *session, const struct hsmkey *key, enum mech mech,
	enum mech_service service, struct bytes wrapped, struct err *err) MUST_USE;
