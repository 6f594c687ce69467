/*
 * The public half of an RSA or EC key: made from its numbers, checked, written out, used. Software only;
 * the private half is in a token. Immutable once made, so any number of threads may use one at a time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "crypto/curve.h"
#include "crypto/hash.h"

#define PUBKEY_MODULUS_MAX   512 /* octets: RSA-4096 */
#define PUBKEY_EXPONENT_MAX  4   /* octets: 65537 needs 3 */
#define PUBKEY_SPKI_MAX      640 /* octets of DER: RSA-4096 needs 550 */
#define PUBKEY_SIGNATURE_MAX PUBKEY_MODULUS_MAX

enum pubkey_type {
	PUBKEY_RSA = 1,
	PUBKEY_EC,
};

enum pubkey_padding {
	PUBKEY_OAEP_SHA256 =
		1, /* RSA-OAEP-256: SHA-256 for label hash and MGF1, empty label (RFC 7518 §4.3) */
	PUBKEY_OAEP_SHA1, /* RSA-OAEP: SHA-1 in both */
	PUBKEY_PKCS1,     /* RSA1_5: encryption only, we never open it (RFC 8017 §7.2.1) */
};

enum pubkey_scheme {
	PUBKEY_SIGN_PKCS1 = 1, /* RS*: RSASSA-PKCS1-v1_5 (RFC 8017 §8.2) */
	PUBKEY_SIGN_PSS, /* PS*: MGF1 with the same hash, salt as long as the hash (RFC 7518 §3.5) */
	PUBKEY_SIGN_ECDSA, /* ES*: r ‖ s of fixed width (RFC 7518 §3.4) */
};

struct pubkey;

/*
 * From big-endian numbers, leading zeros allowed. ERR_BAD_PARAMETER, with what is wrong: the modulus is
 * not of exactly 2048, 3072 or 4096 bits, is even, or e is neither 3 nor 65537.
 */
struct pubkey *pubkey_from_rsa(struct bytes n, struct bytes e, struct err *err) MUST_USE;

/*
 * From coordinates of exactly curve_octets() each, or from a point 04 ‖ x ‖ y. ERR_BAD_PARAMETER: wrong
 * length, compressed form, the point at infinity, not on the curve.
 */
struct pubkey *pubkey_from_xy(
	enum curve curve, struct bytes x, struct bytes y, struct err *err) MUST_USE;
struct pubkey *pubkey_from_point(enum curve curve, struct bytes point, struct err *err) MUST_USE;

/* From SubjectPublicKeyInfo (RFC 5280 §4.1.2.7) in DER, nothing after it; the same conditions. */
struct pubkey *pubkey_from_spki(struct bytes der, struct err *err) MUST_USE;

/* The same as PEM text ("PUBLIC KEY", RFC 7468 §13), with blanks before and after it. */
struct pubkey *pubkey_from_pem(struct bytes text, struct err *err) MUST_USE;
/* Appends that form; an overflow of `out` is its to tell. */
void pubkey_to_pem(const struct pubkey *pubkey, struct buf *out);

void pubkey_free(struct pubkey *pubkey);

/*
 * The long look before a key of foreign origin is taken (threat A12): no factor below 2^16, no modulus
 * of the ROCA family, composite; for EC the order of the point. Milliseconds, tens for RSA-4096.
 * ERR_BAD_PARAMETER says which.
 */
bool pubkey_check(const struct pubkey *pubkey, struct err *err) MUST_USE;

enum pubkey_type pubkey_get_type(const struct pubkey *pubkey);
/* RSA: bits of the modulus; EC: of the field (521 for P-521). */
unsigned pubkey_bits(const struct pubkey *pubkey);
/* Octets of an RSA ciphertext or signature, or of r ‖ s. */
size_t pubkey_signature_len(const struct pubkey *pubkey);

/* RSA only (asserted): big-endian without leading zeros, borrowed until the key is freed. */
struct bytes pubkey_get_n(const struct pubkey *pubkey);
struct bytes pubkey_get_e(const struct pubkey *pubkey);
/* EC only (asserted): curve_octets() each, borrowed until the key is freed. */
enum curve pubkey_get_curve(const struct pubkey *pubkey);
struct bytes pubkey_get_x(const struct pubkey *pubkey);
struct bytes pubkey_get_y(const struct pubkey *pubkey);
/* SubjectPublicKeyInfo in DER, borrowed until the key is freed, and its SHA-256: the key's fingerprint. */
struct bytes pubkey_get_spki(const struct pubkey *pubkey);
void pubkey_fingerprint(const struct pubkey *pubkey, uint8_t digest[static HASH_SHA256_LEN]);

/* The longest plaintext for a padding (RFC 8017 §7.1.1, §7.2.1). RSA only (asserted). */
size_t pubkey_plaintext_max(const struct pubkey *pubkey, enum pubkey_padding padding);

/*
 * Encrypts to exactly pubkey_signature_len() octets in `out`. RSA only (asserted). ERR_BAD_PARAMETER:
 * longer than pubkey_plaintext_max(). `plaintext` may be empty.
 */
bool pubkey_encrypt(const struct pubkey *pubkey, enum pubkey_padding padding,
	struct bytes plaintext, uint8_t out[static PUBKEY_MODULUS_MAX], size_t *ret_len,
	struct err *err) MUST_USE;

/*
 * Checks a signature over `digest`. True with *ret_valid false for a well-formed digest and any wrong
 * signature, of whatever length. ERR_BAD_PARAMETER: the scheme is not of this key type, or the digest
 * is not hash_len(hash) octets long.
 */
bool pubkey_verify(const struct pubkey *pubkey, enum pubkey_scheme scheme, enum hash hash,
	struct bytes digest, struct bytes signature, bool *ret_valid, struct err *err) MUST_USE;

DEFINE_CLEAN(pubkey, struct pubkey)
