/*
 * libcrypto's padding functions, for results that come from outside it. They are marked deprecated since 3.0 in
 * favour of EVP_PKEY_decrypt(), which wants the private key in the process; for a key in a token they are the
 * only constant-time check the library offers, so the warning is off in this file and nowhere else.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "rsapad.h"

#include <assert.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include "crypto/libctx.h"

bool
rsapad_raw_valid(const struct pubkey *pubkey, struct bytes c)
{
	struct bytes n = pubkey_get_n(pubkey);
	if (c.len != n.len)
		return false;
	BIGNUM *bn_c = BN_bin2bn(c.data, (int)c.len, NULL);
	BIGNUM *bound = BN_bin2bn(n.data, (int)n.len, NULL);
	bool valid = bn_c != NULL && bound != NULL && BN_sub_word(bound, 1) == 1 &&
		     BN_cmp(bn_c, BN_value_one()) > 0 && BN_cmp(bn_c, bound) < 0;
	BN_free(bn_c);
	BN_free(bound);
	return valid;
}

int
rsapad_oaep_check(const struct secret *raw, enum hash hash, struct secret *ret_message)
{
	int len = (int)secret_len(raw);
	assert(secret_len(ret_message) == secret_len(raw));
	const EVP_MD *md = libctx_get()->md[hash];
	return RSA_padding_check_PKCS1_OAEP_mgf1(
		secret_data(ret_message), len, secret_peek(raw), len, len, NULL, 0, md, md);
}

struct secret *
rsapad_oaep_decode(const struct secret *raw, enum hash hash, size_t expected_len, struct err *err)
{
	CLEAN(secret)
	struct secret *message = secret_new(secret_len(raw));
	if (message == NULL) {
		(void)err_set(err, ERR_NO_MEMORY, NULL);
		return NULL;
	}
	int result = rsapad_oaep_check(raw, hash, message);
	ERR_clear_error(); /* it is filled and half emptied in constant time */
	/* From here on good or bad is what the caller learns anyway; one answer for every bad. */
	bool good = result > 0 && (expected_len == 0 || (size_t)result == expected_len);
	if (!good) {
		(void)err_set(err, ERR_BAD_CIPHERTEXT, NULL);
		return NULL;
	}
	secret_truncate(message, (size_t)result);
	struct secret *decoded = message;
	message = NULL;
	return decoded;
}

static bool
check_digest(enum hash hash, struct bytes digest, struct err *err)
{
	if (digest.len == hash_len(hash))
		return true;
	return err_set(err, ERR_BAD_PARAMETER, "The digest has %zu octets, not %zu.", digest.len,
		hash_len(hash));
}

/* libcrypto's PSS takes the modulus' bits from a legacy key object. */
static RSA *
legacy_key(const struct pubkey *pubkey)
{
	struct bytes n = pubkey_get_n(pubkey);
	struct bytes e = pubkey_get_e(pubkey);
	RSA *rsa = RSA_new();
	BIGNUM *bn_n = BN_bin2bn(n.data, (int)n.len, NULL);
	BIGNUM *bn_e = BN_bin2bn(e.data, (int)e.len, NULL);
	if (rsa == NULL || bn_n == NULL || bn_e == NULL ||
		RSA_set0_key(rsa, bn_n, bn_e, NULL) != 1) {
		BN_free(bn_n);
		BN_free(bn_e);
		RSA_free(rsa);
		return NULL;
	}
	return rsa;
}

bool
rsapad_pss_encode(const struct pubkey *pubkey, enum hash hash, struct bytes digest,
	uint8_t out[static PUBKEY_MODULUS_MAX], size_t *ret_len, struct err *err)
{
	if (!check_digest(hash, digest, err))
		return false;
	const EVP_MD *md = libctx_get()->md[hash];
	RSA *rsa = legacy_key(pubkey);
	bool done = rsa != NULL && RSA_padding_add_PKCS1_PSS_mgf1(rsa, out, digest.data, md, md,
					   RSA_PSS_SALTLEN_DIGEST) == 1;
	RSA_free(rsa);
	if (!done)
		return libctx_fail(err, "RSA_padding_add_PKCS1_PSS_mgf1");
	*ret_len = pubkey_signature_len(pubkey);
	return true;
}

bool
rsapad_digest_info(enum hash hash, struct bytes digest, uint8_t out[static RSAPAD_DIGEST_INFO_MAX],
	size_t *ret_len, struct err *err)
{
	/* RFC 8017 §9.2 note 1: the hashes differ in both lengths and the last arc of the identifier */
	static const uint8_t prefix[] = {0x30, 0, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
		0x65, 0x03, 0x04, 0x02, 0, 0x05, 0x00, 0x04, 0};
	static const uint8_t oid[] = {
		[HASH_SHA256] = 1, [HASH_SHA384] = 2, [HASH_SHA512] = 3}; /* FIPS 180-4's arc */
	assert(hash >= HASH_SHA256 && hash <= HASH_SHA512);
	if (!check_digest(hash, digest, err))
		return false;
	memcpy(out, prefix, sizeof(prefix));
	out[1] = (uint8_t)(sizeof(prefix) - 2 + digest.len);
	out[14] = oid[hash];
	out[18] = (uint8_t)digest.len;
	memcpy(out + sizeof(prefix), digest.data, digest.len);
	*ret_len = sizeof(prefix) + digest.len;
	return true;
}

bool
rsapad_pkcs1_encode(const struct pubkey *pubkey, enum hash hash, struct bytes digest,
	uint8_t out[static PUBKEY_MODULUS_MAX], size_t *ret_len, struct err *err)
{
	uint8_t info[RSAPAD_DIGEST_INFO_MAX];
	size_t info_len = 0;
	if (!rsapad_digest_info(hash, digest, info, &info_len, err))
		return false;
	size_t len = pubkey_signature_len(pubkey);
	if (RSA_padding_add_PKCS1_type_1(out, (int)len, info, (int)info_len) != 1)
		return libctx_fail(err, "RSA_padding_add_PKCS1_type_1");
	*ret_len = len;
	return true;
}
