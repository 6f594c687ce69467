/*
 * Finding keys and proving them. Invariant: a key in a cache was the only one of its id when it was found, is
 * hardened as we make keys, and its private half belongs to its fingerprint.
 */
#include "hsmkey.h"

#include <stdlib.h>
#include <string.h>

#include "ck.h"
#include "hsmkey_priv.h"
#include "identity.h"
#include "object.h"
#include "possession.h"

#define OBJECTS_MAX 4 /* one more than a pair and a twin: enough to see that something is wrong */

void
hsmkey_free(struct hsmkey *key)
{
	if (key == NULL)
		return;
	pubkey_free(key->pubkey);
	free(key);
}

static bool
integrity(struct err *err, const char *what)
{
	(void)err_set(err, ERR_KEY_INTEGRITY, NULL);
	return err_origin(err, "%s", what);
}

/* The halves of one id: a private key with at most one public, or one secret key; never "the first" (threat A9). */
static bool
find_halves(struct session *session, const uint8_t id[static HSMKEY_ID_LEN], struct hsmkey *key,
	CK_OBJECT_CLASS *ret_class, struct err *err)
{
	unsigned long objects[OBJECTS_MAX];
	size_t count;
	if (!object_find_id(session, id, objects, OBJECTS_MAX, &count, err))
		return false;
	size_t publics = 0, others = 0;
	for (size_t i = 0; i < count; i++) {
		unsigned long class;
		if (!object_get_number(session, objects[i], CKA_CLASS, &class, err))
			return false;
		if (class == CKO_PUBLIC_KEY) {
			key->public_half = objects[i];
			publics++;
			continue;
		}
		key->handle = objects[i];
		*ret_class = class;
		others++;
	}
	if (others == 0) {
		/* Not logged in, or the token itself gone, all keys seem missing: that is no loss of this one. */
		if (!session_check_login(session, err) ||
			(!identity_is(id) && !identity_present(session, err)))
			return false;
		(void)err_set(err, ERR_KEY_MISSING, NULL);
		return err_origin(err,
			publics == 0 ? "no object of this id" : "only a public half of this id");
	}
	bool one = others == 1 && publics <= (*ret_class == CKO_PRIVATE_KEY ? 1 : 0);
	return one || integrity(err, "several objects of one id");
}

static bool
read_usage(struct session *session, struct hsmkey *key, bool secret, struct err *err)
{
	unsigned long o = key->handle;
	bool unwrap, wrap = false, encrypt = false;
	if (!object_get_bool(session, o, CKA_DECRYPT, &key->decrypt, err) ||
		!object_get_bool(session, o, CKA_SIGN, &key->sign, err) ||
		!object_get_bool(session, o, CKA_UNWRAP, &unwrap, err))
		return false;
	if (secret && (!object_get_bool(session, o, CKA_WRAP, &wrap, err) ||
			      !object_get_bool(session, o, CKA_ENCRYPT, &encrypt, err)))
		return false;
	key->wrap = wrap && unwrap;
	key->cipher = encrypt && key->decrypt;
	/* The matrix of threat A1: what wraps does nothing else, and no private key unwraps. */
	if ((wrap || unwrap) && (!secret || encrypt || key->decrypt || key->sign))
		return integrity(err, "usage bits that we never set together");
	return true;
}

/* What must be true of every key of ours, whoever looked away since it was made (threats A5, A10). */
static bool
read_hardening(struct session *session, struct hsmkey *key, struct err *err)
{
	static const struct {
		CK_ATTRIBUTE_TYPE type;
		const char *complaint;
	} wanted[] = {
		{CKA_PRIVATE,   "not private"  },
		{CKA_SENSITIVE, "not sensitive"},
	};
	for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
		bool value;
		if (!object_get_bool(session, key->handle, wanted[i].type, &value, err))
			return false;
		if (!value)
			return integrity(err, wanted[i].complaint);
	}
	bool extractable, trusted_only;
	if (!object_get_bool(session, key->handle, CKA_EXTRACTABLE, &extractable, err))
		return false;
	if (!extractable)
		return true;
	if (!object_get_bool(session, key->handle, CKA_WRAP_WITH_TRUSTED, &trusted_only, err))
		return false;
	return trusted_only || integrity(err, "extractable under any key");
}

static bool
read_provenance(struct session *session, struct hsmkey *key, struct err *err)
{
	static const struct {
		CK_ATTRIBUTE_TYPE type;
		unsigned bit;
	} map[] = {
		{CKA_LOCAL,             HSMKEY_LOCAL            },
		{CKA_ALWAYS_SENSITIVE,  HSMKEY_ALWAYS_SENSITIVE },
		{CKA_NEVER_EXTRACTABLE, HSMKEY_NEVER_EXTRACTABLE},
	};
	for (size_t i = 0; i < ARRAY_LEN(map); i++) {
		bool value;
		if (!object_get_bool(session, key->handle, map[i].type, &value, err))
			return false;
		key->provenance |= value ? map[i].bit : 0;
	}
	return true;
}

/* pubkey's errors speak of a caller's key; here the token showed something impossible. */
static struct pubkey *
or_integrity(struct pubkey *pubkey, struct err *err)
{
	if (pubkey == NULL)
		(void)integrity(err, "the token shows no sound public key");
	return pubkey;
}

struct pubkey *
hsmkey_read_rsa(struct session *session, unsigned long object, struct err *err)
{
	uint8_t n[PUBKEY_MODULUS_MAX + 1], e[8];
	size_t n_len, e_len;
	if (!object_get(session, object, CKA_MODULUS, n, sizeof(n), &n_len, err) ||
		!object_get(session, object, CKA_PUBLIC_EXPONENT, e, sizeof(e), &e_len, err))
		return NULL;
	return or_integrity(
		pubkey_from_rsa((struct bytes){n, n_len}, (struct bytes){e, e_len}, err), err);
}

struct pubkey *
hsmkey_read_ec(struct session *session, unsigned long object, enum curve curve, struct err *err)
{
	uint8_t point[CURVE_POINT_MAX + 3];
	size_t len;
	if (!object_get(session, object, CKA_EC_POINT, point, sizeof(point), &len, err))
		return NULL;
	/* A DER OCTET STRING (PKCS#11 3.0 §2.3.3); some tokens leave the wrapping out. Both begin with 04. */
	size_t bare = 1 + 2 * curve_octets(curve);
	size_t head = len >= bare ? len - bare : 0;
	if (head > 3)
		head = 0;
	struct bytes at = {point + head, len - head};
	return or_integrity(pubkey_from_point(curve, at, err), err);
}

static bool
read_curve(struct session *session, struct hsmkey *key, struct err *err)
{
	uint8_t params[32];
	size_t len;
	if (!object_get(session, key->handle, CKA_EC_PARAMS, params, sizeof(params), &len, err))
		return false;
	key->curve = curve_find_der((struct bytes){params, len});
	if (key->curve == CURVE_NONE)
		return integrity(err, "a curve that we do not make");
	if (key->public_half == CK_INVALID_HANDLE)
		return integrity(err, "an EC key without its public half");
	return true;
}

static bool
read_material(struct session *session, struct hsmkey *key, struct err *err)
{
	CK_ULONG type, len;
	if (!object_get_number(session, key->handle, CKA_KEY_TYPE, &type, err))
		return false;
	switch (type) {
	case CKK_RSA:
		key->kty = KEY_RSA;
		key->pubkey = hsmkey_read_rsa(session, key->handle, err);
		break;
	case CKK_EC:
		key->kty = KEY_EC;
		if (!read_curve(session, key, err))
			return false;
		key->pubkey = hsmkey_read_ec(session, key->public_half, key->curve, err);
		break;
	case CKK_AES:
	case CKK_GENERIC_SECRET:
		key->kty = type == CKK_AES ? KEY_AES : KEY_HMAC;
		if (!object_get_number(session, key->handle, CKA_VALUE_LEN, &len, err))
			return false;
		key->bits = (unsigned)len * 8;
		return true;
	default:
		return integrity(err, "a key type that we do not make");
	}
	if (key->pubkey == NULL)
		return false;
	key->bits = pubkey_bits(key->pubkey);
	return true;
}

struct hsmkey *
hsmkey_load(struct session *session, const uint8_t id[static HSMKEY_ID_LEN], struct err *err)
{
	CLEAN(hsmkey)
	struct hsmkey *key = calloc(1, sizeof(*key));
	if (key == NULL)
		abort();
	memcpy(key->id, id, HSMKEY_ID_LEN);
	CK_OBJECT_CLASS class = CKO_DATA;
	if (!find_halves(session, id, key, &class, err))
		return NULL;
	if (class != CKO_PRIVATE_KEY && class != CKO_SECRET_KEY) {
		(void)integrity(err, "not a key");
		return NULL;
	}
	if (!read_usage(session, key, class == CKO_SECRET_KEY, err) ||
		!read_hardening(session, key, err) || !read_provenance(session, key, err) ||
		!read_material(session, key, err) ||
		!possession_prove(session, key, key->fingerprint, err))
		return NULL;
	struct hsmkey *proved = key;
	key = NULL;
	return proved;
}

static struct hsmkey **
bucket_of(struct session *session, const uint8_t id[static HSMKEY_ID_LEN])
{
	return &session->buckets[(id[0] | (size_t)id[1] << 8) %
				 SESSION_BUCKETS]; /* ids are random */
}

static struct hsmkey *
cached(struct session *session, const uint8_t id[static HSMKEY_ID_LEN])
{
	struct hsmkey *key = *bucket_of(session, id);
	while (key != NULL && memcmp(key->id, id, HSMKEY_ID_LEN) != 0)
		key = key->next;
	return key;
}

static void
keep(struct session *session, struct hsmkey *key)
{
	if (session->key_count >= SESSION_KEYS_MAX)
		hsmkey_forget_all(
			session); /* refilled on demand; no list of use to keep on the fast path */
	struct hsmkey **bucket = bucket_of(session, key->id);
	key->next = *bucket;
	*bucket = key;
	session->key_count++;
}

const struct hsmkey *
hsmkey_find(struct session *session, const uint8_t id[static HSMKEY_ID_LEN],
	const uint8_t *fingerprint, struct err *err)
{
	struct hsmkey *key = cached(session, id);
	if (key == NULL) {
		key = hsmkey_load(session, id, err);
		if (key == NULL)
			return NULL;
		keep(session, key);
	}
	if (fingerprint != NULL &&
		memcmp(key->fingerprint, fingerprint, HSMKEY_FINGERPRINT_LEN) != 0) {
		hsmkey_forget(
			session, id); /* so that a repair on the token heals without a restart */
		(void)integrity(err, "another fingerprint");
		return NULL;
	}
	return key;
}

bool
hsmkey_check_handle(struct session *session, const struct hsmkey *key, struct err *err)
{
	uint8_t id[HSMKEY_ID_LEN];
	size_t len;
	if (!object_get(session, key->handle, CKA_ID, id, sizeof(id), &len, err))
		return false;
	if (len == sizeof(id) && memcmp(id, key->id, sizeof(id)) == 0)
		return true;
	session->repair = CKR_REPAIR_HANDLE;
	return integrity(err, "another object under the handle");
}

void
hsmkey_fill_facts(const struct hsmkey *key, struct hsmkey_facts *facts)
{
	*facts = (struct hsmkey_facts){.provenance = key->provenance};
	memcpy(facts->fingerprint, key->fingerprint, sizeof(facts->fingerprint));
	if (key->pubkey == NULL)
		return;
	struct bytes spki = pubkey_get_spki(key->pubkey);
	memcpy(facts->spki, spki.data, spki.len);
	facts->spki_len = spki.len;
}

void
hsmkey_forget(struct session *session, const uint8_t id[static HSMKEY_ID_LEN])
{
	for (struct hsmkey **at = bucket_of(session, id); *at != NULL; at = &(*at)->next) {
		if (memcmp((*at)->id, id, HSMKEY_ID_LEN) != 0)
			continue;
		struct hsmkey *gone = *at;
		*at = gone->next;
		hsmkey_free(gone);
		session->key_count--;
		return;
	}
}

void
hsmkey_forget_all(struct session *session)
{
	for (size_t i = 0; i < SESSION_BUCKETS; i++) {
		while (session->buckets[i] != NULL) {
			struct hsmkey *gone = session->buckets[i];
			session->buckets[i] = gone->next;
			hsmkey_free(gone);
		}
	}
	session->key_count = 0;
}
