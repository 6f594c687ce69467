/* Reads KeyImport. Invariant: private members go from the body's text into struct secret and nowhere else. */
#include "key_import.h"

#include <stdio.h>
#include <string.h>

#include "api/body.h"
#include "api/key_priv.h"
#include "api/tags.h"

#define NUMBER_MAX (PUBKEY_MODULUS_MAX + 1) /* octets; a leading zero is forgiven */
#define SECRET_MAX 64                       /* octets of an oct key; akv-contract §7 */

struct jwk_body {
	const char *kty;
	const char *crv;
	struct json_texts key_ops;
	struct bytes n, e, x, y;
	struct json_opt_secret k, d, p, q, dp, dq, qi;
	const struct json_value *key_hsm;
};

#define SECRET_FIELD(name, most)                                                                   \
	FIELD(struct jwk_body, name, #name, SECRET, .flags = JSON_NON_EMPTY, .max = (most))

static const struct json_field jwk_fields[] = {
	FIELD(struct jwk_body, kty, "kty", TEXT, .flags = JSON_REQUIRED, .max = KEY_WORD_CHARS_MAX),
	FIELD(struct jwk_body, crv, "crv", TEXT, .max = KEY_WORD_CHARS_MAX),
	FIELD(struct jwk_body, key_ops, "key_ops", TEXTS, .max = KEY_OPS_MAX,
		.high = KEY_WORD_CHARS_MAX),
	FIELD(struct jwk_body, n, "n", BASE64, .max = NUMBER_MAX),
	FIELD(struct jwk_body, e, "e", BASE64, .max = NUMBER_MAX),
	FIELD(struct jwk_body, x, "x", BASE64, .max = CURVE_OCTETS_MAX),
	FIELD(struct jwk_body, y, "y", BASE64, .max = CURVE_OCTETS_MAX),
	SECRET_FIELD(k, SECRET_MAX),
	SECRET_FIELD(d, NUMBER_MAX),
	SECRET_FIELD(p, NUMBER_MAX),
	SECRET_FIELD(q, NUMBER_MAX),
	SECRET_FIELD(dp, NUMBER_MAX),
	SECRET_FIELD(dq, NUMBER_MAX),
	SECRET_FIELD(qi, NUMBER_MAX),
	FIELD(struct jwk_body, key_hsm, "key_hsm", TREE),
};
TABLE(jwk_table, jwk_fields, struct jwk_body, false);

struct import_body {
	struct json_opt_bool hsm;
	struct jwk_body *key;
	struct key_attributes_body *attributes;
	struct json_pairs tags;
};

static const struct json_field import_fields[] = {
	FIELD(struct import_body, hsm, "Hsm", BOOL),
	FIELD(struct import_body, key, "key", OBJECT, .flags = JSON_REQUIRED, .table = &jwk_table),
	FIELD(struct import_body, attributes, "attributes", OBJECT, .table = &key_attributes_table),
	FIELD(struct import_body, tags, "tags", MAP, .max = API_TAGS_MAX,
		.high = API_TAG_OCTETS_MAX),
};
TABLE(import_table, import_fields, struct import_body, false);

/* ---- the material ---- */

static bool
missing(const char *member, struct err *err)
{
	return err_set(err, ERR_BAD_PARAMETER, "key.%s is missing.", member);
}

static bool
take(struct json_opt_secret *from, const char *member, struct secret **to, struct err *err)
{
	if (from->value == NULL)
		return missing(member, err);
	*to = from->value; /* theirs from here on */
	from->value = NULL;
	return true;
}

static bool
take_rsa(struct jwk_body *jwk, struct api_key_material *material, struct err *err)
{
	if (jwk->n.len == 0 || jwk->e.len == 0)
		return missing(jwk->n.len == 0 ? "n" : "e", err);
	if (!take(&jwk->d, "d", &material->value, err) || !take(&jwk->p, "p", &material->p, err) ||
		!take(&jwk->q, "q", &material->q, err) ||
		!take(&jwk->dp, "dp", &material->dp, err) ||
		!take(&jwk->dq, "dq", &material->dq, err) ||
		!take(&jwk->qi, "qi", &material->qi, err))
		return false;
	material->pubkey = pubkey_from_rsa(jwk->n, jwk->e, err);
	return material->pubkey != NULL;
}

static bool
take_ec(struct jwk_body *jwk, enum curve curve, struct api_key_material *material, struct err *err)
{
	if (jwk->crv == NULL || jwk->x.len == 0 || jwk->y.len == 0)
		return missing(jwk->crv == NULL ? "crv" : jwk->x.len == 0 ? "x" : "y", err);
	if (!take(&jwk->d, "d", &material->value, err))
		return false;
	if (secret_len(material->value) > curve_octets(curve))
		return err_set(err, ERR_BAD_PARAMETER, "key.d is too long for the curve.");
	material->pubkey = pubkey_from_xy(curve, jwk->x, jwk->y, err);
	return material->pubkey != NULL;
}

static int64_t
exponent_of(const struct pubkey *pubkey)
{
	int64_t exponent = 0;
	struct bytes e = pubkey_get_e(pubkey);
	for (size_t i = 0; i < e.len; i++) /* at most PUBKEY_EXPONENT_MAX octets */
		exponent = exponent << 8 | e.data[i];
	return exponent;
}

/* Its size and exponent as if they were asked for: what may be generated may be imported, and nothing else. */
static void
show_size(const struct api_key_material *material, enum alg_key type, struct key_shape *shape)
{
	if (type == ALG_KEY_RSA) {
		shape->key_size =
			(struct json_opt_int){true, (int64_t)pubkey_bits(material->pubkey)};
		shape->public_exponent = (struct json_opt_int){true, exponent_of(material->pubkey)};
	} else if (type == ALG_KEY_OCT) {
		shape->key_size =
			(struct json_opt_int){true, (int64_t)secret_len(material->value) * 8};
	}
}

static bool
take_material(
	struct jwk_body *jwk, enum kty kty, struct api_key_material *material, struct err *err)
{
	enum curve curve = jwk->crv != NULL ? curve_find(jwk->crv) : CURVE_NONE;
	switch (kty_key(kty)) {
	case ALG_KEY_RSA:
		return take_rsa(jwk, material, err);
	case ALG_KEY_EC:
		if (jwk->crv != NULL && curve == CURVE_NONE)
			return err_set(err, ERR_BAD_PARAMETER,
				"crv is none of P-256, P-384, P-521 and P-256K.");
		return take_ec(jwk, curve, material, err);
	case ALG_KEY_OCT:
		return take(&jwk->k, "k", &material->value, err);
	}
	return err_set(err, ERR_INTERNAL, NULL);
}

/* ---- the whole ---- */

/* `Hsm` is the dialect's other way to say RSA-HSM for RSA. */
static const char *
type_name(const struct import_body *body, char text[static KEY_WORD_CHARS_MAX])
{
	if (!body->hsm.value || strstr(body->key->kty, "-HSM") != NULL)
		return body->key->kty;
	(void)snprintf(text, KEY_WORD_CHARS_MAX, "%.26s-HSM", body->key->kty);
	return text;
}

static bool
decode(struct import_body *body, struct arena *arena, struct api_key_import *import,
	struct err *err)
{
	char text[KEY_WORD_CHARS_MAX];
	struct jwk_body *jwk = body->key;
	struct key_shape shape = {
		.kty = type_name(body, text),
		.crv = jwk->crv,
		.key_ops = jwk->key_ops,
	};
	enum kty kty = kty_find(shape.kty);
	if (jwk->key_hsm != NULL)
		return err_set(
			err, ERR_NOT_SUPPORTED, "key.key_hsm: only plain keys are imported.");
	if (kty != KTY_NONE) {
		if (!take_material(jwk, kty, &import->material, err))
			return false;
		show_size(&import->material, kty_key(kty), &shape);
	}
	return key_decode_shape(&shape, &import->create, err) &&
	       key_decode_attributes(body->attributes, &import->create.attributes, err) &&
	       api_tags_format(&body->tags, "{}", arena, &import->create.tags, err);
}

bool
api_key_import_decode(
	struct bytes body, struct arena *arena, struct api_key_import *ret_import, struct err *err)
{
	struct import_body fields;
	struct api_key_import import = {.create = {.bits = 0}};
	CLEAN(json)
	struct json_value *document = json_parse(body.data, body.len, JSON_BODY_MAX, err);
	if (document == NULL || !key_refuse_release(document, err) ||
		!json_decode(document, &import_table, arena, &fields, err))
		return false;
	bool decoded = decode(&fields, arena, &import, err);
	json_release(&import_table, &fields);
	if (!decoded) {
		api_key_material_clear(&import.material);
		return false;
	}
	*ret_import = import;
	return true;
}

void
api_key_material_clear(struct api_key_material *material)
{
	pubkey_free(material->pubkey);
	secret_free(material->value);
	secret_free(material->p);
	secret_free(material->q);
	secret_free(material->dp);
	secret_free(material->dq);
	secret_free(material->qi);
	*material = (struct api_key_material){.pubkey = NULL};
}
