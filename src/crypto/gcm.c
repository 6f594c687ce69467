/* Invariant: iv and tag have the lengths of the standard's recommendation, always. */
#include "gcm.h"

#include <limits.h>
#include <stdlib.h>

#include <openssl/core_names.h>
#include <openssl/err.h>

#include "base/secret.h"
#include "crypto/libctx.h"

struct gcm {
	EVP_CIPHER_CTX *ctx;
};

static EVP_CIPHER *
cipher_for(size_t key_len)
{
	switch (key_len) {
	case 16:
		return libctx_get()->gcm[0];
	case 24:
		return libctx_get()->gcm[1];
	case 32:
		return libctx_get()->gcm[2];
	default:
		return NULL;
	}
}

struct gcm *
gcm_new(struct bytes key, struct err *err)
{
	EVP_CIPHER *cipher = cipher_for(key.len);
	if (cipher == NULL) {
		(void)err_set(err, ERR_BAD_PARAMETER, "An AES key has 16, 24 or 32 octets.");
		return NULL;
	}
	CLEAN(gcm)
	struct gcm *gcm = calloc(1, sizeof(*gcm));
	if (gcm == NULL) {
		(void)err_set(err, ERR_NO_MEMORY, NULL);
		return NULL;
	}
	/* The schedule serves both directions: GCM only ever encrypts blocks. */
	gcm->ctx = EVP_CIPHER_CTX_new();
	if (gcm->ctx == NULL || EVP_EncryptInit_ex2(gcm->ctx, cipher, key.data, NULL, NULL) != 1) {
		(void)libctx_fail(err, "EVP_EncryptInit_ex2");
		return NULL;
	}
	struct gcm *result = gcm;
	gcm = NULL;
	return result;
}

void
gcm_free(struct gcm *gcm)
{
	if (gcm == NULL)
		return;
	EVP_CIPHER_CTX_free(gcm->ctx);
	free(gcm);
}

bool
gcm_rekey(struct gcm *gcm, struct bytes key, struct err *err)
{
	if (key.len != (size_t)EVP_CIPHER_CTX_get_key_length(gcm->ctx))
		return err_set(err, ERR_BAD_PARAMETER, "The new key has another length.");
	return EVP_EncryptInit_ex2(gcm->ctx, NULL, key.data, NULL, NULL) == 1 ||
	       libctx_fail(err, "EVP_EncryptInit_ex2");
}

/* Associated data first, then data. EVP takes lengths as int; nothing of ours comes near. */
static bool
run(struct gcm *gcm, struct bytes aad, struct bytes in, uint8_t *out)
{
	if (aad.len > INT_MAX || in.len > INT_MAX)
		return false;
	int len = 0;
	if (aad.len > 0 && EVP_CipherUpdate(gcm->ctx, NULL, &len, aad.data, (int)aad.len) != 1)
		return false;
	return in.len == 0 || EVP_CipherUpdate(gcm->ctx, out, &len, in.data, (int)in.len) == 1;
}

bool
gcm_seal(struct gcm *gcm, const uint8_t iv[static GCM_IV_LEN], struct bytes aad,
	struct bytes plaintext, uint8_t *ciphertext, uint8_t tag[static GCM_TAG_LEN],
	struct err *err)
{
	int len = 0;
	if (EVP_CipherInit_ex2(gcm->ctx, NULL, NULL, iv, 1, NULL) != 1 ||
		!run(gcm, aad, plaintext, ciphertext) ||
		EVP_CipherFinal_ex(gcm->ctx, tag, &len) != 1 ||
		EVP_CIPHER_CTX_ctrl(gcm->ctx, EVP_CTRL_AEAD_GET_TAG, GCM_TAG_LEN, tag) != 1)
		return libctx_fail(err, "EVP_CipherUpdate");
	return true;
}

bool
gcm_open(struct gcm *gcm, const uint8_t iv[static GCM_IV_LEN], struct bytes aad,
	struct bytes ciphertext, const uint8_t tag[static GCM_TAG_LEN], uint8_t *plaintext,
	struct err *err)
{
	union {
		const uint8_t *in;
		uint8_t *out;
	} expected = {tag}; /* the control call takes void * in both directions */
	uint8_t nothing[GCM_TAG_LEN];
	int len = 0;
	if (EVP_CipherInit_ex2(gcm->ctx, NULL, NULL, iv, 0, NULL) != 1 ||
		EVP_CIPHER_CTX_ctrl(gcm->ctx, EVP_CTRL_AEAD_SET_TAG, GCM_TAG_LEN, expected.out) !=
			1 ||
		!run(gcm, aad, ciphertext, plaintext)) {
		secret_wipe(plaintext, ciphertext.len);
		return libctx_fail(err, "EVP_CipherUpdate");
	}
	if (EVP_CipherFinal_ex(gcm->ctx, nothing, &len) != 1) {
		secret_wipe(plaintext, ciphertext.len);
		ERR_clear_error();
		return err_set(err, ERR_BAD_CIPHERTEXT, NULL);
	}
	return true;
}
