/*
 * Algorithms, key types and key operations of the wire dialect as enums, from the tables alg.tbl and kty.tbl.
 * Everything here is static and constant.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "crypto/curve.h"
#include "crypto/hash.h"

/* Operations, as a set. Values are stored in catalogs: never renumber. */
enum alg_op {
	ALG_ENCRYPT = 1 << 0,
	ALG_DECRYPT = 1 << 1,
	ALG_SIGN = 1 << 2,
	ALG_VERIFY = 1 << 3,
	ALG_WRAP = 1 << 4,   /* wrapKey */
	ALG_UNWRAP = 1 << 5, /* unwrapKey */
};

#define ALG_CRYPT   (ALG_ENCRYPT | ALG_DECRYPT)
#define ALG_SIGNS   (ALG_SIGN | ALG_VERIFY)
#define ALG_WRAPS   (ALG_WRAP | ALG_UNWRAP)
#define ALG_OPS_ALL (ALG_CRYPT | ALG_SIGNS | ALG_WRAPS)

enum alg_key {
	ALG_KEY_RSA = 1,
	ALG_KEY_EC,
	ALG_KEY_OCT,
};

enum alg_scheme {
	ALG_SCHEME_OAEP = 1,
	ALG_SCHEME_RSAES_PKCS1,
	ALG_SCHEME_PKCS1,
	ALG_SCHEME_PSS,
	ALG_SCHEME_ECDSA,
	ALG_SCHEME_GCM,
	ALG_SCHEME_KW,
	ALG_SCHEME_KWP,
	ALG_SCHEME_HMAC,
	ALG_SCHEME_CBC,
};

enum alg {
	ALG_NONE,
#define ALG(symbol, name, scheme, key, size, curve, hash, ops, served, source) ALG_##symbol,
#include "jose/alg.tbl"
	ALG_COUNT
};

enum kty {
	KTY_NONE,
#define KTY(symbol, name, key) KTY_##symbol,
#include "jose/kty.tbl"
	KTY_COUNT
};

/* ALG_NONE for an unknown name; case counts. */
enum alg alg_find(const char *name);

/* Columns of the table; `alg` must be one of it (asserted). */
const char *alg_name(enum alg alg);
enum alg_scheme alg_get_scheme(enum alg alg);
enum alg_key alg_get_key(enum alg alg);
unsigned alg_key_bits(enum alg alg);    /* 0: any size of the type */
enum curve alg_get_curve(enum alg alg); /* CURVE_NONE: no EC algorithm */
enum hash alg_get_hash(enum alg alg);   /* HASH_NONE: none */
size_t alg_digest_len(enum alg alg); /* octets of the digest to sign or verify; 0: does not sign */
unsigned alg_ops(enum alg alg);      /* set of enum alg_op: what the algorithm is for */
unsigned alg_served_ops(enum alg alg); /* the part of it that is served */
const char *alg_source(enum alg alg);  /* "RFC 7518 4.3" */

/*
 * Whether an algorithm fits a key of this type, size (bits; EC: ignored) and curve (EC only). A code is no longer than
 * its key (RFC 7518 §3.2).
 */
bool alg_fits(enum alg alg, enum alg_key key, unsigned bits, enum curve curve);

/* KTY_NONE for an unknown name; case counts. */
enum kty kty_find(const char *name);
const char *kty_name(enum kty kty); /* `kty` must be one of the table (asserted) */
enum alg_key kty_key(enum kty kty);

/* "wrapKey" and so on to one bit; 0 for a word that is not served (import, export, unknown). Case counts. */
enum alg_op alg_op_find(const char *word);
/* The word of exactly one operation (asserted). */
const char *alg_op_word(enum alg_op op);
/* All operations that a key of this type can have: EC signs only. */
unsigned alg_key_ops(enum alg_key key);
