/* Invariant: the derived key lives on the stack of one call and is wiped before it returns. */
#include "xaes.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/params.h>

#include "crypto/gcm.h"
#include "crypto/libctx.h"

#define BLOCK      16
#define NONCE_HALF 12 /* C2SP XAES-256-GCM: what the key is derived from; the rest is GCM's iv */

static_assert(XAES_NONCE_LEN == NONCE_HALF + GCM_IV_LEN, "the nonce is both halves");
static_assert(XAES_TAG_LEN == GCM_TAG_LEN, "the tag is GCM's");

struct xaes {
	EVP_MAC_CTX *cmac;
	struct gcm *gcm; /* re-keyed by each call */
};

struct xaes *
xaes_new(const struct secret *key, struct err *err)
{
	assert(secret_len(key) == XAES_KEY_LEN);
	char cipher[] = "AES-256-CBC"; /* names the block cipher of CMAC (EVP_MAC-CMAC(7)) */
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_CIPHER, cipher, 0),
		OSSL_PARAM_construct_end(),
	};
	CLEAN(xaes)
	struct xaes *xaes = calloc(1, sizeof(*xaes));
	if (xaes == NULL) {
		(void)err_set(err, ERR_NO_MEMORY, NULL);
		return NULL;
	}
	xaes->cmac = EVP_MAC_CTX_new(libctx_get()->cmac);
	if (xaes->cmac == NULL ||
		EVP_MAC_init(xaes->cmac, secret_peek(key), XAES_KEY_LEN, params) != 1) {
		(void)libctx_fail(err, "EVP_MAC_init");
		return NULL;
	}
	xaes->gcm = gcm_new(secret_bytes(key), err); /* any key of that size: it never seals */
	if (xaes->gcm == NULL)
		return NULL;
	struct xaes *result = xaes;
	xaes = NULL;
	return result;
}

void
xaes_free(struct xaes *xaes)
{
	if (xaes == NULL)
		return;
	EVP_MAC_CTX_free(xaes->cmac);
	gcm_free(xaes->gcm);
	free(xaes);
}

/* One block of SP 800-108 in counter mode: counter 16 bits, label 'X', separator, context. */
static bool
derive_block(struct xaes *xaes, uint8_t counter, const uint8_t *nonce, uint8_t block[static BLOCK])
{
	uint8_t message[BLOCK] = {0, counter, 'X', 0};
	size_t len = 0;
	memcpy(message + BLOCK - NONCE_HALF, nonce, NONCE_HALF);
	return EVP_MAC_init(xaes->cmac, NULL, 0, NULL) == 1 &&
	       EVP_MAC_update(xaes->cmac, message, sizeof(message)) == 1 &&
	       EVP_MAC_final(xaes->cmac, block, &len, BLOCK) == 1 && len == BLOCK;
}

static bool
derive(struct xaes *xaes, const uint8_t *nonce, struct err *err)
{
	uint8_t key[XAES_KEY_LEN];
	bool done = derive_block(xaes, 1, nonce, key) && derive_block(xaes, 2, nonce, key + BLOCK);
	done = done ? gcm_rekey(xaes->gcm, (struct bytes){key, sizeof(key)}, err)
		    : libctx_fail(err, "EVP_MAC_final");
	secret_wipe(key, sizeof(key));
	return done;
}

bool
xaes_seal(struct xaes *xaes, const uint8_t nonce[static XAES_NONCE_LEN], struct bytes aad,
	struct bytes plaintext, uint8_t *ciphertext, uint8_t tag[static XAES_TAG_LEN],
	struct err *err)
{
	return derive(xaes, nonce, err) &&
	       gcm_seal(xaes->gcm, nonce + NONCE_HALF, aad, plaintext, ciphertext, tag, err);
}

bool
xaes_open(struct xaes *xaes, const uint8_t nonce[static XAES_NONCE_LEN], struct bytes aad,
	struct bytes ciphertext, const uint8_t tag[static XAES_TAG_LEN], uint8_t *plaintext,
	struct err *err)
{
	return derive(xaes, nonce, err) &&
	       gcm_open(xaes->gcm, nonce + NONCE_HALF, aad, ciphertext, tag, plaintext, err);
}
