/* Hashes, HMAC and key derivation against published answers. The larger sets are in test_wycheproof. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/b64.h"
#include "crypto/hash.h"
#include "crypto/kdf.h"

static void
assert_hex(const uint8_t *data, size_t len, const char *expected)
{
	char text[2 * 128 + 1];
	assert_true(len <= 128);
	hex_encode(data, len, text);
	assert_string_equal(text, expected);
}

/* FIPS 180-4 examples, "abc". */
static void
hash_of_abc_is_the_published_one(void **state)
{
	(void)state;
	static const struct {
		enum hash hash;
		const char *digest;
	} rows[] = {
		{HASH_SHA1,   "a9993e364706816aba3e25717850c26c9cd0d89d"                                                     },
		{HASH_SHA256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"                             },
		{HASH_SHA384, "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
			      "8086072ba1e7cc2358baeca134c825a7"                                },
		{HASH_SHA512, "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
			      "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t digest[HASH_LEN_MAX];
		hash_data(rows[i].hash, "abc", 3, digest);
		assert_hex(digest, hash_len(rows[i].hash), rows[i].digest);
	}
}

static void
hash_in_pieces_is_the_hash_of_the_whole(void **state)
{
	(void)state;
	static const char text[] = "the quick brown fox jumps over the lazy dog, twice";
	uint8_t whole[HASH_LEN_MAX];
	uint8_t pieces[HASH_LEN_MAX];
	hash_data(HASH_SHA512, text, sizeof(text), whole);
	CLEAN(hash)
	struct hash_state *hash = hash_new(HASH_SHA512);

	for (int round = 0; round < 2; round++) { /* the second shows that finish starts anew */
		for (size_t i = 0; i < sizeof(text); i++)
			hash_update(hash, text + i, 1);
		hash_finish(hash, pieces);
		assert_memory_equal(pieces, whole, HASH_LEN_MAX);
	}
}

static void
hash_free_takes_null(void **state)
{
	(void)state;
	hash_free(NULL);
}

/* RFC 4231 §4.3, and the empty key and text that Wikipedia and everybody else know. */
static void
hmac_is_the_published_one(void **state)
{
	(void)state;
	uint8_t mac[HASH_LEN_MAX];

	hash_hmac(HASH_SHA256, bytes_of_text("Jefe"), bytes_of_text("what do ya want for nothing?"),
		mac);
	assert_hex(mac, 32, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");

	hash_hmac(HASH_SHA256, (struct bytes){NULL, 0}, (struct bytes){NULL, 0}, mac);
	assert_hex(mac, 32, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

/* RFC 5869 appendix A.1 and A.3 (no salt, no info). */
static void
hkdf_is_the_published_one(void **state)
{
	(void)state;
	struct err err = {0};
	uint8_t key[22];
	uint8_t salt[13];
	uint8_t info[10];
	uint8_t out[42];
	memset(key, 0x0b, sizeof(key));
	for (uint8_t i = 0; i < sizeof(salt); i++)
		salt[i] = i;
	for (uint8_t i = 0; i < sizeof(info); i++)
		info[i] = (uint8_t)(0xf0 + i);
	struct bytes none = {NULL, 0};

	assert_true(kdf_hkdf(HASH_SHA256, (struct bytes){key, sizeof(key)},
		(struct bytes){salt, sizeof(salt)}, (struct bytes){info, sizeof(info)}, out,
		sizeof(out), &err));
	assert_hex(out, sizeof(out),
		"3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"
		"34007208d5b887185865");

	assert_true(kdf_hkdf(
		HASH_SHA256, (struct bytes){key, sizeof(key)}, none, none, out, sizeof(out), &err));
	assert_hex(out, sizeof(out),
		"8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"
		"9d201395faa4b61a96c8");
}

/* HKDF-SHA-512 from the definition (RFC 5869 §2), by our HMAC. */
static void
hkdf_sha512_is_its_definition(void **state)
{
	(void)state;
	struct err err = {0};
	struct bytes key = bytes_of_text("key material of some length");
	struct bytes salt = bytes_of_text("salt");
	uint8_t prk[64];
	uint8_t block[64];
	uint8_t out[32];

	hash_hmac(HASH_SHA512, salt, key, prk);
	hash_hmac(HASH_SHA512, (struct bytes){prk, 64}, bytes_of_text("info\x01"), block);

	assert_true(
		kdf_hkdf(HASH_SHA512, key, salt, bytes_of_text("info"), out, sizeof(out), &err));
	assert_memory_equal(out, block, sizeof(out));
}

static void
hkdf_longer_than_the_standard_allows_is_refused(void **state)
{
	(void)state;
	struct err err = {0};
	uint8_t out[255 * 32 + 1] = {0};
	struct bytes key = bytes_of_text("k");

	assert_true(kdf_hkdf(HASH_SHA256, key, key, key, out, 255 * 32, &err));
	assert_false(kdf_hkdf(HASH_SHA256, key, key, key, out, 255 * 32 + 1, &err));
	assert_int_equal(err.code, ERR_BAD_PARAMETER);
	assert_false(kdf_hkdf(HASH_SHA256, key, key, key, out, 0, &err));
}

/* RFC 7914 §12, third answer (N = 16384, r = 8, p = 1), its first 32 octets. */
static void
scrypt_is_the_published_one(void **state)
{
	(void)state;
	struct err err = {0};
	CLEAN(secret)
	struct secret *pin = secret_from("pleaseletmein", 13);

	CLEAN(secret)
	struct secret *digest = kdf_scrypt(pin, bytes_of_text("SodiumChloride"), &err);

	assert_non_null(digest);
	assert_hex(secret_peek(digest), secret_len(digest),
		"7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hash_of_abc_is_the_published_one),
		cmocka_unit_test(hash_in_pieces_is_the_hash_of_the_whole),
		cmocka_unit_test(hash_free_takes_null),
		cmocka_unit_test(hmac_is_the_published_one),
		cmocka_unit_test(hkdf_is_the_published_one),
		cmocka_unit_test(hkdf_sha512_is_its_definition),
		cmocka_unit_test(hkdf_longer_than_the_standard_allows_is_refused),
		cmocka_unit_test(scrypt_is_the_published_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
