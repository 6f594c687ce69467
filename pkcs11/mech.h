/* Algorithms by their JOSE names, and the ways in which a token may serve them. Constant tables; thread-safe. */
#pragma once

#include <stdint.h>

#include "crypto/curve.h"
#include "crypto/hash.h"

/* Key types and operations have the numbers of the worker's wire format; src/token asserts it. */
enum key_kty {
	KEY_RSA = 1,
	KEY_EC,
	KEY_AES,
	KEY_HMAC,
};

#define KEY_OP_ENCRYPT 1u
#define KEY_OP_DECRYPT 2u
#define KEY_OP_SIGN    4u
#define KEY_OP_VERIFY  8u
#define KEY_OP_WRAP    16u
#define KEY_OP_UNWRAP  32u

enum mech {
	MECH_NONE,
#define MECH(symbol, name, kty, bits, use, hash, ckm) MECH_##symbol,
#include "mech.tbl"
	MECH_COUNT
};

enum mech_use {
	MECH_USE_OAEP = 1,
	MECH_USE_PKCS1,
	MECH_USE_PSS,
	MECH_USE_ECDSA,
	MECH_USE_HMAC,
	MECH_USE_GCM,
	MECH_USE_KW,
	MECH_USE_KWP,
};

enum mech_service {
	MECH_NOT_SERVED,
	MECH_NATIVE,     /* the token does all of it */
	MECH_RAW_RSA,    /* the token does the private operation, OpenSSL the padding */
	MECH_KEY_OBJECT, /* key wrapping through session objects that are destroyed at once */
};

struct mech_row {
	const char *name;
	enum key_kty kty;
	unsigned bits;
	enum mech_use use;
	enum hash hash;
	unsigned long ckm;
};

/* `mech` must be of the table (asserted). */
const struct mech_row *mech_get(enum mech mech);
enum mech mech_find(const char *name); /* MECH_NONE for an unknown name */
/* For a person: "native", "raw RSA, padding by OpenSSL", ... */
const char *mech_service_name(enum mech_service service);
/* The algorithm that signs with keys on this curve; MECH_NONE for CURVE_NONE. */
enum mech mech_of_curve(enum curve curve);
/* Operations with the private or secret half that an algorithm is for: KEY_OP_*. */
uint32_t mech_ops(enum mech mech);
