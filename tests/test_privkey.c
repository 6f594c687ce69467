/* Private keys from outside: what is sound passes, what is not is refused, whatever of it (threats A12, E14). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "crypto/crypto.h"
#include "crypto/privkey.h"
#include "crypto/privkey_pem.h"

#define PRIME_BITS 1024

static EVP_PKEY *rsa;

static bool
no_password(void *ctx, struct buf *password, struct err *err)
{
	(void)ctx;
	(void)password;
	return err_set(err, ERR_CLIENT_FILE, "There is none.");
}

static bool
password(void *ctx, struct buf *out, struct err *err)
{
	(void)err;
	return buf_text(out, ctx);
}

/* `secret`: the password that the PEM is encrypted with; NULL: it is not. */
static struct bytes
pem_of(EVP_PKEY *pkey, const char *secret, BIO **ret_bio)
{
	char *data;
	*ret_bio = BIO_new(BIO_s_mem());
	assert_int_equal(PEM_write_bio_PKCS8PrivateKey(*ret_bio, pkey,
				 secret != NULL ? EVP_aes_256_cbc() : NULL, secret,
				 secret != NULL ? (int)strlen(secret) : 0, NULL, NULL),
		1);
	long len = BIO_get_mem_data(*ret_bio, &data);
	return (struct bytes){(const uint8_t *)data, (size_t)len};
}

static void
read_back(EVP_PKEY *pkey, struct privkey_pem *key)
{
	BIO *bio;
	struct err err;
	struct bytes pem = pem_of(pkey, NULL, &bio);
	assert_true(privkey_pem_read(pem, no_password, NULL, key, &err));
	BIO_free(bio);
}

static struct privkey_rsa
parts_of(const struct privkey_pem *key)
{
	return (struct privkey_rsa){secret_bytes(key->d), secret_bytes(key->p),
		secret_bytes(key->q), secret_bytes(key->dp), secret_bytes(key->dq),
		secret_bytes(key->qi)};
}

static void
refused(const struct pubkey *pubkey, const struct privkey_rsa *parts, const char *says)
{
	struct err err;
	assert_false(privkey_check_rsa(pubkey, parts, &err));
	assert_int_equal(err.code, ERR_BAD_PARAMETER);
	if (strstr(err.message, says) == NULL)
		fail_msg("'%s', not '%s'", err.message, says);
}

static void
A12_rsa_that_is_sound_passes(void **state)
{
	(void)state;
	CLEAN(privkey_pem)
	struct privkey_pem key = {.pubkey = NULL};
	struct err err;
	read_back(rsa, &key);
	struct privkey_rsa parts = parts_of(&key);
	assert_true(privkey_check_rsa(key.pubkey, &parts, &err));
}

static void
A12_rsa_with_any_bit_of_any_part_changed_is_refused(void **state)
{
	(void)state;
	CLEAN(privkey_pem)
	struct privkey_pem key = {.pubkey = NULL};
	read_back(rsa, &key);
	struct secret *secrets[] = {key.d, key.p, key.q, key.dp, key.dq, key.qi};
	for (size_t i = 0; i < ARRAY_LEN(secrets); i++) {
		size_t at[] = {0, secret_len(secrets[i]) / 2, secret_len(secrets[i]) - 1};
		for (size_t k = 0; k < ARRAY_LEN(at); k++) {
			struct privkey_rsa parts = parts_of(&key);
			secret_data(secrets[i])[at[k]] ^= 2;
			refused(key.pubkey, &parts, "not sound");
			secret_data(secrets[i])[at[k]] ^= 2;
		}
	}
	struct privkey_rsa none = {
		.d = {NULL, 0}
        };
	refused(key.pubkey, &none, "half");
}

/* ---- keys that are consistent and weak ---- */

struct numbers {
	BN_CTX *ctx;
	BIGNUM *p, *q, *n, *e, *d, *phi, *p1, *q1, *dp, *dq, *qi;
};

static void
numbers_init(struct numbers *x)
{
	x->ctx = BN_CTX_new();
	BN_CTX_start(x->ctx);
	BIGNUM **all[] = {
		&x->p, &x->q, &x->n, &x->e, &x->d, &x->phi, &x->p1, &x->q1, &x->dp, &x->dq, &x->qi};
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		*all[i] = BN_CTX_get(x->ctx);
	BN_set_word(x->e, 65537);
}

/* A key of p and q, consistent in all its parts; false if e has no inverse. */
static bool
derive(struct numbers *x)
{
	BN_mul(x->n, x->p, x->q, x->ctx);
	BN_sub(x->p1, x->p, BN_value_one());
	BN_sub(x->q1, x->q, BN_value_one());
	BN_mul(x->phi, x->p1, x->q1, x->ctx);
	return BN_mod_inverse(x->d, x->e, x->phi, x->ctx) != NULL &&
	       BN_nnmod(x->dp, x->d, x->p1, x->ctx) == 1 &&
	       BN_nnmod(x->dq, x->d, x->q1, x->ctx) == 1 &&
	       BN_mod_inverse(x->qi, x->q, x->p, x->ctx) != NULL &&
	       BN_num_bits(x->n) == 2 * PRIME_BITS;
}

static void
check_numbers(struct numbers *x, const char *says)
{
	static const uint8_t f4[] = {1, 0, 1};
	static uint8_t octets[7][2 * PRIME_BITS / 8];
	struct bytes parts[7];
	const BIGNUM *all[] = {x->n, x->d, x->p, x->q, x->dp, x->dq, x->qi};
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		parts[i] = (struct bytes){octets[i], (size_t)BN_bn2bin(all[i], octets[i])};
	struct err err;
	CLEAN(pubkey)
	struct pubkey *pubkey = pubkey_from_rsa(parts[0], (struct bytes){f4, sizeof(f4)}, &err);
	assert_non_null(pubkey);
	struct privkey_rsa rsa_parts = {parts[1], parts[2], parts[3], parts[4], parts[5], parts[6]};
	if (says != NULL)
		refused(pubkey, &rsa_parts, says);
	else
		assert_true(privkey_check_rsa(pubkey, &rsa_parts, &err));
	BN_CTX_end(x->ctx);
	BN_CTX_free(x->ctx);
}

static void
take_prime(BIGNUM *prime, const char *name)
{
	BIGNUM *number = NULL;
	assert_int_equal(EVP_PKEY_get_bn_param(rsa, name, &number), 1);
	BN_copy(prime, number);
	BN_free(number);
}

static void
A12_primes_that_are_close_are_refused(void **state)
{
	(void)state;
	struct numbers x;
	numbers_init(&x);
	take_prime(x.p, "rsa-factor1");
	BN_copy(x.q, x.p);
	do
		BN_sub_word(x.q, 2); /* not prime, most likely: what is looked at first decides */
	while (!derive(&x));
	check_numbers(&x, "close");
}

static void
A12_factors_that_are_not_prime_are_refused(void **state)
{
	(void)state;
	struct numbers x;
	numbers_init(&x);
	take_prime(x.p, "rsa-factor1");
	do { /* odd, of the right length, and composite: two primes of half its length */
		BIGNUM *a = BN_CTX_get(x.ctx), *b = BN_CTX_get(x.ctx);
		BN_generate_prime_ex(a, PRIME_BITS / 2, 0, NULL, NULL, NULL);
		BN_generate_prime_ex(b, PRIME_BITS / 2, 0, NULL, NULL, NULL);
		BN_mul(x.q, a, b, x.ctx);
	} while (BN_num_bits(x.q) != PRIME_BITS || !derive(&x));
	check_numbers(&x, "not prime");
}

/* ---- EC ---- */

static void
E14_private_half_belongs_to_the_point(void **state)
{
	(void)state;
	for (enum curve curve = CURVE_NONE + 1; curve < CURVE_COUNT; curve++) {
		struct err err;
		CLEAN(privkey_pem)
		struct privkey_pem key = {.pubkey = NULL};
		EVP_PKEY *pkey = EVP_EC_gen(curve_library_name(curve));
		read_back(pkey, &key);
		EVP_PKEY_free(pkey);
		assert_int_equal(secret_len(key.d), curve_octets(curve));
		assert_true(privkey_check_ec(key.pubkey, secret_bytes(key.d), &err));

		uint8_t zero[CURVE_OCTETS_MAX] = {0}, high[CURVE_OCTETS_MAX];
		memset(high, 0xff, sizeof(high));
		struct bytes wrong[] = {
			{zero,               curve_octets(curve)    },
                        {high,               curve_octets(curve)    },
                        {NULL,               0                      },
			{secret_peek(key.d), curve_octets(curve) - 1},
                        pubkey_get_x(key.pubkey)
                };
		for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
			assert_false(privkey_check_ec(key.pubkey, wrong[i], &err));
			assert_int_equal(err.code, ERR_BAD_PARAMETER);
		}
	}
}

static void
secret_of_equal_octets_is_refused(void **state)
{
	(void)state;
	uint8_t octets[64];
	struct err err;
	for (unsigned value = 0; value < 256; value += 51) {
		memset(octets, (int)value, sizeof(octets));
		assert_false(privkey_check_secret((struct bytes){octets, sizeof(octets)}, &err));
		assert_int_equal(err.code, ERR_BAD_PARAMETER);
		octets[63] ^= 1;
		assert_true(privkey_check_secret((struct bytes){octets, sizeof(octets)}, &err));
	}
}

/* ---- PEM ---- */

static void
pem_with_its_password_opens_and_with_no_other(void **state)
{
	(void)state;
	char right[] = "a long password", wrong[] = "another";
	BIO *bio;
	struct err err;
	CLEAN(privkey_pem)
	struct privkey_pem key = {.pubkey = NULL};
	EVP_PKEY *pkey = EVP_EC_gen("prime256v1");
	struct bytes pem = pem_of(pkey, right, &bio);
	assert_false(privkey_pem_read(pem, password, wrong, &key, &err));
	assert_int_equal(err.code, ERR_CLIENT_FILE);
	assert_false(privkey_pem_read(pem, no_password, NULL, &key, &err));
	assert_string_equal(err.message, "There is none.");
	assert_true(privkey_pem_read(pem, password, right, &key, &err));
	assert_true(privkey_check_ec(key.pubkey, secret_bytes(key.d), &err));
	BIO_free(bio);
	EVP_PKEY_free(pkey);
}

static void
pem_of_other_keys_is_refused(void **state)
{
	(void)state;
	struct err err;
	struct privkey_pem key;
	EVP_PKEY *pkeys[] = {EVP_EC_gen("secp224r1"), EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")};
	for (size_t i = 0; i < ARRAY_LEN(pkeys); i++) {
		BIO *bio;
		struct bytes pem = pem_of(pkeys[i], NULL, &bio);
		assert_false(privkey_pem_read(pem, no_password, NULL, &key, &err));
		assert_int_equal(err_class(err.code), ERR_CLASS_BAD);
		/* half of it is nothing at all */
		assert_false(privkey_pem_read(
			(struct bytes){pem.data, pem.len / 2}, no_password, NULL, &key, &err));
		BIO_free(bio);
		EVP_PKEY_free(pkeys[i]);
	}
	assert_false(privkey_pem_read(
		(struct bytes){(const uint8_t *)"", 0}, no_password, NULL, &key, &err));
	assert_int_equal(err.code, ERR_CLIENT_FILE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(A12_rsa_that_is_sound_passes),
		cmocka_unit_test(A12_rsa_with_any_bit_of_any_part_changed_is_refused),
		cmocka_unit_test(A12_primes_that_are_close_are_refused),
		cmocka_unit_test(A12_factors_that_are_not_prime_are_refused),
		cmocka_unit_test(E14_private_half_belongs_to_the_point),
		cmocka_unit_test(secret_of_equal_octets_is_refused),
		cmocka_unit_test(pem_with_its_password_opens_and_with_no_other),
		cmocka_unit_test(pem_of_other_keys_is_refused),
	};
	rsa = EVP_RSA_gen(2 * PRIME_BITS);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	EVP_PKEY_free(rsa);
	return failed;
}
