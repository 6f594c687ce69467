/* Invariant: what is served was seen to work, and to refuse a damaged input, in this process. */
#include "probe.h"

#include <string.h>

#include "aeskey.h"
#include "ck.h"
#include "crypto/random.h"
#include "effect.h"
#include "keywrap.h"
#include "rsakey.h"
#include "signing.h"
#include "trial.h"

/* RFC 3394 §4.6: 256 bits of key data with a 256-bit KEK. */
static const uint8_t kw_kek[32] = {0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a,
	0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19,
	0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f};
static const uint8_t kw_plain[32] = {0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99,
	0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff, 0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08,
	0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f};
static const uint8_t kw_wrapped[40] = {0x28, 0xc9, 0xf4, 0x04, 0xc4, 0xb8, 0x10, 0xf4, 0xcb, 0xcc,
	0xb3, 0x5c, 0xfb, 0x87, 0xf8, 0x26, 0x3f, 0x57, 0x86, 0xe2, 0xd8, 0x0e, 0xd3, 0x26, 0xcb,
	0xc7, 0xf0, 0xe7, 0x1a, 0x99, 0xf4, 0x3b, 0xfb, 0x98, 0x8b, 0x9b, 0x7a, 0x02, 0xdd, 0x21};

/* Trial keys may do whatever is tried; what real keys may do is what came out of it. */
static struct probe
any_mechanism(const struct probe *probe)
{
	struct probe any = *probe;
	any.unknown |= ATTR_BIT(ATTR_ALLOWED_MECHANISMS);
	return any;
}

/* --- RSA --- */

static bool
oaep_works(struct session *session, const struct hsmkey *key, enum mech mech,
	enum mech_service service)
{
	uint8_t nonce[32], ciphertext[PUBKEY_MODULUS_MAX];
	size_t len;
	struct err err;
	random_bytes(nonce, sizeof(nonce));
	enum pubkey_padding padding =
		mech == MECH_RSA_OAEP_256 ? PUBKEY_OAEP_SHA256 : PUBKEY_OAEP_SHA1;
	if (!pubkey_encrypt(key->pubkey, padding, (struct bytes){nonce, sizeof(nonce)}, ciphertext,
		    &len, &err))
		return false;
	CLEAN(secret)
	struct secret *opened =
		rsakey_decrypt(session, key, mech, service, (struct bytes){ciphertext, len}, &err);
	bool same = opened != NULL && secret_len(opened) == sizeof(nonce) &&
		    secret_equal_bytes(secret_peek(opened), nonce, sizeof(nonce));
	ciphertext[len / 2] ^= 1;
	CLEAN(secret)
	struct secret *damaged =
		rsakey_decrypt(session, key, mech, service, (struct bytes){ciphertext, len}, &err);
	trial_end(session, NULL);
	return same && damaged == NULL;
}

static bool
rsa_sign_works(struct session *session, const struct hsmkey *key, enum mech mech,
	enum mech_service service)
{
	uint8_t digest[HASH_LEN_MAX], signature[PUBKEY_SIGNATURE_MAX];
	size_t len;
	struct err err;
	random_bytes(digest, sizeof(digest));
	struct bytes part = {digest, hash_len(mech_get(mech)->hash)};
	bool works = rsakey_sign(session, key, mech, service, part, signature, &len, &err);
	trial_end(session, NULL);
	return works;
}

/*
 * Where RSA-OAEP-256 needs the raw operation, RSA-OAEP takes it too: one more mechanism on the key would not be less
 * to attack, and the padding is then checked in constant time for both.
 */
static void
probe_oaep(struct session *session, const struct hsmkey *key, struct probe *probe)
{
	static const enum mech both[] = {MECH_RSA_OAEP_256, MECH_RSA_OAEP};
	bool native = oaep_works(session, key, MECH_RSA_OAEP_256, MECH_NATIVE);
	for (size_t i = 0; i < ARRAY_LEN(both); i++) {
		if (native && oaep_works(session, key, both[i], MECH_NATIVE))
			probe->service[both[i]] = MECH_NATIVE;
		else if (oaep_works(session, key, both[i], MECH_RAW_RSA))
			probe->service[both[i]] = MECH_RAW_RSA;
		else if (oaep_works(session, key, both[i], MECH_NATIVE))
			probe->service[both[i]] = MECH_NATIVE;
	}
}

static void
probe_rsa(struct session *session, struct probe *probe)
{
	struct probe any = any_mechanism(probe);
	struct hsmkey_spec spec =
		trial_spec(KEY_RSA, 2048, CURVE_NONE, KEY_OP_DECRYPT | KEY_OP_SIGN);
	struct hsmkey *key = trial_generate(session, &spec, &any);
	if (key == NULL)
		return;
	probe_oaep(session, key, probe);
	for (enum mech mech = MECH_RS256; mech <= MECH_PS512; mech++) {
		if (rsa_sign_works(session, key, mech, MECH_NATIVE))
			probe->service[mech] = MECH_NATIVE;
		else if (rsa_sign_works(session, key, mech, MECH_RAW_RSA))
			probe->service[mech] = MECH_RAW_RSA;
	}
	trial_end(session, key);
}

/* --- EC --- */

static void
probe_curve(struct session *session, struct probe *probe, enum curve curve)
{
	enum mech mech = mech_of_curve(curve);
	struct probe any = any_mechanism(probe);
	struct hsmkey_spec spec = trial_spec(KEY_EC, 0, curve, KEY_OP_SIGN);
	struct hsmkey *key = trial_generate(session, &spec, &any);
	if (key == NULL)
		return;
	uint8_t digest[HASH_LEN_MAX], signature[PUBKEY_SIGNATURE_MAX];
	size_t len;
	struct err err;
	random_bytes(digest, sizeof(digest));
	struct bytes part = {digest, hash_len(mech_get(mech)->hash)};
	if (signing_ecdsa(session, key, mech, part, signature, &len, &err))
		probe->service[mech] = MECH_NATIVE;
	trial_end(session, key);
}

/* --- AES --- */

static bool
gcm_round_trip(struct session *session, const struct hsmkey *key)
{
	static const uint8_t plain[20] = "custody gcm trial";
	struct bytes whole = {plain, sizeof(plain)}, aad = {plain, 7};
	uint8_t ciphertext[sizeof(plain)], iv[GCM_IV_LEN], tag[GCM_TAG_LEN];
	struct err err;
	if (!aeskey_seal(session, key, aad, whole, ciphertext, iv, tag, &err))
		return false;
	struct bytes sealed = {ciphertext, sizeof(ciphertext)}, nonce = {iv, sizeof(iv)},
		     mark = {tag, sizeof(tag)};
	CLEAN(secret)
	struct secret *opened = NULL, *damaged = NULL;
	bool same = aeskey_open(session, key, nonce, aad, sealed, mark, &opened, &err) &&
		    opened != NULL && secret_equal_bytes(secret_peek(opened), plain, sizeof(plain));
	tag[0] ^= 1;
	return same && !aeskey_open(session, key, nonce, aad, sealed, mark, &damaged, &err);
}

/* What OpenSSL sealed under a known key, the token opens. */
static bool
gcm_known_answer(struct session *session, const struct hsmkey *key, struct bytes value)
{
	static const uint8_t plain[20] = "custody gcm known";
	uint8_t ciphertext[sizeof(plain)], iv[GCM_IV_LEN] = {1}, tag[GCM_TAG_LEN];
	struct bytes aad = {plain, 7};
	struct err err;
	CLEAN(gcm)
	struct gcm *gcm = gcm_new(value, &err);
	if (gcm == NULL || !gcm_seal(gcm, iv, aad, (struct bytes){plain, sizeof(plain)}, ciphertext,
				   tag, &err))
		return false;
	CLEAN(secret)
	struct secret *opened = NULL;
	return aeskey_open(session, key, (struct bytes){iv, sizeof(iv)}, aad,
		       (struct bytes){ciphertext, sizeof(ciphertext)},
		       (struct bytes){tag, sizeof(tag)}, &opened, &err) &&
	       opened != NULL && secret_equal_bytes(secret_peek(opened), plain, sizeof(plain));
}

/* A key of a known value if the token takes one, for the known answer; else a generated one and no known answer. */
static struct hsmkey *
known_or_generated(struct session *session, const struct hsmkey_spec *spec,
	const struct probe *probe, struct bytes value, bool *ret_known)
{
	struct hsmkey *key = trial_create(session, spec, probe, value);
	*ret_known = key != NULL;
	return key != NULL ? key : trial_generate(session, spec, probe);
}

static void
probe_gcm(struct session *session, struct probe *probe)
{
	struct probe any = any_mechanism(probe);
	struct hsmkey_spec spec =
		trial_spec(KEY_AES, 256, CURVE_NONE, KEY_OP_ENCRYPT | KEY_OP_DECRYPT);
	struct bytes value = {kw_kek, sizeof(kw_kek)};
	bool known;
	struct hsmkey *key = known_or_generated(session, &spec, &any, value, &known);
	if (key == NULL)
		return;
	if (gcm_round_trip(session, key) && (!known || gcm_known_answer(session, key, value))) {
		probe->service[MECH_A128GCM] = MECH_NATIVE;
		probe->service[MECH_A192GCM] = MECH_NATIVE;
		probe->service[MECH_A256GCM] = MECH_NATIVE;
	}
	trial_end(session, key);
}

/* Every length up to 64 comes back exactly (threat A20). */
static bool
wrap_lengths_work(struct session *session, const struct hsmkey *key, enum mech mech,
	enum mech_service service)
{
	bool padded = mech_get(mech)->use == MECH_USE_KWP;
	size_t first = padded ? 1 : KEYWRAP_PLAIN_MIN, step = padded ? 1 : KEYWRAP_BLOCK;
	uint8_t plain[KEYWRAP_PLAIN_MAX], wrapped[KEYWRAP_CIPHER_MAX];
	size_t wrapped_len = 0;
	struct err err;
	random_bytes(plain, sizeof(plain));
	for (size_t len = first; len <= sizeof(plain); len += step) {
		if (!keywrap_wrap(session, key, mech, service, (struct bytes){plain, len}, wrapped,
			    &wrapped_len, &err))
			return false;
	}
	wrapped[wrapped_len / 2] ^= 1;
	CLEAN(secret)
	struct secret *damaged = keywrap_unwrap(
		session, key, mech, service, (struct bytes){wrapped, wrapped_len}, &err);
	return damaged == NULL && err.code == ERR_BAD_CIPHERTEXT;
}

static bool
wrap_known_answer(struct session *session, const struct hsmkey *key, enum mech_service service)
{
	uint8_t wrapped[KEYWRAP_CIPHER_MAX];
	size_t len;
	struct err err;
	struct bytes plain = {kw_plain, sizeof(kw_plain)};
	return keywrap_wrap(session, key, MECH_AES_KEY_WRAP, service, plain, wrapped, &len, &err) &&
	       len == sizeof(kw_wrapped) && memcmp(wrapped, kw_wrapped, len) == 0;
}

static bool
probe_wrap_by(struct session *session, struct probe *probe, enum mech_service service)
{
	struct probe any = any_mechanism(probe);
	any.service[MECH_AES_KEY_WRAP] = service; /* decides the usage bits of the trial key */
	struct hsmkey_spec spec = trial_spec(KEY_AES, 256, CURVE_NONE, KEY_OP_WRAP | KEY_OP_UNWRAP);
	bool known;
	struct hsmkey *key = known_or_generated(
		session, &spec, &any, (struct bytes){kw_kek, sizeof(kw_kek)}, &known);
	if (key == NULL)
		return false;
	bool works = wrap_lengths_work(session, key, MECH_AES_KEY_WRAP, service) &&
		     (!known || wrap_known_answer(session, key, service));
	trial_end(session, NULL);
	bool padded = works && wrap_lengths_work(session, key, MECH_AES_KEY_WRAP_PAD, service);
	trial_end(session, key);
	if (!works)
		return false;
	for (enum mech mech = MECH_A128KW; mech <= MECH_AES_KEY_WRAP; mech++)
		probe->service[mech] = service;
	probe->service[MECH_AES_KEY_WRAP_PAD] = padded ? service : MECH_NOT_SERVED;
	return true;
}

/* --- HMAC --- */

/* Each with a key as long as its hash: SoftHSM takes no shorter one, and neither does RFC 7518 §3.2. */
static void
probe_hmac(struct session *session, struct probe *probe, enum mech mech)
{
	enum hash hash = mech_get(mech)->hash;
	uint8_t material[HASH_LEN_MAX], tag[HASH_LEN_MAX], expected[HASH_LEN_MAX];
	struct bytes value = {material, hash_len(hash)}, text = {kw_plain, sizeof(kw_plain)};
	random_bytes(material, sizeof(material));
	struct probe any = any_mechanism(probe);
	struct hsmkey_spec spec = trial_spec(
		KEY_HMAC, (unsigned)value.len * 8, CURVE_NONE, KEY_OP_SIGN | KEY_OP_VERIFY);
	bool known;
	struct hsmkey *key = known_or_generated(session, &spec, &any, value, &known);
	if (key == NULL)
		return;
	size_t len;
	bool valid = false;
	struct err err;
	bool made = signing_hmac(session, key, mech, text, tag, &len, &err) &&
		    signing_hmac_verify(
			    session, key, mech, text, (struct bytes){tag, len}, &valid, &err);
	hash_hmac(hash, value, text, expected);
	if (made && valid && (!known || memcmp(tag, expected, len) == 0))
		probe->service[mech] = MECH_NATIVE;
	trial_end(session, key);
}

/* --- what can be generated --- */

static void
add_kind(struct probe *probe, enum key_kty kty, unsigned bits, enum curve curve)
{
	if (probe->kind_count < PROBE_KINDS_MAX)
		probe->kinds[probe->kind_count++] = (struct probe_kind){kty, bits, curve};
}

/* Sizes of a generating mechanism in bits; some tokens speak of octets where others speak of bits. */
static bool
sizes_of(struct session *session, CK_MECHANISM_TYPE ckm, bool octets, CK_ULONG *ret_min,
	CK_ULONG *ret_max)
{
	CK_MECHANISM_INFO info;
	if (session->ck->C_GetMechanismInfo(session->module->slot, ckm, &info) != CKR_OK)
		return false;
	unsigned factor = octets && info.ulMaxKeySize < 128 ? 8 : 1;
	*ret_min = info.ulMinKeySize * factor;
	*ret_max = info.ulMaxKeySize * factor;
	return true;
}

static void
add_kinds(struct probe *probe, enum key_kty kty, const unsigned sizes[static 3], CK_ULONG min,
	CK_ULONG max)
{
	for (size_t i = 0; i < 3; i++) {
		if (sizes[i] >= min && sizes[i] <= max)
			add_kind(probe, kty, sizes[i], CURVE_NONE);
	}
}

static void
probe_kinds(struct session *session, struct probe *probe)
{
	static const unsigned rsa[] = {2048, 3072, 4096}, aes[] = {128, 192, 256},
			      hmac[] = {256, 384, 512};
	CK_ULONG min, max;
	bool has_rsa = probe->service[MECH_RSA_OAEP_256] != MECH_NOT_SERVED ||
		       probe->service[MECH_RS256] != MECH_NOT_SERVED;
	if (has_rsa && sizes_of(session, CKM_RSA_PKCS_KEY_PAIR_GEN, false, &min, &max))
		add_kinds(probe, KEY_RSA, rsa, min, max);
	for (enum curve curve = CURVE_NONE + 1; curve < CURVE_COUNT; curve++) {
		if (probe->service[mech_of_curve(curve)] != MECH_NOT_SERVED)
			add_kind(probe, KEY_EC, 0, curve);
	}
	bool has_aes = probe->service[MECH_A256GCM] != MECH_NOT_SERVED ||
		       probe->service[MECH_AES_KEY_WRAP] != MECH_NOT_SERVED;
	if (has_aes && sizes_of(session, CKM_AES_KEY_GEN, true, &min, &max))
		add_kinds(probe, KEY_AES, aes, min, max);
	if (probe->service[MECH_HS256] != MECH_NOT_SERVED)
		add_kinds(probe, KEY_HMAC, hmac, 0, 512);
}

/* --- all of it --- */

static bool
hardening_suffices(const struct probe *probe, struct err *err)
{
	static const enum attr indispensable[] = {ATTR_SENSITIVE, ATTR_EXTRACTABLE};
	for (size_t i = 0; i < ARRAY_LEN(indispensable); i++) {
		if ((probe->reduced & ATTR_BIT(indispensable[i])) != 0)
			return err_set(err, ERR_TOKEN_REDUCED,
				"The token does not honour the attribute '%s', without which it "
				"guards nothing.",
				attr_name(indispensable[i]));
	}
	uint32_t refused = probe->reduced & ~probe->accepted;
	char names[ATTR_SET_TEXT];
	attr_set_format(refused, names);
	if (names[0] != '\0')
		return err_set(err, ERR_TOKEN_REDUCED,
			"The token does not honour hardening attributes: %s; see accept-reduced in "
			"custodyd.conf(5).",
			names);
	return true;
}

bool
probe_run(struct session *session, uint32_t accepted, struct err *err)
{
	struct probe *probe = &session->module->probe;
	*probe = (struct probe){.accepted = accepted};
	effect_find_unknown(session, probe);
	probe_rsa(session, probe);
	for (enum curve curve = CURVE_NONE + 1; curve < CURVE_COUNT; curve++)
		probe_curve(session, probe, curve);
	probe_gcm(session, probe);
	if (!probe_wrap_by(session, probe, MECH_NATIVE))
		(void)probe_wrap_by(session, probe,
			MECH_KEY_OBJECT); /* a token without key wrap serves the rest */
	for (enum mech mech = MECH_HS256; mech <= MECH_HS512; mech++)
		probe_hmac(session, probe, mech);
	probe_kinds(session, probe);
	effect_try(session, probe);
	if (session->lost)
		return err_set(err, ERR_UNAVAILABLE,
			"The token went away while its capabilities were tried.");
	return hardening_suffices(probe, err);
}

const struct probe *
probe_get(const struct session *session)
{
	return &session->module->probe;
}

bool
probe_has_kind(const struct probe *probe, enum key_kty kty, unsigned bits, enum curve curve)
{
	for (unsigned i = 0; i < probe->kind_count; i++) {
		const struct probe_kind *kind = &probe->kinds[i];
		if (kind->kty == kty && kind->bits == bits && kind->curve == curve)
			return true;
	}
	return false;
}
