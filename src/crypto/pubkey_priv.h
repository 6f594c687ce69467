/* Internal to src/crypto: what a public key is made of. */
#pragma once

#include <openssl/evp.h>

#include "crypto/pubkey.h"

struct pubkey {
	enum pubkey_type type;
	enum curve curve;
	EVP_PKEY *pkey;
	uint8_t first[PUBKEY_MODULUS_MAX]; /* RSA: n without leading zeros; EC: x */
	size_t first_len;
	uint8_t second[CURVE_OCTETS_MAX]; /* RSA: e; EC: y */
	size_t second_len;
	uint8_t spki[PUBKEY_SPKI_MAX];
	size_t spki_len;
};
