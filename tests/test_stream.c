/* The streaming AEAD against Google Tink's own output, and segments moved, cut, mixed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/hash.h"
#include "crypto/random.h"
#include "seal/stream.h"
#include "support/vectors.h"

/* vectors/tink/README.md */
static void
fill(uint8_t *data, size_t from, size_t len, size_t seed)
{
	for (size_t i = 0; i < len; i++)
		data[i] = (uint8_t)((from + i) * 31 + ((from + i) >> 8) * 7 + seed);
}

/* Seals and opens the vector's plaintext segment by segment. */
static void
check_tink(struct vectors *vectors, const struct json_value *group, const struct json_value *test)
{
	(void)group;
	struct err err = {0};
	struct bytes key_octets = vectors_hex(vectors, test, "key");
	struct bytes header = vectors_hex(vectors, test, "header");
	size_t length = (size_t)vectors_int(test, "length");
	CLEAN(secret)
	struct secret *key = secret_from(key_octets.data, key_octets.len);
	CLEAN(stream)
	struct stream *stream =
		stream_new_open(key, vectors_hex(vectors, test, "aad"), header.data, &err);
	CLEAN(hash)
	struct hash_state *hash = hash_new(HASH_SHA256);
	static uint8_t plain[STREAM_SEGMENT_LEN];
	static uint8_t data[STREAM_SEGMENT_LEN];
	uint8_t digest[HASH_SHA256_LEN];
	size_t total = STREAM_HEADER_LEN;
	size_t done = 0;
	hash_update(hash, header.data, STREAM_HEADER_LEN);

	for (uint32_t number = 0;; number++) {
		size_t full = stream_plaintext_len(number);
		bool last = length - done <= full;
		size_t len = last ? length - done : full;
		fill(plain, done, len, (size_t)vectors_int(test, "seed"));
		memcpy(data, plain, len);
		assert_true(
			stream_seal(stream, number, last, (struct bytes){data, len}, data, &err));
		hash_update(hash, data, len + STREAM_TAG_LEN);
		total += len + STREAM_TAG_LEN;
		assert_true(stream_open(stream, number, last,
			(struct bytes){data, len + STREAM_TAG_LEN}, data, &err));
		assert_memory_equal(data, plain, len);
		done += len;
		if (last)
			break;
	}
	hash_finish(hash, digest);
	assert_int_equal(total, vectors_int(test, "ciphertextLength"));
	struct bytes expected = vectors_hex(vectors, test, "ciphertextSha256");
	if (!bytes_equal(expected, (struct bytes){digest, sizeof(digest)}))
		vectors_fail(vectors, test, "not what Tink makes");
}

static void
stream_is_what_tink_makes(void **state)
{
	(void)state;
	vectors_run("tink/aes256_gcm_hkdf_1mb_test.json", check_tink);
}

static struct stream *
make(uint8_t *ret_header)
{
	struct err err = {0};
	static const uint8_t octets[STREAM_KEY_LEN] = {1};
	CLEAN(secret)
	struct secret *key = secret_from(octets, sizeof(octets));
	struct stream *stream = stream_new_seal(key, bytes_of_text("aad"), ret_header, &err);
	assert_non_null(stream);
	return stream;
}

static void
E22_segment_of_another_place_does_not_open(void **state)
{
	(void)state;
	uint8_t header[STREAM_HEADER_LEN];
	CLEAN(stream)
	struct stream *stream = make(header);
	uint8_t sealed[100 + STREAM_TAG_LEN] = {0};
	static const struct {
		uint32_t number;
		bool last;
		bool good;
	} rows[] = {
		{5,          true,  true },
		{4,          true,  false},
		{6,          true,  false},
		{5,          false, false},
		{0,          true,  false},
		{0x05000000, true,  false},
		{0x105,      true,  false},
	};
	struct err err = {0};
	assert_true(stream_seal(stream, 5, true, (struct bytes){sealed, 100}, sealed, &err));

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t out[100];
		struct bytes segment = {sealed, sizeof(sealed)};
		bool opened = stream_open(stream, rows[i].number, rows[i].last, segment, out, &err);
		assert_int_equal(opened, rows[i].good);
		if (!opened)
			assert_int_equal(err.code, ERR_SEALED_CORRUPT);
	}
}

static void
E22_segment_of_another_stream_or_header_does_not_open(void **state)
{
	(void)state;
	struct err err = {0};
	static const uint8_t octets[STREAM_KEY_LEN] = {1};
	CLEAN(secret)
	struct secret *key = secret_from(octets, sizeof(octets));
	uint8_t header[STREAM_HEADER_LEN];
	CLEAN(stream)
	struct stream *stream = make(header);
	uint8_t sealed[10 + STREAM_TAG_LEN] = {0};
	struct bytes segment = {sealed, sizeof(sealed)};
	uint8_t out[10];
	assert_true(stream_seal(stream, 0, true, (struct bytes){sealed, 10}, sealed, &err));

	for (size_t bit = 8; bit < 8 * sizeof(header); bit++) {
		header[bit / 8] ^= (uint8_t)(1u << bit % 8);
		CLEAN(stream)
		struct stream *other = stream_new_open(key, bytes_of_text("aad"), header, &err);
		assert_false(stream_open(other, 0, true, segment, out, &err));
		assert_int_equal(err.code, ERR_SEALED_CORRUPT);
		header[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	CLEAN(stream)
	struct stream *same = stream_new_open(key, bytes_of_text("aad"), header, &err);
	assert_true(stream_open(same, 0, true, segment, out, &err));
	CLEAN(stream)
	struct stream *other = stream_new_open(key, bytes_of_text("aae"), header, &err);
	assert_false(stream_open(other, 0, true, segment, out, &err));
}

static void
stream_segment_of_impossible_length_does_not_open(void **state)
{
	(void)state;
	struct err err = {0};
	uint8_t header[STREAM_HEADER_LEN];
	CLEAN(stream)
	struct stream *stream = make(header);
	uint8_t *data = calloc(1, STREAM_SEGMENT_LEN + 1);
	assert_non_null(data);

	assert_false(stream_open(stream, 0, true, (struct bytes){data, 0}, data, &err));
	assert_false(
		stream_open(stream, 0, true, (struct bytes){data, STREAM_TAG_LEN - 1}, data, &err));
	assert_false(stream_open(stream, 0, false, (struct bytes){data, 100}, data, &err));
	assert_false(
		stream_open(stream, 0, true, (struct bytes){data, STREAM_SEGMENT_LEN}, data, &err));
	assert_false(stream_open(
		stream, 1, true, (struct bytes){data, STREAM_SEGMENT_LEN + 1}, data, &err));
	assert_int_equal(err.code, ERR_SEALED_CORRUPT);
	free(data);
}

static void
stream_key_of_other_length_and_wrong_header_are_refused(void **state)
{
	(void)state;
	struct err err = {0};
	uint8_t header[STREAM_HEADER_LEN] = {0};
	CLEAN(secret)
	struct secret *brief = random_secret(16);
	CLEAN(secret)
	struct secret *key = random_secret(STREAM_KEY_LEN);
	struct bytes none = {NULL, 0};

	assert_null(stream_new_seal(brief, none, header, &err));
	assert_int_equal(err.code, ERR_BAD_PARAMETER);
	assert_int_equal(header[0], 0);
	assert_null(stream_new_open(key, none, header, &err));
	assert_int_equal(err.code, ERR_SEALED_CORRUPT);
	stream_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stream_is_what_tink_makes),
		cmocka_unit_test(E22_segment_of_another_place_does_not_open),
		cmocka_unit_test(E22_segment_of_another_stream_or_header_does_not_open),
		cmocka_unit_test(stream_segment_of_impossible_length_does_not_open),
		cmocka_unit_test(stream_key_of_other_length_and_wrong_header_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
