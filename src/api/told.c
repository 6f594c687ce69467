/* Reads answers. Invariant: one that is not whole gives nothing, and no secret of it is left anywhere. */
#include "told.h"

#include <string.h>

#include "api/body.h"
#include "api/vault.h"

#define WORD_MAX   64
#define TEXT_MAX   512
#define GRANTS_MAX 1024 /* access policies of a vault */
#define OPS_MAX    16
#define VALUE_MAX  8192

/* What the reader of JSON found is for the log; the caller learns that the answer is not understood. */
static bool
not_understood(struct err *err)
{
	struct err cause = *err;
	(void)err_set(err, ERR_CLIENT_ANSWER, NULL);
	return err_origin(err, "%s", cause.message);
}

/* Whether a failure is ours (no locked memory), which is told as it is. */
static bool
fail(struct err *err)
{
	return err->code == ERR_UNAVAILABLE ? false : not_understood(err);
}

static bool
decode(struct bytes body, const struct json_table *table, struct arena *arena, void *target,
	struct err *err)
{
	CLEAN(json)
	struct json_value *document = json_parse(body.data, body.len, API_TOLD_MAX, err);
	return (document != NULL && json_decode(document, table, arena, target, err)) || fail(err);
}

/* ---- attempts ---- */

static const struct json_field attempt_fields[] = {
	FIELD(struct api_told_attempt, kid, "kid", TEXT, .flags = JSON_REQUIRED | JSON_PRINTABLE,
		.max = ENVELOPE_KID_MAX),
	FIELD(struct api_told_attempt, outcome, "outcome", TEXT,
		.flags = JSON_REQUIRED | JSON_PRINTABLE, .max = WORD_MAX),
	FIELD(struct api_told_attempt, code, "code", TEXT, .flags = JSON_PRINTABLE,
		.max = WORD_MAX),
};
TABLE(attempt_table, attempt_fields, struct api_told_attempt, false);

static void
take_attempts(const struct json_list *list, struct api_told_attempts *attempts)
{
	const struct api_told_attempt *items = list->items;
	*attempts = (struct api_told_attempts){.count = list->count};
	for (size_t i = 0; i < list->count; i++) {
		attempts->items[i] = items[i];
		if (items[i].code == NULL)
			attempts->items[i].code = "";
	}
}

/* ---- errors ---- */

struct inner_body {
	const char *code;
};

struct error_body {
	const char *code;
	const char *message;
	struct inner_body *inner;
};

struct whole_body {
	struct error_body *error;
};

struct details_body {
	struct json_list details;
};

struct whole_details {
	struct details_body *error;
};

static const struct json_field inner_fields[] = {
	FIELD(struct inner_body, code, "code", TEXT, .flags = JSON_REQUIRED, .max = WORD_MAX),
};
TABLE(inner_table, inner_fields, struct inner_body, false);

static const struct json_field error_fields[] = {
	FIELD(struct error_body, code, "code", TEXT, .flags = JSON_REQUIRED, .max = WORD_MAX),
	FIELD(struct error_body, message, "message", TEXT, .flags = JSON_REQUIRED,
		.max = API_TOLD_MAX),
	FIELD(struct error_body, inner, "innererror", OBJECT, .table = &inner_table),
};
TABLE(error_table, error_fields, struct error_body, false);

static const struct json_field whole_fields[] = {
	FIELD(struct whole_body, error, "error", OBJECT, .flags = JSON_REQUIRED,
		.table = &error_table),
};
TABLE(whole_table, whole_fields, struct whole_body, false);

static const struct json_field details_fields[] = {
	FIELD(struct details_body, details, "details", OBJECTS,
		.flags = JSON_REQUIRED | JSON_NON_EMPTY, .max = ENVELOPE_RECIPIENTS_MAX,
		.table = &attempt_table),
};
TABLE(details_table, details_fields, struct details_body, false);

static const struct json_field whole_details_fields[] = {
	FIELD(struct whole_details, error, "error", OBJECT, .flags = JSON_REQUIRED,
		.table = &details_table),
};
TABLE(whole_details_table, whole_details_fields, struct whole_details, false);

bool
api_told_error(int status, struct bytes body, struct arena *arena,
	struct api_told_attempts *ret_attempts, struct err *ret_err)
{
	struct whole_body whole;
	struct whole_details details;
	struct err ignored = {0};
	if (!decode(body, &whole_table, arena, &whole, ret_err))
		return false;
	enum err_code code = err_find_answer(status, whole.error->code,
		whole.error->inner != NULL ? whole.error->inner->code : "");
	(void)err_set(
		ret_err, code != ERR_NONE ? code : ERR_CLIENT_ANSWER, "%s", whole.error->message);
	(void)err_origin(ret_err, "answer %d %s", status, whole.error->code);
	if (!decode(body, &whole_details_table, arena, &details, &ignored))
		return false;
	take_attempts(&details.error->details, ret_attempts);
	return true;
}

/* ---- keys and vaults ---- */

struct jwk_body {
	const char *kid, *kty, *crv;
	struct json_texts ops;
	struct bytes n, e, x, y;
};

struct attributes_told {
	struct json_opt_bool enabled;
	struct json_opt_int exp, days;
	const char *level;
};

struct bundle_body {
	struct jwk_body *key;
	struct attributes_told *attributes;
};

#define JWK_NUMBER(member, name)                                                                   \
	FIELD(struct jwk_body, member, name, BASE64, .max = PUBKEY_MODULUS_MAX + 1)

static const struct json_field jwk_fields[] = {
	FIELD(struct jwk_body, kid, "kid", TEXT, .flags = JSON_REQUIRED | JSON_PRINTABLE,
		.max = ENVELOPE_KID_MAX),
	FIELD(struct jwk_body, kty, "kty", TEXT, .flags = JSON_REQUIRED, .max = WORD_MAX),
	FIELD(struct jwk_body, crv, "crv", TEXT, .max = WORD_MAX),
	FIELD(struct jwk_body, ops, "key_ops", TEXTS, .flags = JSON_REQUIRED, .max = OPS_MAX,
		.high = WORD_MAX),
	JWK_NUMBER(n, "n"),
	JWK_NUMBER(e, "e"),
	JWK_NUMBER(x, "x"),
	JWK_NUMBER(y, "y"),
};
TABLE(jwk_table, jwk_fields, struct jwk_body, false);

static const struct json_field told_attributes_fields[] = {
	FIELD(struct attributes_told, enabled, "enabled", BOOL, .flags = JSON_REQUIRED),
	FIELD(struct attributes_told, exp, "exp", INT, .high = INT64_MAX),
	FIELD(struct attributes_told, level, "recoveryLevel", TEXT,
		.flags = JSON_REQUIRED | JSON_PRINTABLE, .max = WORD_MAX),
	FIELD(struct attributes_told, days, "recoverableDays", INT, .high = API_RETENTION_MAX),
};
TABLE(told_attributes_table, told_attributes_fields, struct attributes_told, false);

static const struct json_field bundle_fields[] = {
	FIELD(struct bundle_body, key, "key", OBJECT, .flags = JSON_REQUIRED, .table = &jwk_table),
	FIELD(struct bundle_body, attributes, "attributes", OBJECT, .flags = JSON_REQUIRED,
		.table = &told_attributes_table),
};
TABLE(bundle_table, bundle_fields, struct bundle_body, false);

static bool
is_version(const char *kid)
{
	struct kid parts;
	return kid_parse(kid, &parts) && parts.version[0] != '\0';
}

static struct pubkey *
take_pubkey(const struct jwk_body *jwk, enum alg_key key, struct err *err)
{
	if (key == ALG_KEY_RSA)
		return pubkey_from_rsa(jwk->n, jwk->e, err);
	enum curve curve = curve_find(jwk->crv != NULL ? jwk->crv : "");
	if (curve == CURVE_NONE) {
		(void)err_set(err, ERR_CLIENT_ANSWER, NULL);
		return NULL;
	}
	return pubkey_from_xy(curve, jwk->x, jwk->y, err);
}

bool
api_told_key(struct bytes body, struct arena *arena, struct api_told_key *ret_key, struct err *err)
{
	struct bundle_body bundle;
	if (!decode(body, &bundle_table, arena, &bundle, err))
		return false;
	const struct jwk_body *jwk = bundle.key;
	const struct attributes_told *attributes = bundle.attributes;
	struct api_told_key key = {
		.kid = jwk->kid,
		.kty = kty_find(jwk->kty),
		.enabled = attributes->enabled.value,
		.expires = attributes->exp.set ? attributes->exp.value : API_NO_TIME,
		.recovery_level = attributes->level,
		.recoverable_days = attributes->days.value,
	};
	for (size_t i = 0; i < jwk->ops.count; i++)
		key.ops |= alg_op_find(jwk->ops.items[i]);
	if (key.kty == KTY_NONE || !is_version(key.kid))
		return err_set(err, ERR_CLIENT_ANSWER, NULL);
	if (kty_key(key.kty) != ALG_KEY_OCT) {
		key.pubkey = take_pubkey(jwk, kty_key(key.kty), err);
		if (key.pubkey == NULL)
			return not_understood(err);
	}
	*ret_key = key;
	return true;
}

struct provenance_told {
	struct json_opt_bool never_extractable;
};

struct custody_told {
	const char *kid, *state, *token;
	struct json_opt_bool hardware;
	struct json_opt_int purged;
	struct provenance_told *provenance;
};

static const struct json_field provenance_fields[] = {
	FIELD(struct provenance_told, never_extractable, "neverExtractable", BOOL,
		.flags = JSON_REQUIRED),
};
TABLE(provenance_table, provenance_fields, struct provenance_told, false);

static const struct json_field custody_fields[] = {
	FIELD(struct custody_told, kid, "kid", TEXT, .flags = JSON_REQUIRED | JSON_PRINTABLE,
		.max = ENVELOPE_KID_MAX),
	FIELD(struct custody_told, state, "state", TEXT, .flags = JSON_REQUIRED | JSON_PRINTABLE,
		.max = WORD_MAX),
	FIELD(struct custody_told, token, "token", TEXT, .flags = JSON_PRINTABLE, .max = WORD_MAX),
	FIELD(struct custody_told, hardware, "hardware", BOOL),
	FIELD(struct custody_told, purged, "purged", INT, .high = INT64_MAX),
	FIELD(struct custody_told, provenance, "provenance", OBJECT, .table = &provenance_table),
};
TABLE(custody_table, custody_fields, struct custody_told, false);

bool
api_told_custody(struct bytes body, struct arena *arena, struct api_told_custody *ret_custody,
	struct err *err)
{
	struct custody_told told;
	if (!decode(body, &custody_table, arena, &told, err))
		return false;
	if (!is_version(told.kid))
		return err_set(err, ERR_CLIENT_ANSWER, NULL);
	*ret_custody = (struct api_told_custody){
		.kid = told.kid,
		.state = told.state,
		.token = told.token != NULL ? told.token : "",
		.hardware = told.hardware.value,
		.never_extractable =
			told.provenance != NULL && told.provenance->never_extractable.value,
		.purged = told.purged.value,
	};
	return true;
}

struct grant_told {
	const char *principal, *state;
	struct words_told *permissions;
};

struct words_told {
	struct json_texts keys;
};

static const struct json_field words_fields[] = {
	FIELD(struct words_told, keys, "keys", TEXTS, .flags = JSON_REQUIRED,
		.max = API_PERMISSIONS_MAX, .high = TEXT_MAX),
};
TABLE(words_table, words_fields, struct words_told, false);

static const struct json_field grant_fields[] = {
	FIELD(struct grant_told, principal, "principal", TEXT, .flags = JSON_REQUIRED,
		.max = TEXT_MAX),
	FIELD(struct grant_told, state, "state", TEXT, .flags = JSON_REQUIRED, .max = TEXT_MAX),
	FIELD(struct grant_told, permissions, "permissions", OBJECT, .flags = JSON_REQUIRED,
		.table = &words_table),
};
TABLE(grant_table, grant_fields, struct grant_told, false);

struct vault_told {
	struct json_list grants;
	const char *name, *uri, *token, *region;
	struct json_opt_int days;
	struct json_opt_bool protection;
};

#define VAULT_TEXT(member, name, wanted)                                                           \
	FIELD(struct vault_told, member, name, TEXT, .flags = (wanted) | JSON_PRINTABLE,           \
		.max = TEXT_MAX)

static const struct json_field vault_fields[] = {
	VAULT_TEXT(name, "name", JSON_REQUIRED),
	VAULT_TEXT(uri, "uri", JSON_REQUIRED),
	VAULT_TEXT(token, "token", JSON_REQUIRED),
	VAULT_TEXT(region, "region", 0),
	FIELD(struct vault_told, days, "retentionDays", INT, .flags = JSON_REQUIRED,
		.high = API_RETENTION_MAX),
	FIELD(struct vault_told, protection, "enablePurgeProtection", BOOL, .flags = JSON_REQUIRED),
	FIELD(struct vault_told, grants, "accessPolicies", OBJECTS, .flags = JSON_REQUIRED,
		.max = GRANTS_MAX, .table = &grant_table),
};
TABLE(vault_table, vault_fields, struct vault_told, false);

static struct api_told_grant *
take_grants(const struct json_list *list, struct arena *arena)
{
	const struct grant_told *items = list->items;
	struct api_told_grant *grants = arena_array(arena, list->count, sizeof(*grants));
	for (size_t i = 0; i < list->count; i++)
		grants[i] = (struct api_told_grant){
			.principal = items[i].principal,
			.state = items[i].state,
			.words = items[i].permissions->keys,
		};
	return grants;
}

bool
api_told_vault(
	struct bytes body, struct arena *arena, struct api_told_vault *ret_vault, struct err *err)
{
	struct vault_told vault;
	if (!decode(body, &vault_table, arena, &vault, err))
		return false;
	*ret_vault = (struct api_told_vault){
		.name = vault.name,
		.uri = vault.uri,
		.token = vault.token,
		.region = vault.region != NULL ? vault.region : "",
		.retention_days = vault.days.value,
		.purge_protection = vault.protection.value,
		.grants = take_grants(&vault.grants, arena),
		.grant_count = vault.grants.count,
	};
	return true;
}

/* ---- dual operations ---- */

struct made_told {
	const struct json_value *envelope;
};

static const struct json_field made_fields[] = {
	FIELD(struct made_told, envelope, "envelope", TREE, .flags = JSON_REQUIRED),
};
TABLE(made_table, made_fields, struct made_told, false);

struct envelope *
api_told_envelope(struct bytes body, struct arena *arena, struct err *err)
{
	struct made_told made;
	CLEAN(json)
	struct json_value *document = json_parse(body.data, body.len, API_TOLD_MAX, err);
	struct envelope *envelope = NULL;
	if (document != NULL && json_decode(document, &made_table, arena, &made, err))
		envelope = envelope_decode(made.envelope, err);
	if (envelope == NULL)
		(void)not_understood(err);
	return envelope;
}

struct opened_told {
	struct json_opt_secret value;
	struct json_list attempts;
};

#define ATTEMPTS_FIELD(type, name)                                                                 \
	FIELD(type, attempts, name, OBJECTS, .flags = JSON_REQUIRED,                               \
		.max = ENVELOPE_RECIPIENTS_MAX, .table = &attempt_table)

static const struct json_field opened_fields[] = {
	FIELD(struct opened_told, value, "value", SECRET, .flags = JSON_REQUIRED | JSON_NON_EMPTY,
		.max = ENVELOPE_PLAINTEXT_MAX),
	ATTEMPTS_FIELD(struct opened_told, "attempts"),
};
TABLE(opened_table, opened_fields, struct opened_told, false);

struct secret *
api_told_opened(struct bytes body, struct arena *arena, struct api_told_attempts *ret_attempts,
	struct err *err)
{
	struct opened_told opened;
	if (!decode(body, &opened_table, arena, &opened, err))
		return NULL;
	take_attempts(&opened.attempts, ret_attempts);
	return opened.value.value;
}

struct check_told {
	struct json_list attempts;
};

static const struct json_field check_fields[] = {
	ATTEMPTS_FIELD(struct check_told, "recipients"),
};
TABLE(check_table, check_fields, struct check_told, false);

bool
api_told_check(struct bytes body, struct arena *arena, struct api_told_attempts *ret_attempts,
	struct err *err)
{
	struct check_told check;
	if (!decode(body, &check_table, arena, &check, err))
		return false;
	take_attempts(&check.attempts, ret_attempts);
	return true;
}

/* ---- operations with one key ---- */

struct result_told {
	const char *kid;
	struct bytes value;
	struct json_opt_secret secret;
};

#define RESULT_KID                                                                                 \
	FIELD(struct result_told, kid, "kid", TEXT, .flags = JSON_REQUIRED, .max = ENVELOPE_KID_MAX)

static const struct json_field result_fields[] = {
	RESULT_KID,
	FIELD(struct result_told, value, "value", BASE64, .flags = JSON_REQUIRED | JSON_NON_EMPTY,
		.max = VALUE_MAX),
};
TABLE(result_table, result_fields, struct result_told, false);

static const struct json_field secret_fields[] = {
	RESULT_KID,
	FIELD(struct result_told, secret, "value", SECRET, .flags = JSON_REQUIRED | JSON_NON_EMPTY,
		.max = VALUE_MAX),
};
TABLE(secret_table, secret_fields, struct result_told, false);

static bool
decode_result(struct bytes body, const struct json_table *table, struct arena *arena,
	const char *kid, struct result_told *ret_result, struct err *err)
{
	if (!decode(body, table, arena, ret_result, err))
		return false;
	if (strcmp(ret_result->kid, kid) == 0)
		return true;
	json_release(table, ret_result);
	return err_set(err, ERR_CLIENT_ANSWER, "Another key was used than was asked.");
}

bool
api_told_result(struct bytes body, struct arena *arena, const char *kid, struct bytes *ret_value,
	struct err *err)
{
	struct result_told result;
	if (!decode_result(body, &result_table, arena, kid, &result, err))
		return false;
	*ret_value = result.value;
	return true;
}

struct secret *
api_told_secret(struct bytes body, struct arena *arena, const char *kid, struct err *err)
{
	struct result_told result;
	if (!decode_result(body, &secret_table, arena, kid, &result, err))
		return NULL;
	return result.secret.value;
}
