/* Invariant: the token gets nothing that was not checked, and no template that a generated key would not have. */
#include "keyimport.h"

#include <assert.h>
#include <string.h>

#include "ck.h"
#include "identity.h"
#include "keymake_priv.h"
#include "probe.h"
#include "session_priv.h"
#include "template.h"

#define ROWS_MAX 48 /* of a template and of the material */

struct object {
	CK_ATTRIBUTE rows[ROWS_MAX];
	size_t count;
};

static void
add(struct object *object, CK_ATTRIBUTE_TYPE type, struct bytes value)
{
	assert(object->count < ROWS_MAX);
	/* Cryptoki's templates have no const */
	object->rows[object->count++] =
		(CK_ATTRIBUTE){type, (void *)(uintptr_t)value.data, value.len};
}

/* Without leading zeros, as Cryptoki's big integers are. */
static void
add_number(struct object *object, CK_ATTRIBUTE_TYPE type, struct bytes number)
{
	while (number.len > 1 && number.data[0] == 0) {
		number.data++;
		number.len--;
	}
	add(object, type, number);
}

static void
add_template(struct object *object, const struct template *template)
{
	size_t count;
	const CK_ATTRIBUTE *rows = template_attributes(template, &count);
	for (size_t i = 0; i < count; i++) {
		if (rows[i].type == CKA_VALUE_LEN) /* the value tells it */
			continue;
		assert(object->count < ROWS_MAX);
		object->rows[object->count++] = rows[i];
	}
}

static bool
create(struct session *session, struct object *object, struct err *err)
{
	CK_OBJECT_HANDLE handle;
	CK_RV rv =
		session->ck->C_CreateObject(session->handle, object->rows, object->count, &handle);
	return rv == CKR_OK || session_fail(session, "C_CreateObject", rv, err);
}

static void
add_rsa(struct object *object, const struct keyimport_material *material)
{
	const struct privkey_rsa *rsa = &material->rsa;
	add(object, CKA_MODULUS, pubkey_get_n(material->pubkey));
	add(object, CKA_PUBLIC_EXPONENT, pubkey_get_e(material->pubkey));
	add_number(object, CKA_PRIVATE_EXPONENT, rsa->d);
	add_number(object, CKA_PRIME_1, rsa->p);
	add_number(object, CKA_PRIME_2, rsa->q);
	add_number(object, CKA_EXPONENT_1, rsa->dp);
	add_number(object, CKA_EXPONENT_2, rsa->dq);
	add_number(object, CKA_COEFFICIENT, rsa->qi);
}

static bool
create_private(struct session *session, const struct hsmkey_spec *spec,
	const struct keyimport_material *material, struct err *err)
{
	bool pair = material->pubkey != NULL;
	CLEAN(template)
	struct template *template = template_new(
		spec, probe_get(session), pair ? TEMPLATE_PRIVATE : TEMPLATE_SECRET, true);
	struct object object = {.count = 0};
	add_template(&object, template);
	if (spec->kty == KEY_RSA) {
		add_rsa(&object, material);
		return create(session, &object, err);
	}
	if (spec->kty == KEY_EC)
		add(&object, CKA_EC_PARAMS, curve_der(spec->curve));
	add(&object, CKA_VALUE, material->value);
	return create(session, &object, err);
}

/* The point as a DER OCTET STRING (PKCS#11 3.0 §2.3.3). */
static size_t
point_der(const struct pubkey *pubkey, uint8_t der[static CURVE_POINT_MAX + 3])
{
	size_t octets = curve_octets(pubkey_get_curve(pubkey)), len = 1 + 2 * octets, at = 0;
	der[at++] = 0x04;
	if (len > 0x7f)
		der[at++] = 0x81;
	der[at++] = (uint8_t)len;
	der[at++] = 0x04; /* uncompressed */
	memcpy(der + at, pubkey_get_x(pubkey).data, octets);
	memcpy(der + at + octets, pubkey_get_y(pubkey).data, octets);
	return at + 2 * octets;
}

static bool
create_public(struct session *session, const struct hsmkey_spec *spec, const struct pubkey *pubkey,
	struct err *err)
{
	CLEAN(template)
	struct template *template = template_new(spec, probe_get(session), TEMPLATE_PUBLIC, true);
	struct object object = {.count = 0};
	uint8_t der[CURVE_POINT_MAX + 3];
	add_template(&object, template);
	add(&object, CKA_EC_POINT, (struct bytes){der, point_der(pubkey, der)});
	return create(session, &object, err);
}

/* The public half first: alone, it proves whose remains it is (public_remains() in keymake.c). That of RSA stays away. */
static bool
import_once(
	struct session *session, const struct hsmkey_spec *spec, const void *data, struct err *err)
{
	const struct keyimport_material *material = data;
	if (spec->kty == KEY_EC && !create_public(session, spec, material->pubkey, err))
		return false;
	return create_private(session, spec, material, err);
}

static bool
check(const struct hsmkey_spec *spec, const struct keyimport_material *material, struct err *err)
{
	const struct pubkey *pubkey = material->pubkey;
	bool fits = false;
	switch (spec->kty) {
	case KEY_RSA:
		fits = pubkey != NULL && pubkey_get_type(pubkey) == PUBKEY_RSA &&
		       pubkey_bits(pubkey) == spec->bits;
		break;
	case KEY_EC:
		fits = pubkey != NULL && pubkey_get_type(pubkey) == PUBKEY_EC &&
		       pubkey_get_curve(pubkey) == spec->curve;
		break;
	case KEY_AES:
	case KEY_HMAC:
		fits = pubkey == NULL && material->value.len == spec->bits / 8;
		break;
	}
	if (!fits)
		return err_set(err, ERR_BAD_PARAMETER, "The key is not of this type and size.");
	if (pubkey == NULL)
		return privkey_check_secret(material->value, err);
	return spec->kty == KEY_RSA ? privkey_check_rsa(pubkey, &material->rsa, err)
				    : privkey_check_ec(pubkey, material->value, err);
}

bool
keyimport(struct session *session, const struct hsmkey_spec *spec,
	const struct keyimport_material *material, struct hsmkey_facts *ret_facts, struct err *err)
{
	if (identity_is(spec->id))
		return err_set(err, ERR_CONFLICT, "The id is reserved.");
	if (!check(spec, material, err))
		return false;
	uint8_t fingerprint[HSMKEY_FINGERPRINT_LEN];
	if (material->pubkey != NULL)
		pubkey_fingerprint(material->pubkey, fingerprint);
	return keymake_by(session, spec, import_once, material,
		material->pubkey != NULL ? fingerprint : NULL, ret_facts, err);
}
