/* Internal to src/api: what creation and import of a key have in common. */
#pragma once

#include "api/key.h"
#include "json/json.h"

#define KEY_OPS_MAX        16 /* there are eight words */
#define KEY_WORD_CHARS_MAX 32 /* of kty, crv and a key operation */

struct key_attributes_body {
	struct json_opt_bool enabled;
	struct json_opt_int nbf;
	struct json_opt_int exp;
	struct json_opt_bool exportable;
};
extern const struct json_table key_attributes_table;

/* `body` NULL: none were given. */
bool key_decode_attributes(const struct key_attributes_body *body,
	struct api_attributes *ret_attributes, struct err *err) MUST_USE;

/* kty, operations, size, curve and exponent: they depend on each other. */
struct key_shape {
	const char *kty;
	struct json_opt_int key_size;
	struct json_opt_int public_exponent;
	const char *crv;
	struct json_texts key_ops;
};
bool key_decode_shape(
	const struct key_shape *key, struct api_key_create *create, struct err *err) MUST_USE;

/* ERR_BAD_PARAMETER if the body has a release policy. */
bool key_refuse_release(const struct json_value *document, struct err *err) MUST_USE;
