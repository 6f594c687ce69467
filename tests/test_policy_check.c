/* The rules of a policy's keys: each has its code and names the key at fault (threats G9). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "depd/policy_check.h"

#define WEST "https://west.vault.azure.net/keys/k"
#define EAST "https://east.vault.azure.net/keys/l"

static void
good_key(struct policy_key *key, const char *uri, const char *token)
{
	policy_key_init(key, uri);
	key->vault_asked = key->asked = true;
	key->application = CUSTODY_APP_EXCHANGE;
	key->granted = CUSTODY_MAY_GET | CUSTODY_MAY_WRAP | CUSTODY_MAY_UNWRAP;
	key->kty = KTY_RSA_HSM;
	key->bits = 3072;
	key->enabled = true;
	(void)snprintf(key->recovery_level, sizeof(key->recovery_level), "%s", "Recoverable");
	(void)snprintf(key->token, sizeof(key->token), "%s", token);
	key->tried = true;
}

static void
good_keys(struct policy_key keys[POLICY_KEYS])
{
	good_key(&keys[0], WEST, "west");
	good_key(&keys[1], EAST, "east");
}

static void
break_uri(struct policy_key *key)
{
	policy_key_init(key, "http://east/keys/l");
}

static void
break_vault(struct policy_key *key)
{
	good_key(key, "https://WEST.vault.azure.net/keys/l", "east");
}

static void
break_token(struct policy_key *key)
{
	(void)snprintf(key->token, sizeof(key->token), "west");
}

static void
break_vault_unknown(struct policy_key *key)
{
	(void)err_set(&key->vault_err, ERR_VAULT_NOT_FOUND, NULL);
	key->asked = false;
	key->token[0] = '\0';
	key->tried = false;
}

static void
break_all_permissions(struct policy_key *key)
{
	(void)err_set(&key->vault_err, ERR_FORBIDDEN, NULL);
	(void)err_set(&key->err, ERR_FORBIDDEN, NULL);
	key->token[0] = '\0';
	key->tried = false;
}

static void
break_permission(struct policy_key *key)
{
	key->granted &= ~(unsigned)CUSTODY_MAY_WRAP;
}

static void
break_existence(struct policy_key *key)
{
	(void)err_set(&key->err, ERR_KEY_NOT_FOUND, NULL);
}

static void
break_by_deletion(struct policy_key *key)
{
	(void)err_set(&key->err, ERR_KEY_DELETED, NULL);
}

static void
break_answer(struct policy_key *key)
{
	(void)err_set(&key->err, ERR_UNAVAILABLE, "away");
}

static void
break_type(struct policy_key *key)
{
	key->kty = KTY_EC;
}

static void
break_bits(struct policy_key *key)
{
	key->bits = 1024;
}

static void
break_enabled(struct policy_key *key)
{
	key->enabled = false;
}

static void
break_expiry(struct policy_key *key)
{
	key->expires = INT64_C(253402214399); /* the second before 9999-12-31 */
}

static void
break_recovery(struct policy_key *key)
{
	(void)snprintf(
		key->recovery_level, sizeof(key->recovery_level), "%s", "CustomizedRecoverable");
}

static void
break_trial(struct policy_key *key)
{
	(void)err_set(&key->trial, ERR_PIN_NEEDED, NULL);
}

static const struct row {
	const char *name;
	void (*spoil)(struct policy_key *key); /* the second one */
	enum err_code code;
	const char *names;
} rows[] = {
	{"uri",           break_uri,             ERR_BAD_PARAMETER,          "http://east/keys/l"             },
	{"one vault",     break_vault,           ERR_SAME_VAULT,             "vault west"                     },
	{"one token",     break_token,           ERR_SAME_TOKEN,             "token west"                     },
	{"no vault",      break_vault_unknown,   ERR_KEY_NOT_FOUND,          "key l of vault east"            },
	{"no permission", break_all_permissions, ERR_PERMISSION_MISSING,
         "vault east, for key l: get, wrapKey, unwrapKey."                                                    },
	{"absent",        break_existence,       ERR_KEY_NOT_FOUND,          "key l of vault east"            },
	{"deleted",       break_by_deletion,     ERR_KEY_NOT_FOUND,          "key l of vault east"            },
	{"no answer",     break_answer,          ERR_UNAVAILABLE,            "key l of vault east"            },
	{"type",          break_type,            ERR_KEY_TYPE_NOT_SUPPORTED, "key l of vault east"            },
	{"short",         break_bits,            ERR_KEY_TYPE_NOT_SUPPORTED, "key l of vault east"            },
	{"disabled",      break_enabled,         ERR_KEY_DISABLED,           "key l of vault east"            },
	{"expiry",        break_expiry,          ERR_KEY_HAS_EXPIRY,         "key l of vault east"            },
	{"recovery",      break_recovery,        ERR_RECOVERY_LEVEL_TOO_LOW, "key l of vault east"            },
	{"permission",    break_permission,      ERR_PERMISSION_MISSING,     "vault east, for key l: wrapKey."},
	{"trial",         break_trial,           ERR_KEY_UNUSABLE,           "key l of vault east"            },
};

static void
each_broken_rule_has_its_code(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct policy_key keys[POLICY_KEYS];
		struct err err = {0};
		good_keys(keys);
		rows[i].spoil(&keys[1]);

		bool good = policy_check_first(keys, POLICY_BEFORE_TRIAL, &err) &&
			    policy_check_first(keys, POLICY_AFTER_TRIAL, &err);

		if (good || err.code != rows[i].code || strstr(err.message, rows[i].names) == NULL)
			fail_msg("%s: %s", rows[i].name, err.message);
	}
}

static void
each_broken_rule_is_one_failed_check(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct policy_key keys[POLICY_KEYS];
		struct policy_check checks[POLICY_CHECKS_MAX];
		size_t count = 0, failed = 0;
		good_keys(keys);
		rows[i].spoil(&keys[1]);

		assert_false(policy_check(keys, checks, &count));

		for (size_t j = 0; j < count; j++) {
			if (checks[j].result != POLICY_CHECK_FAILED)
				continue;
			failed++;
			if (checks[j].err.code != rows[i].code || checks[j].key == 0)
				fail_msg("%s: %s", rows[i].name, checks[j].rule);
		}
		if (failed != 1)
			fail_msg("%s: %zu rules", rows[i].name, failed);
	}
}

static void
good_keys_pass(void **state)
{
	(void)state;
	struct policy_key keys[POLICY_KEYS];
	struct policy_check checks[POLICY_CHECKS_MAX];
	struct err err = {0};
	size_t count = 0;
	good_keys(keys);
	keys[0].kty =
		KTY_OCT_HSM; /* AES is taken, and RSA of the smallest size, and what never expires */
	keys[1].bits = 2048;
	keys[1].expires = INT64_C(253402214400);

	assert_true(policy_check_first(keys, POLICY_BEFORE_TRIAL, &err));
	assert_true(policy_check_first(keys, POLICY_AFTER_TRIAL, &err));
	assert_true(policy_check(keys, checks, &count));

	assert_int_equal(err.code, ERR_NONE);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(checks[i].result, POLICY_CHECK_PASSED);
}

/* What custody did not say passes nothing and blames nobody. */
static void
unknown_is_neither_passed_nor_failed(void **state)
{
	(void)state;
	struct policy_key keys[POLICY_KEYS];
	struct policy_check checks[POLICY_CHECKS_MAX];
	struct err err = {0};
	size_t count = 0;
	policy_key_init(&keys[0], WEST);
	policy_key_init(&keys[1], EAST);

	assert_false(policy_check(keys, checks, &count));
	for (size_t i = 0; i < count; i++)
		assert_int_not_equal(checks[i].result, POLICY_CHECK_FAILED);
	assert_false(policy_check_first(keys, POLICY_BEFORE_TRIAL, &err));
	assert_int_equal(err.code, ERR_UNAVAILABLE);
}

/* Before the trial its rules are not looked at. */
static void
rules_of_the_trial_wait_for_it(void **state)
{
	(void)state;
	struct policy_key keys[POLICY_KEYS];
	struct err err = {0};
	good_keys(keys);
	keys[0].tried = keys[1].tried = false;

	assert_true(policy_check_first(keys, POLICY_BEFORE_TRIAL, &err));
	assert_false(policy_check_first(keys, POLICY_AFTER_TRIAL, &err));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_broken_rule_has_its_code),
		cmocka_unit_test(each_broken_rule_is_one_failed_check),
		cmocka_unit_test(good_keys_pass),
		cmocka_unit_test(unknown_is_neither_passed_nor_failed),
		cmocka_unit_test(rules_of_the_trial_wait_for_it),
	};
	return cmocka_run_group_tests_name("policy_check", tests, NULL, NULL);
}
