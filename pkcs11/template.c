/* Invariant: no attribute twice, and values live as long as the template. */
#include "template.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "attr.h"
#include "ck.h"
#include "object.h"
#include "probe.h"

#define ROWS_MAX       32
#define STORE_MAX      512
#define MECHANISMS_MAX 8

struct template
{
	CK_ATTRIBUTE rows[ROWS_MAX];
	size_t count;
	_Alignas(CK_ULONG) uint8_t store[STORE_MAX];
	size_t used;
	uint32_t unknown; /* attributes to leave out */
};

static void
add(struct template *t, enum attr attr, const void *value, size_t len)
{
	if ((t->unknown & ATTR_BIT(attr)) != 0)
		return;
	for (size_t i = 0; i < t->count; i++)
		assert(t->rows[i].type != attr_type(attr));
	assert(t->count < ROWS_MAX && len <= STORE_MAX - t->used);
	uint8_t *copy = t->store + t->used;
	memcpy(copy, value, len);
	t->rows[t->count++] = (CK_ATTRIBUTE){attr_type(attr), copy, len};
	t->used += (len + sizeof(CK_ULONG) - 1) / sizeof(CK_ULONG) * sizeof(CK_ULONG);
	assert(t->used <= STORE_MAX);
}

static void
add_bool(struct template *t, enum attr attr, bool value)
{
	CK_BBOOL octet = value ? CK_TRUE : CK_FALSE;
	add(t, attr, &octet, sizeof(octet));
}

static void
add_number(struct template *t, enum attr attr, CK_ULONG value)
{
	add(t, attr, &value, sizeof(value));
}

static CK_KEY_TYPE
key_type(enum key_kty kty)
{
	switch (kty) {
	case KEY_RSA:
		return CKK_RSA;
	case KEY_EC:
		return CKK_EC;
	case KEY_AES:
		return CKK_AES;
	case KEY_HMAC:
		return CKK_GENERIC_SECRET;
	}
	assert(!"a key type outside the enum");
	return CKK_VENDOR_DEFINED;
}

/* The algorithms that a key of these operations takes part in. */
static bool
takes_part(const struct hsmkey_spec *spec, enum mech mech)
{
	const struct mech_row *row = mech_get(mech);
	if (row->kty != spec->kty || (row->bits != 0 && row->bits != spec->bits))
		return false;
	if (spec->kty == KEY_EC && mech != mech_of_curve(spec->curve))
		return false;
	if (spec->kty == KEY_HMAC && spec->bits < hash_len(row->hash) * 8)
		return false;
	return (spec->ops & mech_ops(mech)) != 0;
}

/* Exactly the mechanisms that serve those algorithms on this token (threats A13, A19). */
static size_t
allowed_mechanisms(const struct hsmkey_spec *spec, const struct probe *probe,
	CK_MECHANISM_TYPE list[static MECHANISMS_MAX])
{
	size_t count = 0;
	for (enum mech mech = MECH_NONE + 1; mech < MECH_COUNT; mech++) {
		if (!takes_part(spec, mech) || probe->service[mech] == MECH_NOT_SERVED)
			continue;
		CK_MECHANISM_TYPE ckm =
			probe->service[mech] == MECH_RAW_RSA ? CKM_RSA_X_509 : mech_get(mech)->ckm;
		size_t i = 0;
		while (i < count && list[i] != ckm)
			i++;
		assert(i < MECHANISMS_MAX);
		list[i] = ckm;
		count = i == count ? count + 1 : count;
	}
	return count;
}

struct usage {
	bool encrypt, decrypt, sign, verify, wrap, unwrap;
};

/*
 * Usage bits of the private or secret half. unwrapKey with RSA is C_Decrypt on the token, so no RSA key ever has
 * CKA_UNWRAP (threat A1). Secret keys have both directions of their one family (A3); a wrapping key gets
 * ENCRYPT and DECRYPT only where the token serves key wrapping through C_Encrypt, and then nothing else.
 */
static struct usage
usage_of(const struct hsmkey_spec *spec, const struct probe *probe)
{
	bool opens = (spec->ops & (KEY_OP_DECRYPT | KEY_OP_UNWRAP)) != 0;
	bool signs = (spec->ops & KEY_OP_SIGN) != 0;
	switch (spec->kty) {
	case KEY_RSA:
		return (struct usage){.decrypt = opens, .sign = signs};
	case KEY_EC:
		return (struct usage){.sign = signs};
	case KEY_HMAC:
		return (struct usage){.sign = true, .verify = true};
	case KEY_AES:
		break;
	}
	bool wraps = (spec->ops & (KEY_OP_WRAP | KEY_OP_UNWRAP)) != 0;
	bool by_cipher = !wraps || probe->service[MECH_AES_KEY_WRAP] == MECH_NATIVE;
	return (struct usage){.encrypt = by_cipher,
		.decrypt = by_cipher,
		.wrap = !by_cipher,
		.unwrap = !by_cipher};
}

static void
add_private(
	struct template *t, const struct hsmkey_spec *spec, const struct probe *probe, bool pair)
{
	struct usage usage = usage_of(spec, probe);
	add_bool(t, ATTR_SENSITIVE, true);
	add_bool(t, ATTR_EXTRACTABLE, spec->extractable);
	if (spec->extractable)
		add_bool(t, ATTR_WRAP_WITH_TRUSTED, true);
	add_bool(t, ATTR_DECRYPT, usage.decrypt);
	add_bool(t, ATTR_SIGN, usage.sign);
	add_bool(t, ATTR_UNWRAP, usage.unwrap);
	if (pair) {
		add_bool(t, ATTR_SIGN_RECOVER, false);
	} else {
		add_bool(t, ATTR_ENCRYPT, usage.encrypt);
		add_bool(t, ATTR_VERIFY, usage.verify);
		add_bool(t, ATTR_WRAP, usage.wrap);
		add_number(t, ATTR_VALUE_LEN, spec->bits / 8);
	}
	CK_MECHANISM_TYPE list[MECHANISMS_MAX];
	size_t count = allowed_mechanisms(spec, probe, list);
	/* An empty list means "any" to some tokens; a key without a private operation has no usage bit anyway. */
	if (count > 0)
		add(t, ATTR_ALLOWED_MECHANISMS, list, count * sizeof(*list));
}

static void
add_public(struct template *t, const struct hsmkey_spec *spec)
{
	static const enum attr usages[] = {
		ATTR_ENCRYPT, ATTR_VERIFY, ATTR_VERIFY_RECOVER, ATTR_WRAP};
	for (size_t i = 0; i < ARRAY_LEN(usages); i++)
		add_bool(t, usages[i], false);
	if (spec->kty == KEY_EC) {
		struct bytes params = curve_der(spec->curve);
		add(t, ATTR_EC_PARAMS, params.data, params.len);
		return;
	}
	uint8_t e[3] = {1, 0, 1}; /* 65537, big-endian */
	add_number(t, ATTR_MODULUS_BITS, spec->bits);
	if (spec->public_exponent == 3)
		add(t, ATTR_PUBLIC_EXPONENT, (uint8_t[]){3}, 1);
	else
		add(t, ATTR_PUBLIC_EXPONENT, e, sizeof(e));
}

/*
 * The public half of an EC pair stays on the token, private and without a use, because nothing else there tells the
 * point. That of an RSA pair is a session object, destroyed at once: the private half shows modulus and exponent.
 */
static bool
half_stays(const struct hsmkey_spec *spec, enum template_half half)
{
	return half != TEMPLATE_PUBLIC || spec->kty == KEY_EC;
}

struct template *
template_new(const struct hsmkey_spec *spec, const struct probe *probe, enum template_half half,
	bool token)
{
	struct template *t = calloc(1, sizeof(*t));
	if (t == NULL)
		abort();
	t->unknown = probe->unknown;
	CK_OBJECT_CLASS classes[] = {
		[TEMPLATE_PRIVATE] = CKO_PRIVATE_KEY,
		[TEMPLATE_PUBLIC] = CKO_PUBLIC_KEY,
		[TEMPLATE_SECRET] = CKO_SECRET_KEY,
	};
	add_number(t, ATTR_CLASS, classes[half]);
	add_number(t, ATTR_KEY_TYPE, key_type(spec->kty));
	add_bool(t, ATTR_TOKEN, token && half_stays(spec, half));
	add_bool(t, ATTR_PRIVATE, true);
	add(t, ATTR_ID, spec->id, sizeof(spec->id));
	add(t, ATTR_LABEL, spec->label, strlen(spec->label));
	add_bool(t, ATTR_MODIFIABLE, false);
	add_bool(t, ATTR_COPYABLE, false);
	add_bool(t, ATTR_DESTROYABLE, true);
	add_bool(t, ATTR_DERIVE, false);
	if (half == TEMPLATE_PUBLIC)
		add_public(t, spec);
	else
		add_private(t, spec, probe, half == TEMPLATE_PRIVATE);
	return t;
}

void
template_free(struct template *template)
{
	free(template);
}

struct _CK_ATTRIBUTE *
template_attributes(const struct template *template, size_t *ret_count)
{
	*ret_count = template->count;
	return (struct _CK_ATTRIBUTE *)(uintptr_t) template
		->rows; /* Cryptoki's templates have no const */
}

/* The same mechanisms in any order. */
static bool
same_set(const CK_ATTRIBUTE *wanted, const void *got, size_t len)
{
	if (len != wanted->ulValueLen)
		return false;
	size_t count = len / sizeof(CK_MECHANISM_TYPE);
	const CK_MECHANISM_TYPE *a = wanted->pValue, *b = got;
	for (size_t i = 0; i < count; i++) {
		size_t j = 0;
		while (j < count && a[i] != b[j])
			j++;
		if (j == count)
			return false;
	}
	return true;
}

static bool
same_value(const CK_ATTRIBUTE *wanted, const void *got, size_t len)
{
	if (wanted->type == CKA_ALLOWED_MECHANISMS)
		return same_set(wanted, got, len);
	return len == wanted->ulValueLen && memcmp(got, wanted->pValue, len) == 0;
}

/*
 * Attributes of FALSE may be missing where the object's class has no such attribute at all (SoftHSM shows no
 * SIGN_RECOVER on EC keys); one that is missing does nothing.
 */
static bool
absent_is_good(const CK_ATTRIBUTE *wanted)
{
	static const CK_ATTRIBUTE_TYPE usages[] = {
		CKA_SIGN_RECOVER, CKA_VERIFY_RECOVER, CKA_ENCRYPT, CKA_WRAP};
	for (size_t i = 0; i < ARRAY_LEN(usages); i++) {
		if (wanted->type == usages[i])
			return *(const CK_BBOOL *)wanted->pValue == CK_FALSE;
	}
	return false;
}

bool
template_verify(const struct template *template, struct session *session, unsigned long object,
	uint32_t *reduced, struct err *err)
{
	for (size_t i = 0; i < template->count; i++) {
		const CK_ATTRIBUTE *wanted = &template->rows[i];
		_Alignas(CK_ULONG) uint8_t got[STORE_MAX];
		size_t len = 0;
		enum attr attr = attr_find_type(wanted->type);
		switch (object_read(session, object, wanted->type, got, sizeof(got), &len, err)) {
		case OBJECT_FAILED:
			return false;
		case OBJECT_ABSENT:
			if (absent_is_good(wanted))
				continue;
			break;
		case OBJECT_VALUE:
			if (same_value(wanted, got, len))
				continue;
			break;
		}
		if (!attr_is_hardening(attr))
			return err_set(err, ERR_TOKEN_REDUCED,
				"The token does not honour the attribute '%s'.", attr_name(attr));
		*reduced |= ATTR_BIT(attr);
	}
	return true;
}
