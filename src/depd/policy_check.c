/* The rules in order, a row each. Invariant: a rule is judged only from what custody said, and what it did not say fails nothing. */
#include "policy_check.h"

#include <stdio.h>
#include <string.h>

#define RSA_BITS_MIN  2048
#define NEVER_EXPIRES INT64_C(253402214400) /* 9999-12-31T00:00:00Z: seed's "no expiry" */

/* Names a key within the bounds of an error's message. */
#define KEY_FORMAT      "key %s of vault %s"
#define KEY_ARGS(key_k) (key_k)->id.name, (key_k)->id.vault

typedef enum policy_check_result rule_fn(const struct policy_key *key, struct err *err);
typedef enum policy_check_result pair_fn(
	const struct policy_key *a, const struct policy_key *b, struct err *err);

static enum policy_check_result
failed(bool never)
{
	(void)never; /* err_set() */
	return POLICY_CHECK_FAILED;
}

static enum policy_check_result
rule_uri(const struct policy_key *key, struct err *err)
{
	if (key->id.vault[0] != '\0')
		return POLICY_CHECK_PASSED;
	return failed(err_set(err, ERR_BAD_PARAMETER,
		"'%.200s' is not the URI of a key (https://VAULT.SUFFIX/keys/NAME[/VERSION]).",
		key->uri));
}

static enum policy_check_result
pair_vaults(const struct policy_key *a, const struct policy_key *b, struct err *err)
{
	if (a->id.vault[0] == '\0' || b->id.vault[0] == '\0')
		return POLICY_CHECK_UNKNOWN;
	if (strcmp(a->id.vault, b->id.vault) != 0)
		return POLICY_CHECK_PASSED;
	return failed(err_set(err, ERR_SAME_VAULT,
		"Both keys are in vault %s; choose keys in two vaults.", a->id.vault));
}

static enum policy_check_result
rule_permissions(const struct policy_key *key, struct err *err)
{
	static const char *const words[] = {"get", "wrapKey", "unwrapKey"};
	char missing[64] = "";
	size_t len = 0;
	bool none = key->vault_err.code == ERR_FORBIDDEN;
	if (!key->vault_asked || (key->vault_err.code != ERR_NONE && !none))
		return POLICY_CHECK_UNKNOWN;
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (!none && (key->granted & (1U << i)) != 0)
			continue;
		len += (size_t)snprintf(missing + len, sizeof(missing) - len, "%s%s",
			len > 0 ? ", " : "", words[i]);
	}
	if (len == 0)
		return POLICY_CHECK_PASSED;
	return failed(err_set(err, ERR_PERMISSION_MISSING,
		"Application %s needs these permissions on vault %s, for key %s: %s.",
		key->application, key->id.vault, key->id.name, missing));
}

/* Of a vault that does not say who may what, a key that cannot be read is not there. */
static enum policy_check_result
rule_vault(const struct policy_key *key, struct err *err)
{
	if (!key->vault_asked)
		return POLICY_CHECK_UNKNOWN;
	if (key->vault_err.code == ERR_NONE || key->vault_err.code == ERR_FORBIDDEN)
		return POLICY_CHECK_PASSED;
	return failed(err_set(err,
		key->vault_err.code == ERR_VAULT_NOT_FOUND ? ERR_KEY_NOT_FOUND
							   : key->vault_err.code,
		"The vault of " KEY_FORMAT " could not be read: %.120s", KEY_ARGS(key),
		key->vault_err.message));
}

static bool
is_absent(enum err_code code)
{
	return code == ERR_KEY_NOT_FOUND || code == ERR_VAULT_NOT_FOUND ||
	       code == ERR_KEY_DELETED || code == ERR_KEY_PURGED;
}

static enum policy_check_result
rule_exists(const struct policy_key *key, struct err *err)
{
	if (!key->asked || key->err.code == ERR_FORBIDDEN) /* another rule's */
		return POLICY_CHECK_UNKNOWN;
	if (key->err.code == ERR_NONE)
		return POLICY_CHECK_PASSED;
	if (is_absent(key->err.code))
		return failed(err_set(err, ERR_KEY_NOT_FOUND,
			"There is no " KEY_FORMAT ", or it is deleted.", KEY_ARGS(key)));
	return failed(err_set(err, key->err.code, "The " KEY_FORMAT " could not be read: %.120s",
		KEY_ARGS(key), key->err.message));
}

static bool
is_known(const struct policy_key *key)
{
	return key->asked && key->err.code == ERR_NONE;
}

static enum policy_check_result
pair_tokens(const struct policy_key *a, const struct policy_key *b, struct err *err)
{
	if (a->token[0] == '\0' || b->token[0] == '\0')
		return POLICY_CHECK_UNKNOWN;
	if (strcmp(a->token, b->token) != 0)
		return POLICY_CHECK_PASSED;
	return failed(err_set(err, ERR_SAME_TOKEN,
		"Vaults %s and %s are both on token %s; choose keys in vaults on two tokens.",
		a->id.vault, b->id.vault, a->token));
}

static enum policy_check_result
rule_type(const struct policy_key *key, struct err *err)
{
	if (!is_known(key))
		return POLICY_CHECK_UNKNOWN;
	enum alg_key type = kty_key(key->kty);
	if (type == ALG_KEY_OCT || (type == ALG_KEY_RSA && key->bits >= RSA_BITS_MIN))
		return POLICY_CHECK_PASSED;
	return failed(err_set(err, ERR_KEY_TYPE_NOT_SUPPORTED,
		"The " KEY_FORMAT " is of type %s; a policy takes RSA of 2048 bits or more, or "
		"AES.",
		KEY_ARGS(key), kty_name(key->kty)));
}

static enum policy_check_result
rule_enabled(const struct policy_key *key, struct err *err)
{
	if (!is_known(key))
		return POLICY_CHECK_UNKNOWN;
	if (key->enabled)
		return POLICY_CHECK_PASSED;
	return failed(
		err_set(err, ERR_KEY_DISABLED, "The " KEY_FORMAT " is disabled.", KEY_ARGS(key)));
}

static enum policy_check_result
rule_expiry(const struct policy_key *key, struct err *err)
{
	if (!is_known(key))
		return POLICY_CHECK_UNKNOWN;
	if (key->expires < 0 || key->expires >= NEVER_EXPIRES)
		return POLICY_CHECK_PASSED;
	return failed(err_set(err, ERR_KEY_HAS_EXPIRY,
		"The " KEY_FORMAT " expires; a policy's key must not.", KEY_ARGS(key)));
}

/* Purge protection with the longest retention. What a name means that we do not know is not guessed: it is too low. */
static enum policy_check_result
rule_recovery(const struct policy_key *key, struct err *err)
{
	if (!is_known(key))
		return POLICY_CHECK_UNKNOWN;
	if (strcmp(key->recovery_level, "Recoverable") == 0 ||
		strcmp(key->recovery_level, "Recoverable+ProtectedSubscription") == 0)
		return POLICY_CHECK_PASSED;
	return failed(err_set(err, ERR_RECOVERY_LEVEL_TOO_LOW,
		"The recovery level of " KEY_FORMAT " is '%.40s'; its vault must have purge "
		"protection and 90 days.",
		KEY_ARGS(key), key->recovery_level));
}

static enum policy_check_result
rule_usable(const struct policy_key *key, struct err *err)
{
	if (!key->tried)
		return POLICY_CHECK_UNKNOWN;
	if (key->trial.code == ERR_NONE)
		return POLICY_CHECK_PASSED;
	return failed(err_set(err, ERR_KEY_UNUSABLE,
		"The " KEY_FORMAT " does not wrap and unwrap: %.100s [%s]", KEY_ARGS(key),
		key->trial.message, err_name(key->trial.code)));
}

static const struct rule {
	const char *name;
	rule_fn *each;
	pair_fn *pair; /* or: of both keys together */
	enum policy_phase phase;
} rules[] = {
	{"uri",            rule_uri,         NULL,        POLICY_BEFORE_TRIAL},
	{"two-vaults",     NULL,             pair_vaults, POLICY_BEFORE_TRIAL},
	{"vault",          rule_vault,       NULL,        POLICY_BEFORE_TRIAL},
	{"permissions",    rule_permissions, NULL,        POLICY_BEFORE_TRIAL},
	{"exists",         rule_exists,      NULL,        POLICY_BEFORE_TRIAL},
	{"two-tokens",     NULL,             pair_tokens, POLICY_BEFORE_TRIAL},
	{"type",           rule_type,        NULL,        POLICY_BEFORE_TRIAL},
	{"enabled",        rule_enabled,     NULL,        POLICY_BEFORE_TRIAL},
	{"no-expiry",      rule_expiry,      NULL,        POLICY_BEFORE_TRIAL},
	{"recovery-level", rule_recovery,    NULL,        POLICY_BEFORE_TRIAL},
	{"usable",         rule_usable,      NULL,        POLICY_AFTER_TRIAL },
};

_Static_assert(POLICY_KEYS *ARRAY_LEN(rules) <= POLICY_CHECKS_MAX, "room for every check");

/* Host names have no case; key ids are canonical. */
static void
fold_host(char *uri)
{
	static const char scheme[] = "https://";
	if (strncmp(uri, scheme, sizeof(scheme) - 1) != 0)
		return;
	for (char *c = uri + sizeof(scheme) - 1; *c != '\0' && *c != '/'; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
}

void
policy_key_init(struct policy_key *key, const char *uri)
{
	*key = (struct policy_key){.expires = -1};
	(void)snprintf(key->uri, sizeof(key->uri), "%s", uri);
	fold_host(key->uri);
	if (strlen(uri) >= sizeof(key->uri) || !kid_parse(key->uri, &key->id))
		key->id = (struct kid){0};
}

static void
check_rule(const struct rule *rule, const struct policy_key *keys, struct policy_check *checks,
	size_t *count)
{
	if (rule->pair != NULL) {
		struct policy_check *check = &checks[(*count)++];
		*check = (struct policy_check){.rule = rule->name, .key = -1};
		check->result = rule->pair(&keys[0], &keys[1], &check->err);
		return;
	}
	for (int i = 0; i < POLICY_KEYS; i++) {
		struct policy_check *check = &checks[(*count)++];
		*check = (struct policy_check){.rule = rule->name, .key = i};
		check->result = rule->each(&keys[i], &check->err);
	}
}

bool
policy_check(const struct policy_key keys[static POLICY_KEYS],
	struct policy_check checks[static POLICY_CHECKS_MAX], size_t *ret_count)
{
	bool good = true;
	*ret_count = 0;
	for (size_t i = 0; i < ARRAY_LEN(rules); i++)
		check_rule(&rules[i], keys, checks, ret_count);
	for (size_t i = 0; i < *ret_count; i++)
		good = good && checks[i].result == POLICY_CHECK_PASSED;
	return good;
}

bool
policy_check_first(
	const struct policy_key keys[static POLICY_KEYS], enum policy_phase phase, struct err *err)
{
	struct policy_check checks[POLICY_KEYS];
	bool unknown = false;
	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		size_t count = 0;
		if (rules[i].phase != phase)
			continue;
		check_rule(&rules[i], keys, checks, &count);
		for (size_t j = 0; j < count; j++) {
			if (checks[j].result == POLICY_CHECK_FAILED) {
				*err = checks[j].err;
				return false;
			}
			unknown = unknown || checks[j].result == POLICY_CHECK_UNKNOWN;
		}
	}
	return !unknown ||
	       err_set(err, ERR_UNAVAILABLE, "Custody did not say all that a policy needs.");
}
