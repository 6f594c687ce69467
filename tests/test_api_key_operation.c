#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "api/key_operation.h"
#include "arena_fixture.h"
#include "base/b64.h"

/* ---- encrypt, wrapKey: the value is secret ---- */

static void
wrap_value_is_a_secret(void **state)
{
	static const char body[] = "{\"alg\":\"RSA-OAEP-256\",\"value\":\"AAEC_w\",\"future\":{}}";
	CLEAN(api_key_operation)
	struct api_key_operation operation = {0};
	struct err err;

	assert_true(
		api_key_operation_decode(bytes_of_text(body), *state, ALG_WRAP, &operation, &err));

	assert_int_equal(operation.alg, ALG_RSA_OAEP_256);
	assert_int_equal(secret_len(operation.plaintext), 4);
	assert_memory_equal(secret_peek(operation.plaintext), "\x00\x01\x02\xff", 4);
	assert_int_equal(operation.ciphertext.len, 0);
}

static void
encrypt_gcm_takes_aad(void **state)
{
	static const char body[] = "{\"alg\":\"A256GCM\",\"value\":\"AA\",\"aad\":\"YWJj\"}";
	CLEAN(api_key_operation)
	struct api_key_operation operation = {0};
	struct err err;

	assert_true(api_key_operation_decode(
		bytes_of_text(body), *state, ALG_ENCRYPT, &operation, &err));

	assert_int_equal(operation.alg, ALG_A256GCM);
	assert_int_equal(secret_len(operation.plaintext), 1);
	assert_true(bytes_equal(operation.aad, bytes_of_text("abc")));
	assert_int_equal(operation.iv.len, 0);
	assert_int_equal(operation.tag.len, 0);
}

static void
operation_clear_twice_is_harmless(void **state)
{
	static const char body[] = "{\"alg\":\"A256KW\",\"value\":\"AAAAAAAAAAAAAAAAAAAAAA\"}";
	struct api_key_operation operation = {0};
	struct err err;
	assert_true(
		api_key_operation_decode(bytes_of_text(body), *state, ALG_WRAP, &operation, &err));

	api_key_operation_clear(&operation);
	api_key_operation_clear(&operation);

	assert_null(operation.plaintext);
}

/* ---- decrypt, unwrapKey ---- */

static void
unwrap_value_is_bytes(void **state)
{
	static const char body[] =
		"{\"alg\":\"RSA-OAEP\",\"value\":\"_-8\",\"iv\":\"\",\"aad\":null}";
	CLEAN(api_key_operation)
	struct api_key_operation operation = {0};
	struct err err;

	assert_true(api_key_operation_decode(
		bytes_of_text(body), *state, ALG_UNWRAP, &operation, &err));

	assert_int_equal(operation.alg, ALG_RSA_OAEP);
	assert_null(operation.plaintext);
	assert_int_equal(operation.ciphertext.len, 2);
	assert_memory_equal(operation.ciphertext.data, "\xff\xef", 2);
}

/* Lengths of iv and tag are not judged here: a wrong one is a ciphertext that does not open, uniformly. */
static void
decrypt_iv_and_tag_may_have_any_length(void **state)
{
	static const char body[] =
		"{\"alg\":\"A128GCM\",\"value\":\"AA\",\"iv\":\"YWJj\",\"tag\":\"\"}";
	CLEAN(api_key_operation)
	struct api_key_operation operation = {0};
	struct err err;

	assert_true(api_key_operation_decode(
		bytes_of_text(body), *state, ALG_DECRYPT, &operation, &err));

	assert_true(bytes_equal(operation.iv, bytes_of_text("abc")));
	assert_int_equal(operation.tag.len, 0);
	assert_int_equal(operation.aad.len, 0);
}

/* ---- algorithms ---- */

static const struct {
	enum alg_op op;
	const char *word;
} cipher_ops[] = {
	{ALG_ENCRYPT, "encrypt"  },
	{ALG_DECRYPT, "decrypt"  },
	{ALG_WRAP,    "wrapKey"  },
	{ALG_UNWRAP,  "unwrapKey"},
};

static const char *
cipher_body(struct arena *arena, enum alg alg, enum alg_op op)
{
	const char *extra = "";
	if (alg_get_scheme(alg) == ALG_SCHEME_GCM && op == ALG_DECRYPT)
		extra = ",\"iv\":\"AAAAAAAAAAAAAAAA\",\"tag\":\"AAAAAAAAAAAAAAAAAAAAAA\"";
	return arena_printf(arena, "{\"alg\":\"%s\",\"value\":\"AAAAAAAAAAAAAAAAAAAAAA\"%s}",
		alg_name(alg), extra);
}

/* akv-contract §8: an algorithm with the other verb is refused, for every row of alg.tbl. */
static void
operation_takes_what_the_algorithm_is_for(void **state)
{
	for (enum alg alg = ALG_NONE + 1; alg < ALG_COUNT; alg++) {
		for (size_t i = 0; i < ARRAY_LEN(cipher_ops); i++) {
			enum alg_op op = cipher_ops[i].op;
			const char *body = cipher_body(*state, alg, op);
			CLEAN(api_key_operation)
			struct api_key_operation operation = {0};
			struct err err = {.code = ERR_NONE};

			bool taken = api_key_operation_decode(
				bytes_of_text(body), *state, op, &operation, &err);

			ASSERT_ROW(taken == ((alg_ops(alg) & op) != 0), body);
			ASSERT_ROW(taken || err.code == ERR_BAD_PARAMETER, body);
			ASSERT_ROW(taken || strstr(err.message, cipher_ops[i].word) != NULL, body);
		}
	}
}

/* Refused algorithms look at nothing else, so that good and bad input are answered alike (threats A14). */
static void
refused_algorithm_looks_at_nothing_else_a14(void **state)
{
	static const char *const bodies[] = {
		"{\"alg\":\"RSA1_5\",\"value\":\"AA\"}",
		"{\"alg\":\"RSA1_5\",\"value\":\"!\"}",
		"{\"alg\":\"RSA1_5\",\"value\":5}",
		"{\"alg\":\"RSA1_5\"}",
	};
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		CLEAN(api_key_operation)
		struct api_key_operation operation = {0};
		struct err err;

		ASSERT_ROW(api_key_operation_decode(
				   bytes_of_text(bodies[i]), *state, ALG_UNWRAP, &operation, &err),
			bodies[i]);

		ASSERT_ROW(operation.alg == ALG_RSA1_5, bodies[i]);
		ASSERT_ROW(operation.ciphertext.len == 0, bodies[i]);
		ASSERT_ROW(!api_key_operation_served(operation.alg, ALG_UNWRAP, &err), bodies[i]);
		ASSERT_ROW(err.code == ERR_NOT_SUPPORTED, bodies[i]);
	}
}

static void
served_follows_the_table(void **state)
{
	(void)state;
	for (enum alg alg = ALG_NONE + 1; alg < ALG_COUNT; alg++) {
		for (unsigned op = 1; op <= ALG_OPS_ALL; op <<= 1) {
			struct err err = {.code = ERR_NONE};

			bool served = api_key_operation_served(alg, (enum alg_op)op, &err);

			ASSERT_ROW(served == ((alg_served_ops(alg) & op) != 0), alg_name(alg));
			ASSERT_ROW(served || err.code == ERR_NOT_SUPPORTED, alg_name(alg));
		}
	}
}

/* ---- what is refused ---- */

struct refusal {
	enum alg_op op;
	const char *body;
	const char *says;
};

#define IV  ",\"iv\":\"AAAAAAAAAAAAAAAA\""
#define TAG ",\"tag\":\"AAAAAAAAAAAAAAAAAAAAAA\""
#define AAD ",\"aad\":\"AA\""

static const struct refusal refusals[] = {
	{ALG_WRAP,    "",							   ""       },
	{ALG_WRAP,    "[{\"alg\":\"RSA-OAEP\",\"value\":\"AA\"}]",                  ""       },
	{ALG_WRAP,    "{\"alg\":\"RSA-OAEP\",\"value\":\"AA\",\"value\":\"AB\"}",   ""       },
 /* alg */
	{ALG_WRAP,    "{\"value\":\"AA\"}",					 "alg"    },
	{ALG_WRAP,    "{\"alg\":null,\"value\":\"AA\"}",                            "alg"    },
	{ALG_WRAP,    "{\"alg\":\"\",\"value\":\"AA\"}",                            "alg"    },
	{ALG_WRAP,    "{\"alg\":5,\"value\":\"AA\"}",                               "alg"    },
	{ALG_WRAP,    "{\"alg\":\"rsa-oaep\",\"value\":\"AA\"}",                    "alg"    },
	{ALG_WRAP,    "{\"alg\":\"ECDH-ES\",\"value\":\"AA\"}",                     "alg"    },
	{ALG_WRAP,    "{\"alg\":\"none\",\"value\":\"AA\"}",                        "alg"    },
 /* value */
	{ALG_WRAP,    "{\"alg\":\"RSA-OAEP\"}",                                     "value"  },
	{ALG_WRAP,    "{\"alg\":\"RSA-OAEP\",\"value\":null}",                      "value"  },
	{ALG_WRAP,    "{\"alg\":\"RSA-OAEP\",\"value\":\"\"}",                      "value"  },
	{ALG_UNWRAP,  "{\"alg\":\"RSA-OAEP\",\"value\":\"\"}",                      "value"  },
	{ALG_WRAP,    "{\"alg\":\"RSA-OAEP\",\"value\":7}",                         "value"  },
	{ALG_UNWRAP,  "{\"alg\":\"RSA-OAEP\",\"value\":[\"AA\"]}",                  "value"  },
 /* tag is made by the service; iv, tag and aad are GCM's */
	{ALG_ENCRYPT, "{\"alg\":\"A256GCM\",\"value\":\"AA\"" TAG "}",              "tag"    },
	{ALG_DECRYPT, "{\"alg\":\"A256GCM\",\"value\":\"AA\"" TAG "}",              "iv"     },
	{ALG_DECRYPT, "{\"alg\":\"A256GCM\",\"value\":\"AA\"" IV "}",               "tag"    },
	{ALG_DECRYPT, "{\"alg\":\"A256GCM\",\"value\":\"AA\"" IV ",\"tag\":1}",     "tag"    },
	{ALG_DECRYPT, "{\"alg\":\"A256GCM\",\"value\":\"AA\"" TAG ",\"iv\":\"*\"}", "iv"     },
	{ALG_DECRYPT, "{\"alg\":\"RSA-OAEP\",\"value\":\"AA\"" IV "}",              "AES-GCM"},
	{ALG_DECRYPT, "{\"alg\":\"RSA-OAEP\",\"value\":\"AA\"" TAG "}",             "AES-GCM"},
	{ALG_ENCRYPT, "{\"alg\":\"RSA-OAEP\",\"value\":\"AA\"" AAD "}",             "AES-GCM"},
	{ALG_WRAP,    "{\"alg\":\"A128KW\",\"value\":\"AA\"" AAD "}",               "AES-GCM"},
};

static void
operation_rule_broken_is_refused_by_name(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
		const struct refusal *row = &refusals[i];
		struct api_key_operation operation = {.alg = ALG_ES256K};
		struct err err = {.code = ERR_NONE};

		ASSERT_ROW(!api_key_operation_decode(
				   bytes_of_text(row->body), *state, row->op, &operation, &err),
			row->body);

		ASSERT_ROW(err.code == ERR_BAD_PARAMETER, row->body);
		ASSERT_ROW(strstr(err.message, row->says) != NULL, row->body);
		ASSERT_ROW(operation.alg == ALG_ES256K, row->body);
	}
}

/* Threats C19: another spelling of the same octets, or of none, is refused and never cut. */
static void
value_is_canonical_base64url_c19(void **state)
{
	static const char *const spellings[] = {"AA==", "AA=", "AB", "AAB", "A", "AAAAA", "+/8",
		"AA\\nAA", " AA", "AA ", "AA.", "AA\\u0000"};
	for (size_t i = 0; i < ARRAY_LEN(spellings); i++) {
		for (size_t k = 0; k < ARRAY_LEN(cipher_ops); k++) {
			enum alg_op op = cipher_ops[k].op;
			const char *body = arena_printf(
				*state, "{\"alg\":\"RSA-OAEP\",\"value\":\"%s\"}", spellings[i]);
			struct api_key_operation operation = {.alg = ALG_NONE};
			struct err err = {.code = ERR_NONE};

			ASSERT_ROW(!api_key_operation_decode(
					   bytes_of_text(body), *state, op, &operation, &err),
				body);

			ASSERT_ROW(err.code == ERR_BAD_PARAMETER, body);
			ASSERT_ROW(operation.alg == ALG_NONE, body);
		}
	}
}

/* Threats E15: no caller chooses an iv under which a token encrypts. */
static void
encrypt_with_iv_of_the_caller_is_refused_e15(void **state)
{
	for (enum alg alg = ALG_NONE + 1; alg < ALG_COUNT; alg++) {
		if (alg_get_scheme(alg) != ALG_SCHEME_GCM)
			continue;
		const char *body = arena_printf(
			*state, "{\"alg\":\"%s\",\"value\":\"AA\"" IV "}", alg_name(alg));
		struct api_key_operation operation = {.alg = ALG_NONE};
		struct err err = {.code = ERR_NONE};

		ASSERT_ROW(!api_key_operation_decode(
				   bytes_of_text(body), *state, ALG_ENCRYPT, &operation, &err),
			body);

		ASSERT_ROW(err.code == ERR_BAD_PARAMETER, body);
		ASSERT_ROW(strstr(err.message, "iv") != NULL, body);
		ASSERT_ROW(operation.alg == ALG_NONE, body);
	}
}

/* Nothing of a request is repeated in an error. */
static void
operation_error_repeats_no_input(void **state)
{
	static const char body[] = "{\"alg\":\"evil\\u001b[2J\",\"value\":\"AA\"}";
	struct api_key_operation operation;
	struct err err;

	assert_false(
		api_key_operation_decode(bytes_of_text(body), *state, ALG_WRAP, &operation, &err));

	assert_null(strstr(err.message, "evil"));
	assert_null(strstr(err.origin, "evil"));
}

static const char *
long_value_body(struct arena *arena, const char *alg, size_t octets)
{
	uint8_t *zeros = arena_alloc(arena, octets);
	char *text = arena_alloc(arena, b64_encoded_len(octets) + 1);
	b64_encode(zeros, octets, text);
	return arena_printf(arena, "{\"alg\":\"%s\",\"value\":\"%s\"}", alg, text);
}

static void
operation_value_has_a_limit(void **state)
{
	struct err err;
	CLEAN(api_key_operation)
	struct api_key_operation operation = {0};
	const char *longest = long_value_body(*state, "A256GCM", API_VALUE_MAX);
	const char *longer = long_value_body(*state, "A256GCM", API_VALUE_MAX + 1);
	struct api_key_operation none = {0};

	assert_true(api_key_operation_decode(
		bytes_of_text(longest), *state, ALG_ENCRYPT, &operation, &err));
	assert_false(
		api_key_operation_decode(bytes_of_text(longer), *state, ALG_ENCRYPT, &none, &err));

	assert_int_equal(secret_len(operation.plaintext), API_VALUE_MAX);
	assert_int_equal(err.code, ERR_BAD_PARAMETER);
}

/* ---- sign and verify ---- */

static const char *
digest_of(struct arena *arena, size_t octets)
{
	uint8_t *zeros = arena_alloc(arena, octets + 1);
	char *text = arena_alloc(arena, b64_encoded_len(octets) + 1);
	b64_encode(zeros, octets, text);
	return text;
}

/* akv-contract §8: the digest has the length that the algorithm says, one more or less is refused. */
static void
sign_digest_has_the_length_of_the_algorithm(void **state)
{
	for (enum alg alg = ALG_NONE + 1; alg < ALG_COUNT; alg++) {
		if ((alg_served_ops(alg) & ALG_SIGN) == 0)
			continue;
		for (int by = -1; by <= 1; by++) {
			size_t octets = alg_digest_len(alg) + (size_t)by;
			const char *body = arena_printf(*state, "{\"alg\":\"%s\",\"value\":\"%s\"}",
				alg_name(alg), digest_of(*state, octets));
			struct api_key_sign sign = {.alg = ALG_NONE};
			struct err err = {.code = ERR_NONE};

			bool taken = api_key_sign_decode(bytes_of_text(body), *state, &sign, &err);

			ASSERT_ROW(taken == (by == 0), body);
			ASSERT_ROW(!taken || sign.alg == alg, body);
			ASSERT_ROW(!taken || sign.digest.len == octets, body);
			ASSERT_ROW(taken || err.code == ERR_BAD_PARAMETER, body);
		}
	}
}

static void
sign_error_names_the_wanted_length(void **state)
{
	struct api_key_sign sign;
	struct err err;

	assert_false(api_key_sign_decode(
		bytes_of_text("{\"alg\":\"ES256K\",\"value\":\"AA\"}"), *state, &sign, &err));

	assert_string_equal(err.message, "Invalid length of 'value': 1 bytes. ES256K requires 32 "
					 "bytes, encoded with base64url.");
}

static const struct refusal sign_refusals[] = {
	{ALG_SIGN, "{\"value\":\"AA\"}",                      "alg"  },
	{ALG_SIGN, "{\"alg\":\"RSNULL\",\"value\":\"AA\"}",   "alg"  },
	{ALG_SIGN, "{\"alg\":\"RSA-OAEP\",\"value\":\"AA\"}", "sign" },
	{ALG_SIGN, "{\"alg\":\"RS256\"}",                     "value"},
	{ALG_SIGN, "{\"alg\":\"RS256\",\"value\":\"\"}",      "value"},
	{ALG_SIGN, "{\"alg\":\"RS256\",\"value\":null}",      "value"},
	{ALG_SIGN, "{\"alg\":\"RS256\",\"value\":\"A=\"}",    "value"},
};

static void
sign_rule_broken_is_refused_by_name(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(sign_refusals); i++) {
		const struct refusal *row = &sign_refusals[i];
		struct api_key_sign sign = {.alg = ALG_A256KW};
		struct err err = {.code = ERR_NONE};

		ASSERT_ROW(!api_key_sign_decode(bytes_of_text(row->body), *state, &sign, &err),
			row->body);

		ASSERT_ROW(err.code == ERR_BAD_PARAMETER, row->body);
		ASSERT_ROW(strstr(err.message, row->says) != NULL, row->body);
		ASSERT_ROW(sign.alg == ALG_A256KW, row->body);
	}
}

#define DIGEST_32 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

/* akv-contract §8: a signature of a wrong length is false, not an error. */
static void
verify_signature_may_have_any_length(void **state)
{
	static const size_t lengths[] = {0, 1, 63, 64, 65, 512, API_SIGNATURE_MAX};
	for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
		const char *text = arena_printf(*state,
			"{\"alg\":\"ES256\",\"digest\":\"" DIGEST_32 "\",\"value\":\"%s\"}",
			digest_of(*state, lengths[i]));
		struct api_key_verify verify;
		struct err err;

		ASSERT_ROW(api_key_verify_decode(bytes_of_text(text), *state, &verify, &err), text);

		ASSERT_ROW(verify.alg == ALG_ES256, text);
		ASSERT_ROW(verify.digest.len == 32, text);
		ASSERT_ROW(verify.signature.len == lengths[i], text);
	}
}

static const struct refusal verify_refusals[] = {
	{ALG_VERIFY, "{\"alg\":\"ES256\",\"value\":\"AA\"}",                              "digest"},
	{ALG_VERIFY, "{\"alg\":\"ES256\",\"digest\":\"" DIGEST_32 "\"}",                  "value" },
	{ALG_VERIFY, "{\"alg\":\"ES256\",\"digest\":\"AA\",\"value\":\"AA\"}",
         "Invalid length of 'digest'"							     },
	{ALG_VERIFY, "{\"alg\":\"ES384\",\"digest\":\"" DIGEST_32 "\",\"value\":\"AA\"}",
         "48 bytes"									       },
	{ALG_VERIFY, "{\"alg\":\"A256KW\",\"digest\":\"AA\",\"value\":\"AA\"}",           "verify"},
	{ALG_VERIFY, "{\"digest\":\"" DIGEST_32 "\",\"value\":\"AA\"}",                   "alg"   },
};

static void
verify_rule_broken_is_refused_by_name(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(verify_refusals); i++) {
		const struct refusal *row = &verify_refusals[i];
		struct api_key_verify verify = {.alg = ALG_A256KW};
		struct err err = {.code = ERR_NONE};

		ASSERT_ROW(!api_key_verify_decode(bytes_of_text(row->body), *state, &verify, &err),
			row->body);

		ASSERT_ROW(err.code == ERR_BAD_PARAMETER, row->body);
		ASSERT_ROW(strstr(err.message, row->says) != NULL, row->body);
		ASSERT_ROW(verify.alg == ALG_A256KW, row->body);
	}
}

/* ---- results ---- */

static void
result_of_bytes_is_base64url(void **state)
{
	(void)state;
	CLEAN(buf)
	struct buf out;
	buf_init(&out, 4096);
	const struct api_key_result result = {
		.kid = "https://w.x/keys/k/v",
		.alg = ALG_A256GCM,
		.value = {(const uint8_t *)"\xff\xef", 2},
		.iv = {(const uint8_t *)"iv",       2},
		.tag = {(const uint8_t *)"tag",      3},
		.aad = {(const uint8_t *)"aad!",     4},
	};

	api_key_result_format(&result, &out);

	assert_string_equal(buf_peek(&out),
		"{\"kid\":\"https://w.x/keys/k/v\",\"alg\":\"A256GCM\",\"value\":\"_-8\","
		"\"iv\":\"aXY\",\"tag\":\"dGFn\",\"aad\":\"YWFkIQ\"}");
}

static void
result_of_secret_is_base64url(void **state)
{
	(void)state;
	CLEAN(buf)
	struct buf out;
	buf_init(&out, 4096);
	CLEAN(secret)
	struct secret *secret = secret_from("key", 3);
	const struct api_key_result result = {
		.kid = "https://w.x/keys/k/v", .alg = ALG_RSA_OAEP_256, .secret = secret};

	api_key_result_format(&result, &out);

	assert_string_equal(buf_peek(&out),
		"{\"kid\":\"https://w.x/keys/k/v\",\"alg\":\"RSA-OAEP-256\",\"value\":\"a2V5\"}");
}

static void
result_of_nothing_is_an_empty_string(void **state)
{
	(void)state;
	CLEAN(buf)
	struct buf out;
	buf_init(&out, 4096);
	const struct api_key_result result = {.kid = "https://w.x/keys/k/v", .alg = ALG_RSA_OAEP};

	api_key_result_format(&result, &out);

	assert_non_null(strstr(buf_peek(&out), "\"value\":\"\"}"));
}

static void
verify_result_is_a_boolean(void **state)
{
	(void)state;
	CLEAN(buf)
	struct buf out;
	buf_init(&out, 4096);

	api_verify_result_format(true, &out);
	api_verify_result_format(false, &out);

	assert_string_equal(buf_peek(&out), "{\"value\":true}{\"value\":false}");
}

static void
random_count_is_1_to_128(void **state)
{
	static const char *const bad[] = {"{}", "{\"count\":0}", "{\"count\":129}",
		"{\"count\":-1}", "{\"count\":\"8\"}", "{\"count\":1.5}", "{\"count\":true}", "[8]",
		""};
	size_t count = 0;
	struct err err;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_false(api_random_decode(bytes_of_text(bad[i]), *state, &count, &err));
		assert_int_equal(err.code, ERR_BAD_PARAMETER);
	}
	assert_true(api_random_decode(bytes_of_text("{\"count\":1}"), *state, &count, &err));
	assert_int_equal(count, 1);
	assert_true(
		api_random_decode(bytes_of_text("{\"count\":128,\"x\":0}"), *state, &count, &err));
	assert_int_equal(count, 128);
}

static void
random_is_base64url(void **state)
{
	(void)state;
	CLEAN(secret)
	struct secret *octets = secret_from("\xff\xfe\x00", 3);
	CLEAN(buf)
	struct buf out;
	buf_init(&out, 64);
	api_random_format(octets, &out);
	assert_string_equal(buf_peek(&out), "{\"value\":\"__4A\"}");
}

int
main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(wrap_value_is_a_secret),
		TEST(encrypt_gcm_takes_aad),
		TEST(operation_clear_twice_is_harmless),
		TEST(unwrap_value_is_bytes),
		TEST(decrypt_iv_and_tag_may_have_any_length),
		TEST(operation_takes_what_the_algorithm_is_for),
		TEST(refused_algorithm_looks_at_nothing_else_a14),
		TEST(served_follows_the_table),
		TEST(operation_rule_broken_is_refused_by_name),
		TEST(value_is_canonical_base64url_c19),
		TEST(encrypt_with_iv_of_the_caller_is_refused_e15),
		TEST(operation_error_repeats_no_input),
		TEST(operation_value_has_a_limit),
		TEST(sign_digest_has_the_length_of_the_algorithm),
		TEST(sign_error_names_the_wanted_length),
		TEST(sign_rule_broken_is_refused_by_name),
		TEST(verify_signature_may_have_any_length),
		TEST(verify_rule_broken_is_refused_by_name),
		TEST(result_of_bytes_is_base64url),
		TEST(result_of_secret_is_base64url),
		TEST(result_of_nothing_is_an_empty_string),
		TEST(verify_result_is_a_boolean),
		TEST(random_count_is_1_to_128),
		TEST(random_is_base64url),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
