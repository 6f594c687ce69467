/* Invariant: the result of a raw private operation never leaves this file (threat A13). */
#include "rsakey.h"

#include <assert.h>
#include <string.h>

#include "ck.h"
#include "crypto/rsapad.h"
#include "onepart.h"

static CK_MECHANISM_TYPE
hash_ckm(enum hash hash)
{
	switch (hash) {
	case HASH_SHA1:
		return CKM_SHA_1;
	case HASH_SHA256:
		return CKM_SHA256;
	case HASH_SHA384:
		return CKM_SHA384;
	case HASH_SHA512:
		return CKM_SHA512;
	case HASH_NONE:
		break;
	}
	assert(!"a hash outside the table");
	return CKM_SHA256;
}

static CK_ULONG
mgf_of(enum hash hash)
{
	switch (hash) {
	case HASH_SHA1:
		return CKG_MGF1_SHA1;
	case HASH_SHA256:
		return CKG_MGF1_SHA256;
	case HASH_SHA384:
		return CKG_MGF1_SHA384;
	case HASH_SHA512:
		return CKG_MGF1_SHA512;
	case HASH_NONE:
		break;
	}
	assert(!"a hash outside the table");
	return CKG_MGF1_SHA256;
}

static bool
malformed(struct err *err)
{
	return err_set(err, ERR_BAD_CIPHERTEXT, NULL);
}

/* m = c^d, right-aligned in a secret of modulus length, whatever zeros the token stripped (threat A15). */
static struct secret *
raw_decrypt(
	struct session *session, const struct hsmkey *key, struct bytes ciphertext, struct err *err)
{
	size_t size = ciphertext.len, len;
	CLEAN(secret)
	struct secret *raw = secret_new(size);
	if (raw == NULL) {
		(void)err_set(err, ERR_NO_MEMORY, NULL);
		return NULL;
	}
	CK_MECHANISM mechanism = {CKM_RSA_X_509, NULL, 0};
	if (!onepart_decrypt(session, &mechanism, key->handle, ciphertext, secret_data(raw), size,
		    &len, err)) {
		(void)onepart_settle(session, err);
		return NULL;
	}
	memmove(secret_data(raw) + (size - len), secret_data(raw), len);
	memset(secret_data(raw), 0, size - len);
	struct secret *aligned = raw;
	raw = NULL;
	return aligned;
}

static struct secret *
native_decrypt(struct session *session, const struct hsmkey *key, enum hash hash,
	struct bytes ciphertext, struct err *err)
{
	CLEAN(secret)
	struct secret *plain = secret_new(ciphertext.len);
	if (plain == NULL) {
		(void)err_set(err, ERR_NO_MEMORY, NULL);
		return NULL;
	}
	CK_RSA_PKCS_OAEP_PARAMS params = {
		.hash_alg = hash_ckm(hash), .mgf = mgf_of(hash), .source = CKZ_DATA_SPECIFIED};
	CK_MECHANISM mechanism = {CKM_RSA_PKCS_OAEP, &params, sizeof(params)};
	size_t len;
	if (!onepart_decrypt(session, &mechanism, key->handle, ciphertext, secret_data(plain),
		    ciphertext.len, &len, err)) {
		(void)onepart_settle(session, err);
		return NULL;
	}
	if (len == 0) {
		(void)malformed(err);
		return NULL;
	}
	secret_truncate(plain, len);
	struct secret *opened = plain;
	plain = NULL;
	return opened;
}

struct secret *
rsakey_decrypt(struct session *session, const struct hsmkey *key, enum mech mech,
	enum mech_service service, struct bytes ciphertext, struct err *err)
{
	if (ciphertext.len != pubkey_signature_len(key->pubkey) ||
		!rsapad_raw_valid(key->pubkey, ciphertext)) {
		(void)malformed(err);
		return NULL;
	}
	enum hash hash = mech_get(mech)->hash;
	if (service == MECH_NATIVE)
		return native_decrypt(session, key, hash, ciphertext, err);
	CLEAN(secret)
	struct secret *raw = raw_decrypt(session, key, ciphertext, err);
	if (raw == NULL)
		return NULL;
	return rsapad_oaep_decode(raw, hash, 0, err);
}

static bool
native_sign(struct session *session, const struct hsmkey *key, enum mech mech, struct bytes digest,
	uint8_t *out, size_t *ret_len, struct err *err)
{
	const struct mech_row *row = mech_get(mech);
	if (row->use == MECH_USE_PSS) {
		CK_RSA_PKCS_PSS_PARAMS params = {
			hash_ckm(row->hash), mgf_of(row->hash), hash_len(row->hash)};
		CK_MECHANISM pss = {CKM_RSA_PKCS_PSS, &params, sizeof(params)};
		return onepart_sign(session, &pss, key->handle, digest, out, PUBKEY_SIGNATURE_MAX,
			ret_len, err);
	}
	uint8_t info[RSAPAD_DIGEST_INFO_MAX];
	size_t info_len;
	if (!rsapad_digest_info(row->hash, digest, info, &info_len, err))
		return false;
	CK_MECHANISM pkcs1 = {CKM_RSA_PKCS, NULL, 0};
	return onepart_sign(session, &pkcs1, key->handle, (struct bytes){info, info_len}, out,
		PUBKEY_SIGNATURE_MAX, ret_len, err);
}

static bool
raw_sign(struct session *session, const struct hsmkey *key, enum mech mech, struct bytes digest,
	uint8_t *out, size_t *ret_len, struct err *err)
{
	const struct mech_row *row = mech_get(mech);
	uint8_t encoded[PUBKEY_MODULUS_MAX];
	size_t len;
	bool padded =
		row->use == MECH_USE_PSS
			? rsapad_pss_encode(key->pubkey, row->hash, digest, encoded, &len, err)
			: rsapad_pkcs1_encode(key->pubkey, row->hash, digest, encoded, &len, err);
	if (!padded)
		return false;
	CK_MECHANISM mechanism = {CKM_RSA_X_509, NULL, 0};
	size_t got;
	if (!onepart_sign(session, &mechanism, key->handle, (struct bytes){encoded, len}, out,
		    PUBKEY_SIGNATURE_MAX, &got, err))
		return false;
	if (got > len)
		return session_impossible(session, "C_Sign", err);
	memmove(out + (len - got), out, got);
	memset(out, 0, len - got);
	*ret_len = len;
	return true;
}

bool
rsakey_sign(struct session *session, const struct hsmkey *key, enum mech mech,
	enum mech_service service, struct bytes digest, uint8_t out[static PUBKEY_SIGNATURE_MAX],
	size_t *ret_len, struct err *err)
{
	size_t len;
	bool made = service == MECH_NATIVE ? native_sign(session, key, mech, digest, out, &len, err)
					   : raw_sign(session, key, mech, digest, out, &len, err);
	if (!made)
		return false;
	const struct mech_row *row = mech_get(mech);
	enum pubkey_scheme scheme = row->use == MECH_USE_PSS ? PUBKEY_SIGN_PSS : PUBKEY_SIGN_PKCS1;
	bool valid;
	if (!pubkey_verify(
		    key->pubkey, scheme, row->hash, digest, (struct bytes){out, len}, &valid, err))
		return false;
	if (!valid) {
		secret_wipe(out, PUBKEY_SIGNATURE_MAX); /* a faulty CRT signature betrays the key */
		(void)err_set(err, ERR_UNAVAILABLE, NULL);
		return err_origin(err, "C_Sign: the signature is wrong");
	}
	*ret_len = len;
	return true;
}
