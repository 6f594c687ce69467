/* Answers of a custodyd as its client reads them: whole ones, and everything that is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "api/asking.h"
#include "api/dual.h"
#include "api/key_operation.h"
#include "api/told.h"
#include "arena_fixture.h"

#define KID      "https://west.vault.test/keys/k/0123456789abcdef0123456789abcdef"
#define OTHER    "https://east.vault.test/keys/k/fedcba9876543210fedcba9876543210"
#define LEVEL    "\"recoveryLevel\":\"Recoverable\",\"recoverableDays\":90"
#define POINT_X  "axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY"
#define POINT_Y  "T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU"
#define EC_POINT "\"crv\":\"P-256\",\"x\":\"" POINT_X "\",\"y\":\"" POINT_Y "\""

/* ---- errors ---- */

static void
error_with_attempts_is_read(void **state)
{
	static const char body[] =
		"{\"error\":{\"code\":\"Forbidden\",\"message\":\"no\",\"innererror\":{\"code\":"
		"\"AccessDenied\"},\"details\":[{\"kid\":\"" KID
		"\",\"token\":null,\"outcome\":\"denied\",\"code\":\"KeyDisabled\"},"
		"{\"kid\":\"" OTHER
		"\",\"token\":\"east\",\"outcome\":\"opened\",\"code\":null}]}}";
	struct api_told_attempts attempts;
	struct err err = {0};

	assert_true(api_told_error(403, bytes_of_text(body), *state, &attempts, &err));

	assert_int_equal(err.code, ERR_ACCESS_DENIED);
	assert_string_equal(err.message, "no");
	assert_int_equal(attempts.count, 2);
	assert_string_equal(attempts.items[0].kid, KID);
	assert_string_equal(attempts.items[0].code, "KeyDisabled");
	assert_string_equal(attempts.items[1].outcome, "opened");
	assert_string_equal(attempts.items[1].code, "");
}

static void
error_without_attempts_is_an_error_only(void **state)
{
	static const struct {
		int status;
		const char *body;
		enum err_code code;
	} rows[] = {
		{503,
                 "{\"error\":{\"code\":\"ServiceUnavailable\",\"message\":\"m\","
			"\"innererror\":{"
			"\"code\":\"PinNeeded\"}}}",			      ERR_PIN_NEEDED   },
		{404, "{\"error\":{\"code\":\"KeyNotFound\",\"message\":\"m\"}}",
                 ERR_KEY_NOT_FOUND								 },
		{403, "{\"error\":{\"code\":\"Nothing\",\"message\":\"m\"}}",     ERR_CLIENT_ANSWER},
		{403, "{\"error\":{\"code\":\"Forbidden\"}}",                     ERR_CLIENT_ANSWER},
		{403, "{\"error\":7}",					    ERR_CLIENT_ANSWER},
		{403, "no JSON",						  ERR_CLIENT_ANSWER},
		{403, "",							 ERR_CLIENT_ANSWER},
		{503,
                 "{\"error\":{\"code\":\"ServiceUnavailable\",\"message\":\"m\",\"details\":"
			"[]}}",						   ERR_UNAVAILABLE  },
		{503,
                 "{\"error\":{\"code\":\"ServiceUnavailable\",\"message\":\"m\",\"details\":"
			"["
			"{\"kid\":\"k\"}]}}",				     ERR_UNAVAILABLE  },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct api_told_attempts attempts;
		struct err err = {0};
		if (api_told_error(
			    rows[i].status, bytes_of_text(rows[i].body), *state, &attempts, &err) ||
			err.code != rows[i].code)
			fail_msg("%s", rows[i].body);
	}
}

/* ---- keys and vaults ---- */

static void
key_of_each_type_is_read(void **state)
{
	static const char ec[] = "{\"key\":{\"kid\":\"" KID
				 "\",\"kty\":\"EC\",\"key_ops\":[\"sign\",\"new\"]," EC_POINT
				 "},\"attributes\":{\"enabled\":true,\"exp\":17," LEVEL "}}";
	static const char oct[] =
		"{\"key\":{\"kid\":\"" KID "\",\"kty\":\"oct-HSM\",\"key_ops\":[\"unwrapKey\"]},"
		"\"attributes\":{\"enabled\":false," LEVEL "}}";
	struct api_told_key key;
	struct err err = {0};

	assert_true(api_told_key(bytes_of_text(ec), *state, &key, &err));
	assert_int_equal(key.kty, KTY_EC);
	assert_int_equal(key.ops, ALG_SIGN);
	assert_int_equal(key.expires, 17);
	assert_true(key.enabled);
	assert_int_equal(pubkey_bits(key.pubkey), 256);
	assert_string_equal(key.recovery_level, "Recoverable");
	assert_int_equal(key.recoverable_days, 90);
	pubkey_free(key.pubkey);

	assert_true(api_told_key(bytes_of_text(oct), *state, &key, &err));
	assert_int_equal(key.kty, KTY_OCT_HSM);
	assert_int_equal(key.expires, API_NO_TIME);
	assert_false(key.enabled);
	assert_null(key.pubkey);
}

static void
key_that_is_none_is_not_taken(void **state)
{
#define BUNDLE(jwk) "{\"key\":{" jwk "},\"attributes\":{\"enabled\":true," LEVEL "}}"
	static const char *const bodies[] = {
		"",
		"{}",
		BUNDLE("\"kid\":\"" KID "\",\"kty\":\"what\",\"key_ops\":[]"),
		BUNDLE("\"kid\":\"https://west.vault.test/keys/k\",\"kty\":\"oct\",\"key_ops\":[]"),
		BUNDLE("\"kid\":\"" KID "\",\"kty\":\"RSA\",\"key_ops\":[]"),
		BUNDLE("\"kid\":\"" KID "\",\"kty\":\"EC\",\"key_ops\":[]"),
		BUNDLE("\"kid\":\"" KID
		       "\",\"kty\":\"EC\",\"key_ops\":[],\"crv\":\"P-256\",\"x\":\"" POINT_Y
		       "\",\"y\":\"" POINT_X "\""),
		"{\"key\":{\"kid\":\"" KID "\",\"kty\":\"oct\",\"key_ops\":[]},\"attributes\":{}}",
	};
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		struct api_told_key key = {.kid = "untouched"};
		struct err err = {0};
		if (api_told_key(bytes_of_text(bodies[i]), *state, &key, &err) ||
			err.code != ERR_CLIENT_ANSWER || strcmp(key.kid, "untouched") != 0)
			fail_msg("%s", bodies[i]);
	}
}

static void
vault_is_read(void **state)
{
	static const char body[] =
		"{\"name\":\"west\",\"uri\":\"https://west.vault.test/"
		"\",\"token\":\"w\",\"region\":"
		"null,\"retentionDays\":90,\"enablePurgeProtection\":true,\"accessPolicies\":[{"
		"\"principal\":\"app:g\",\"number\":null,\"state\":\"ok\",\"permissions\":{"
		"\"keys\":[\"get\",\"wrapKey\"]}}]}";
	struct api_told_vault vault;
	struct err err = {0};

	assert_true(api_told_vault(bytes_of_text(body), *state, &vault, &err));
	assert_int_equal(vault.grant_count, 1);
	assert_string_equal(vault.grants[0].principal, "app:g");
	assert_string_equal(vault.grants[0].state, "ok");
	assert_int_equal(vault.grants[0].words.count, 2);
	assert_string_equal(vault.grants[0].words.items[1], "wrapKey");

	assert_string_equal(vault.token, "w");
	assert_string_equal(vault.region, "");
	assert_int_equal(vault.retention_days, 90);
	assert_true(vault.purge_protection);
	assert_false(api_told_vault(bytes_of_text("{\"name\":\"west\"}"), *state, &vault, &err));
	assert_int_equal(err.code, ERR_CLIENT_ANSWER);
}

/* ---- what is written is what the other side reads ---- */

static void
opened_is_read_as_it_is_written(void **state)
{
	CLEAN(secret)
	struct secret *value = secret_from("0123456789", 10);
	struct api_attempt written[] = {
		{KID,   "west", ERR_TIMEOUT},
                {OTHER, "east", ERR_NONE   }
        };
	CLEAN(buf)
	struct buf body;
	struct api_told_attempts attempts;
	struct err err = {0};
	buf_init(&body, 4096);
	api_dual_opened_format(value, OTHER, true, written, 2, &body);

	CLEAN(secret)
	struct secret *opened = api_told_opened(buf_bytes(&body), *state, &attempts, &err);

	assert_non_null(opened);
	assert_true(secret_equal(opened, value));
	assert_int_equal(attempts.count, 2);
	assert_string_equal(attempts.items[0].outcome, "unavailable");
	assert_string_equal(attempts.items[0].code, "Timeout");
	buf_reset(&body);
	api_dual_check_format(written, 2, &body);
	assert_true(api_told_check(buf_bytes(&body), *state, &attempts, &err));
	assert_int_equal(attempts.count, 2);
	assert_string_equal(attempts.items[1].kid, OTHER);
}

static void
opened_without_plaintext_is_not_taken(void **state)
{
	static const char *const bodies[] = {
		"{\"value\":\"\",\"attempts\":[]}",
		"{\"attempts\":[]}",
		"{\"value\":\"AAEC\"}",
		"{\"value\":\"AAEC\",\"attempts\":[7]}",
		"{\"value\":\"AA-C=\",\"attempts\":[]}",
		"{\"value\":\"AAEC\",\"value\":\"AAEC\",\"attempts\":[]}",
	};
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		struct api_told_attempts attempts;
		struct err err = {0};
		if (api_told_opened(bytes_of_text(bodies[i]), *state, &attempts, &err) != NULL ||
			err.code != ERR_CLIENT_ANSWER)
			fail_msg("%s", bodies[i]);
	}
}

static void
result_of_another_key_is_not_taken(void **state)
{
	CLEAN(buf)
	struct buf body;
	struct bytes value = {0};
	struct err err = {0};
	buf_init(&body, 4096);
	struct api_key_result result = {
		.kid = KID, .alg = ALG_ES256, .value = {(const uint8_t *)"rs", 2}
        };
	api_key_result_format(&result, &body);

	assert_true(api_told_result(buf_bytes(&body), *state, KID, &value, &err));
	assert_int_equal(value.len, 2);
	assert_false(api_told_result(buf_bytes(&body), *state, OTHER, &value, &err));
	assert_int_equal(err.code, ERR_CLIENT_ANSWER);
	assert_null(api_told_secret(buf_bytes(&body), *state, OTHER, &err));
	CLEAN(secret)
	struct secret *secret = api_told_secret(buf_bytes(&body), *state, KID, &err);
	assert_non_null(secret);
	assert_int_equal(secret_len(secret), 2);
}

static void
asking_is_read_as_it_is_written(void **state)
{
	static const char *const keys[2] = {KID, OTHER};
	static const uint8_t digest[32] = {7};
	CLEAN(secret)
	struct secret *value = secret_from("0123456789abcdef0123456789abcdef", 32);
	CLEAN(buf)
	struct buf body;
	struct err err = {0};
	struct api_key_create create;
	struct api_key_sign sign;
	CLEAN(api_dual_make)
	struct api_dual_make make = {0};
	CLEAN(api_key_operation)
	struct api_key_operation operation = {0};
	buf_init(&body, 4096);

	api_asking_dual_wrap(keys, bytes_of_text("ctx"), value, &body);
	assert_true(api_dual_wrap_decode(buf_bytes(&body), *state, &make, &err));
	assert_string_equal(make.keys.text[1], OTHER);
	assert_true(secret_equal(make.value, value));
	assert_true(bytes_equal(make.context, bytes_of_text("ctx")));
	buf_reset(&body);
	api_asking_key_create(KTY_OCT, 256, CURVE_NONE, ALG_WRAPS, &body);
	assert_true(api_key_create_decode(buf_bytes(&body), *state, &create, &err));
	assert_int_equal(create.bits, 256);
	assert_int_equal(create.ops, ALG_WRAPS);
	buf_reset(&body);
	api_asking_key_create(KTY_EC, 0, CURVE_P256, ALG_SIGNS, &body);
	assert_true(api_key_create_decode(buf_bytes(&body), *state, &create, &err));
	assert_int_equal(create.curve, CURVE_P256);
	buf_reset(&body);
	api_asking_operation(ALG_A256KW, value, (struct bytes){0}, &body);
	assert_true(api_key_operation_decode(buf_bytes(&body), *state, ALG_WRAP, &operation, &err));
	assert_true(secret_equal(operation.plaintext, value));
	buf_reset(&body);
	api_asking_operation(ALG_ES256, NULL, (struct bytes){digest, 32}, &body);
	assert_true(api_key_sign_decode(buf_bytes(&body), *state, &sign, &err));
	assert_memory_equal(sign.digest.data, digest, 32);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(error_with_attempts_is_read),
		TEST(error_without_attempts_is_an_error_only),
		TEST(key_of_each_type_is_read),
		TEST(key_that_is_none_is_not_taken),
		TEST(vault_is_read),
		TEST(opened_is_read_as_it_is_written),
		TEST(opened_without_plaintext_is_not_taken),
		TEST(result_of_another_key_is_not_taken),
		TEST(asking_is_read_as_it_is_written),
	};
	return cmocka_run_group_tests_name("told", tests, NULL, NULL);
}
