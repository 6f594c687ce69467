/* Invariant: the identity key is never used for a caller. */
#include "operate.h"

#include <string.h>

#include "aeskey.h"
#include "hsmkey_priv.h"
#include "identity.h"
#include "keywrap.h"
#include "probe.h"
#include "rsakey.h"
#include "signing.h"

static bool
algorithm_fits(const struct hsmkey *key, enum mech mech, struct err *err)
{
	const struct mech_row *row = mech_get(mech);
	if (row->kty != key->kty || (key->kty == KEY_EC && mech != mech_of_curve(key->curve)))
		return err_set(err, ERR_BAD_PARAMETER, "%s is not an algorithm of this key's type.",
			row->name);
	if (row->bits != 0 && row->bits != key->bits)
		return err_set(err, ERR_BAD_PARAMETER,
			"%s needs a key of %u bits; this one has %u.", row->name, row->bits,
			key->bits);
	if (key->kty == KEY_HMAC && key->bits < hash_len(row->hash) * 8) /* RFC 7518 §3.2 */
		return err_set(err, ERR_BAD_PARAMETER,
			"%s needs a key of %zu bits or more; this one has %u.", row->name,
			hash_len(row->hash) * 8, key->bits);
	return true;
}

static const struct hsmkey *
key_for(struct session *session, const struct operate_key *which, enum mech_service *ret_service,
	struct err *err)
{
	*ret_service = probe_get(session)->service[which->mech];
	if (identity_is(which->id)) {
		(void)err_set(err, ERR_KEY_NOT_FOUND, NULL);
		return NULL;
	}
	if (*ret_service == MECH_NOT_SERVED) {
		(void)err_set(err, ERR_NOT_SUPPORTED, "The token does not serve %s.",
			mech_get(which->mech)->name);
		return NULL;
	}
	const struct hsmkey *key = hsmkey_find(session, which->id, which->fingerprint, err);
	return key != NULL && algorithm_fits(key, which->mech, err) ? key : NULL;
}

struct decrypt_args {
	const struct operate_key *which;
	const struct operate_sealed *sealed;
	struct secret *plain;
};

static bool
decrypt(struct session *session, void *data, struct err *err)
{
	struct decrypt_args *args = data;
	const struct operate_sealed *sealed = args->sealed;
	enum mech mech = args->which->mech;
	enum mech_service service;
	const struct hsmkey *key = key_for(session, args->which, &service, err);
	if (key == NULL)
		return false;
	switch (mech_get(mech)->use) {
	case MECH_USE_OAEP:
		args->plain = rsakey_decrypt(session, key, mech, service, sealed->data, err);
		return args->plain != NULL;
	case MECH_USE_KW:
	case MECH_USE_KWP:
		args->plain = keywrap_unwrap(session, key, mech, service, sealed->data, err);
		return args->plain != NULL;
	case MECH_USE_GCM:
		return aeskey_open(session, key, sealed->iv, sealed->aad, sealed->data, sealed->tag,
			&args->plain, err);
	case MECH_USE_PKCS1:
	case MECH_USE_PSS:
	case MECH_USE_ECDSA:
	case MECH_USE_HMAC:
		break;
	}
	return err_set(err, ERR_BAD_PARAMETER, "%s does not decrypt.", mech_get(mech)->name);
}

bool
operate_decrypt(struct session *session, const struct operate_key *which,
	const struct operate_sealed *sealed, struct secret **ret_plain, struct err *err)
{
	struct decrypt_args args = {which, sealed, NULL};
	if (!session_run(session, decrypt, &args, err))
		return false;
	*ret_plain = args.plain;
	return true;
}

struct encrypt_args {
	const struct operate_key *which;
	struct bytes plain;
	struct bytes aad;
	struct operate_fresh *fresh;
};

static bool
seal(struct session *session, const struct hsmkey *key, struct encrypt_args *args, struct err *err)
{
	struct operate_fresh *fresh = args->fresh;
	if (args->plain.len > OPERATE_DATA_MAX)
		return err_set(err, ERR_BAD_PARAMETER, "At most %d octets can be encrypted.",
			OPERATE_DATA_MAX);
	uint8_t *room = buf_reserve(&fresh->data, args->plain.len);
	if (room == NULL)
		return err_set(err, ERR_TOO_LARGE, NULL);
	if (!aeskey_seal(session, key, args->aad, args->plain, room, fresh->iv, fresh->tag, err))
		return false;
	buf_add_len(&fresh->data, args->plain.len);
	fresh->gcm = true;
	return true;
}

static bool
encrypt(struct session *session, void *data, struct err *err)
{
	struct encrypt_args *args = data;
	enum mech mech = args->which->mech;
	enum mech_service service;
	const struct hsmkey *key = key_for(session, args->which, &service, err);
	if (key == NULL || !hsmkey_check_handle(session, key, err))
		return false;
	buf_reset(&args->fresh->data);
	args->fresh->gcm = false;
	switch (mech_get(mech)->use) {
	case MECH_USE_GCM:
		return seal(session, key, args, err);
	case MECH_USE_KW:
	case MECH_USE_KWP: {
		uint8_t wrapped[KEYWRAP_CIPHER_MAX];
		size_t len;
		if (!keywrap_wrap(session, key, mech, service, args->plain, wrapped, &len, err))
			return false;
		return buf_append(&args->fresh->data, wrapped, len) ||
		       err_set(err, ERR_TOO_LARGE, NULL);
	}
	case MECH_USE_OAEP:
	case MECH_USE_PKCS1:
	case MECH_USE_PSS:
	case MECH_USE_ECDSA:
	case MECH_USE_HMAC:
		break;
	}
	return err_set(
		err, ERR_BAD_PARAMETER, "%s does not encrypt on the token.", mech_get(mech)->name);
}

bool
operate_encrypt(struct session *session, const struct operate_key *which, struct bytes plain,
	struct bytes aad, struct operate_fresh *ret_fresh, struct err *err)
{
	struct encrypt_args args = {which, plain, aad, ret_fresh};
	return session_run(session, encrypt, &args, err);
}

static bool
digest_fits(enum mech mech, struct bytes digest, struct err *err)
{
	const struct mech_row *row = mech_get(mech);
	if (row->hash == HASH_NONE || row->use == MECH_USE_OAEP)
		return err_set(err, ERR_BAD_PARAMETER, "%s does not sign.", row->name);
	if (digest.len != hash_len(row->hash))
		return err_set(err, ERR_BAD_PARAMETER,
			"Invalid length of the digest: %zu bytes. %s requires %zu bytes.",
			digest.len, row->name, hash_len(row->hash));
	return true;
}

struct sign_args {
	const struct operate_key *which;
	struct bytes digest;
	uint8_t *out;
	size_t len;
};

static bool
sign(struct session *session, void *data, struct err *err)
{
	struct sign_args *args = data;
	enum mech mech = args->which->mech;
	enum mech_service service;
	const struct hsmkey *key = key_for(session, args->which, &service, err);
	if (key == NULL || !hsmkey_check_handle(session, key, err))
		return false;
	switch (mech_get(mech)->kty) {
	case KEY_RSA:
		return rsakey_sign(
			session, key, mech, service, args->digest, args->out, &args->len, err);
	case KEY_EC:
		return signing_ecdsa(session, key, mech, args->digest, args->out, &args->len, err);
	case KEY_HMAC:
		return signing_hmac(session, key, mech, args->digest, args->out, &args->len, err);
	case KEY_AES:
		break;
	}
	return err_set(err, ERR_BAD_PARAMETER, "%s does not sign.", mech_get(mech)->name);
}

bool
operate_sign(struct session *session, const struct operate_key *which, struct bytes digest,
	uint8_t out[static PUBKEY_SIGNATURE_MAX], size_t *ret_len, struct err *err)
{
	if (!digest_fits(which->mech, digest, err))
		return false;
	struct sign_args args = {which, digest, out, 0};
	if (!session_run(session, sign, &args, err))
		return false;
	*ret_len = args.len;
	return true;
}

struct verify_args {
	const struct operate_key *which;
	struct bytes digest;
	struct bytes tag;
	bool valid;
};

static bool
verify(struct session *session, void *data, struct err *err)
{
	struct verify_args *args = data;
	enum mech_service service;
	const struct hsmkey *key = key_for(session, args->which, &service, err);
	if (key == NULL)
		return false;
	return signing_hmac_verify(
		session, key, args->which->mech, args->digest, args->tag, &args->valid, err);
}

bool
operate_verify(struct session *session, const struct operate_key *which, struct bytes digest,
	struct bytes tag, bool *ret_valid, struct err *err)
{
	if (!digest_fits(which->mech, digest, err))
		return false;
	if (mech_get(which->mech)->use != MECH_USE_HMAC)
		return err_set(err, ERR_BAD_PARAMETER,
			"Signatures of %s are verified by the public key.",
			mech_get(which->mech)->name);
	struct verify_args args = {which, digest, tag, false};
	if (!session_run(session, verify, &args, err))
		return false;
	*ret_valid = args.valid;
	return true;
}
