/* Paddings around a raw RSA operation, as a token without OAEP or PSS needs them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/bn.h>

#include "crypto/random.h"
#include "crypto/rsapad.h"
#include "support/softkey.h"

#define K 256 /* octets of the modulus */

struct fixture {
	EVP_PKEY *pkey;
	struct pubkey *pubkey;
};

static int
setup(void **state)
{
	static struct fixture fixture;
	fixture.pkey = softkey_rsa(8 * K);
	fixture.pubkey = softkey_pubkey(fixture.pkey);
	*state = &fixture;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *fixture = *state;
	pubkey_free(fixture->pubkey);
	EVP_PKEY_free(fixture->pkey);
	return 0;
}

static struct secret *
decrypt_raw(struct fixture *fixture, const uint8_t *ciphertext)
{
	struct secret *raw = secret_new(K);
	assert_non_null(raw);
	assert_true(softkey_raw(fixture->pkey, ciphertext, secret_data(raw)));
	return raw;
}

static void
oaep_round_trip_of_many_lengths(void **state)
{
	struct fixture *fixture = *state;
	static const struct {
		enum pubkey_padding padding;
		enum hash hash;
	} rows[] = {
		{PUBKEY_OAEP_SHA256, HASH_SHA256},
                {PUBKEY_OAEP_SHA1,   HASH_SHA1  }
        };
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_t max = pubkey_plaintext_max(fixture->pubkey, rows[i].padding);
		for (size_t len = 1; len <= max; len = len == 34 ? max - 1 : len + 1) {
			struct err err = {0};
			uint8_t text[K];
			uint8_t ciphertext[PUBKEY_MODULUS_MAX];
			size_t ciphertext_len = 0;
			random_bytes(text, len);
			assert_true(pubkey_encrypt(fixture->pubkey, rows[i].padding,
				(struct bytes){text, len}, ciphertext, &ciphertext_len, &err));
			CLEAN(secret)
			struct secret *raw = decrypt_raw(fixture, ciphertext);

			CLEAN(secret)
			struct secret *any = rsapad_oaep_decode(raw, rows[i].hash, 0, &err);
			CLEAN(secret)
			struct secret *exact = rsapad_oaep_decode(raw, rows[i].hash, len, &err);

			assert_non_null(any);
			assert_true(bytes_equal(secret_bytes(any), (struct bytes){text, len}));
			assert_non_null(exact);
			assert_null(rsapad_oaep_decode(raw, rows[i].hash, len + 1, &err));
			assert_int_equal(err.code, ERR_BAD_CIPHERTEXT);
		}
	}
}

static void
E13_oaep_of_another_hash_does_not_open(void **state)
{
	struct fixture *fixture = *state;
	struct err err = {0};
	uint8_t ciphertext[PUBKEY_MODULUS_MAX];
	size_t len = 0;
	assert_true(pubkey_encrypt(
		fixture->pubkey, PUBKEY_OAEP_SHA1, bytes_of_text("text"), ciphertext, &len, &err));
	CLEAN(secret)
	struct secret *raw = decrypt_raw(fixture, ciphertext);

	assert_null(rsapad_oaep_decode(raw, HASH_SHA256, 0, &err));
	assert_int_equal(err.code, ERR_BAD_CIPHERTEXT);
}

/* The classes that Manger's attack and its kin tell apart. */
enum damage {
	DAMAGE_FIRST_OCTET,
	DAMAGE_SEED,
	DAMAGE_DATA,
	DAMAGE_RANDOM,
	DAMAGE_ZERO,
	DAMAGE_COUNT
};

static void
damage(struct secret *raw, enum damage kind)
{
	uint8_t *data = secret_data(raw);
	uint8_t where = 0;
	random_bytes(&where, 1);
	switch (kind) {
	case DAMAGE_FIRST_OCTET:
		data[0] = (uint8_t)(where | 1);
		break;
	case DAMAGE_SEED: /* octets 1 to 32 */
		data[1 + where % 32] ^= 1;
		break;
	case DAMAGE_DATA: /* label hash, zeros, separator: octets 33 on, but for the message at the end */
		data[33 + where % (K - 33 - 8)] ^= 1;
		break;
	case DAMAGE_RANDOM:
		random_bytes(data, K);
		break;
	case DAMAGE_ZERO:
		memset(data, 0, K);
		break;
	case DAMAGE_COUNT:
		break;
	}
}

static void
A15_oaep_damage_of_every_class_gets_one_answer(void **state)
{
	struct fixture *fixture = *state;
	struct err first = {0};
	struct err err = {0};
	uint8_t ciphertext[PUBKEY_MODULUS_MAX];
	size_t len = 0;
	assert_true(pubkey_encrypt(fixture->pubkey, PUBKEY_OAEP_SHA256, bytes_of_text("8 octets"),
		ciphertext, &len, &err));
	CLEAN(secret)
	struct secret *good = decrypt_raw(fixture, ciphertext);
	(void)err_set(&first, ERR_BAD_CIPHERTEXT, NULL);

	for (enum damage kind = 0; kind < DAMAGE_COUNT; kind++)
		for (int i = 0; i < 1000; i++) {
			CLEAN(secret)
			struct secret *raw = secret_from(secret_peek(good), K);
			damage(raw, kind);
			err_clear(&err);
			assert_null(rsapad_oaep_decode(raw, HASH_SHA256, 0, &err));
			assert_memory_equal(&err, &first, sizeof(err));
		}
}

static void
oaep_of_the_empty_message_is_bad(void **state)
{
	struct fixture *fixture = *state;
	struct err err = {0};
	uint8_t ciphertext[PUBKEY_MODULUS_MAX];
	size_t len = 0;
	assert_true(pubkey_encrypt(fixture->pubkey, PUBKEY_OAEP_SHA256, (struct bytes){NULL, 0},
		ciphertext, &len, &err));
	CLEAN(secret)
	struct secret *raw = decrypt_raw(fixture, ciphertext);

	assert_null(rsapad_oaep_decode(raw, HASH_SHA256, 0, &err));
	assert_int_equal(err.code, ERR_BAD_CIPHERTEXT);
}

static void
A13_raw_input_at_the_edges(void **state)
{
	struct fixture *fixture = *state;
	static const struct {
		const char *name;
		bool from_n;
		int add;
		bool valid;
	} rows[] = {
		{"0",   false, 0,  false},
		{"1",   false, 1,  false},
		{"2",   false, 2,  true },
		{"n-2", true,  -2, true },
		{"n-1", true,  -1, false},
		{"n",   true,  0,  false},
		{"n+1", true,  1,  false},
	};
	struct bytes n = pubkey_get_n(fixture->pubkey);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t c[K];
		BIGNUM *number = BN_new();
		if (rows[i].from_n)
			(void)BN_bin2bn(n.data, (int)n.len, number);
		(void)(rows[i].add < 0 ? BN_sub_word(number, (BN_ULONG)-rows[i].add)
				       : BN_add_word(number, (BN_ULONG)rows[i].add));
		(void)BN_bn2binpad(number, c, K);
		BN_free(number);
		if (rsapad_raw_valid(fixture->pubkey, (struct bytes){c, K}) != rows[i].valid)
			fail_msg("%s", rows[i].name);
	}
}

static void
E12_raw_input_of_other_length_is_refused(void **state)
{
	struct fixture *fixture = *state;
	uint8_t c[K + 1];
	memset(c, 0x11, sizeof(c));

	assert_true(rsapad_raw_valid(fixture->pubkey, (struct bytes){c, K}));
	assert_false(rsapad_raw_valid(fixture->pubkey, (struct bytes){c, K - 1}));
	assert_false(rsapad_raw_valid(fixture->pubkey, (struct bytes){c, K + 1}));
	assert_false(rsapad_raw_valid(fixture->pubkey, (struct bytes){c, 0}));
}

typedef bool encoder(
	const struct pubkey *, enum hash, struct bytes, uint8_t *, size_t *, struct err *);

static void
sign_and_verify(struct fixture *fixture, encoder *encode, enum pubkey_scheme scheme, enum hash hash)
{
	struct err err = {0};
	uint8_t digest[HASH_LEN_MAX];
	uint8_t block[PUBKEY_MODULUS_MAX];
	uint8_t signature[K];
	size_t len = 0;
	bool valid = false;
	hash_data(hash, "text", 4, digest);
	struct bytes d = {digest, hash_len(hash)};

	assert_true(encode(fixture->pubkey, hash, d, block, &len, &err));
	assert_int_equal(len, K);
	assert_true(softkey_raw(fixture->pkey, block, signature));
	assert_true(pubkey_verify(
		fixture->pubkey, scheme, hash, d, (struct bytes){signature, K}, &valid, &err));
	assert_true(valid);

	signature[K - 1] ^= 1;
	assert_true(pubkey_verify(
		fixture->pubkey, scheme, hash, d, (struct bytes){signature, K}, &valid, &err));
	assert_false(valid);

	d.len--;
	assert_false(encode(fixture->pubkey, hash, d, block, &len, &err));
	assert_int_equal(err.code, ERR_BAD_PARAMETER);
}

static void
encoded_signatures_verify(void **state)
{
	struct fixture *fixture = *state;
	for (enum hash hash = HASH_SHA256; hash <= HASH_SHA512; hash++) {
		sign_and_verify(fixture, rsapad_pss_encode, PUBKEY_SIGN_PSS, hash);
		sign_and_verify(fixture, rsapad_pkcs1_encode, PUBKEY_SIGN_PKCS1, hash);
	}
}

static void
pss_salt_is_fresh_each_time(void **state)
{
	struct fixture *fixture = *state;
	struct err err = {0};
	uint8_t digest[32] = {0};
	uint8_t a[PUBKEY_MODULUS_MAX];
	uint8_t b[PUBKEY_MODULUS_MAX];
	size_t len = 0;

	assert_true(rsapad_pss_encode(
		fixture->pubkey, HASH_SHA256, (struct bytes){digest, 32}, a, &len, &err));
	assert_true(rsapad_pss_encode(
		fixture->pubkey, HASH_SHA256, (struct bytes){digest, 32}, b, &len, &err));

	assert_memory_not_equal(a, b, K);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(oaep_round_trip_of_many_lengths),
		cmocka_unit_test(E13_oaep_of_another_hash_does_not_open),
		cmocka_unit_test(A15_oaep_damage_of_every_class_gets_one_answer),
		cmocka_unit_test(oaep_of_the_empty_message_is_bad),
		cmocka_unit_test(A13_raw_input_at_the_edges),
		cmocka_unit_test(E12_raw_input_of_other_length_is_refused),
		cmocka_unit_test(encoded_signatures_verify),
		cmocka_unit_test(pss_salt_is_fresh_each_time),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
