/* Invariant: an ECDSA signature leaves only if it verifies. */
#include "signing.h"

#include "base/secret.h"
#include "ck.h"
#include "onepart.h"

bool
signing_ecdsa(struct session *session, const struct hsmkey *key, enum mech mech,
	struct bytes digest, uint8_t out[static PUBKEY_SIGNATURE_MAX], size_t *ret_len,
	struct err *err)
{
	CK_MECHANISM mechanism = {CKM_ECDSA, NULL, 0};
	size_t len;
	if (!onepart_sign(
		    session, &mechanism, key->handle, digest, out, PUBKEY_SIGNATURE_MAX, &len, err))
		return false;
	bool valid;
	if (!pubkey_verify(key->pubkey, PUBKEY_SIGN_ECDSA, mech_get(mech)->hash, digest,
		    (struct bytes){out, len}, &valid, err))
		return false;
	if (!valid) {
		secret_wipe(out, PUBKEY_SIGNATURE_MAX);
		(void)err_set(err, ERR_UNAVAILABLE, NULL);
		return err_origin(err, "C_Sign: the signature is wrong");
	}
	*ret_len = len;
	return true;
}

bool
signing_hmac(struct session *session, const struct hsmkey *key, enum mech mech, struct bytes data,
	uint8_t out[static HASH_LEN_MAX], size_t *ret_len, struct err *err)
{
	CK_MECHANISM mechanism = {mech_get(mech)->ckm, NULL, 0};
	size_t len;
	if (!onepart_sign(session, &mechanism, key->handle, data, out, HASH_LEN_MAX, &len, err))
		return false;
	if (len != hash_len(mech_get(mech)->hash))
		return session_impossible(session, "C_Sign", err);
	*ret_len = len;
	return true;
}

bool
signing_hmac_verify(struct session *session, const struct hsmkey *key, enum mech mech,
	struct bytes data, struct bytes tag, bool *ret_valid, struct err *err)
{
	if (tag.len != hash_len(mech_get(mech)->hash)) {
		*ret_valid = false;
		return true;
	}
	CK_MECHANISM mechanism = {mech_get(mech)->ckm, NULL, 0};
	return onepart_verify(session, &mechanism, key->handle, data, tag, ret_valid, err);
}
