/* Invariant: the struct is complete or absent, and constant once made. */
#include "libctx.h"

#include <assert.h>
#include <stdlib.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/provider.h>

static CRYPTO_ONCE once = CRYPTO_ONCE_STATIC_INIT;
/* Process-wide like libcrypto's own default context, which it stands in for. */
static struct libctx libctx;
static bool complete;

static bool
fetch_all(struct libctx *ctx)
{
	static const char *const gcm_names[] = {"AES-128-GCM", "AES-192-GCM", "AES-256-GCM"};
	static const char *const md_names[] = {
		[HASH_SHA1] = "SHA1",
		[HASH_SHA256] = "SHA2-256",
		[HASH_SHA384] = "SHA2-384",
		[HASH_SHA512] = "SHA2-512",
	};
	bool found = true;
	for (size_t i = 0; i < ARRAY_LEN(gcm_names); i++) {
		ctx->gcm[i] = EVP_CIPHER_fetch(ctx->context, gcm_names[i], NULL);
		found = found && ctx->gcm[i] != NULL;
	}
	for (size_t i = HASH_SHA1; i < ARRAY_LEN(md_names); i++) {
		ctx->md[i] = EVP_MD_fetch(ctx->context, md_names[i], NULL);
		found = found && ctx->md[i] != NULL;
	}
	ctx->hmac = EVP_MAC_fetch(ctx->context, "HMAC", NULL);
	ctx->cmac = EVP_MAC_fetch(ctx->context, "CMAC", NULL);
	ctx->hkdf = EVP_KDF_fetch(ctx->context, "HKDF", NULL);
	ctx->scrypt = EVP_KDF_fetch(ctx->context, "SCRYPT", NULL);
	return found && ctx->hmac != NULL && ctx->cmac != NULL && ctx->hkdf != NULL &&
	       ctx->scrypt != NULL;
}

/* A context from OSSL_LIB_CTX_new() has no configuration and no provider until it is given one. */
static void
make(void)
{
	libctx.context = OSSL_LIB_CTX_new();
	if (libctx.context == NULL)
		return;
	libctx.provider = OSSL_PROVIDER_load(libctx.context, "default");
	complete = libctx.provider != NULL && fetch_all(&libctx);
}

const struct libctx *
libctx_find(void)
{
	if (CRYPTO_THREAD_run_once(&once, make) == 0 || !complete)
		return NULL;
	return &libctx;
}

const struct libctx *
libctx_get(void)
{
	const struct libctx *ctx = libctx_find();
	if (ctx == NULL)
		abort();
	return ctx;
}

void
libctx_clear(void)
{
	for (size_t i = 0; i < ARRAY_LEN(libctx.gcm); i++)
		EVP_CIPHER_free(libctx.gcm[i]);
	for (size_t i = 0; i < ARRAY_LEN(libctx.md); i++)
		EVP_MD_free(libctx.md[i]);
	EVP_MAC_free(libctx.hmac);
	EVP_MAC_free(libctx.cmac);
	EVP_KDF_free(libctx.hkdf);
	EVP_KDF_free(libctx.scrypt);
	if (libctx.provider != NULL)
		(void)OSSL_PROVIDER_unload(
			libctx.provider); /* the context ends next, whatever it says */
	OSSL_LIB_CTX_free(libctx.context);
	complete = false;
	libctx = (struct libctx){0};
}

bool
libctx_fail(struct err *err, const char *call)
{
	unsigned long error = ERR_peek_last_error();
	const char *reason = ERR_reason_error_string(error);
	enum err_code code =
		ERR_GET_REASON(error) == ERR_R_MALLOC_FAILURE ? ERR_NO_MEMORY : ERR_INTERNAL;
	(void)err_set(err, code, NULL);
	(void)err_origin(err, "%s: %s", call, reason != NULL ? reason : "no reason given");
	ERR_clear_error();
	return false;
}
