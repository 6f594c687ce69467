/*
 * Bodies of requests: every decoder sees every input. What it takes obeys its header's limits and can be
 * answered as JSON; what it refuses is the caller's error.
 */
#include "fuzz.h"

#include <assert.h>
#include <string.h>

#include "api/dual.h"
#include "api/key.h"
#include "api/key_operation.h"
#include "api/rotation.h"
#include "api/tags.h"
#include "api/vault.h"
#include "json/json.h"

/* A refusal is 400, or that there is no locked memory for a secret just now. */
static bool
refused(const struct err *err)
{
	assert(err_class(err->code) == ERR_CLASS_BAD || err->code == ERR_UNAVAILABLE);
	assert(err_class(err->code) != ERR_CLASS_BAD || err_status(err->code) == 400);
	assert(err->message[0] != '\0');
	return true;
}

static void
check_json(const struct buf *text)
{
	struct err err;
	CLEAN(json)
	struct json_value *document = json_parse(text->data, text->len, text->len, &err);
	assert(!text->overflow && document != NULL);
}

static void
check_tags(const char *tags)
{
	struct err err;
	assert(strlen(tags) <= API_TAGS_TEXT_MAX);
	CLEAN(json)
	struct json_value *document = json_parse(tags, strlen(tags), API_TAGS_TEXT_MAX, &err);
	assert(document != NULL && json_count(document) <= API_TAGS_MAX);
}

static void
check_window(const struct api_attributes *attributes)
{
	assert(attributes->nbf >= 0 && attributes->exp >= 0);
	assert(!attributes->has_nbf || !attributes->has_exp || attributes->nbf <= attributes->exp);
}

/* A created key can be shown; without its public half, so as an oct key. */
static void
show_key(const struct api_key_create *create)
{
	CLEAN(buf)
	struct buf out;
	buf_init(&out, 1 << 20);
	const struct api_key_view view = {
		.kid = "https://west.vault.test/keys/k",
		.kty = "oct",
		.ops = create->ops,
		.enabled = create->attributes.enabled,
		.nbf = create->attributes.has_nbf ? create->attributes.nbf : API_NO_TIME,
		.exp = create->attributes.has_exp ? create->attributes.exp : API_NO_TIME,
		.retention_days = 90,
		.tags = create->tags,
	};
	api_key_bundle(&view, &out);
	check_json(&out);
}

static void
fuzz_keys(struct bytes body, struct arena *arena)
{
	struct err err = {0};
	struct api_key_create create;
	struct api_key_update update;
	if (api_key_create_decode(body, arena, &create, &err)) {
		assert(create.ops != 0 && (create.ops & ~alg_key_ops(create.type)) == 0);
		assert((create.bits == 0) == (create.type == ALG_KEY_EC));
		assert((create.curve != CURVE_NONE) == (create.type == ALG_KEY_EC));
		assert((create.exponent != 0) == (create.type == ALG_KEY_RSA));
		check_window(&create.attributes);
		check_tags(create.tags);
		show_key(&create);
	} else {
		refused(&err);
	}
	if (api_key_update_decode(body, arena, &update, &err)) {
		assert((update.ops & ~(unsigned)ALG_OPS_ALL) == 0);
		check_window(&update.attributes);
		if (update.tags != NULL)
			check_tags(update.tags);
	} else {
		refused(&err);
	}
}

static void
fuzz_rotation(struct bytes body, struct arena *arena)
{
	struct err err = {0};
	struct api_rotation rotation;
	if (!api_rotation_decode(body, 1772323200, arena, &rotation, &err)) {
		refused(&err);
		return;
	}
	assert(rotation.rotate_after == NULL || rotation.rotate_before == NULL);
	assert(rotation.rotate_before == NULL || rotation.expiry != NULL);
	CLEAN(buf)
	struct buf out;
	buf_init(&out, 4096);
	api_rotation_format("i", &rotation, 1, 2, &out);
	check_json(&out);
}

static void
fuzz_operation(struct bytes body, struct arena *arena, enum alg_op op)
{
	struct err err = {0};
	CLEAN(api_key_operation)
	struct api_key_operation operation = {0};
	if (!api_key_operation_decode(body, arena, op, &operation, &err)) {
		refused(&err);
		return;
	}
	assert((alg_ops(operation.alg) & op) != 0);
	bool served = api_key_operation_served(operation.alg, op, &err);
	bool protects = op == ALG_ENCRYPT || op == ALG_WRAP;
	assert((operation.plaintext != NULL) == (served && protects));
	assert((operation.ciphertext.len != 0) == (served && !protects));
	assert(operation.ciphertext.len <= API_VALUE_MAX && operation.aad.len <= API_AAD_MAX);
	assert(!protects || (operation.iv.len == 0 && operation.tag.len == 0));
}

static void
fuzz_operations(struct bytes body, struct arena *arena)
{
	struct err err = {0};
	struct api_key_sign sign;
	struct api_key_verify verify;
	fuzz_operation(body, arena, ALG_ENCRYPT);
	fuzz_operation(body, arena, ALG_DECRYPT);
	fuzz_operation(body, arena, ALG_WRAP);
	fuzz_operation(body, arena, ALG_UNWRAP);
	if (api_key_sign_decode(body, arena, &sign, &err))
		assert(!api_key_operation_served(sign.alg, ALG_SIGN, &err) ||
			sign.digest.len == alg_digest_len(sign.alg));
	else
		refused(&err);
	if (api_key_verify_decode(body, arena, &verify, &err))
		assert(!api_key_operation_served(verify.alg, ALG_VERIFY, &err) ||
			verify.digest.len == alg_digest_len(verify.alg));
	else
		refused(&err);
}

static void
fuzz_vaults(struct bytes body, struct arena *arena)
{
	struct err err = {0};
	struct api_vault_create create;
	struct api_vault_update update;
	struct api_policy_set policy;
	if (api_vault_create_decode(body, arena, &create, &err)) {
		assert(create.retention_days >= API_RETENTION_MIN &&
			create.retention_days <= API_RETENTION_MAX);
		check_tags(create.tags);
	} else {
		refused(&err);
	}
	if (api_vault_update_decode(body, arena, &update, &err))
		assert(update.retention_days == 0 || update.retention_days >= API_RETENTION_MIN);
	else
		refused(&err);
	if (api_policy_set_decode(body, arena, &policy, &err))
		assert(policy.count <= API_PERMISSIONS_MAX);
	else
		refused(&err);
}

static void
fuzz_dual(struct bytes body, struct arena *arena)
{
	struct err err = {0};
	CLEAN(api_dual_make)
	struct api_dual_make wrap = {0};
	CLEAN(api_dual_make)
	struct api_dual_make generate = {0};
	CLEAN(api_dual_open)
	struct api_dual_open open = {0};
	CLEAN(api_dual_open)
	struct api_dual_open rewrap = {0};
	if (api_dual_wrap_decode(body, arena, &wrap, &err))
		assert(wrap.keys.set && secret_len(wrap.value) <= ENVELOPE_PLAINTEXT_MAX);
	else
		refused(&err);
	if (api_dual_generate_decode(body, arena, &generate, &err))
		assert(generate.length >= API_DUAL_LENGTH_MIN &&
			generate.length <= API_DUAL_LENGTH_MAX);
	else
		refused(&err);
	bool opens = api_dual_open_decode(body, arena, &open, &err);
	assert(opens || refused(&err));
	bool rewraps = api_dual_rewrap_decode(body, arena, &rewrap, &err);
	assert(rewraps || refused(&err));
	assert(!opens || rewraps);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes body = {data, size};
	CLEAN(arena)
	struct arena *arena = arena_new();
	fuzz_keys(body, arena);
	fuzz_rotation(body, arena);
	fuzz_operations(body, arena);
	fuzz_vaults(body, arena);
	fuzz_dual(body, arena);
	return 0;
}
