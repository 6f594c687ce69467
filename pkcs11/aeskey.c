/* Invariant: the zero iv serves check values only; neither seal nor open ever takes it. */
#include "aeskey.h"

#include <stdlib.h>
#include <string.h>

#include "ck.h"
#include "crypto/random.h"
#include "onepart.h"

static const uint8_t zero_iv[GCM_IV_LEN];

static CK_GCM_PARAMS
gcm_params(uint8_t *iv, struct bytes aad)
{
	return (CK_GCM_PARAMS){
		.pIv = iv,
		.ulIvLen = GCM_IV_LEN,
		.ulIvBits = GCM_IV_LEN * 8,
		.pAAD = (unsigned char *)(uintptr_t)aad.data, /* Cryptoki's inputs have no const */
		.ulAADLen = aad.len,
		.ulTagBits = GCM_TAG_LEN * 8,
	};
}

static bool
encrypt(struct session *session, const struct hsmkey *key, uint8_t iv[static GCM_IV_LEN],
	struct bytes aad, struct bytes plaintext, uint8_t *ciphertext,
	uint8_t tag[static GCM_TAG_LEN], struct err *err)
{
	CK_GCM_PARAMS params = gcm_params(iv, aad);
	CK_MECHANISM mechanism = {CKM_AES_GCM, &params, sizeof(params)};
	size_t size = plaintext.len + GCM_TAG_LEN, len;
	CLEAN(buf)
	struct buf out;
	buf_init(&out, size);
	uint8_t *room = buf_reserve(&out, size);
	if (!onepart_encrypt(session, &mechanism, key->handle, plaintext, room, size, &len, err))
		return false;
	if (len != size)
		return session_impossible(session, "C_Encrypt", err);
	if (plaintext.len > 0)
		memcpy(ciphertext, room, plaintext.len);
	memcpy(tag, room + plaintext.len, GCM_TAG_LEN);
	return true;
}

bool
aeskey_seal(struct session *session, const struct hsmkey *key, struct bytes aad,
	struct bytes plaintext, uint8_t *ciphertext, uint8_t iv[static GCM_IV_LEN],
	uint8_t tag[static GCM_TAG_LEN], struct err *err)
{
	random_bytes(iv, GCM_IV_LEN);
	if (!encrypt(session, key, iv, aad, plaintext, ciphertext, tag, err))
		return false;
	if (memcmp(iv, zero_iv, GCM_IV_LEN) == 0) /* a token's own iv that is none */
		return session_impossible(session, "C_Encrypt", err);
	return true;
}

bool
aeskey_open(struct session *session, const struct hsmkey *key, struct bytes iv, struct bytes aad,
	struct bytes ciphertext, struct bytes tag, struct secret **ret_plain, struct err *err)
{
	if (ciphertext.len > AESKEY_MAX || iv.len != GCM_IV_LEN || tag.len != GCM_TAG_LEN ||
		memcmp(iv.data, zero_iv, GCM_IV_LEN) == 0)
		return err_set(err, ERR_BAD_CIPHERTEXT, NULL);
	uint8_t iv_copy[GCM_IV_LEN];
	memcpy(iv_copy, iv.data, GCM_IV_LEN);
	CK_GCM_PARAMS params = gcm_params(iv_copy, aad);
	CK_MECHANISM mechanism = {CKM_AES_GCM, &params, sizeof(params)};
	CLEAN(buf)
	struct buf in;
	buf_init(&in, ciphertext.len + GCM_TAG_LEN);
	(void)buf_append(&in, ciphertext.data, ciphertext.len); /* within the maximum just given */
	(void)buf_append(&in, tag.data, tag.len);
	/* SoftHSM wants room for the tag as well, although it does not write it */
	CLEAN(secret)
	struct secret *plain = secret_new(in.len);
	if (plain == NULL)
		return err_set(err, ERR_NO_MEMORY, NULL);
	size_t len;
	if (!onepart_decrypt(session, &mechanism, key->handle, buf_bytes(&in), secret_data(plain),
		    in.len, &len, err))
		return onepart_settle(session, err);
	if (len != ciphertext.len)
		return session_impossible(session, "C_Decrypt", err);
	*ret_plain = NULL;
	if (len == 0)
		return true;
	secret_truncate(plain, len);
	*ret_plain = plain;
	plain = NULL;
	return true;
}

bool
aeskey_check_value(struct session *session, const struct hsmkey *key, struct bytes purpose,
	uint8_t tag[static GCM_TAG_LEN], struct err *err)
{
	uint8_t iv[GCM_IV_LEN] = {0};
	uint8_t nothing[1];
	return encrypt(session, key, iv, purpose, (struct bytes){NULL, 0}, nothing, tag, err);
}
