/* Invariant: parameters are ours; callers choose inputs and lengths only. */
#include "kdf.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>

#include "crypto/libctx.h"

#define SCRYPT_N      16384 /* RFC 7914 §2: interactive use */
#define SCRYPT_R      8
#define SCRYPT_P      1
#define SCRYPT_MEMORY (64 << 20) /* bound given to libcrypto; the call needs 16 MiB */

/* OSSL_PARAM wants mutable octets, also where it only reads. */
static OSSL_PARAM
octets(const char *name, struct bytes bytes)
{
	union {
		const uint8_t *in;
		uint8_t *out;
	} data = {bytes.data};
	return OSSL_PARAM_construct_octet_string(name, data.out, bytes.len);
}

static bool
derive(EVP_KDF *kdf, const OSSL_PARAM *params, uint8_t *out, size_t len, struct err *err)
{
	EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(kdf);
	bool done = ctx != NULL && EVP_KDF_derive(ctx, out, len, params) == 1;
	EVP_KDF_CTX_free(ctx);
	return done || libctx_fail(err, "EVP_KDF_derive");
}

bool
kdf_hkdf(enum hash hash, struct bytes key, struct bytes salt, struct bytes info, uint8_t *out,
	size_t len, struct err *err)
{
	if (len == 0 || len > 255 * hash_len(hash)) /* RFC 5869 §2.3 */
		return err_set(err, ERR_BAD_PARAMETER, "HKDF makes 1 to %zu octets.",
			255 * hash_len(hash));

	char name[32];
	(void)OPENSSL_strlcpy(name, EVP_MD_get0_name(libctx_get()->md[hash]), sizeof(name));
	OSSL_PARAM params[5];
	size_t count = 0;
	params[count++] = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, name, 0);
	params[count++] = octets(OSSL_KDF_PARAM_KEY, key);
	if (salt.len > 0)
		params[count++] = octets(OSSL_KDF_PARAM_SALT, salt);
	if (info.len > 0)
		params[count++] = octets(OSSL_KDF_PARAM_INFO, info);
	params[count] = OSSL_PARAM_construct_end();
	return derive(libctx_get()->hkdf, params, out, len, err);
}

struct secret *
kdf_scrypt(const struct secret *pin, struct bytes salt, struct err *err)
{
	uint64_t n = SCRYPT_N;
	uint32_t r = SCRYPT_R;
	uint32_t p = SCRYPT_P;
	uint64_t memory = SCRYPT_MEMORY;
	OSSL_PARAM params[] = {
		octets(OSSL_KDF_PARAM_PASSWORD, secret_bytes(pin)),
		octets(OSSL_KDF_PARAM_SALT, salt),
		OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_N, &n),
		OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_R, &r),
		OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_P, &p),
		OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_MAXMEM, &memory),
		OSSL_PARAM_construct_end(),
	};
	CLEAN(secret)
	struct secret *digest = secret_new(KDF_SCRYPT_LEN);
	if (digest == NULL) {
		(void)err_set(err, ERR_NO_MEMORY, NULL);
		return NULL;
	}
	if (!derive(libctx_get()->scrypt, params, secret_data(digest), KDF_SCRYPT_LEN, err))
		return NULL;
	struct secret *result = digest;
	digest = NULL;
	return result;
}
