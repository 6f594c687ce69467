/* KeyImport as a struct: complete and possible, or refused by the name of what is wrong, without a value (akv-contract §5, §7). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "api/key_import.h"
#include "arena_fixture.h"

/* The generator of P-256: d is one. */
#define G_X "axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY"
#define G_Y "T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU"
#define EC  "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" G_X "\",\"y\":\"" G_Y "\",\"d\":\"AQ\"}"
#define OCT "{\"kty\":\"oct\",\"k\":\"AAECAwQFBgcICQoLDA0ODw\"}"

static void
oct_is_of_its_own_length(void **state)
{
	CLEAN(api_key_import)
	struct api_key_import import = {.create = {.bits = 0}};
	struct err err;
	assert_true(api_key_import_decode(
		bytes_of_text("{\"key\":" OCT ",\"attributes\":{\"enabled\":false,\"exp\":7},"
			      "\"tags\":{\"a\":\"b\"},\"unknown\":[1]}"),
		*state, &import, &err));
	assert_int_equal(import.create.kty, KTY_OCT);
	assert_int_equal(import.create.bits, 128);
	assert_int_equal(import.create.ops, ALG_WRAPS);
	assert_true(import.create.attributes.has_enabled && !import.create.attributes.enabled);
	assert_int_equal(import.create.attributes.exp, 7);
	assert_string_equal(import.create.tags, "{\"a\":\"b\"}");
	assert_int_equal(secret_len(import.material.value), 16);
	assert_int_equal(secret_peek(import.material.value)[15], 15);
	assert_null(import.material.pubkey);
	assert_null(import.material.p);
}

static void
ec_has_its_point_and_hsm_names_the_type(void **state)
{
	CLEAN(api_key_import)
	struct api_key_import import = {.create = {.bits = 0}};
	struct err err;
	assert_true(api_key_import_decode(
		bytes_of_text("{\"Hsm\":true,\"key\":" EC "}"), *state, &import, &err));
	assert_int_equal(import.create.kty, KTY_EC_HSM);
	assert_int_equal(import.create.curve, CURVE_P256);
	assert_int_equal(import.create.ops, ALG_SIGNS);
	assert_int_equal(pubkey_get_curve(import.material.pubkey), CURVE_P256);
	assert_int_equal(secret_len(import.material.value), 1);
}

struct refusal {
	const char *body;
	enum err_code code;
	const char *names;
};

static void
rule_broken_is_refused_by_name(void **state)
{
	static const struct refusal rows[] = {
		{"{}",							     ERR_BAD_PARAMETER, "key"           },
		{"{\"key\":[]}",						   ERR_BAD_PARAMETER, "key"           },
		{"{\"key\":{}}",						   ERR_BAD_PARAMETER, "kty"           },
		{"{\"key\":{\"kty\":\"oct\"}}",                                    ERR_BAD_PARAMETER, "key.k"         },
		{"{\"key\":{\"kty\":\"oct\",\"k\":\"A\"}}",                        ERR_BAD_PARAMETER, "k"             },
		{"{\"key\":{\"kty\":\"oct\",\"k\":\"AAECAw\"}}",                   ERR_BAD_PARAMETER, "key_size"      },
		{"{\"key\":{\"kty\":\"OKP\"}}",                                    ERR_BAD_PARAMETER, "kty"           },
		{"{\"key\":{\"kty\":\"RSA\"}}",                                    ERR_BAD_PARAMETER, "key.n"         },
		{"{\"key\":{\"kty\":\"RSA\",\"n\":\"AQ\",\"e\":\"AQAB\"}}",        ERR_BAD_PARAMETER,
                 "key.d"											      },
		{"{\"key\":{\"kty\":\"EC\"}}",                                     ERR_BAD_PARAMETER, "key.crv"       },
		{"{\"key\":{\"kty\":\"EC\",\"crv\":\"P-999\"}}",                   ERR_BAD_PARAMETER, "crv"           },
		{"{\"key\":{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" G_X "\"}}",
                 ERR_BAD_PARAMETER,								   "key.y"         },
		{"{\"key\":" OCT ",\"release_policy\":{}}",                        ERR_BAD_PARAMETER, "release_policy"},
		{"{\"key\":" OCT ",\"attributes\":{\"exportable\":true}}",         ERR_BAD_PARAMETER,
                 "exportable"											 },
		{"{\"key\":{\"kty\":\"oct\",\"k\":\"AAECAwQFBgcICQoLDA0ODw\",\"key_ops\":[\"sign\"]"
		 "}}",					    ERR_BAD_PARAMETER, "key_size"      },
		{"{\"key\":{\"kty\":\"oct\",\"key_hsm\":\"AA\"}}",                 ERR_NOT_SUPPORTED, "key_hsm"       },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct api_key_import import = {.create = {.bits = 0}};
		struct err err = {0};
		if (api_key_import_decode(bytes_of_text(rows[i].body), *state, &import, &err))
			fail_msg("%s", rows[i].body);
		if (err.code != rows[i].code || strstr(err.message, rows[i].names) == NULL)
			fail_msg("%s: %s", rows[i].body, err.message);
		assert_null(import.material.value);
	}
}

static void
cleared_twice_is_harmless(void **state)
{
	struct api_key_import import = {.create = {.bits = 0}};
	struct err err;
	assert_true(
		api_key_import_decode(bytes_of_text("{\"key\":" EC "}"), *state, &import, &err));
	api_key_material_clear(&import.material);
	api_key_material_clear(&import.material);
	assert_null(import.material.value);
}

int
main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(oct_is_of_its_own_length),
		TEST(ec_has_its_point_and_hsm_names_the_type),
		TEST(rule_broken_is_refused_by_name),
		TEST(cleared_twice_is_harmless),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
