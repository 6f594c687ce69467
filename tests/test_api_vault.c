#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "api/vault.h"
#include "arena_fixture.h"

/* ---- create ---- */

static void
create_needs_a_token_only(void **state)
{
	struct api_vault_create create;
	struct err err;

	assert_true(api_vault_create_decode(
		bytes_of_text("{\"token\":\"west\"}"), *state, &create, &err));

	assert_string_equal(create.token, "west");
	assert_int_equal(create.retention_days, 90);
	assert_false(create.purge_protection);
	assert_int_equal(create.backup, API_BACKUP_TRUSTED);
	assert_string_equal(create.tags, "{}");
}

static void
create_members_are_decoded(void **state)
{
	static const char body[] =
		"{\"token\":\"east-2\",\"retentionDays\":7,\"enablePurgeProtection\":true,"
		"\"backup\":\"never\",\"tags\":{\"env\":\"prod\"}}";
	struct api_vault_create create;
	struct err err;

	assert_true(api_vault_create_decode(bytes_of_text(body), *state, &create, &err));

	assert_string_equal(create.token, "east-2");
	assert_int_equal(create.retention_days, 7);
	assert_true(create.purge_protection);
	assert_int_equal(create.backup, API_BACKUP_NEVER);
	assert_string_equal(create.tags, "{\"env\":\"prod\"}");
}

struct refusal {
	const char *body;
	const char *says;
};

static const struct refusal create_refusals[] = {
	{"",						   ""		     },
	{"{}",						 "token"                },
	{"{\"token\":null}",				   "token"                },
	{"{\"token\":\"\"}",				   "token"                },
	{"{\"token\":\"West\"}",                               "token"                },
	{"{\"token\":\"a/b\"}",				"token"                },
	{"{\"token\":\"0123456789012345678901234567890123\"}", "token"                },
	{"{\"token\":\"west\",\"retentionDays\":6}",           "retentionDays"        },
	{"{\"token\":\"west\",\"retentionDays\":91}",          "retentionDays"        },
	{"{\"token\":\"west\",\"retentionDays\":\"90\"}",      "retentionDays"        },
	{"{\"token\":\"west\",\"retentionDays\":7.5}",         "retentionDays"        },
	{"{\"token\":\"west\",\"enablePurgeProtection\":1}",   "enablePurgeProtection"},
	{"{\"token\":\"west\",\"backup\":\"always\"}",         "backup"               },
	{"{\"token\":\"west\",\"tags\":{\"a\":1}}",            "tags"                 },
	{"{\"token\":\"west\",\"name\":\"x\"}",                ""                     },
	{"{\"token\":\"west\",\"retentiondays\":90}",          ""                     },
};

static void
create_rule_broken_is_refused_by_name(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(create_refusals); i++) {
		const struct refusal *row = &create_refusals[i];
		struct api_vault_create create = {.retention_days = 77};
		struct err err = {.code = ERR_NONE};

		ASSERT_ROW(
			!api_vault_create_decode(bytes_of_text(row->body), *state, &create, &err),
			row->body);

		ASSERT_ROW(err.code == ERR_BAD_PARAMETER, row->body);
		ASSERT_ROW(strstr(err.message, row->says) != NULL, row->body);
		ASSERT_ROW(create.retention_days == 77, row->body);
	}
}

/* ---- update ---- */

static void
update_empty_changes_nothing(void **state)
{
	struct api_vault_update update;
	struct err err;

	assert_true(api_vault_update_decode(bytes_of_text("{}"), *state, &update, &err));

	assert_int_equal(update.retention_days, 0);
	assert_false(update.protect);
	assert_null(update.tags);
}

static void
update_members_are_decoded(void **state)
{
	static const char body[] =
		"{\"retentionDays\":30,\"enablePurgeProtection\":true,\"tags\":{}}";
	struct api_vault_update update;
	struct err err;

	assert_true(api_vault_update_decode(bytes_of_text(body), *state, &update, &err));

	assert_int_equal(update.retention_days, 30);
	assert_true(update.protect);
	assert_string_equal(update.tags, "{}");
}

static const struct refusal update_refusals[] = {
	{"{\"enablePurgeProtection\":false}", "cannot be switched off"},
	{"{\"retentionDays\":0}",             "retentionDays"         },
	{"{\"token\":\"east\"}",              ""                      },
	{"{\"backup\":\"trusted\"}",          ""                      },
	{"{\"tags\":[]}",                     "tags"                  },
};

static void
update_rule_broken_is_refused_by_name(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(update_refusals); i++) {
		const struct refusal *row = &update_refusals[i];
		struct api_vault_update update = {.retention_days = 77};
		struct err err = {.code = ERR_NONE};

		ASSERT_ROW(
			!api_vault_update_decode(bytes_of_text(row->body), *state, &update, &err),
			row->body);

		ASSERT_ROW(err.code == ERR_BAD_PARAMETER, row->body);
		ASSERT_ROW(strstr(err.message, row->says) != NULL, row->body);
		ASSERT_ROW(update.retention_days == 77, row->body);
	}
}

/* ---- policies ---- */

static void
policy_words_are_decoded(void **state)
{
	struct api_policy_set policy;
	struct err err;

	assert_true(api_policy_set_decode(
		bytes_of_text("{\"permissions\":{\"keys\":[\"get\",\"wrapKey\"]}}"), *state,
		&policy, &err));

	assert_int_equal(policy.count, 2);
	assert_string_equal(policy.words[0], "get");
	assert_string_equal(policy.words[1], "wrapKey");
}

static void
policy_may_grant_nothing(void **state)
{
	struct api_policy_set policy;
	struct err err;

	assert_true(api_policy_set_decode(
		bytes_of_text("{\"permissions\":{\"keys\":[]}}"), *state, &policy, &err));

	assert_int_equal(policy.count, 0);
}

static const struct refusal policy_refusals[] = {
	{"{}",								   "permissions"},
	{"{\"permissions\":[\"get\"]}",					  "permissions"},
	{"{\"permissions\":{}}",						 "keys"       },
	{"{\"permissions\":{\"keys\":\"get\"}}",                                 "keys"       },
	{"{\"permissions\":{\"keys\":[1]}}",                                     "keys"       },
	{"{\"permissions\":{\"keys\":[\"012345678901234567890123456789012\"]}}", "keys"       },
	{"{\"permissions\":{\"keys\":[],\"secrets\":[\"get\"]}}",                ""           },
	{"{\"permissions\":{\"keys\":[]},\"objectId\":\"x\"}",                   ""           },
};

static void
policy_rule_broken_is_refused_by_name(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(policy_refusals); i++) {
		const struct refusal *row = &policy_refusals[i];
		struct api_policy_set policy = {.count = 77};
		struct err err = {.code = ERR_NONE};

		ASSERT_ROW(!api_policy_set_decode(bytes_of_text(row->body), *state, &policy, &err),
			row->body);

		ASSERT_ROW(err.code == ERR_BAD_PARAMETER, row->body);
		ASSERT_ROW(strstr(err.message, row->says) != NULL, row->body);
		ASSERT_ROW(policy.count == 77, row->body);
	}
}

static void
policy_words_have_a_limit(void **state)
{
	for (int count = API_PERMISSIONS_MAX; count <= API_PERMISSIONS_MAX + 1; count++) {
		CLEAN(buf)
		struct buf body;
		buf_init(&body, 4096);
		(void)buf_text(&body, "{\"permissions\":{\"keys\":[\"get\"");
		for (int i = 1; i < count; i++)
			(void)buf_text(&body, ",\"get\"");
		(void)buf_text(&body, "]}}");
		struct api_policy_set policy;
		struct err err;

		assert_int_equal(api_policy_set_decode(buf_bytes(&body), *state, &policy, &err),
			count == API_PERMISSIONS_MAX);
	}
}

/* ---- answers ---- */

static const char *const words[] = {"get", "unwrapKey"};

static const struct api_policy policies[] = {
	{"user:alice",			       1000, "ok",      words, 2},
	{"app:6f3b1c6e-5d0e-4f9a-8f1e-111111111111", -1,   "changed", NULL,  0},
};

static const struct api_vault vault = {
	.name = "contosowestus",
	.uri = "https://contosowestus.vault.test/",
	.token = "west",
	.region = "westus",
	.retention_days = 90,
	.purge_protection = true,
	.backup = API_BACKUP_NEVER,
	.created = 5,
	.updated = 6,
	.tags = "{\"a\":\"b\"}",
	.policies = policies,
	.policy_count = 2,
};

#define VAULT_ITEM                                                                                 \
	"{\"name\":\"contosowestus\",\"uri\":\"https://contosowestus.vault.test/\","               \
	"\"token\":\"west\",\"region\":\"westus\",\"retentionDays\":90,"                           \
	"\"enablePurgeProtection\":true,\"backup\":\"never\",\"created\":5,\"updated\":6,"         \
	"\"tags\":{\"a\":\"b\"},\"accessPolicies\":["

#define VAULT_POLICIES                                                                             \
	"{\"principal\":\"user:alice\",\"number\":1000,\"state\":\"ok\","                          \
	"\"permissions\":{\"keys\":[\"get\",\"unwrapKey\"]}},"                                     \
	"{\"principal\":\"app:6f3b1c6e-5d0e-4f9a-8f1e-111111111111\",\"number\":null,"             \
	"\"state\":\"changed\",\"permissions\":{\"keys\":[]}}"

static void
vault_shows_its_policies(void **state)
{
	(void)state;
	CLEAN(buf)
	struct buf out;
	buf_init(&out, 4096);

	api_vault_format(&vault, &out);

	assert_string_equal(buf_peek(&out), VAULT_ITEM VAULT_POLICIES "]}");
}

static void
vault_list_is_an_array(void **state)
{
	(void)state;
	CLEAN(buf)
	struct buf out;
	buf_init(&out, 4096);
	struct api_vault vaults[2] = {vault, vault};
	vaults[0].policy_count = 0;
	vaults[1].policy_count = 0;

	api_vault_list_format(NULL, 0, &out);
	api_vault_list_format(vaults, 2, &out);

	assert_string_equal(
		buf_peek(&out), "{\"value\":[]}{\"value\":[" VAULT_ITEM "]}," VAULT_ITEM "]}]}");
}

static void
vault_name_is_available_or_says_why_not(void **state)
{
	(void)state;
	CLEAN(buf)
	struct buf text;
	buf_init(&text, 1024);

	api_vault_name_format(API_VAULT_NAME_AVAILABLE, &text);
	assert_string_equal(
		buf_peek(&text), "{\"nameAvailable\":true,\"reason\":null,\"message\":null}");
	buf_reset(&text);
	api_vault_name_format(API_VAULT_NAME_INVALID, &text);
	assert_non_null(strstr(buf_peek(&text), "false,\"reason\":\"AccountNameInvalid\""));
	buf_reset(&text);
	api_vault_name_format(API_VAULT_NAME_EXISTS, &text);
	assert_non_null(strstr(buf_peek(&text), "false,\"reason\":\"AlreadyExists\""));
}

int
main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(create_needs_a_token_only),
		TEST(create_members_are_decoded),
		TEST(create_rule_broken_is_refused_by_name),
		TEST(update_empty_changes_nothing),
		TEST(update_members_are_decoded),
		TEST(update_rule_broken_is_refused_by_name),
		TEST(policy_words_are_decoded),
		TEST(policy_may_grant_nothing),
		TEST(policy_rule_broken_is_refused_by_name),
		TEST(policy_words_have_a_limit),
		TEST(vault_shows_its_policies),
		TEST(vault_list_is_an_array),
		TEST(vault_name_is_available_or_says_why_not),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
