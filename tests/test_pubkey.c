/* Public keys: made in every form, refused in every bad one, used. Published vectors are in test_wycheproof. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/bn.h>

#include "crypto/hash.h"
#include "crypto/pubkey.h"
#include "crypto/random.h"
#include "support/softkey.h"

static const uint8_t f4[] = {1, 0, 1};

struct fixture {
	EVP_PKEY *rsa;
	struct pubkey *rsa_public;
};

static int
setup(void **state)
{
	static struct fixture fixture;
	fixture.rsa = softkey_rsa(2048);
	fixture.rsa_public = softkey_pubkey(fixture.rsa);
	*state = &fixture;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *fixture = *state;
	pubkey_free(fixture->rsa_public);
	EVP_PKEY_free(fixture->rsa);
	return 0;
}

/* A number of `len` octets, top bit and last bit set, as a modulus has. */
static struct bytes
odd_number(uint8_t *data, size_t len)
{
	random_bytes(data, len);
	data[0] |= 0x80;
	data[len - 1] |= 1;
	return (struct bytes){data, len};
}

static void
pubkey_pem_is_the_same_key_and_nothing_else(void **state)
{
	struct fixture *fixture = *state;
	static const char *const bad[] = {"", "nonsense",
		"-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n",
		"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"};
	struct err err = {0};
	CLEAN(buf)
	struct buf pem;
	buf_init(&pem, 4096);
	pubkey_to_pem(fixture->rsa_public, &pem);
	CLEAN(pubkey)
	struct pubkey *again = pubkey_from_pem(buf_bytes(&pem), &err);
	assert_non_null(again);
	assert_true(bytes_equal(pubkey_get_spki(again), pubkey_get_spki(fixture->rsa_public)));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_null(pubkey_from_pem(bytes_of_text(bad[i]), &err));
		assert_int_equal(err.code, ERR_BAD_PARAMETER);
	}
}

static void
pubkey_rsa_numbers_and_spki_are_one_key(void **state)
{
	struct fixture *fixture = *state;
	struct err err = {0};
	struct pubkey *a = fixture->rsa_public;
	uint8_t n[257] = {0};
	memcpy(n + 1, pubkey_get_n(a).data, 256);
	uint8_t print_a[32];
	uint8_t print_b[32];

	CLEAN(pubkey)
	struct pubkey *b = pubkey_from_rsa((struct bytes){n, sizeof(n)}, pubkey_get_e(a), &err);

	assert_non_null(b);
	assert_int_equal(pubkey_get_type(b), PUBKEY_RSA);
	assert_int_equal(pubkey_bits(b), 2048);
	assert_int_equal(pubkey_signature_len(b), 256);
	assert_true(bytes_equal(pubkey_get_e(b), (struct bytes){f4, sizeof(f4)}));
	assert_true(bytes_equal(pubkey_get_spki(a), pubkey_get_spki(b)));
	pubkey_fingerprint(a, print_a);
	pubkey_fingerprint(b, print_b);
	assert_memory_equal(print_a, print_b, 32);
}

static void
A12_rsa_of_other_sizes_and_exponents_is_refused(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		size_t len;
		uint8_t top, low;
		const char *e;
		size_t e_len;
		bool good;
	} rows[] = {
		{"2048",      256, 0x80, 1, "\1\0\1", 3, true },
		{"3072",      384, 0x80, 1, "\1\0\1", 3, true },
		{"4096",      512, 0x80, 1, "\1\0\1", 3, true },
		{"e = 3",     256, 0x80, 1, "\3",     1, true },
		{"512",       64,  0x80, 1, "\1\0\1", 3, false},
		{"1024",      128, 0x80, 1, "\1\0\1", 3, false},
		{"2047",      256, 0x40, 1, "\1\0\1", 3, false},
		{"2056",      257, 0x80, 1, "\1\0\1", 3, false},
		{"even n",    256, 0x80, 0, "\1\0\1", 3, false},
		{"e = 1",     256, 0x80, 1, "\1",     1, false},
		{"e = 65536", 256, 0x80, 1, "\1\0\0", 3, false},
		{"e = 17",    256, 0x80, 1, "\21",    1, false},
		{"e = 0",     256, 0x80, 1, "\0",     1, false},
		{"no e",      256, 0x80, 1, "",       0, false},
		{"no n",      0,   0,    0, "\1\0\1", 3, false},
		{"4104",      513, 0x80, 1, "\1\0\1", 3, false},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err err = {0};
		uint8_t n[520];
		memset(n, 0x55, sizeof(n));
		n[0] = rows[i].top;
		if (rows[i].len > 0)
			n[rows[i].len - 1] = (uint8_t)(0x54 | rows[i].low);
		struct bytes e = {(const uint8_t *)rows[i].e, rows[i].e_len};
		CLEAN(pubkey)
		struct pubkey *pubkey = pubkey_from_rsa((struct bytes){n, rows[i].len}, e, &err);
		if ((pubkey != NULL) != rows[i].good)
			fail_msg("%s", rows[i].name);
		if (pubkey == NULL)
			assert_int_equal(err.code, ERR_BAD_PARAMETER);
	}
}

static void
A12_rsa_with_small_factor_fails_the_check(void **state)
{
	(void)state;
	static const unsigned long factors[] = {3, 251, 65521};
	for (size_t i = 0; i < ARRAY_LEN(factors); i++) {
		struct err err = {0};
		uint8_t data[256];
		/* a random number of 2048 bits, made a multiple of the factor by subtracting the remainder */
		BIGNUM *n = BN_new();
		struct bytes odd = odd_number(data, sizeof(data));
		(void)BN_bin2bn(odd.data, (int)odd.len, n);
		(void)BN_sub_word(n, BN_mod_word(n, factors[i]));
		if (!BN_is_odd(n))
			(void)BN_sub_word(n, factors[i]);
		(void)BN_bn2binpad(n, data, sizeof(data));
		BN_free(n);
		CLEAN(pubkey)
		struct pubkey *pubkey = pubkey_from_rsa(
			(struct bytes){data, sizeof(data)}, (struct bytes){f4, 3}, &err);
		if (pubkey == NULL)
			continue; /* subtraction reached below 2^2047: one chance in 2^1000 */
		assert_false(pubkey_check(pubkey, &err));
		assert_non_null(strstr(err.message, "small factor"));
	}
}

/* n = p * q with p = k M + 65537^a mod M, M the product of the first 39 primes but 2: the published structure. */
static void
A12_rsa_of_the_roca_family_fails_the_check(void **state)
{
	(void)state;
	struct err err = {0};
	BN_CTX *ctx = BN_CTX_new();
	BIGNUM *m = BN_new();
	BIGNUM *p[2] = {BN_new(), BN_new()};
	BIGNUM *base = BN_new();
	BIGNUM *power = BN_new();
	(void)BN_one(m);
	for (unsigned prime = 2; prime <= 167; prime++) {
		bool composite = false;
		for (unsigned d = 2; d * d <= prime; d++)
			composite = composite || prime % d == 0;
		if (!composite)
			(void)BN_mul_word(m, prime);
	}
	(void)BN_set_word(base, 65537);
	for (int i = 0; i < 2; i++) {
		BIGNUM *k = BN_new();
		BIGNUM *a = BN_new();
		do {
			(void)BN_rand(
				k, 1024 - BN_num_bits(m) + 1, BN_RAND_TOP_TWO, BN_RAND_BOTTOM_ANY);
			(void)BN_rand(a, 60, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY);
			(void)BN_mod_exp(power, base, a, m, ctx);
			(void)BN_mul(p[i], k, m, ctx);
			(void)BN_add(p[i], p[i], power);
			/* Only the residues matter to the fingerprint; small factors are kept out for the other check. */
		} while (BN_num_bits(p[i]) != 1024 || BN_check_prime(p[i], ctx, NULL) != 1);
		BN_free(k);
		BN_free(a);
	}
	uint8_t n[256];
	(void)BN_mul(m, p[0], p[1], ctx);
	int bits = BN_num_bits(m);
	(void)BN_bn2binpad(m, n, sizeof(n));
	BN_free(p[0]);
	BN_free(p[1]);
	BN_free(m);
	BN_free(base);
	BN_free(power);
	BN_CTX_free(ctx);
	assert_int_equal(bits, 2048);

	CLEAN(pubkey)
	struct pubkey *pubkey =
		pubkey_from_rsa((struct bytes){n, sizeof(n)}, (struct bytes){f4, 3}, &err);

	assert_non_null(pubkey);
	assert_false(pubkey_check(pubkey, &err));
	assert_non_null(strstr(err.message, "ROCA"));
}

static void
pubkey_sound_keys_pass_the_check(void **state)
{
	struct fixture *fixture = *state;
	struct err err = {0};
	assert_true(pubkey_check(fixture->rsa_public, &err));
	for (enum curve curve = CURVE_NONE + 1; curve < CURVE_COUNT; curve++) {
		EVP_PKEY *pkey = softkey_ec(curve);
		CLEAN(pubkey)
		struct pubkey *pubkey = softkey_pubkey(pkey);
		assert_true(pubkey_check(pubkey, &err));
		EVP_PKEY_free(pkey);
	}
}

static void
pubkey_ec_in_every_form_is_one_key(void **state)
{
	(void)state;
	struct err err = {0};
	for (enum curve curve = CURVE_NONE + 1; curve < CURVE_COUNT; curve++) {
		EVP_PKEY *pkey = softkey_ec(curve);
		CLEAN(pubkey)
		struct pubkey *a = softkey_pubkey(pkey);
		EVP_PKEY_free(pkey);
		CLEAN(pubkey)
		struct pubkey *b = pubkey_from_xy(curve, pubkey_get_x(a), pubkey_get_y(a), &err);
		assert_non_null(b);
		assert_int_equal(pubkey_get_curve(b), curve);
		assert_int_equal(pubkey_get_x(b).len, curve_octets(curve));
		assert_int_equal(pubkey_signature_len(b), 2 * curve_octets(curve));
		assert_true(bytes_equal(pubkey_get_spki(a), pubkey_get_spki(b)));
	}
}

static void
E14_points_off_the_curve_are_refused(void **state)
{
	(void)state;
	for (enum curve curve = CURVE_NONE + 1; curve < CURVE_COUNT; curve++) {
		struct err err = {0};
		size_t octets = curve_octets(curve);
		EVP_PKEY *pkey = softkey_ec(curve);
		CLEAN(pubkey)
		struct pubkey *good = softkey_pubkey(pkey);
		EVP_PKEY_free(pkey);
		uint8_t point[CURVE_POINT_MAX] = {4};
		memcpy(point + 1, pubkey_get_x(good).data, octets);
		memcpy(point + 1 + octets, pubkey_get_y(good).data, octets);
		struct bytes whole = {point, 1 + 2 * octets};

		for (size_t at = 1; at < whole.len; at += octets / 2) { /* another y, another x */
			point[at] ^= 1;
			assert_null(pubkey_from_point(curve, whole, &err));
			assert_int_equal(err.code, ERR_BAD_PARAMETER);
			point[at] ^= 1;
		}
		static const uint8_t forms[] = {0, 2, 3, 6, 7}; /* infinity, compressed, hybrid */
		for (size_t i = 0; i < sizeof(forms); i++) {
			point[0] = forms[i];
			assert_null(pubkey_from_point(curve, whole, &err));
			assert_null(
				pubkey_from_point(curve, (struct bytes){point, 1 + octets}, &err));
			assert_null(pubkey_from_point(curve, (struct bytes){point, 1}, &err));
		}
		memset(point, 0, sizeof(point));
		point[0] = 4;
		assert_null(pubkey_from_point(curve, whole, &err)); /* (0, 0) */
		memset(point + 1, 0xff, sizeof(point) - 1);
		assert_null(pubkey_from_point(curve, whole, &err)); /* coordinates >= p */
		assert_null(pubkey_from_xy(curve, (struct bytes){point, octets - 1},
			(struct bytes){point, octets}, &err));
	}
}

static void
pubkey_spki_with_anything_odd_is_refused(void **state)
{
	struct fixture *fixture = *state;
	struct err err = {0};
	struct bytes good = pubkey_get_spki(fixture->rsa_public);
	uint8_t der[PUBKEY_SPKI_MAX + 1] = {0};
	memcpy(der, good.data, good.len);

	assert_null(pubkey_from_spki((struct bytes){der, good.len + 1}, &err));
	assert_null(pubkey_from_spki((struct bytes){der, good.len - 1}, &err));
	assert_null(pubkey_from_spki((struct bytes){der, 0}, &err));
	assert_null(pubkey_from_spki((struct bytes){der, sizeof(der)}, &err));
	for (size_t at = 0; at < 33; at++) { /* every octet in front of the modulus */
		der[at] ^= 1;
		CLEAN(pubkey)
		struct pubkey *odd = pubkey_from_spki((struct bytes){der, good.len}, &err);
		assert_null(odd);
		assert_int_equal(err.code, ERR_BAD_PARAMETER);
		der[at] ^= 1;
	}
	EVP_PKEY *other = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	uint8_t raw[64] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0};
	size_t len = 32;
	(void)EVP_PKEY_get_raw_public_key(other, raw + 12, &len);
	EVP_PKEY_free(other);
	assert_null(pubkey_from_spki((struct bytes){raw, 44}, &err));
	pubkey_free(NULL);
}

static void
pubkey_encrypt_at_the_limit_and_above(void **state)
{
	struct fixture *fixture = *state;
	static const struct {
		enum pubkey_padding padding;
		size_t max; /* akv-contract §8: k-66, k-42, k-11 */
	} rows[] = {
		{PUBKEY_OAEP_SHA256, 256 - 66},
                {PUBKEY_OAEP_SHA1,   256 - 42},
		{PUBKEY_PKCS1,       256 - 11}
        };
	uint8_t data[256] = {0};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err err = {0};
		uint8_t out[PUBKEY_MODULUS_MAX];
		size_t len = 0;
		assert_int_equal(
			pubkey_plaintext_max(fixture->rsa_public, rows[i].padding), rows[i].max);
		assert_true(pubkey_encrypt(fixture->rsa_public, rows[i].padding,
			(struct bytes){data, rows[i].max}, out, &len, &err));
		assert_int_equal(len, 256);
		len = 7;
		assert_false(pubkey_encrypt(fixture->rsa_public, rows[i].padding,
			(struct bytes){data, rows[i].max + 1}, out, &len, &err));
		assert_int_equal(err.code, ERR_BAD_PARAMETER);
		assert_int_equal(len, 7);
		assert_true(pubkey_encrypt(fixture->rsa_public, rows[i].padding,
			(struct bytes){NULL, 0}, out, &len, &err));
	}
}

static void
pubkey_verify_ecdsa_knows_right_from_wrong(void **state)
{
	(void)state;
	static const struct {
		enum curve curve;
		enum hash hash;
	} rows[] = {
		{CURVE_P256,  HASH_SHA256},
                {CURVE_P384,  HASH_SHA384},
                {CURVE_P521,  HASH_SHA512},
		{CURVE_P256K, HASH_SHA256}
        };
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err err = {0};
		EVP_PKEY *pkey = softkey_ec(rows[i].curve);
		CLEAN(pubkey)
		struct pubkey *pubkey = softkey_pubkey(pkey);
		uint8_t digest[HASH_LEN_MAX];
		uint8_t signature[2 * CURVE_OCTETS_MAX + 1] = {0};
		hash_data(rows[i].hash, "text", 4, digest);
		struct bytes d = {digest, hash_len(rows[i].hash)};
		struct bytes s = {signature, pubkey_signature_len(pubkey)};
		softkey_ecdsa(pkey, rows[i].curve, d, signature);
		EVP_PKEY_free(pkey);
		bool valid = false;

		assert_true(
			pubkey_verify(pubkey, PUBKEY_SIGN_ECDSA, rows[i].hash, d, s, &valid, &err));
		assert_true(valid);
		s.len++;
		assert_true(
			pubkey_verify(pubkey, PUBKEY_SIGN_ECDSA, rows[i].hash, d, s, &valid, &err));
		assert_false(valid);
		s.len = 0;
		assert_true(
			pubkey_verify(pubkey, PUBKEY_SIGN_ECDSA, rows[i].hash, d, s, &valid, &err));
		assert_false(valid);
		s.len = pubkey_signature_len(pubkey);
		for (size_t at = 0; at < s.len; at += 7) {
			signature[at] ^= 4;
			assert_true(pubkey_verify(
				pubkey, PUBKEY_SIGN_ECDSA, rows[i].hash, d, s, &valid, &err));
			assert_false(valid);
			signature[at] ^= 4;
		}
		digest[0] ^= 1;
		assert_true(
			pubkey_verify(pubkey, PUBKEY_SIGN_ECDSA, rows[i].hash, d, s, &valid, &err));
		assert_false(valid);
		memset(signature, 0, sizeof(signature)); /* r = s = 0 */
		assert_true(
			pubkey_verify(pubkey, PUBKEY_SIGN_ECDSA, rows[i].hash, d, s, &valid, &err));
		assert_false(valid);
	}
}

static void
pubkey_verify_of_wrong_digest_length_or_type_is_an_error(void **state)
{
	struct fixture *fixture = *state;
	struct err err = {0};
	uint8_t data[256] = {0};
	bool valid = true;
	struct bytes signature = {data, 256};

	assert_false(pubkey_verify(fixture->rsa_public, PUBKEY_SIGN_PSS, HASH_SHA256,
		(struct bytes){data, 31}, signature, &valid, &err));
	assert_int_equal(err.code, ERR_BAD_PARAMETER);
	assert_false(pubkey_verify(fixture->rsa_public, PUBKEY_SIGN_ECDSA, HASH_SHA256,
		(struct bytes){data, 32}, signature, &valid, &err));
	assert_true(valid); /* untouched */
	assert_true(pubkey_verify(fixture->rsa_public, PUBKEY_SIGN_PKCS1, HASH_SHA256,
		(struct bytes){data, 32}, signature, &valid, &err));
	assert_false(valid);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pubkey_pem_is_the_same_key_and_nothing_else),
		cmocka_unit_test(pubkey_rsa_numbers_and_spki_are_one_key),
		cmocka_unit_test(A12_rsa_of_other_sizes_and_exponents_is_refused),
		cmocka_unit_test(A12_rsa_with_small_factor_fails_the_check),
		cmocka_unit_test(A12_rsa_of_the_roca_family_fails_the_check),
		cmocka_unit_test(pubkey_sound_keys_pass_the_check),
		cmocka_unit_test(pubkey_ec_in_every_form_is_one_key),
		cmocka_unit_test(E14_points_off_the_curve_are_refused),
		cmocka_unit_test(pubkey_spki_with_anything_odd_is_refused),
		cmocka_unit_test(pubkey_encrypt_at_the_limit_and_above),
		cmocka_unit_test(pubkey_verify_ecdsa_knows_right_from_wrong),
		cmocka_unit_test(pubkey_verify_of_wrong_digest_length_or_type_is_an_error),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
