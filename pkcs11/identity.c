/* Invariant: enrolled means that this process saw the token sign with the identity key. */
#include "identity.h"

#include <string.h>

#include "crypto/random.h"
#include "hsmkey_priv.h"
#include "keymake_priv.h"
#include "object.h"
#include "signing.h"
#include "template.h"

static const struct hsmkey_spec identity_spec = {
	.id = {'c', 'u', 's', 't', 'o', 'd', 'y', '-', 'i', 'd', 'e', 'n', 't', 'i', 't', 'y'},
	.label = IDENTITY_LABEL,
	.kty = KEY_EC,
	.curve = CURVE_P256,
	.ops = KEY_OP_SIGN | KEY_OP_VERIFY,
};

bool
identity_is(const uint8_t id[static HSMKEY_ID_LEN])
{
	return memcmp(id, identity_spec.id, HSMKEY_ID_LEN) == 0;
}

bool
identity_enrolled(const struct session *session)
{
	return atomic_load(&session->module->enrolled);
}

static bool
count_identity(struct session *session, void *data, struct err *err)
{
	unsigned long object;
	return object_find_id(session, identity_spec.id, &object, 1, data, err);
}

bool
identity_exists(struct session *session, bool *ret_exists, struct err *err)
{
	size_t count = 0;
	if (!session_run(session, count_identity, &count, err))
		return false;
	*ret_exists = count > 0;
	return true;
}

struct adopt_args {
	uint8_t *spki;
	size_t len;
};

/* Whoever can log in could have put a key there; only one generated on this token and never readable is taken. */
static bool
adopt(struct session *session, void *data, struct err *err)
{
	struct adopt_args *args = data;
	hsmkey_forget(session, identity_spec.id);
	const struct hsmkey *key = hsmkey_find(session, identity_spec.id, NULL, err);
	if (key == NULL)
		return false;
	unsigned wanted = HSMKEY_LOCAL | HSMKEY_ALWAYS_SENSITIVE | HSMKEY_NEVER_EXTRACTABLE;
	uint32_t reduced = 0;
	CLEAN(template)
	struct template *template =
		template_new(&identity_spec, probe_get(session), TEMPLATE_PRIVATE, true);
	if (!template_verify(template, session, key->handle, &reduced, err))
		return false;
	if ((key->provenance & wanted) != wanted || (reduced & ~probe_get(session)->reduced) != 0) {
		(void)err_set(err, ERR_KEY_INTEGRITY,
			"The token has an identity key that was not made by enrolment.");
		return false;
	}
	struct bytes spki = pubkey_get_spki(key->pubkey);
	memcpy(args->spki, spki.data, spki.len);
	args->len = spki.len;
	return true;
}

bool
identity_enroll(struct session *session, uint8_t ret_spki[static PUBKEY_SPKI_MAX], size_t *ret_len,
	struct err *err)
{
	struct adopt_args args = {ret_spki, 0};
	if (!session_run(session, adopt, &args, err)) {
		if (err->code != ERR_KEY_MISSING && err->code != ERR_KEY_INTEGRITY)
			return false;
		struct err refusal, why = *err;
		if (!keymake_undo_identity(session, identity_spec.id, &refusal)) {
			*err = refusal.code == ERR_CONFLICT ? why : refusal;
			return false;
		}
		struct hsmkey_facts facts;
		if (!keymake_identity(session, &identity_spec, &facts, err) ||
			!session_run(session, adopt, &args, err))
			return false;
	}
	*ret_len = args.len;
	atomic_store(&session->module->enrolled, true);
	return true;
}

static bool
check(struct session *session, void *data, struct err *err)
{
	const struct bytes *expected = data;
	hsmkey_forget(
		session, identity_spec.id); /* found again, it proves itself by a fresh signature */
	const struct hsmkey *key = hsmkey_find(session, identity_spec.id, NULL, err);
	if (key == NULL)
		return false;
	if (!bytes_equal(pubkey_get_spki(key->pubkey), *expected))
		return err_set(err, ERR_TOKEN_IMPOSTOR, NULL);
	return true;
}

bool
identity_check(struct session *session, struct bytes expected_spki, struct err *err)
{
	if (session_run(session, check, &expected_spki, err)) {
		atomic_store(&session->module->enrolled, true);
		return true;
	}
	if (err_class(err->code) != ERR_CLASS_INTEGRITY)
		return false;
	char origin[sizeof(err->origin)];
	memcpy(origin, err->origin, sizeof(origin));
	(void)err_set(err, ERR_TOKEN_IMPOSTOR, NULL);
	return err_origin(err, "identity key: %s", origin);
}

bool
identity_present(struct session *session, struct err *err)
{
	if (!identity_enrolled(session))
		return true;
	unsigned long object;
	size_t count;
	if (!object_find_id(session, identity_spec.id, &object, 1, &count, err))
		return false;
	if (count == 1)
		return true;
	session->repair = CKR_REPAIR_REPLACE;
	session->lost = true;
	(void)err_set(err, ERR_UNAVAILABLE, NULL);
	return err_origin(err, "the token shows no identity key any more");
}

struct sign_args {
	const uint8_t *digest;
	uint8_t *signature;
	uint8_t *spki;
	size_t spki_len;
};

static bool
sign(struct session *session, void *data, struct err *err)
{
	struct sign_args *args = data;
	const struct hsmkey *key = hsmkey_find(session, identity_spec.id, NULL, err);
	if (key == NULL || !hsmkey_check_handle(session, key, err))
		return false;
	uint8_t signature[PUBKEY_SIGNATURE_MAX];
	size_t len;
	struct bytes digest = {args->digest, HASH_SHA256_LEN};
	if (!signing_ecdsa(session, key, MECH_ES256, digest, signature, &len, err))
		return false;
	if (len != IDENTITY_SIGNATURE_LEN)
		return session_impossible(session, "C_Sign", err);
	memcpy(args->signature, signature, len);
	struct bytes spki = pubkey_get_spki(key->pubkey);
	memcpy(args->spki, spki.data, spki.len);
	args->spki_len = spki.len;
	return true;
}

bool
identity_sign(struct session *session, struct bytes message,
	uint8_t ret_signature[static IDENTITY_SIGNATURE_LEN],
	uint8_t ret_spki[static PUBKEY_SPKI_MAX], size_t *ret_spki_len, struct err *err)
{
	if (!identity_enrolled(session))
		return err_set(err, ERR_TOKEN_NOT_ENROLLED, NULL);
	uint8_t digest[HASH_SHA256_LEN];
	hash_sha256(message.data, message.len, digest);
	struct sign_args args = {digest, ret_signature, ret_spki, 0};
	if (!session_run(session, sign, &args, err))
		return false;
	*ret_spki_len = args.spki_len;
	return true;
}

bool
identity_known_answer(struct session *session, struct err *err)
{
	if (!identity_enrolled(session))
		return session_check_login(session, err);
	uint8_t digest[HASH_SHA256_LEN], signature[IDENTITY_SIGNATURE_LEN], spki[PUBKEY_SPKI_MAX];
	struct sign_args args = {digest, signature, spki, 0};
	random_bytes(digest, sizeof(digest));
	return sign(session, &args, err);
}
