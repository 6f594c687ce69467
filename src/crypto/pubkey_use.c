/*
 * Using a public key: the long check, encryption, verification. Invariant: padding, hash and salt length are
 * set by us for every operation and never read from a key or a signature.
 */
#include "pubkey.h"

#include <assert.h>
#include <stdlib.h>

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include "crypto/libctx.h"
#include "crypto/pubkey_priv.h"

#define SMALL_FACTOR_MAX 65535 /* threat A12 */
/* An upper bound of SEQUENCE { INTEGER r, INTEGER s } for P-521. */
#define ECDSA_DER_MAX (2 * (CURVE_OCTETS_MAX + 4) + 4)

static EVP_PKEY_CTX *
context_of(const struct pubkey *pubkey)
{
	return EVP_PKEY_CTX_new_from_pkey(libctx_get()->context, pubkey->pkey, NULL);
}

static bool
has_small_factor(const BIGNUM *n)
{
	for (unsigned long divisor = 3; divisor <= SMALL_FACTOR_MAX; divisor += 2)
		if (BN_mod_word(n, divisor) == 0)
			return true;
	return false;
}

/* Whether `residue` is a power of 65537 modulo the prime `p`. */
static bool
is_power_of_f4(unsigned long residue, unsigned long p)
{
	unsigned long power = 1;
	do {
		if (power == residue)
			return true;
		power = power * 65537 % p;
	} while (power != 1);
	return false;
}

/*
 * CVE-2017-15361: primes of the form k * M + (65537^a mod M), M a primorial, so n is a power of 65537 modulo
 * every small prime (Nemec et al., "The Return of Coppersmith's Attack", CCS 2017, §2.2). A sound modulus
 * passes for all 38 of these primes with probability below 2^-27.
 */
static bool
is_roca(const BIGNUM *n)
{
	static const uint8_t primes[] = {3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53,
		59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107, 109, 113, 127, 131, 137, 139,
		149, 151, 157, 163, 167};
	for (size_t i = 0; i < sizeof(primes); i++)
		if (!is_power_of_f4(BN_mod_word(n, primes[i]), primes[i]))
			return false;
	return true;
}

static bool
check_modulus(const struct pubkey *pubkey, struct err *err)
{
	BIGNUM *n = BN_bin2bn(pubkey->first, (int)pubkey->first_len, NULL);
	if (n == NULL)
		return libctx_fail(err, "BN_bin2bn");
	bool small = has_small_factor(n);
	bool roca = is_roca(n);
	BN_free(n);
	if (small)
		return err_set(err, ERR_BAD_PARAMETER, "The RSA modulus has a small factor.");
	if (roca)
		return err_set(err, ERR_BAD_PARAMETER,
			"The RSA key is one of the weak family of CVE-2017-15361 (ROCA).");
	return true;
}

bool
pubkey_check(const struct pubkey *pubkey, struct err *err)
{
	if (pubkey->type == PUBKEY_RSA && !check_modulus(pubkey, err))
		return false;
	EVP_PKEY_CTX *ctx = context_of(pubkey);
	bool sound = ctx != NULL && EVP_PKEY_public_check(ctx) == 1;
	EVP_PKEY_CTX_free(ctx);
	ERR_clear_error();
	return sound || err_set(err, ERR_BAD_PARAMETER, "The public key is not a sound key.");
}

size_t
pubkey_plaintext_max(const struct pubkey *pubkey, enum pubkey_padding padding)
{
	assert(pubkey->type == PUBKEY_RSA);
	switch (padding) {
	case PUBKEY_OAEP_SHA256: /* RFC 8017 §7.1.1: k - 2 hLen - 2 */
		return pubkey->first_len - 2 * hash_len(HASH_SHA256) - 2;
	case PUBKEY_OAEP_SHA1:
		return pubkey->first_len - 2 * hash_len(HASH_SHA1) - 2;
	case PUBKEY_PKCS1: /* RFC 8017 §7.2.1 */
		return pubkey->first_len - 11;
	}
	abort();
}

static bool
set_padding(EVP_PKEY_CTX *ctx, enum pubkey_padding padding)
{
	if (padding == PUBKEY_PKCS1)
		return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1;
	const EVP_MD *md = libctx_get()->md[padding == PUBKEY_OAEP_SHA1 ? HASH_SHA1 : HASH_SHA256];
	return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) == 1 &&
	       EVP_PKEY_CTX_set_rsa_oaep_md(ctx, md) == 1 &&
	       EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, md) == 1;
}

bool
pubkey_encrypt(const struct pubkey *pubkey, enum pubkey_padding padding, struct bytes plaintext,
	uint8_t out[static PUBKEY_MODULUS_MAX], size_t *ret_len, struct err *err)
{
	size_t max = pubkey_plaintext_max(pubkey, padding);
	if (plaintext.len > max)
		return err_set(err, ERR_BAD_PARAMETER,
			"The value is too long: this key and algorithm take at most %zu octets.",
			max);
	const uint8_t *data = plaintext.len > 0 ? plaintext.data : (const uint8_t *)"";
	size_t len = PUBKEY_MODULUS_MAX;
	EVP_PKEY_CTX *ctx = context_of(pubkey);
	bool done = ctx != NULL && EVP_PKEY_encrypt_init(ctx) == 1 && set_padding(ctx, padding) &&
		    EVP_PKEY_encrypt(ctx, out, &len, data, plaintext.len) == 1;
	EVP_PKEY_CTX_free(ctx);
	if (!done)
		return libctx_fail(err, "EVP_PKEY_encrypt");
	*ret_len = len;
	return true;
}

static bool
set_scheme(EVP_PKEY_CTX *ctx, enum pubkey_scheme scheme, enum hash hash)
{
	const EVP_MD *md = libctx_get()->md[hash];
	if (EVP_PKEY_CTX_set_signature_md(ctx, md) != 1)
		return false;
	switch (scheme) {
	case PUBKEY_SIGN_PKCS1:
		return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1;
	case PUBKEY_SIGN_PSS:
		return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
		       EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, md) == 1 &&
		       EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) == 1;
	case PUBKEY_SIGN_ECDSA:
		return true;
	}
	return false;
}

/* r ‖ s to the DER that libcrypto verifies. 0: no memory. */
static size_t
ecdsa_der(struct bytes signature, uint8_t der[static ECDSA_DER_MAX])
{
	size_t octets = signature.len / 2;
	ECDSA_SIG *pair = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(signature.data, (int)octets, NULL);
	BIGNUM *s = BN_bin2bn(signature.data + octets, (int)octets, NULL);
	if (pair == NULL || r == NULL || s == NULL || ECDSA_SIG_set0(pair, r, s) != 1) {
		BN_free(r);
		BN_free(s);
		ECDSA_SIG_free(pair);
		return 0;
	}
	uint8_t *end = der;
	int len = i2d_ECDSA_SIG(pair, &end);
	ECDSA_SIG_free(pair);
	return len > 0 ? (size_t)len : 0;
}

static bool
verify(const struct pubkey *pubkey, enum pubkey_scheme scheme, enum hash hash, struct bytes digest,
	struct bytes signature, bool *ret_valid, struct err *err)
{
	EVP_PKEY_CTX *ctx = context_of(pubkey);
	if (ctx == NULL || EVP_PKEY_verify_init(ctx) != 1 || !set_scheme(ctx, scheme, hash)) {
		EVP_PKEY_CTX_free(ctx);
		return libctx_fail(err, "EVP_PKEY_verify_init");
	}
	int result = EVP_PKEY_verify(ctx, signature.data, signature.len, digest.data, digest.len);
	EVP_PKEY_CTX_free(ctx);
	/* libcrypto answers a wrong signature now by 0, now by an error; lack of memory is all that is not one. */
	if (result != 1 && ERR_GET_REASON(ERR_peek_last_error()) == ERR_R_MALLOC_FAILURE)
		return libctx_fail(err, "EVP_PKEY_verify");
	ERR_clear_error();
	*ret_valid = result == 1;
	return true;
}

bool
pubkey_verify(const struct pubkey *pubkey, enum pubkey_scheme scheme, enum hash hash,
	struct bytes digest, struct bytes signature, bool *ret_valid, struct err *err)
{
	bool ecdsa = scheme == PUBKEY_SIGN_ECDSA;
	if (ecdsa != (pubkey->type == PUBKEY_EC))
		return err_set(err, ERR_BAD_PARAMETER, "The algorithm is not of this key type.");
	if (digest.len != hash_len(hash))
		return err_set(err, ERR_BAD_PARAMETER, "The digest has %zu octets, not %zu.",
			digest.len, hash_len(hash));
	if (signature.len != pubkey_signature_len(pubkey)) {
		*ret_valid = false;
		return true;
	}
	if (!ecdsa)
		return verify(pubkey, scheme, hash, digest, signature, ret_valid, err);
	uint8_t der[ECDSA_DER_MAX];
	size_t len = ecdsa_der(signature, der);
	if (len == 0)
		return libctx_fail(err, "i2d_ECDSA_SIG");
	return verify(pubkey, scheme, hash, digest, (struct bytes){der, len}, ret_valid, err);
}
