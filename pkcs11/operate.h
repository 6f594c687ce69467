/*
 * Using a key, as callers ask for it: found, checked against its fingerprint, used, repaired once if something
 * perishable was lost. Blocking; any number of threads, each with its session.
 *
 * All: ERR_KEY_MISSING, ERR_KEY_INTEGRITY; ERR_NOT_SUPPORTED if the token does not serve the algorithm;
 * ERR_BAD_PARAMETER if it is not one of this key's type, size or curve; ERR_UNAVAILABLE.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/secret.h"
#include "crypto/gcm.h"
#include "crypto/pubkey.h"
#include "pkcs11/hsmkey.h"
#include "pkcs11/mech.h"
#include "pkcs11/session.h"

/* Which key, and for what. */
struct operate_key {
	const uint8_t *id;          /* HSMKEY_ID_LEN */
	const uint8_t *fingerprint; /* HSMKEY_FINGERPRINT_LEN */
	enum mech mech;
};

struct operate_sealed {
	struct bytes data;
	struct bytes iv;  /* GCM, else empty */
	struct bytes aad; /* GCM, else empty */
	struct bytes tag; /* GCM, else empty */
};

/*
 * Opens what RSA-OAEP, GCM or key wrap sealed. *ret_plain is NULL for an empty GCM plaintext. ERR_BAD_CIPHERTEXT in
 * one form for every fault of the input (threats A15, A16).
 */
bool operate_decrypt(struct session *session, const struct operate_key *which,
	const struct operate_sealed *sealed, struct secret **ret_plain, struct err *err) MUST_USE;

#define OPERATE_DATA_MAX 65000 /* octets of plaintext */

struct operate_fresh {
	struct buf
		data; /* initialised and cleared by the caller, maximum OPERATE_DATA_MAX or more */
	uint8_t iv[GCM_IV_LEN];
	uint8_t tag[GCM_TAG_LEN];
	bool gcm; /* iv and tag count */
};

/* Seals with GCM or key wrap. ERR_BAD_PARAMETER for a length that the algorithm does not take, or is too much. */
bool operate_encrypt(struct session *session, const struct operate_key *which, struct bytes plain,
	struct bytes aad, struct operate_fresh *ret_fresh, struct err *err) MUST_USE;

/*
 * Signs a digest, of exactly the length of the algorithm's hash; RSA and EC signatures verify, or they do not leave.
 * HMAC: the digest is what is authenticated.
 */
bool operate_sign(struct session *session, const struct operate_key *which, struct bytes digest,
	uint8_t out[static PUBKEY_SIGNATURE_MAX], size_t *ret_len, struct err *err) MUST_USE;

/* HMAC only. */
bool operate_verify(struct session *session, const struct operate_key *which, struct bytes digest,
	struct bytes tag, bool *ret_valid, struct err *err) MUST_USE;
