/* AES-GCM: round trips, every kind of damage, key lengths. Published vectors are in test_wycheproof. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/gcm.h"
#include "crypto/random.h"

static const uint8_t key_octets[32] = {1, 2, 3};
static const uint8_t iv[GCM_IV_LEN] = {9};

static struct gcm *
make(size_t key_len)
{
	struct err err = {0};
	return gcm_new((struct bytes){key_octets, key_len}, &err);
}

static void
gcm_key_of_other_length_is_refused(void **state)
{
	(void)state;
	static const size_t lengths[] = {0, 1, 15, 17, 23, 25, 31};
	for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
		struct err err = {0};
		assert_null(gcm_new((struct bytes){key_octets, lengths[i]}, &err));
		assert_int_equal(err.code, ERR_BAD_PARAMETER);
	}
	gcm_free(NULL);
}

static void
gcm_round_trip_in_place_and_reused(void **state)
{
	(void)state;
	struct err err = {0};
	static const size_t key_lengths[] = {16, 24, 32};
	for (size_t i = 0; i < ARRAY_LEN(key_lengths); i++) {
		CLEAN(gcm)
		struct gcm *gcm = make(key_lengths[i]);
		for (size_t len = 0; len < 70; len++) {
			uint8_t data[70];
			uint8_t copy[70];
			uint8_t tag[GCM_TAG_LEN];
			random_bytes(data, sizeof(data));
			memcpy(copy, data, sizeof(data));
			struct bytes aad = {copy, len / 2};
			assert_true(
				gcm_seal(gcm, iv, aad, (struct bytes){data, len}, data, tag, &err));
			assert_true(
				gcm_open(gcm, iv, aad, (struct bytes){data, len}, tag, data, &err));
			assert_memory_equal(data, copy, sizeof(data));
		}
	}
}

static void
gcm_open_with_any_bit_flipped_fails_and_wipes(void **state)
{
	(void)state;
	struct err err = {0};
	CLEAN(gcm)
	struct gcm *gcm = make(32);
	/* aad, ciphertext, tag and iv in one block, so that one loop flips them all */
	uint8_t block[8 + 20 + GCM_TAG_LEN + GCM_IV_LEN] = "aadaadaa";
	uint8_t *text = block + 8;
	uint8_t *tag = text + 20;
	uint8_t *nonce = tag + GCM_TAG_LEN;
	assert_true(gcm_seal(
		gcm, nonce, (struct bytes){block, 8}, (struct bytes){text, 20}, text, tag, &err));

	for (size_t bit = 0; bit < 8 * sizeof(block); bit++) {
		uint8_t out[20];
		static const uint8_t zero[20];
		memset(out, 0xff, sizeof(out));
		block[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_false(gcm_open(gcm, nonce, (struct bytes){block, 8},
			(struct bytes){text, 20}, tag, out, &err));
		assert_int_equal(err.code, ERR_BAD_CIPHERTEXT);
		assert_memory_equal(out, zero, sizeof(out));
		block[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gcm_key_of_other_length_is_refused),
		cmocka_unit_test(gcm_round_trip_in_place_and_reused),
		cmocka_unit_test(gcm_open_with_any_bit_flipped_fails_and_wipes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
