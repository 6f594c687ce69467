/* Internal to pkcs11/: AES-GCM on the token; 12-octet iv, 16-octet tag. */
#pragma once

#include "base/secret.h"
#include "crypto/gcm.h"
#include "pkcs11/hsmkey_priv.h"

#define AESKEY_MAX 65000 /* octets of plaintext: the worker's datagrams hold no more */

/*
 * Seals with a fresh iv from OpenSSL's generator (threat A24); a token that insists on its own writes it over ours,
 * and *iv is what was used. Appends plaintext.len octets to `ciphertext`.
 */
bool aeskey_seal(struct session *session, const struct hsmkey *key, struct bytes aad,
	struct bytes plaintext, uint8_t *ciphertext, uint8_t iv[static GCM_IV_LEN],
	uint8_t tag[static GCM_TAG_LEN], struct err *err) MUST_USE;

/*
 * Opens. *ret_plain is NULL for an empty plaintext. ERR_BAD_CIPHERTEXT for every fault of the input alike. `key` is
 * not to be used after a failure.
 */
bool aeskey_open(struct session *session, const struct hsmkey *key, struct bytes iv,
	struct bytes aad, struct bytes ciphertext, struct bytes tag, struct secret **ret_plain,
	struct err *err) MUST_USE;

/* The check value of a GCM key: a tag over `purpose` and nothing, under the zero iv that nothing else ever uses. */
bool aeskey_check_value(struct session *session, const struct hsmkey *key, struct bytes purpose,
	uint8_t tag[static GCM_TAG_LEN], struct err *err) MUST_USE;
