#include "softkey.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

EVP_PKEY *
softkey_rsa(unsigned bits)
{
	EVP_PKEY *pkey = EVP_RSA_gen(bits);
	assert_non_null(pkey);
	return pkey;
}

EVP_PKEY *
softkey_ec(enum curve curve)
{
	EVP_PKEY *pkey = EVP_EC_gen(curve_library_name(curve));
	assert_non_null(pkey);
	return pkey;
}

EVP_PKEY *
softkey_rsa_from(struct bytes n, struct bytes e, struct bytes d)
{
	BIGNUM *bn[3] = {BN_bin2bn(n.data, (int)n.len, NULL), BN_bin2bn(e.data, (int)e.len, NULL),
		BN_bin2bn(d.data, (int)d.len, NULL)};
	OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
	(void)OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, bn[0]);
	(void)OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, bn[1]);
	(void)OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_D, bn[2]);
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(builder);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	EVP_PKEY *pkey = NULL;
	(void)EVP_PKEY_fromdata_init(ctx);
	(void)EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_KEYPAIR, params);
	assert_non_null(pkey);
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(builder);
	for (size_t i = 0; i < ARRAY_LEN(bn); i++)
		BN_free(bn[i]);
	return pkey;
}

struct pubkey *
softkey_pubkey(EVP_PKEY *pkey)
{
	struct err err = {0};
	uint8_t *der = NULL;
	int len = i2d_PUBKEY(pkey, &der);
	assert_true(len > 0);
	struct pubkey *pubkey = pubkey_from_spki((struct bytes){der, (size_t)len}, &err);
	OPENSSL_free(der);
	assert_non_null(pubkey);
	return pubkey;
}

bool
softkey_raw(EVP_PKEY *pkey, const uint8_t *in, uint8_t *out)
{
	size_t len = (size_t)EVP_PKEY_get_size(pkey);
	size_t in_len = len;
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(pkey, NULL);
	(void)EVP_PKEY_decrypt_init(ctx);
	(void)EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING);
	int result = EVP_PKEY_decrypt(ctx, out, &len, in, in_len);
	EVP_PKEY_CTX_free(ctx);
	return result == 1;
}

void
softkey_ecdsa(EVP_PKEY *pkey, enum curve curve, struct bytes digest, uint8_t *signature)
{
	uint8_t der[256];
	size_t len = sizeof(der);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(pkey, NULL);
	(void)EVP_PKEY_sign_init(ctx);
	int result = EVP_PKEY_sign(ctx, der, &len, digest.data, digest.len);
	EVP_PKEY_CTX_free(ctx);
	assert_int_equal(result, 1);
	const uint8_t *end = der;
	ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &end, (long)len);
	int octets = (int)curve_octets(curve);
	(void)BN_bn2binpad(ECDSA_SIG_get0_r(pair), signature, octets);
	(void)BN_bn2binpad(ECDSA_SIG_get0_s(pair), signature + octets, octets);
	ECDSA_SIG_free(pair);
}
