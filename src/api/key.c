/*
 * Reads KeyCreate and KeyUpdate. Invariant: what leaves here is complete and possible: a type with a size or
 * curve of that type, and operations that one key may have together.
 */
#include "key.h"

#include <string.h>

#include "api/body.h"
#include "api/key_priv.h"
#include "api/tags.h"

/* ---- bodies ---- */

static const struct json_field attributes_fields[] = {
	FIELD(struct key_attributes_body, enabled, "enabled", BOOL),
	FIELD(struct key_attributes_body, nbf, "nbf", INT, .high = INT64_MAX),
	FIELD(struct key_attributes_body, exp, "exp", INT, .high = INT64_MAX),
	FIELD(struct key_attributes_body, exportable, "exportable", BOOL),
};
const struct json_table key_attributes_table = {
	.fields = attributes_fields,
	.count = ARRAY_LEN(attributes_fields),
	.size = sizeof(struct key_attributes_body),
};

/* KeyCreate and KeyUpdate; the second has no use for the first four. */
struct key_body {
	struct key_shape shape;
	struct key_attributes_body *attributes;
	struct json_pairs tags;
};

#define KEY_SHARED_FIELDS                                                                          \
	FIELD(struct key_body, shape.key_ops, "key_ops", TEXTS, .max = KEY_OPS_MAX,                \
		.high = KEY_WORD_CHARS_MAX),                                                       \
		FIELD(struct key_body, attributes, "attributes", OBJECT,                           \
			.table = &key_attributes_table),                                           \
		FIELD(struct key_body, tags, "tags", MAP, .max = API_TAGS_MAX,                     \
			.high = API_TAG_OCTETS_MAX)

static const struct json_field create_fields[] = {
	FIELD(struct key_body, shape.kty, "kty", TEXT, .flags = JSON_REQUIRED,
		.max = KEY_WORD_CHARS_MAX),
	FIELD(struct key_body, shape.key_size, "key_size", INT, .high = INT32_MAX),
	FIELD(struct key_body, shape.public_exponent, "public_exponent", INT, .high = INT32_MAX),
	FIELD(struct key_body, shape.crv, "crv", TEXT, .max = KEY_WORD_CHARS_MAX),
	KEY_SHARED_FIELDS,
};
TABLE(create_table, create_fields, struct key_body, false);

static const struct json_field update_fields[] = {KEY_SHARED_FIELDS};
TABLE(update_table, update_fields, struct key_body, false);

bool
key_refuse_release(const struct json_value *document, struct err *err)
{
	/* akv-contract §7: no key of ours leaves its token, so a policy about that cannot be kept */
	return json_member(document, "release_policy") == NULL ||
	       err_set(err, ERR_BAD_PARAMETER,
		       "release_policy: keys are never released, leave it out.");
}

static bool
decode_body(struct bytes body, const struct json_table *table, struct arena *arena,
	struct key_body *ret_key, struct err *err)
{
	CLEAN(json)
	struct json_value *document = json_parse(body.data, body.len, JSON_BODY_MAX, err);
	if (document == NULL)
		return false;
	if (!key_refuse_release(document, err))
		return false;
	return json_decode(document, table, arena, ret_key, err);
}

bool
key_decode_attributes(const struct key_attributes_body *body, struct api_attributes *ret_attributes,
	struct err *err)
{
	struct api_attributes attributes = {0};
	if (body != NULL) {
		if (body->exportable.value)
			return err_set(err, ERR_BAD_PARAMETER,
				"attributes.exportable: keys are not exportable.");
		if (body->nbf.set && body->exp.set && body->nbf.value > body->exp.value)
			return err_set(err, ERR_BAD_PARAMETER,
				"attributes.nbf is later than attributes.exp.");
		attributes.has_enabled = body->enabled.set;
		attributes.enabled = body->enabled.value;
		attributes.has_nbf = body->nbf.set;
		attributes.nbf = body->nbf.value;
		attributes.has_exp = body->exp.set;
		attributes.exp = body->exp.value;
	}
	*ret_attributes = attributes;
	return true;
}

static bool
decode_ops(const struct json_texts *words, unsigned *ret_ops, struct err *err)
{
	unsigned ops = 0;
	for (size_t i = 0; i < words->count; i++) {
		const char *word = words->items[i];
		enum alg_op op = alg_op_find(word);
		/* akv-contract §7: words of the dialect for keys that enter or leave the token */
		if (strcmp(word, "import") == 0 || strcmp(word, "export") == 0)
			return err_set(err, ERR_NOT_SUPPORTED,
				"key_ops: import and export are not served.");
		if (op == 0)
			return err_set(
				err, ERR_BAD_PARAMETER, "key_ops[%zu] is not a key operation.", i);
		ops |= op;
	}
	*ret_ops = ops;
	return true;
}

/* ---- what can be made ---- */

/* One row for each family of operations that a key of a type may have; the first of a type is its default. */
struct family {
	enum alg_key type;
	const char *name;
	unsigned ops;
	unsigned default_bits; /* 0: the size is the curve's */
	unsigned bits[3];
};

static const struct family families[] = {
	{ALG_KEY_RSA, "RSA", ALG_OPS_ALL, 2048, {2048, 3072, 4096}}, /* akv-contract §7 */
	{ALG_KEY_EC,  "EC",  ALG_SIGNS,   0,    {0, 0, 0}         },
	{ALG_KEY_OCT, "oct", ALG_WRAPS,   256,  {128, 192, 256}   },
	{ALG_KEY_OCT, "oct", ALG_CRYPT,   256,  {128, 192, 256}   },
	{ALG_KEY_OCT, "oct", ALG_SIGNS,   256,  {256, 384, 512}   }, /* RFC 7518 §3.2 */
};

/* NULL: the operations are not of one family. `ops` 0 finds the default. */
static const struct family *
find_family(enum alg_key type, unsigned ops)
{
	for (size_t i = 0; i < ARRAY_LEN(families); i++)
		if (families[i].type == type && (ops & ~families[i].ops) == 0)
			return &families[i];
	return NULL;
}

/* `ops` 0: not given. NULL with the error set. */
static const struct family *
choose_family(enum kty kty, unsigned ops, struct err *err)
{
	enum alg_key type = kty_key(kty);
	unsigned impossible = ops & ~alg_key_ops(type);
	for (unsigned op = 1; op <= impossible; op <<= 1) {
		if ((impossible & op) != 0) {
			(void)err_set(err, ERR_BAD_PARAMETER,
				"key_ops: %s is not for a key of type %s.",
				alg_op_word((enum alg_op)op), kty_name(kty));
			return NULL;
		}
	}
	const struct family *family = find_family(type, ops);
	if (family == NULL)
		(void)err_set(err, ERR_BAD_PARAMETER,
			"key_ops: an oct key is either for wrapKey and unwrapKey or for encrypt "
			"and decrypt: with "
			"both, whoever may decrypt could read the keys it wraps. Make two keys.");
	return family;
}

static bool
check_size(const struct family *family, const struct json_opt_int *size, unsigned *ret_bits,
	struct err *err)
{
	if (!size->set) {
		*ret_bits = family->default_bits;
		return true;
	}
	for (size_t i = 0; i < ARRAY_LEN(family->bits); i++) {
		if (family->bits[i] != 0 && size->value == family->bits[i]) {
			*ret_bits = family->bits[i];
			return true;
		}
	}
	if (family->default_bits == 0)
		return err_set(err, ERR_BAD_PARAMETER,
			"key_size: the size of an EC key is that of its curve, leave it out.");
	return err_set(err, ERR_BAD_PARAMETER,
		"key_size: a key of type %s for these operations has %u, %u or %u bits.",
		family->name, family->bits[0], family->bits[1], family->bits[2]);
}

static bool
check_curve(enum alg_key type, const char *name, enum curve *ret_curve, struct err *err)
{
	*ret_curve = type == ALG_KEY_EC ? CURVE_P256 : CURVE_NONE;
	if (name == NULL)
		return true;
	if (type != ALG_KEY_EC)
		return err_set(err, ERR_BAD_PARAMETER, "crv: only an EC key has a curve.");
	*ret_curve = curve_find(name);
	if (*ret_curve == CURVE_NONE)
		return err_set(
			err, ERR_BAD_PARAMETER, "crv is none of P-256, P-384, P-521 and P-256K.");
	return true;
}

static bool
check_exponent(enum alg_key type, const struct json_opt_int *exponent, uint32_t *ret_exponent,
	struct err *err)
{
	if (type != ALG_KEY_RSA && exponent->set)
		return err_set(err, ERR_BAD_PARAMETER, "public_exponent: only an RSA key has one.");
	if (exponent->set && exponent->value != 3 && exponent->value != API_PUBLIC_EXPONENT)
		return err_set(err, ERR_BAD_PARAMETER, "public_exponent is neither 65537 nor 3.");
	*ret_exponent = 0;
	if (type == ALG_KEY_RSA)
		*ret_exponent = exponent->set ? (uint32_t)exponent->value : API_PUBLIC_EXPONENT;
	return true;
}

/* ---- decoders ---- */

bool
key_decode_shape(const struct key_shape *key, struct api_key_create *create, struct err *err)
{
	create->kty = kty_find(key->kty);
	if (create->kty == KTY_NONE)
		return err_set(err, ERR_BAD_PARAMETER,
			"kty is none of RSA, RSA-HSM, EC, EC-HSM, oct and oct-HSM.");
	create->type = kty_key(create->kty);
	if (!decode_ops(&key->key_ops, &create->ops, err))
		return false;
	if (key->key_ops.set && create->ops == 0)
		return err_set(err, ERR_BAD_PARAMETER,
			"key_ops is empty: the key could do nothing; leave it out for the "
			"default.");
	const struct family *family = choose_family(create->kty, create->ops, err);
	if (family == NULL)
		return false;
	if (create->ops == 0)
		create->ops = family->ops;
	return check_size(family, &key->key_size, &create->bits, err) &&
	       check_curve(create->type, key->crv, &create->curve, err) &&
	       check_exponent(create->type, &key->public_exponent, &create->exponent, err);
}

bool
api_key_create_decode(
	struct bytes body, struct arena *arena, struct api_key_create *ret_create, struct err *err)
{
	struct key_body key;
	struct api_key_create create = {0};
	if (!decode_body(body, &create_table, arena, &key, err) ||
		!key_decode_shape(&key.shape, &create, err) ||
		!key_decode_attributes(key.attributes, &create.attributes, err) ||
		!api_tags_format(&key.tags, "{}", arena, &create.tags, err))
		return false;
	*ret_create = create;
	return true;
}

bool
api_key_update_decode(
	struct bytes body, struct arena *arena, struct api_key_update *ret_update, struct err *err)
{
	struct key_body key;
	struct api_key_update update = {0};
	if (!decode_body(body, &update_table, arena, &key, err))
		return false;
	update.has_ops = key.shape.key_ops.set;
	if (!decode_ops(&key.shape.key_ops, &update.ops, err) ||
		!key_decode_attributes(key.attributes, &update.attributes, err) ||
		!api_tags_format(&key.tags, NULL, arena, &update.tags, err))
		return false;
	*ret_update = update;
	return true;
}

bool
api_page_size(const char *text, size_t *ret_size, struct err *err)
{
	size_t size = 0;
	if (text == NULL) {
		*ret_size = API_PAGE_MAX;
		return true;
	}
	size_t digits = strspn(text, "0123456789");
	if (digits >= 1 && digits <= 2 && text[digits] == '\0')
		for (size_t i = 0; i < digits; i++)
			size = 10 * size + (size_t)(text[i] - '0');
	if (size < 1 || size > API_PAGE_MAX)
		return err_set(err, ERR_BAD_PARAMETER, "maxresults is not a number from 1 to %d.",
			API_PAGE_MAX);
	*ret_size = size;
	return true;
}
