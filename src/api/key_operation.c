/*
 * Reads and answers operations with one key. Invariant: a plaintext exists only in a struct secret, here and in
 * what is returned; an algorithm that is not served leaves here before anything else of the body was judged.
 */
#include "key_operation.h"

#include <assert.h>

#include "api/body.h"
#include "json/json_writer.h"

#define ALG_CHARS_MAX 64

struct alg_body {
	const char *name;
};

static const struct json_field alg_fields[] = {
	FIELD(struct alg_body, name, "alg", TEXT, .flags = JSON_REQUIRED | JSON_NON_EMPTY,
		.max = ALG_CHARS_MAX),
};
TABLE(alg_table, alg_fields, struct alg_body, false);

/* KeyOperation, KeySign and KeyVerify; which members are used, and where `value` goes, is the table's. */
struct operation_body {
	struct json_opt_secret secret;
	struct bytes value;
	struct bytes digest;
	struct bytes iv;
	struct bytes tag;
	struct bytes aad;
};

#define AEAD_FIELDS                                                                                \
	FIELD(struct operation_body, iv, "iv", BASE64, .max = API_VALUE_MAX),                      \
		FIELD(struct operation_body, tag, "tag", BASE64, .max = API_VALUE_MAX),            \
		FIELD(struct operation_body, aad, "aad", BASE64, .max = API_AAD_MAX)

static const struct json_field protect_fields[] = {
	FIELD(struct operation_body, secret, "value", SECRET,
		.flags = JSON_REQUIRED | JSON_NON_EMPTY, .max = API_VALUE_MAX),
	AEAD_FIELDS,
};
TABLE(protect_table, protect_fields, struct operation_body, false);

static const struct json_field open_fields[] = {
	FIELD(struct operation_body, value, "value", BASE64,
		.flags = JSON_REQUIRED | JSON_NON_EMPTY, .max = API_VALUE_MAX),
	AEAD_FIELDS,
};
TABLE(open_table, open_fields, struct operation_body, false);

static const struct json_field sign_fields[] = {
	FIELD(struct operation_body, digest, "value", BASE64, .flags = JSON_REQUIRED,
		.max = API_VALUE_MAX),
};
TABLE(sign_table, sign_fields, struct operation_body, false);

static const struct json_field verify_fields[] = {
	FIELD(struct operation_body, digest, "digest", BASE64, .flags = JSON_REQUIRED,
		.max = API_VALUE_MAX),
	FIELD(struct operation_body, value, "value", BASE64, .flags = JSON_REQUIRED,
		.max = API_SIGNATURE_MAX),
};
TABLE(verify_table, verify_fields, struct operation_body, false);

static bool
decode_alg(const struct json_value *document, struct arena *arena, enum alg_op op,
	enum alg *ret_alg, struct err *err)
{
	struct alg_body body;
	if (!json_decode(document, &alg_table, arena, &body, err))
		return false;
	enum alg alg = alg_find(body.name);
	if (alg == ALG_NONE)
		return err_set(err, ERR_BAD_PARAMETER, "alg is not the name of a known algorithm.");
	if ((alg_ops(alg) & op) == 0)
		return err_set(err, ERR_BAD_PARAMETER, "alg: %s is not an algorithm for %s.",
			alg_name(alg), alg_op_word(op));
	*ret_alg = alg;
	return true;
}

static bool
served(enum alg alg, enum alg_op op)
{
	return (alg_served_ops(alg) & op) != 0;
}

bool
api_key_operation_served(enum alg alg, enum alg_op op, struct err *err)
{
	if (!served(alg, op))
		return err_set(err, ERR_NOT_SUPPORTED, "The algorithm %s is not served for %s.",
			alg_name(alg), alg_op_word(op));
	return true;
}

/*
 * The two passes over a body: first the algorithm alone; then, if it is served, the members of `table`. Otherwise
 * ret_body is zero. The caller releases ret_body by the same table.
 */
static bool
decode_operation(struct bytes body, const struct json_table *table, struct arena *arena,
	enum alg_op op, enum alg *ret_alg, struct operation_body *ret_body, struct err *err)
{
	CLEAN(json)
	struct json_value *document = json_parse(body.data, body.len, JSON_BODY_MAX, err);
	if (document == NULL || !decode_alg(document, arena, op, ret_alg, err))
		return false;
	*ret_body = (struct operation_body){0};
	return !served(*ret_alg, op) || json_decode(document, table, arena, ret_body, err);
}

/* ---- encrypt, decrypt, wrapKey, unwrapKey ---- */

/* iv, tag and aad belong to GCM; to encrypt, the first two are ours to make (akv-contract §8). */
static bool
check_aead(enum alg alg, bool protects, const struct operation_body *body, struct err *err)
{
	if (alg_get_scheme(alg) != ALG_SCHEME_GCM) {
		if (body->iv.len != 0 || body->tag.len != 0 || body->aad.len != 0)
			return err_set(err, ERR_BAD_PARAMETER,
				"iv, tag and aad are for AES-GCM only; %s would leave them "
				"unprotected.",
				alg_name(alg));
		return true;
	}
	if (protects && (body->iv.len != 0 || body->tag.len != 0))
		return err_set(err, ERR_BAD_PARAMETER,
			"iv and tag are made by the service and returned; leave them out.");
	if (!protects && body->iv.data == NULL)
		return err_set(err, ERR_BAD_PARAMETER, "iv is missing.");
	if (!protects && body->tag.data == NULL)
		return err_set(err, ERR_BAD_PARAMETER, "tag is missing.");
	return true;
}

bool
api_key_operation_decode(struct bytes body, struct arena *arena, enum alg_op op,
	struct api_key_operation *ret_operation, struct err *err)
{
	assert(op == ALG_ENCRYPT || op == ALG_DECRYPT || op == ALG_WRAP || op == ALG_UNWRAP);
	bool protects = op == ALG_ENCRYPT || op == ALG_WRAP;
	const struct json_table *table = protects ? &protect_table : &open_table;
	struct operation_body fields;
	enum alg alg;
	if (!decode_operation(body, table, arena, op, &alg, &fields, err))
		return false;
	if (served(alg, op) && !check_aead(alg, protects, &fields, err)) {
		json_release(table, &fields);
		return false;
	}
	*ret_operation = (struct api_key_operation){
		.alg = alg,
		.plaintext = fields.secret.value, /* theirs from here on */
		.ciphertext = fields.value,
		.iv = fields.iv,
		.tag = fields.tag,
		.aad = fields.aad,
	};
	return true;
}

void
api_key_operation_clear(struct api_key_operation *operation)
{
	secret_free(operation->plaintext);
	*operation = (struct api_key_operation){0};
}

/* ---- sign, verify ---- */

/* The words are Key Vault's own. */
static bool
check_digest(enum alg alg, const char *name, struct bytes digest, struct err *err)
{
	if (digest.len != alg_digest_len(alg))
		return err_set(err, ERR_BAD_PARAMETER,
			"Invalid length of '%s': %zu bytes. %s requires %zu bytes, encoded with "
			"base64url.",
			name, digest.len, alg_name(alg), alg_digest_len(alg));
	return true;
}

bool
api_key_sign_decode(
	struct bytes body, struct arena *arena, struct api_key_sign *ret_sign, struct err *err)
{
	struct operation_body fields;
	enum alg alg;
	if (!decode_operation(body, &sign_table, arena, ALG_SIGN, &alg, &fields, err))
		return false;
	if (served(alg, ALG_SIGN) && !check_digest(alg, "value", fields.digest, err))
		return false;
	*ret_sign = (struct api_key_sign){.alg = alg, .digest = fields.digest};
	return true;
}

bool
api_key_verify_decode(
	struct bytes body, struct arena *arena, struct api_key_verify *ret_verify, struct err *err)
{
	struct operation_body fields;
	enum alg alg;
	if (!decode_operation(body, &verify_table, arena, ALG_VERIFY, &alg, &fields, err))
		return false;
	if (served(alg, ALG_VERIFY) && !check_digest(alg, "digest", fields.digest, err))
		return false;
	*ret_verify = (struct api_key_verify){
		.alg = alg,
		.digest = fields.digest,
		.signature = fields.value,
	};
	return true;
}

/* ---- results ---- */

static void
write_present(struct json_writer *writer, const char *name, struct bytes value)
{
	if (value.len != 0)
		json_write_base64(writer, name, value.data, value.len);
}

void
api_key_result_format(const struct api_key_result *result, struct buf *out)
{
	struct json_writer writer;
	json_writer_init(&writer, out);
	json_write_object(&writer, NULL);
	json_write_text(&writer, "kid", result->kid);
	json_write_text(&writer, "alg", alg_name(result->alg));
	if (result->secret != NULL)
		json_write_secret(&writer, "value", result->secret);
	else
		json_write_base64(&writer, "value", result->value.data, result->value.len);
	write_present(&writer, "iv", result->iv);
	write_present(&writer, "tag", result->tag);
	write_present(&writer, "aad", result->aad);
	json_write_end(&writer);
}

void
api_verify_result_format(bool valid, struct buf *out)
{
	struct json_writer writer;
	json_writer_init(&writer, out);
	json_write_object(&writer, NULL);
	json_write_bool(&writer, "value", valid);
	json_write_end(&writer);
}

/* ---- random octets ---- */

struct random_body {
	struct json_opt_int count;
};

static const struct json_field random_fields[] = {
	FIELD(struct random_body, count, "count", INT, .flags = JSON_REQUIRED, .low = 1,
		.high = API_RANDOM_MAX),
};
TABLE(random_table, random_fields, struct random_body, false);

bool
api_random_decode(struct bytes body, struct arena *arena, size_t *ret_count, struct err *err)
{
	struct random_body fields;
	if (!json_decode_body(body, &random_table, arena, &fields, err))
		return false;
	*ret_count = (size_t)fields.count.value;
	return true;
}

void
api_random_format(const struct secret *random, struct buf *out)
{
	struct json_writer writer;
	json_writer_init(&writer, out);
	json_write_object(&writer, NULL);
	json_write_secret(&writer, "value", random);
	json_write_end(&writer);
}
