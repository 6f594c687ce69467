/* The tables of algorithms, key types and operations, and the JWK writer over them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "jose/alg.h"
#include "jose/jwk.h"
#include "support/softkey.h"
#include "json/json.h"

static void
alg_every_row_is_found_by_its_name(void **state)
{
	(void)state;
	for (enum alg alg = ALG_NONE + 1; alg < ALG_COUNT; alg++) {
		assert_int_equal(alg_find(alg_name(alg)), alg);
		assert_int_equal(alg_served_ops(alg) & ~alg_ops(alg), 0);
		assert_true(strlen(alg_source(alg)) > 0);
		assert_int_equal(alg_get_key(alg) == ALG_KEY_EC, alg_get_curve(alg) != CURVE_NONE);
	}
	static const char *const unknown[] = {
		"", "none", "dir", "rs256", "RS256 ", "RSNULL", "ECDH-ES"};
	for (size_t i = 0; i < ARRAY_LEN(unknown); i++)
		assert_int_equal(alg_find(unknown[i]), ALG_NONE);
}

static void
A14_A18_what_is_refused_is_not_served(void **state)
{
	(void)state;
	assert_int_equal(alg_served_ops(ALG_RSA1_5), ALG_ENCRYPT | ALG_WRAP);
	for (enum alg alg = ALG_NONE + 1; alg < ALG_COUNT; alg++) {
		if (alg_get_scheme(alg) == ALG_SCHEME_CBC)
			assert_int_equal(alg_served_ops(alg), 0);
		if (strstr(alg_name(alg), "CBC") != NULL)
			assert_int_equal(alg_get_scheme(alg), ALG_SCHEME_CBC);
	}
}

static void
alg_digest_lengths_are_those_of_the_contract(void **state)
{
	(void)state;
	assert_int_equal(alg_digest_len(ALG_RS256), 32);
	assert_int_equal(alg_digest_len(ALG_PS384), 48);
	assert_int_equal(alg_digest_len(ALG_ES512), 64);
	assert_int_equal(alg_digest_len(ALG_ES256K), 32);
	assert_int_equal(alg_digest_len(ALG_RSA_OAEP_256), 0);
	assert_int_equal(alg_digest_len(ALG_A256GCM), 0);
}

static void
alg_fits_the_keys_of_its_type_size_and_curve_only(void **state)
{
	(void)state;
	assert_true(alg_fits(ALG_A128KW, ALG_KEY_OCT, 128, CURVE_NONE));
	assert_false(alg_fits(ALG_A128KW, ALG_KEY_OCT, 256, CURVE_NONE));
	assert_true(alg_fits(ALG_CKM_AES_KEY_WRAP, ALG_KEY_OCT, 192, CURVE_NONE));
	assert_false(alg_fits(ALG_A128KW, ALG_KEY_RSA, 128, CURVE_NONE));
	assert_true(alg_fits(ALG_ES256, ALG_KEY_EC, 256, CURVE_P256));
	assert_false(alg_fits(ALG_ES256, ALG_KEY_EC, 256, CURVE_P256K));
	assert_false(alg_fits(ALG_ES512, ALG_KEY_EC, 384, CURVE_P384));
	assert_true(alg_fits(ALG_RS512, ALG_KEY_RSA, 4096, CURVE_NONE));
}

static void
kty_and_operation_words_round_trip(void **state)
{
	(void)state;
	for (enum kty kty = KTY_NONE + 1; kty < KTY_COUNT; kty++)
		assert_int_equal(kty_find(kty_name(kty)), kty);
	assert_int_equal(kty_find("rsa"), KTY_NONE);
	assert_int_equal(kty_key(KTY_OCT_HSM), ALG_KEY_OCT);
	for (unsigned op = 1; op <= ALG_OPS_ALL; op <<= 1)
		assert_int_equal(alg_op_find(alg_op_word((enum alg_op)op)), op);
	assert_int_equal(alg_op_find("wrapkey"), 0);
	assert_int_equal(alg_op_find("export"), 0);
	assert_int_equal(alg_key_ops(ALG_KEY_RSA), ALG_OPS_ALL);
	assert_int_equal(alg_key_ops(ALG_KEY_EC), ALG_SIGNS);
	assert_int_equal(alg_key_ops(ALG_KEY_OCT), ALG_OPS_ALL);
}

static void
write_jwk(const struct jwk *jwk, struct buf *text)
{
	struct json_writer writer;
	buf_init(text, 4096);
	json_writer_init(&writer, text);
	jwk_write(&writer, NULL, jwk);
	assert_true(json_writer_ok(&writer));
}

static void
jwk_of_rsa_has_minimal_numbers(void **state)
{
	(void)state;
	EVP_PKEY *pkey = softkey_rsa(2048);
	CLEAN(pubkey)
	struct pubkey *pubkey = softkey_pubkey(pkey);
	EVP_PKEY_free(pkey);
	struct jwk jwk = {"https://v.example/keys/k/0", KTY_RSA_HSM, ALG_UNWRAP | ALG_WRAP, pubkey};
	CLEAN(buf)
	struct buf text;

	write_jwk(&jwk, &text);

	static const char head[] = "{\"kid\":\"https://v.example/keys/k/0\",\"kty\":\"RSA-HSM\","
				   "\"key_ops\":[\"wrapKey\",\"unwrapKey\"],\"n\":\"";
	static const char tail[] = "\",\"e\":\"AQAB\"}";
	assert_memory_equal(text.data, head, strlen(head));
	assert_string_equal(buf_peek(&text) + text.len - strlen(tail), tail);
	assert_int_equal(text.len, strlen(head) + 342 + strlen(tail)); /* 256 octets */
}

static void
jwk_of_ec_has_fixed_width(void **state)
{
	(void)state;
	for (enum curve curve = CURVE_NONE + 1; curve < CURVE_COUNT; curve++) {
		struct err err = {0};
		EVP_PKEY *pkey = softkey_ec(curve);
		CLEAN(pubkey)
		struct pubkey *pubkey = softkey_pubkey(pkey);
		EVP_PKEY_free(pkey);
		struct jwk jwk = {"k", KTY_EC, ALG_SIGN, pubkey};
		CLEAN(buf)
		struct buf text;
		write_jwk(&jwk, &text);
		CLEAN(json)
		struct json_value *document = json_parse(text.data, text.len, 4096, &err);
		assert_non_null(document);
		assert_int_equal(json_count(document), 6);
		assert_string_equal(json_text(json_member(document, "crv")), curve_name(curve));
		assert_int_equal(strlen(json_text(json_member(document, "x"))),
			(curve_octets(curve) * 8 + 5) / 6);
	}
}

static void
jwk_of_oct_shows_nothing(void **state)
{
	(void)state;
	struct jwk jwk = {"k", KTY_OCT, ALG_WRAP, NULL};
	CLEAN(buf)
	struct buf text;

	write_jwk(&jwk, &text);

	assert_string_equal(
		buf_peek(&text), "{\"kid\":\"k\",\"kty\":\"oct\",\"key_ops\":[\"wrapKey\"]}");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(alg_every_row_is_found_by_its_name),
		cmocka_unit_test(A14_A18_what_is_refused_is_not_served),
		cmocka_unit_test(alg_digest_lengths_are_those_of_the_contract),
		cmocka_unit_test(alg_fits_the_keys_of_its_type_size_and_curve_only),
		cmocka_unit_test(kty_and_operation_words_round_trip),
		cmocka_unit_test(jwk_of_rsa_has_minimal_numbers),
		cmocka_unit_test(jwk_of_ec_has_fixed_width),
		cmocka_unit_test(jwk_of_oct_shows_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
