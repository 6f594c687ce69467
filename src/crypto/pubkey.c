/*
 * Making a public key. Invariant: every struct pubkey went through pubkey_from_rsa() or pubkey_from_point(),
 * whatever form it came in, so their conditions hold for all.
 */
#include "pubkey.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>

#include "crypto/libctx.h"
#include "crypto/pubkey_priv.h"

static struct bytes
strip_zeros(struct bytes number)
{
	while (number.len > 0 && number.data[0] == 0) {
		number.data++;
		number.len--;
	}
	return number;
}

static bool
check_rsa_numbers(struct bytes n, struct bytes e, struct err *err)
{
	static const uint8_t three[] = {3};
	static const uint8_t f4[] = {1, 0, 1};
	bool whole = n.len == 256 || n.len == 384 || n.len == 512; /* threat A12 */
	if (!whole || (n.data[0] & 0x80) == 0)
		return err_set(err, ERR_BAD_PARAMETER,
			"An RSA key must have exactly 2048, 3072 or 4096 bits.");
	if ((n.data[n.len - 1] & 1) == 0)
		return err_set(err, ERR_BAD_PARAMETER, "The RSA modulus is even.");
	if (!bytes_equal(e, (struct bytes){f4, sizeof(f4)}) &&
		!bytes_equal(e, (struct bytes){three, sizeof(three)}))
		return err_set(
			err, ERR_BAD_PARAMETER, "The RSA public exponent must be 65537 or 3.");
	return true;
}

static EVP_PKEY *
pkey_from_params(const char *type, OSSL_PARAM *params)
{
	EVP_PKEY *pkey = NULL;
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(libctx_get()->context, type, NULL);
	bool made = ctx != NULL && params != NULL && EVP_PKEY_fromdata_init(ctx) == 1 &&
		    EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) == 1;
	EVP_PKEY_CTX_free(ctx);
	return made ? pkey : NULL;
}

static EVP_PKEY *
rsa_pkey(struct bytes n, struct bytes e)
{
	BIGNUM *bn_n = BN_bin2bn(n.data, (int)n.len, NULL);
	BIGNUM *bn_e = BN_bin2bn(e.data, (int)e.len, NULL);
	OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
	OSSL_PARAM *params = NULL;
	if (bn_n != NULL && bn_e != NULL && builder != NULL &&
		OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, bn_n) == 1 &&
		OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, bn_e) == 1)
		params = OSSL_PARAM_BLD_to_param(builder);
	EVP_PKEY *pkey = pkey_from_params("RSA", params);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(builder);
	BN_free(bn_e);
	BN_free(bn_n);
	return pkey;
}

static EVP_PKEY *
ec_pkey(enum curve curve, struct bytes point)
{
	OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
	OSSL_PARAM *params = NULL;
	if (builder != NULL &&
		OSSL_PARAM_BLD_push_utf8_string(
			builder, OSSL_PKEY_PARAM_GROUP_NAME, curve_library_name(curve), 0) == 1 &&
		OSSL_PARAM_BLD_push_octet_string(
			builder, OSSL_PKEY_PARAM_PUB_KEY, point.data, point.len) == 1)
		params = OSSL_PARAM_BLD_to_param(builder);
	EVP_PKEY *pkey = pkey_from_params("EC", params);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(builder);
	return pkey;
}

static bool
encode_spki(struct pubkey *pubkey, struct err *err)
{
	uint8_t *der = NULL;
	int len = i2d_PUBKEY(pubkey->pkey, &der);
	if (len <= 0)
		return libctx_fail(err, "i2d_PUBKEY");
	assert((size_t)len <= sizeof(pubkey->spki));
	memcpy(pubkey->spki, der, (size_t)len);
	pubkey->spki_len = (size_t)len;
	OPENSSL_free(der);
	return true;
}

/* Owns `take_pkey`, which may be NULL after a failure of libcrypto. */
static struct pubkey *
assemble(enum pubkey_type type, enum curve curve, EVP_PKEY *take_pkey, struct bytes first,
	struct bytes second, struct err *err)
{
	CLEAN(pubkey)
	struct pubkey *pubkey = calloc(1, sizeof(*pubkey));
	if (pubkey == NULL) {
		EVP_PKEY_free(take_pkey);
		(void)err_set(err, ERR_NO_MEMORY, NULL);
		return NULL;
	}
	pubkey->type = type;
	pubkey->curve = curve;
	pubkey->pkey = take_pkey;
	if (take_pkey == NULL) {
		(void)libctx_fail(err, "EVP_PKEY_fromdata");
		return NULL;
	}
	memcpy(pubkey->first, first.data, first.len);
	pubkey->first_len = first.len;
	memcpy(pubkey->second, second.data, second.len);
	pubkey->second_len = second.len;
	if (!encode_spki(pubkey, err))
		return NULL;
	struct pubkey *result = pubkey;
	pubkey = NULL;
	return result;
}

struct pubkey *
pubkey_from_rsa(struct bytes n, struct bytes e, struct err *err)
{
	n = strip_zeros(n);
	e = strip_zeros(e);
	if (!check_rsa_numbers(n, e, err))
		return NULL;
	return assemble(PUBKEY_RSA, CURVE_NONE, rsa_pkey(n, e), n, e, err);
}

/* All our curves have cofactor 1: a finite point on the curve is in the right group (SEC 1 §3.2.2.1). */
static bool
point_is_valid(EVP_PKEY *pkey)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(libctx_get()->context, pkey, NULL);
	bool valid = ctx != NULL && EVP_PKEY_public_check_quick(ctx) == 1;
	EVP_PKEY_CTX_free(ctx);
	return valid;
}

struct pubkey *
pubkey_from_point(enum curve curve, struct bytes point, struct err *err)
{
	size_t octets = curve_octets(curve);
	if (point.len != 1 + 2 * octets || point.data[0] != 4) { /* SEC 1 §2.3.3 */
		(void)err_set(err, ERR_BAD_PARAMETER, "A point of %s is 04, x and y, %zu octets.",
			curve_name(curve), 1 + 2 * octets);
		return NULL;
	}
	EVP_PKEY *pkey = ec_pkey(curve, point);
	if (pkey == NULL || !point_is_valid(pkey)) {
		EVP_PKEY_free(pkey);
		ERR_clear_error();
		(void)err_set(err, ERR_BAD_PARAMETER, "The point is not on %s.", curve_name(curve));
		return NULL;
	}
	struct bytes x = {point.data + 1, octets};
	struct bytes y = {point.data + 1 + octets, octets};
	return assemble(PUBKEY_EC, curve, pkey, x, y, err);
}

struct pubkey *
pubkey_from_xy(enum curve curve, struct bytes x, struct bytes y, struct err *err)
{
	size_t octets = curve_octets(curve);
	if (x.len != octets || y.len != octets) {
		(void)err_set(err, ERR_BAD_PARAMETER, "x and y of %s have %zu octets each.",
			curve_name(curve), octets);
		return NULL;
	}
	uint8_t point[CURVE_POINT_MAX] = {4};
	memcpy(point + 1, x.data, octets);
	memcpy(point + 1 + octets, y.data, octets);
	return pubkey_from_point(curve, (struct bytes){point, 1 + 2 * octets}, err);
}

static bool
get_number(
	const EVP_PKEY *pkey, const char *name, uint8_t out[static PUBKEY_MODULUS_MAX], size_t *len)
{
	BIGNUM *number = NULL;
	if (EVP_PKEY_get_bn_param(pkey, name, &number) != 1)
		return false;
	bool fits = BN_num_bytes(number) <= PUBKEY_MODULUS_MAX;
	if (fits)
		*len = (size_t)BN_bn2bin(number, out);
	BN_free(number);
	return fits;
}

static struct pubkey *
from_rsa_pkey(const EVP_PKEY *pkey, struct err *err)
{
	uint8_t n[PUBKEY_MODULUS_MAX];
	uint8_t e[PUBKEY_MODULUS_MAX];
	size_t n_len = 0;
	size_t e_len = 0;
	if (!get_number(pkey, OSSL_PKEY_PARAM_RSA_N, n, &n_len) ||
		!get_number(pkey, OSSL_PKEY_PARAM_RSA_E, e, &e_len)) {
		ERR_clear_error();
		(void)err_set(err, ERR_BAD_PARAMETER, "The RSA key is too long.");
		return NULL;
	}
	return pubkey_from_rsa((struct bytes){n, n_len}, (struct bytes){e, e_len}, err);
}

static struct pubkey *
from_ec_pkey(const EVP_PKEY *pkey, struct err *err)
{
	char group[64];
	uint8_t point[CURVE_POINT_MAX];
	size_t len = 0;
	enum curve curve = CURVE_NONE;
	if (EVP_PKEY_get_utf8_string_param(
		    pkey, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof(group), NULL) == 1)
		for (enum curve c = CURVE_NONE + 1; c < CURVE_COUNT; c++)
			if (strcmp(curve_library_name(c), group) == 0)
				curve = c;
	if (curve == CURVE_NONE ||
		EVP_PKEY_get_octet_string_param(pkey, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, point,
			sizeof(point), &len) != 1) {
		ERR_clear_error();
		(void)err_set(err, ERR_BAD_PARAMETER, "The elliptic curve is not one we serve.");
		return NULL;
	}
	return pubkey_from_point(curve, (struct bytes){point, len}, err);
}

struct pubkey *
pubkey_from_spki(struct bytes der, struct err *err)
{
	EVP_PKEY *pkey = NULL;
	const uint8_t *end = der.data;
	if (der.len <= PUBKEY_SPKI_MAX)
		pkey = d2i_PUBKEY_ex(NULL, &end, (long)der.len, libctx_get()->context, NULL);
	CLEAN(pubkey)
	struct pubkey *pubkey = NULL;
	if (pkey != NULL && EVP_PKEY_is_a(pkey, "RSA") == 1)
		pubkey = from_rsa_pkey(pkey, err);
	else if (pkey != NULL && EVP_PKEY_is_a(pkey, "EC") == 1)
		pubkey = from_ec_pkey(pkey, err);
	else
		(void)err_set(err, ERR_BAD_PARAMETER,
			"The public key is no SubjectPublicKeyInfo of an RSA or EC key.");
	EVP_PKEY_free(pkey);
	ERR_clear_error();
	/* One key, one spelling: explicit curve parameters, BER and trailing octets end here. */
	if (pubkey != NULL && !bytes_equal(pubkey_get_spki(pubkey), der)) {
		(void)err_set(err, ERR_BAD_PARAMETER, "The public key is not in canonical DER.");
		return NULL;
	}
	struct pubkey *result = pubkey;
	pubkey = NULL;
	return result;
}

void
pubkey_free(struct pubkey *pubkey)
{
	if (pubkey == NULL)
		return;
	EVP_PKEY_free(pubkey->pkey);
	free(pubkey);
}

enum pubkey_type
pubkey_get_type(const struct pubkey *pubkey)
{
	return pubkey->type;
}

unsigned
pubkey_bits(const struct pubkey *pubkey)
{
	return (unsigned)EVP_PKEY_get_bits(pubkey->pkey);
}

size_t
pubkey_signature_len(const struct pubkey *pubkey)
{
	return pubkey->type == PUBKEY_RSA ? pubkey->first_len : 2 * pubkey->first_len;
}

struct bytes
pubkey_get_n(const struct pubkey *pubkey)
{
	assert(pubkey->type == PUBKEY_RSA);
	return (struct bytes){pubkey->first, pubkey->first_len};
}

struct bytes
pubkey_get_e(const struct pubkey *pubkey)
{
	assert(pubkey->type == PUBKEY_RSA);
	return (struct bytes){pubkey->second, pubkey->second_len};
}

enum curve
pubkey_get_curve(const struct pubkey *pubkey)
{
	assert(pubkey->type == PUBKEY_EC);
	return pubkey->curve;
}

struct bytes
pubkey_get_x(const struct pubkey *pubkey)
{
	assert(pubkey->type == PUBKEY_EC);
	return (struct bytes){pubkey->first, pubkey->first_len};
}

struct bytes
pubkey_get_y(const struct pubkey *pubkey)
{
	assert(pubkey->type == PUBKEY_EC);
	return (struct bytes){pubkey->second, pubkey->second_len};
}

struct bytes
pubkey_get_spki(const struct pubkey *pubkey)
{
	return (struct bytes){pubkey->spki, pubkey->spki_len};
}

void
pubkey_fingerprint(const struct pubkey *pubkey, uint8_t digest[static HASH_SHA256_LEN])
{
	hash_sha256(pubkey->spki, pubkey->spki_len, digest);
}
