/*
 * Public keys as a token or a row of the catalog gives them: refused, or of our sizes and curves, with one spelling, and fit
 * for use. The first octet says which form the rest is: an SPKI, a curve's point, or two numbers.
 */
#include "fuzz.h"

#include <assert.h>
#include <string.h>

#include "base/secret.h"
#include "crypto/pubkey.h"
#include "jose/jwk.h"

static void
check_use(const struct pubkey *key, struct bytes input)
{
	static const uint8_t digest[HASH_SHA256_LEN] = {1};
	const struct bytes hashed = {digest, sizeof(digest)};
	bool rsa = pubkey_get_type(key) == PUBKEY_RSA;
	bool valid = false;
	uint8_t out[PUBKEY_MODULUS_MAX];
	size_t len = 0;
	struct err err;
	assert(pubkey_verify(key, rsa ? PUBKEY_SIGN_PSS : PUBKEY_SIGN_ECDSA, HASH_SHA256, hashed,
		input, &valid, &err));
	assert(!valid);
	if (rsa)
		assert(pubkey_encrypt(key, PUBKEY_OAEP_SHA256, hashed, out, &len, &err) &&
			len == pubkey_signature_len(key));
}

static void
check_key(const struct pubkey *key, struct bytes input)
{
	struct err err;
	struct bytes spki = pubkey_get_spki(key);
	bool rsa = pubkey_get_type(key) == PUBKEY_RSA;
	unsigned bits = pubkey_bits(key);
	assert(spki.len > 0 && spki.len <= PUBKEY_SPKI_MAX);
	assert(rsa ? bits == 2048 || bits == 3072 || bits == 4096
		   : pubkey_get_x(key).len == curve_octets(pubkey_get_curve(key)));
	CLEAN(pubkey)
	struct pubkey *again = pubkey_from_spki(spki, &err);
	assert(again != NULL && bytes_equal(pubkey_get_spki(again), spki));
	CLEAN(buf)
	struct buf out;
	buf_init(&out, 8192);
	struct json_writer writer;
	json_writer_init(&writer, &out);
	const struct jwk jwk = {.kid = "https://west.test/keys/k",
		.kty = kty_find(rsa ? "RSA" : "EC"),
		.ops = ALG_SIGN,
		.pubkey = key};
	jwk_write(&writer, NULL, &jwk);
	assert(json_writer_ok(&writer));
	check_use(key, input);
}

static struct pubkey *
from_numbers(struct bytes input, struct err *err)
{
	size_t exponent = input.len < 4 ? input.len : input.len % 4 + 1;
	struct bytes n = {input.data + exponent, input.len - exponent};
	return pubkey_from_rsa(n, (struct bytes){input.data, exponent}, err);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = {0};
	CLEAN(pubkey)
	struct pubkey *key = NULL;
	if (size < 2)
		return 0;
	struct bytes input = {data + 1, size - 1};
	if (data[0] == 'S')
		key = pubkey_from_spki(input, &err);
	else if (data[0] == 'R')
		key = from_numbers(input, &err);
	else
		key = pubkey_from_point(
			(enum curve)(CURVE_NONE + 1 + data[0] % (CURVE_COUNT - 1)), input, &err);
	if (key != NULL)
		check_key(key, input);
	else
		assert(err.code == ERR_BAD_PARAMETER && err.message[0] != '\0');
	return 0;
}
