/* Internal to src/crypto: our OpenSSL library context and what was fetched from it, made once, then constant. */
#pragma once

#include <openssl/evp.h>
#include <openssl/kdf.h>

#include "base/err.h"
#include "crypto/hash.h"

struct libctx {
	OSSL_LIB_CTX *context;
	OSSL_PROVIDER *provider;
	EVP_CIPHER *gcm[3];          /* 128, 192, 256 bits */
	EVP_MD *md[HASH_SHA512 + 1]; /* by enum hash */
	EVP_MAC *hmac;
	EVP_MAC *cmac;
	EVP_KDF *hkdf;
	EVP_KDF *scrypt;
};

/* NULL if libcrypto lacks an algorithm. Thread-safe. */
const struct libctx *libctx_find(void);
/* The same, aborting instead of NULL. */
const struct libctx *libctx_get(void);

/* Frees all of it at the end of a program, with the generators' state; nothing of src/crypto may be called after. */
void libctx_clear(void);

/* ERR_INTERNAL with libcrypto's reason as origin; empties the thread's error queue. Returns false. */
bool libctx_fail(struct err *err, const char *call);
