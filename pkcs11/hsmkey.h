/*
 * Keys on the token: what they are, and how one is found. Found once by CKA_ID, checked against the fingerprint and
 * proved to be usable, then cached in the session (threats A9, A10, B26). Made and destroyed in keymake.h.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/id.h"
#include "crypto/hash.h"
#include "crypto/pubkey.h"
#include "pkcs11/mech.h"
#include "pkcs11/session.h"

#define HSMKEY_ID_LEN          ID_VERSION_BYTES
#define HSMKEY_FINGERPRINT_LEN HASH_SHA256_LEN
#define HSMKEY_LABEL_MAX       (ID_VAULT_NAME_MAX + 1 + ID_KEY_NAME_MAX)

#define HSMKEY_LOCAL             1u /* generated on the token */
#define HSMKEY_ALWAYS_SENSITIVE  2u
#define HSMKEY_NEVER_EXTRACTABLE 4u

/* What a new key shall be. */
struct hsmkey_spec {
	uint8_t id[HSMKEY_ID_LEN];
	const char *label;
	enum key_kty kty;
	unsigned bits;    /* RSA 2048, 3072, 4096; AES 128, 192, 256; HMAC 256, 384, 512; EC 0 */
	enum curve curve; /* EC */
	uint32_t public_exponent; /* RSA: 3 or 65537 */
	uint32_t ops;             /* KEY_OP_*, fixed for life */
	bool extractable;         /* under a trusted wrapping key only */
};

/* What a key turned out to be. */
struct hsmkey_facts {
	uint8_t spki[PUBKEY_SPKI_MAX];
	size_t spki_len; /* 0 for AES and HMAC */
	uint8_t fingerprint
		[HSMKEY_FINGERPRINT_LEN]; /* SHA-256 of the SPKI, or of the check value of a secret key */
	unsigned provenance;              /* HSMKEY_LOCAL, ... as the token says (threat A22) */
	uint32_t reduced; /* hardening attributes that this object lacks, see attr.h */
};
