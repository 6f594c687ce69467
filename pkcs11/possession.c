/* Invariant: the fixed text is no input of any message, so a check value is no oracle's answer. */
#include "possession.h"

#include <string.h>

#include "aeskey.h"
#include "crypto/random.h"
#include "keywrap.h"
#include "probe.h"
#include "rsakey.h"
#include "signing.h"

/* 24 octets: a multiple of 8, as key wrap wants, and no length of a digest, which is all that HMAC signs for callers */
static const char check_text[] = "custody check value v001";
#define CHECK_TEXT_LEN (sizeof(check_text) - 1)

static bool
mismatch(struct err *err)
{
	(void)err_set(err, ERR_KEY_INTEGRITY, NULL);
	return err_origin(err, "the private half does not belong to the public one");
}

/* Wrong results mean another key; a refused call keeps its meaning. */
static bool
judge(bool made, struct err *err)
{
	if (made)
		return true;
	return err_class(err->code) == ERR_CLASS_BAD ? mismatch(err) : false;
}

static bool
prove_decrypt(struct session *session, const struct hsmkey *key, struct err *err)
{
	const struct probe *probe = probe_get(session);
	bool sha256 = probe->service[MECH_RSA_OAEP_256] != MECH_NOT_SERVED;
	enum mech mech = sha256 ? MECH_RSA_OAEP_256 : MECH_RSA_OAEP;
	if (probe->service[mech] == MECH_NOT_SERVED)
		return true;
	uint8_t nonce[32], ciphertext[PUBKEY_MODULUS_MAX];
	size_t len;
	random_bytes(nonce, sizeof(nonce));
	if (!pubkey_encrypt(key->pubkey, sha256 ? PUBKEY_OAEP_SHA256 : PUBKEY_OAEP_SHA1,
		    (struct bytes){nonce, sizeof(nonce)}, ciphertext, &len, err))
		return false;
	CLEAN(secret)
	struct secret *opened = rsakey_decrypt(
		session, key, mech, probe->service[mech], (struct bytes){ciphertext, len}, err);
	if (opened == NULL)
		return judge(false, err);
	if (secret_len(opened) != sizeof(nonce) ||
		!secret_equal_bytes(secret_peek(opened), nonce, sizeof(nonce)))
		return mismatch(err);
	return true;
}

static bool
prove_sign(struct session *session, const struct hsmkey *key, struct err *err)
{
	uint8_t digest[HASH_LEN_MAX], signature[PUBKEY_SIGNATURE_MAX];
	size_t len;
	random_bytes(digest, sizeof(digest));
	if (key->kty == KEY_EC) {
		enum mech mech = mech_of_curve(key->curve);
		struct bytes part = {digest, hash_len(mech_get(mech)->hash)};
		return judge(signing_ecdsa(session, key, mech, part, signature, &len, err), err);
	}
	const struct probe *probe = probe_get(session);
	if (probe->service[MECH_RS256] == MECH_NOT_SERVED)
		return true;
	struct bytes part = {digest, HASH_SHA256_LEN};
	return judge(rsakey_sign(session, key, MECH_RS256, probe->service[MECH_RS256], part,
			     signature, &len, err),
		err);
}

static bool
check_value(struct session *session, const struct hsmkey *key,
	uint8_t value[static KEYWRAP_CIPHER_MAX], size_t *ret_len, struct err *err)
{
	struct bytes text = {(const uint8_t *)check_text, CHECK_TEXT_LEN};
	if (key->kty == KEY_HMAC)
		return signing_hmac(session, key, MECH_HS256, text, value, ret_len, err);
	enum mech_service kw = probe_get(session)->service[MECH_AES_KEY_WRAP];
	if (key->wrap)
		return keywrap_wrap(session, key, MECH_AES_KEY_WRAP, kw, text, value, ret_len, err);
	*ret_len = GCM_TAG_LEN;
	if (aeskey_check_value(session, key, text, value, err))
		return true;
	/* Where C_Encrypt serves key wrapping, a wrapping key has the usage bits of a GCM key, but not its mechanism. */
	if (kw != MECH_NATIVE || session->repair == CKR_REPAIR_SESSION ||
		session->repair == CKR_REPAIR_REPLACE)
		return false;
	session->repair = CKR_REPAIR_NONE;
	return keywrap_wrap(session, key, MECH_AES_KEY_WRAP, kw, text, value, ret_len, err);
}

bool
possession_prove(struct session *session, const struct hsmkey *key,
	uint8_t ret_fingerprint[static HSMKEY_FINGERPRINT_LEN], struct err *err)
{
	if (key->pubkey == NULL) {
		uint8_t value[KEYWRAP_CIPHER_MAX];
		size_t len;
		if (!check_value(session, key, value, &len, err))
			return false;
		hash_sha256(value, len, ret_fingerprint);
		return true;
	}
	if (key->decrypt && !prove_decrypt(session, key, err))
		return false;
	if (key->sign && !key->decrypt && !prove_sign(session, key, err))
		return false;
	pubkey_fingerprint(key->pubkey, ret_fingerprint);
	return true;
}
