/* Internal to pkcs11/: a key that was found and proved, and the cache of them. */
#pragma once

#include "hsmkey.h"
#include "session_priv.h"

struct hsmkey {
	uint8_t id[HSMKEY_ID_LEN];
	uint8_t fingerprint[HSMKEY_FINGERPRINT_LEN];
	enum key_kty kty;
	unsigned bits;
	enum curve curve;
	unsigned long handle;      /* private or secret half */
	unsigned long public_half; /* CK_INVALID_HANDLE (0) for none */
	bool decrypt, sign, wrap;  /* usage bits of that half; wrap: WRAP and UNWRAP */
	bool cipher;               /* ENCRYPT and DECRYPT of a secret key */
	unsigned provenance;       /* HSMKEY_LOCAL, ... */
	struct pubkey *pubkey;     /* RSA, EC */
	struct hsmkey *next;       /* in its bucket */
};

void hsmkey_free(struct hsmkey *key);

/*
 * The key of an id from the cache, or found and proved. `fingerprint` NULL: any. Borrowed until the next call that
 * may load or forget a key. ERR_KEY_MISSING, ERR_KEY_INTEGRITY.
 */
const struct hsmkey *hsmkey_find(struct session *session, const uint8_t id[static HSMKEY_ID_LEN],
	const uint8_t *fingerprint, struct err *err);

/* Finds and proves a key past the cache; the caller owns it. */
struct hsmkey *hsmkey_load(
	struct session *session, const uint8_t id[static HSMKEY_ID_LEN], struct err *err) MUST_USE;

/* ERR_KEY_INTEGRITY unless the object under the key's handle still has the key's id (threat B21). */
bool hsmkey_check_handle(
	struct session *session, const struct hsmkey *key, struct err *err) MUST_USE;

void hsmkey_fill_facts(const struct hsmkey *key, struct hsmkey_facts *facts);

void hsmkey_forget(struct session *session, const uint8_t id[static HSMKEY_ID_LEN]);
void hsmkey_forget_all(struct session *session);

/* The public half in an object of its own: RSA modulus and exponent, EC point. ERR_KEY_INTEGRITY if it is none. */
struct pubkey *hsmkey_read_rsa(
	struct session *session, unsigned long object, struct err *err) MUST_USE;
struct pubkey *hsmkey_read_ec(
	struct session *session, unsigned long object, enum curve curve, struct err *err) MUST_USE;

DEFINE_CLEAN(hsmkey, struct hsmkey)
