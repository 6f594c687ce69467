/* Invariant: a digest is written whole or the process ends; no caller has a path for half a hash. */
#include "hash.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/params.h>

#include "crypto/libctx.h"

struct hash_state {
	EVP_MD_CTX *ctx;
	const EVP_MD *md;
};

/* libcrypto's hashes fail for lack of memory only. */
static void
must(int result)
{
	if (result != 1)
		abort();
}

static const EVP_MD *
md_of(enum hash hash)
{
	assert(hash > HASH_NONE && hash <= HASH_SHA512);
	return libctx_get()->md[hash];
}

size_t
hash_len(enum hash hash)
{
	return (size_t)EVP_MD_get_size(md_of(hash));
}

void
hash_data(enum hash hash, const void *data, size_t len, uint8_t *digest)
{
	must(EVP_Digest(data, len, digest, NULL, md_of(hash), NULL));
}

void
hash_sha256(const void *data, size_t len, uint8_t digest[static HASH_SHA256_LEN])
{
	hash_data(HASH_SHA256, data, len, digest);
}

void
hash_hmac(enum hash hash, struct bytes key, struct bytes data, uint8_t *mac)
{
	/* OSSL_PARAM wants a mutable string and does not change it. */
	char name[32];
	(void)OPENSSL_strlcpy(name, EVP_MD_get0_name(md_of(hash)), sizeof(name));
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
		OSSL_PARAM_construct_end(),
	};
	EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(libctx_get()->hmac);
	if (ctx == NULL)
		abort();
	/* A NULL key would mean "the key of before". */
	const uint8_t *key_data = key.len > 0 ? key.data : (const uint8_t *)"";
	must(EVP_MAC_init(ctx, key_data, key.len, params));
	must(EVP_MAC_update(ctx, data.data, data.len));
	size_t mac_len = 0;
	must(EVP_MAC_final(ctx, mac, &mac_len, hash_len(hash)));
	EVP_MAC_CTX_free(ctx);
}

struct hash_state *
hash_new(enum hash hash)
{
	struct hash_state *state = calloc(1, sizeof(*state));
	if (state == NULL)
		abort();
	state->md = md_of(hash);
	state->ctx = EVP_MD_CTX_new();
	must(state->ctx != NULL && EVP_DigestInit_ex2(state->ctx, state->md, NULL) == 1);
	return state;
}

void
hash_free(struct hash_state *state)
{
	if (state == NULL)
		return;
	EVP_MD_CTX_free(state->ctx);
	free(state);
}

void
hash_update(struct hash_state *state, const void *data, size_t len)
{
	must(EVP_DigestUpdate(state->ctx, data, len));
}

void
hash_finish(struct hash_state *state, uint8_t *digest)
{
	must(EVP_DigestFinal_ex(state->ctx, digest, NULL));
	must(EVP_DigestInit_ex2(state->ctx, state->md, NULL));
}
