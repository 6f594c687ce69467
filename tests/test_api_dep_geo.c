#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "api/dep_geo.h"
#include "arena_fixture.h"

#define A "https://west.vault.azure.net/keys/a/1"
#define B "https://east.vault.azure.net/keys/b/2"

static void
two_uris_come_in_one_text_or_in_two(void **state)
{
	static const char *const bodies[] = {
		"{\"keys\":[\"" A "\",\"" B "\"]}",
		"{\"keys\":[\"" A "," B "\"]}",
		"{\"keys\":[\"" A " " B "\"]}",
		"{\"keys\":[\"" A ", " B "\"]}",
		"{\"keys\":[\" " A " ,  " B ",\"]}",
		"{\"keys\":[\"" A ",\",\"" B "\"]}",
	};
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		struct api_dep_geo_register wanted;
		struct err err = {0};
		if (!api_dep_geo_register_decode(bytes_of_text(bodies[i]), *state, &wanted, &err))
			fail_msg("%s: %s", bodies[i], err.message);
		assert_string_equal(wanted.keys[0].uri, A);
		assert_string_equal(wanted.keys[1].uri, B);
	}
}

static void
keys_are_named_by_vault_name_and_version_too(void **state)
{
	struct api_dep_geo_register wanted;
	struct err err = {0};
	assert_true(api_dep_geo_register_decode(
		bytes_of_text(
			"{\"secondary\":{\"vault\":\"east\",\"name\":\"b\",\"version\":\"2\"},"
			"\"primary\":{\"vault\":\"west\",\"name\":\"a\",\"version\":\"1\"}}"),
		*state, &wanted, &err));
	assert_null(wanted.keys[0].uri);
	assert_string_equal(wanted.keys[0].vault, "west");
	assert_string_equal(wanted.keys[0].name, "a");
	assert_string_equal(wanted.keys[0].version, "1");
	assert_string_equal(wanted.keys[1].vault, "east");
}

static void
anything_else_than_two_keys_is_refused(void **state)
{
#define P "{\"vault\":\"v\",\"name\":\"n\",\"version\":\"1\"}"
	static const struct {
		const char *body;
		enum err_code code;
	} rows[] = {
		{"{}",						  ERR_TWO_KEYS_REQUIRED},
		{"{\"keys\":[]}",				       ERR_TWO_KEYS_REQUIRED},
		{"{\"keys\":[\" , \"]}",                                ERR_TWO_KEYS_REQUIRED},
		{"{\"keys\":[\"" A "\"]}",                              ERR_TWO_KEYS_REQUIRED},
		{"{\"keys\":[\"" A "," B " " A "\"]}",                  ERR_TWO_KEYS_REQUIRED},
		{"{\"primary\":" P "}",                                 ERR_TWO_KEYS_REQUIRED},
		{"{\"keys\":[\"" A "\"],\"secondary\":" P "}",          ERR_BAD_PARAMETER    },
		{"{\"primary\":{\"vault\":\"v\"},\"secondary\":" P "}", ERR_BAD_PARAMETER    },
		{"{\"primary\":\"" A "\",\"secondary\":" P "}",         ERR_BAD_PARAMETER    },
		{"{\"keys\":\"" A "," B "\"}",                          ERR_BAD_PARAMETER    },
		{"{\"keys\":[\"" A "," B "\"],\"x\":1}",                ERR_BAD_PARAMETER    },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct api_dep_geo_register wanted;
		struct err err = {0};
		bool ok = api_dep_geo_register_decode(
			bytes_of_text(rows[i].body), *state, &wanted, &err);
		if (ok || err.code != rows[i].code)
			fail_msg("%s: %s", rows[i].body, err_name(err.code));
	}
}

static void
an_update_names_one_key_in_one_way(void **state)
{
	static const struct {
		const char *body;
		bool good;
		size_t index;
		const char *uri;
	} rows[] = {
		{"{\"keyType\":\"primary\",\"keys\":[\"" A "\"]}",               true,  0, A   },
		{"{\"keyType\":\"secondary\",\"keys\":[\" , " A ",\"]}",         true,  1, A   },
		{"{\"keyType\":\"secondary\",\"key\":" P "}",                    true,  1, NULL},
		{"{\"keyType\":\"both\",\"keys\":[\"" A "\"]}",                  false, 0, NULL},
		{"{\"keyType\":\"primary\",\"keys\":[\"" A "," B "\"]}",         false, 0, NULL},
		{"{\"keyType\":\"primary\",\"keys\":[\"" A "\"],\"key\":" P "}", false, 0, NULL},
		{"{\"keyType\":\"primary\",\"keys\":[]}",                        false, 0, NULL},
		{"{\"keyType\":\"primary\",\"key\":{\"vault\":\"v\"}}",          false, 0, NULL},
		{"{\"keyType\":\"primary\"}",                                    false, 0, NULL},
		{"{\"keys\":[\"" A "\"]}",                                       false, 0, NULL},
		{"{\"keyType\":\"primary\",\"keys\":[\"" A "\"],\"x\":1}",       false, 0, NULL},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct api_dep_geo_update wanted;
		struct err err = {0};
		bool ok = api_dep_geo_update_decode(
			bytes_of_text(rows[i].body), *state, &wanted, &err);
		if (ok != rows[i].good || (!ok && err.code != ERR_BAD_PARAMETER))
			fail_msg("%s: %s", rows[i].body, err_name(err.code));
		if (!ok)
			continue;
		assert_int_equal(wanted.index, rows[i].index);
		assert_true(rows[i].uri == NULL ? wanted.key.uri == NULL
						: strcmp(wanted.key.uri, rows[i].uri) == 0);
		assert_true(rows[i].uri != NULL || strcmp(wanted.key.name, "n") == 0);
	}
}

static void
a_recovery_has_two_keys_and_a_reason(void **state)
{
	static const struct {
		const char *body;
		enum err_code code;
	} rows[] = {
		{"{\"reason\":\"burnt\",\"keys\":[\"" A " " B "\"]}",            ERR_NONE             },
		{"{\"reason\":\"burnt\",\"primary\":" P ",\"secondary\":" P "}", ERR_NONE             },
		{"{\"reason\":\"\",\"keys\":[\"" A " " B "\"]}",                 ERR_BAD_PARAMETER    },
		{"{\"keys\":[\"" A " " B "\"]}",                                 ERR_BAD_PARAMETER    },
		{"{\"reason\":\"burnt\"}",                                       ERR_TWO_KEYS_REQUIRED},
		{"{\"reason\":\"burnt\",\"keys\":[\"" A "\"]}",                  ERR_TWO_KEYS_REQUIRED},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct api_dep_geo_recover wanted;
		struct err err = {0};
		bool ok = api_dep_geo_recover_decode(
			bytes_of_text(rows[i].body), *state, &wanted, &err);
		if (ok != (rows[i].code == ERR_NONE) || err.code != rows[i].code)
			fail_msg("%s: %s", rows[i].body, err_name(err.code));
		assert_true(!ok || strcmp(wanted.reason, "burnt") == 0);
	}
}

static void
a_geo_is_shown_with_nulls_where_it_is_not_registered(void **state)
{
	(void)state;
	static const struct api_dep_geo geo = {
		.name = "NAM", .admin_url = "https://a.b", .state = "Unregistered", .sites = 3};
	CLEAN(buf)
	struct buf out;
	buf_init(&out, 4096);
	api_dep_geo_format(&geo, &out);
	assert_string_equal(buf_peek(&out),
		"{\"name\":\"NAM\",\"adminUrl\":\"https://a.b\",\"state\":\"Unregistered\","
		"\"percentage\":0,\"onboarded\":0,\"sites\":3,\"unencrypted\":0,\"primary\":null,"
		"\"secondary\":null,\"policyId\":null,\"dataEncryptionPolicyID\":null}");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(two_uris_come_in_one_text_or_in_two),
		TEST(keys_are_named_by_vault_name_and_version_too),
		TEST(anything_else_than_two_keys_is_refused),
		TEST(an_update_names_one_key_in_one_way),
		TEST(a_recovery_has_two_keys_and_a_reason),
		TEST(a_geo_is_shown_with_nulls_where_it_is_not_registered),
	};
	return cmocka_run_group_tests_name("api_dep_geo", tests, NULL, NULL);
}
