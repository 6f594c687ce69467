/* XAES-256-GCM: the published vectors, the accumulated one too, and damage. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>

#include "base/b64.h"
#include "crypto/gcm.h"
#include "crypto/xaes.h"

#define NONCE      "ABCDEFGHIJKLMNOPQRSTUVWX"
#define PLAINTEXT  "XAES-256-GCM"
#define LEN        (sizeof(PLAINTEXT) - 1)
#define ITERATIONS 10000
#define PIECE_MAX  256

static struct xaes *
make(uint8_t octet)
{
	uint8_t key[XAES_KEY_LEN];
	memset(key, octet, sizeof(key));
	CLEAN(secret)
	struct secret *secret = secret_from(key, sizeof(key));
	struct err err = {0};
	struct xaes *xaes = xaes_new(secret, &err);
	assert_non_null(xaes);
	return xaes;
}

static void
xaes_published_vectors_are_met(void **state)
{
	(void)state;
	/* C2SP XAES-256-GCM, "Test Vectors": most significant bit of L clear, and set */
	static const struct {
		uint8_t key;
		const char *aad, *sealed;
	} cases[] = {
		{1, "",                      "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271"},
		{3, "c2sp.org/XAES-256-GCM",
                 "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d"                            },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEAN(xaes)
		struct xaes *xaes = make(cases[i].key);
		struct bytes aad = {(const uint8_t *)cases[i].aad, strlen(cases[i].aad)};
		uint8_t data[LEN + XAES_TAG_LEN];
		char text[2 * sizeof(data) + 1];
		struct err err = {0};
		assert_true(xaes_seal(xaes, (const uint8_t *)NONCE, aad,
			(struct bytes){(const uint8_t *)PLAINTEXT, LEN}, data, data + LEN, &err));
		hex_encode(data, sizeof(data), text);
		assert_string_equal(text, cases[i].sealed);

		assert_true(xaes_open(xaes, (const uint8_t *)NONCE, aad, (struct bytes){data, LEN},
			data + LEN, data, &err));
		assert_memory_equal(data, PLAINTEXT, LEN);
	}
}

static void
squeeze(const uint8_t *all, size_t *position, uint8_t *data, size_t len)
{
	memcpy(data, all + *position, len);
	*position += len;
}

/* Random keys, nonces, lengths and associated data from SHAKE128(""), results hashed: as the specification has it. */
static void
xaes_accumulated_vector_is_met(void **state)
{
	(void)state;
	size_t position = 0;
	size_t size = (size_t)ITERATIONS * (XAES_KEY_LEN + XAES_NONCE_LEN + 2 + 2 * PIECE_MAX);
	uint8_t *all = test_malloc(size);
	EVP_MD_CTX *stream = EVP_MD_CTX_new();
	EVP_MD_CTX *sum = EVP_MD_CTX_new();
	assert_int_equal(EVP_DigestInit_ex(stream, EVP_shake128(), NULL), 1);
	assert_int_equal(EVP_DigestFinalXOF(stream, all, size), 1);
	assert_int_equal(EVP_DigestInit_ex(sum, EVP_shake128(), NULL), 1);
	for (int i = 0; i < ITERATIONS; i++) {
		uint8_t key[XAES_KEY_LEN], nonce[XAES_NONCE_LEN], len, aad_len;
		uint8_t plaintext[PIECE_MAX], aad[PIECE_MAX], sealed[PIECE_MAX + XAES_TAG_LEN];
		squeeze(all, &position, key, sizeof(key));
		squeeze(all, &position, nonce, sizeof(nonce));
		squeeze(all, &position, &len, 1);
		squeeze(all, &position, plaintext, len);
		squeeze(all, &position, &aad_len, 1);
		squeeze(all, &position, aad, aad_len);
		CLEAN(secret)
		struct secret *secret = secret_from(key, sizeof(key));
		struct err err = {0};
		CLEAN(xaes)
		struct xaes *xaes = xaes_new(secret, &err);
		assert_true(xaes_seal(xaes, nonce, (struct bytes){aad, aad_len},
			(struct bytes){plaintext, len}, sealed, sealed + len, &err));
		assert_int_equal(EVP_DigestUpdate(sum, sealed, len + XAES_TAG_LEN), 1);
		assert_true(xaes_open(xaes, nonce, (struct bytes){aad, aad_len},
			(struct bytes){sealed, len}, sealed + len, sealed, &err));
		assert_memory_equal(sealed, plaintext, len);
	}
	uint8_t digest[32];
	char text[2 * sizeof(digest) + 1];
	assert_int_equal(EVP_DigestFinalXOF(sum, digest, sizeof(digest)), 1);
	hex_encode(digest, sizeof(digest), text);
	assert_string_equal(
		text, "e6b9edf2df6cec60c8cbd864e2211b597fb69a529160cd040d56c0c210081939");
	EVP_MD_CTX_free(stream);
	EVP_MD_CTX_free(sum);
	test_free(all);
}

static void
xaes_any_flipped_bit_is_refused(void **state)
{
	(void)state;
	CLEAN(xaes)
	struct xaes *xaes = make(7);
	uint8_t aad[4] = "aad", nonce[XAES_NONCE_LEN];
	memcpy(nonce, NONCE, sizeof(nonce));
	uint8_t data[LEN], tag[XAES_TAG_LEN];
	struct err err = {0};
	assert_true(xaes_seal(xaes, nonce, (struct bytes){aad, sizeof(aad)},
		(struct bytes){(const uint8_t *)PLAINTEXT, LEN}, data, tag, &err));
	const struct {
		uint8_t *octets;
		size_t len;
	} parts[] = {
		{aad,   sizeof(aad)  },
                {nonce, sizeof(nonce)},
                {data,  sizeof(data) },
		{tag,   sizeof(tag)  }
        };
	for (size_t part = 0; part < ARRAY_LEN(parts); part++) {
		for (size_t bit = 0; bit < 8 * parts[part].len; bit++) {
			static const uint8_t wiped[LEN];
			uint8_t out[LEN];
			parts[part].octets[bit / 8] ^= (uint8_t)(1 << bit % 8);
			err_clear(&err);
			assert_false(xaes_open(xaes, nonce, (struct bytes){aad, sizeof(aad)},
				(struct bytes){data, LEN}, tag, out, &err));
			assert_int_equal(err.code, ERR_BAD_CIPHERTEXT);
			assert_memory_equal(out, wiped, LEN);
			parts[part].octets[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
	}
}

static void
gcm_rekey_of_other_length_is_refused(void **state)
{
	(void)state;
	static const uint8_t key[32];
	struct err err = {0};
	CLEAN(gcm)
	struct gcm *gcm = gcm_new((struct bytes){key, 32}, &err);
	assert_false(gcm_rekey(gcm, (struct bytes){key, 16}, &err));
	assert_int_equal(err.code, ERR_BAD_PARAMETER);
	assert_true(gcm_rekey(gcm, (struct bytes){key, 32}, &err));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(xaes_published_vectors_are_met),
		cmocka_unit_test(xaes_accumulated_vector_is_met),
		cmocka_unit_test(xaes_any_flipped_bit_is_refused),
		cmocka_unit_test(gcm_rekey_of_other_length_is_refused),
	};
	return cmocka_run_group_tests_name("xaes", tests, NULL, NULL);
}
