/* Compact JWS: what is signed is read back, and nothing else verifies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/b64.h"
#include "jose/jws.h"
#include "support/softkey.h"

#define KID  "https://availability.service.test/keys/signing/0123456789abcdef0123456789abcdef"
#define TEXT "{\"a\":1}"

struct fixture {
	EVP_PKEY *key;
	struct pubkey *pubkey;
	struct buf jws;
	struct err err;
};

static void
sign(struct fixture *f, const char *kid, const char *text)
{
	uint8_t digest[HASH_SHA256_LEN], signature[JWS_SIGNATURE_LEN];
	buf_reset(&f->jws);
	jws_begin(kid, bytes_of_text(text), &f->jws, digest);
	softkey_ecdsa(f->key, CURVE_P256, (struct bytes){digest, sizeof(digest)}, signature);
	jws_end(signature, &f->jws);
}

static int
setup(void **state)
{
	static struct fixture f;
	f.key = softkey_ec(CURVE_P256);
	f.pubkey = softkey_pubkey(f.key);
	buf_init(&f.jws, 4096);
	sign(&f, KID, TEXT);
	*state = &f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	buf_clear(&f->jws);
	pubkey_free(f->pubkey);
	EVP_PKEY_free(f->key);
	return 0;
}

/* What comes of verifying: the payload, or NULL. */
static const char *
verified(struct fixture *f, const char *text, const struct pubkey *pubkey)
{
	static struct buf payload;
	static char out[256];
	char kid[JWS_KID_MAX + 1];
	buf_init(&payload, sizeof(out));
	bool valid = jws_verify(bytes_of_text(text), pubkey, kid, &payload, &f->err);
	(void)snprintf(out, sizeof(out), "%s", buf_peek(&payload));
	assert_true(valid || payload.len == 0);
	assert_true(valid || f->err.code == ERR_SIGNATURE_REFUSED);
	assert_true(!valid || strcmp(kid, KID) == 0);
	buf_clear(&payload);
	return valid ? out : NULL;
}

static void
what_is_signed_is_read_back(void **state)
{
	struct fixture *f = *state;
	assert_string_equal(verified(f, buf_peek(&f->jws), f->pubkey), TEXT);
}

static void
every_changed_character_is_refused(void **state)
{
	struct fixture *f = *state;
	char text[4096];
	for (size_t i = 0; i < f->jws.len; i++) {
		memcpy(text, f->jws.data, f->jws.len + 1);
		text[i] = text[i] == 'A' ? 'B' : 'A';
		if (verified(f, text, f->pubkey) != NULL)
			fail_msg("character %zu", i);
	}
}

static void
every_end_that_is_missing_is_refused(void **state)
{
	struct fixture *f = *state;
	char text[4096];
	for (size_t len = 0; len < f->jws.len; len++) {
		memcpy(text, f->jws.data, len);
		text[len] = '\0';
		assert_null(verified(f, text, f->pubkey));
	}
	(void)snprintf(text, sizeof(text), "%s.", buf_peek(&f->jws));
	assert_null(verified(f, text, f->pubkey));
	(void)snprintf(text, sizeof(text), "%s=", buf_peek(&f->jws));
	assert_null(verified(f, text, f->pubkey));
}

static void
another_key_or_type_of_key_verifies_nothing(void **state)
{
	struct fixture *f = *state;
	EVP_PKEY *others[] = {softkey_ec(CURVE_P256), softkey_ec(CURVE_P384), softkey_rsa(2048)};
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		struct pubkey *pubkey = softkey_pubkey(others[i]);
		assert_null(verified(f, buf_peek(&f->jws), pubkey));
		pubkey_free(pubkey);
		EVP_PKEY_free(others[i]);
	}
}

/* Signed all the same, so that only the header is at fault. */
static void
another_header_is_refused(void **state)
{
	static const char *const headers[] = {
		"{\"alg\":\"none\",\"kid\":\"" KID "\"}",
		"{\"kid\":\"" KID "\",\"alg\":\"ES256\"}",
		"{\"alg\":\"ES256\",\"kid\":\"" KID "\",\"crit\":[\"b64\"]}",
		"{\"alg\":\"ES256\",\"kid\":\"\"}",
		"{\"alg\":\"ES256\"}",
		" {\"alg\":\"ES256\",\"kid\":\"" KID "\"}",
	};
	struct fixture *f = *state;
	for (size_t i = 0; i < ARRAY_LEN(headers); i++) {
		uint8_t digest[HASH_SHA256_LEN], signature[JWS_SIGNATURE_LEN];
		buf_reset(&f->jws);
		assert_true(b64_append(&f->jws, headers[i], strlen(headers[i])) &&
			    buf_append(&f->jws, ".", 1) && b64_append(&f->jws, TEXT, strlen(TEXT)));
		hash_sha256(f->jws.data, f->jws.len, digest);
		softkey_ecdsa(
			f->key, CURVE_P256, (struct bytes){digest, sizeof(digest)}, signature);
		jws_end(signature, &f->jws);
		assert_null(verified(f, buf_peek(&f->jws), f->pubkey));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_signed_is_read_back, setup, teardown),
		cmocka_unit_test_setup_teardown(
			every_changed_character_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(
			every_end_that_is_missing_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(
			another_key_or_type_of_key_verifies_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(another_header_is_refused, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
