/*
 * Operations with one key in the Key Vault dialect: KeyOperation, KeySign, KeyVerify and their results
 * (akv-contract §5, §8). Decoding and encoding as in key.h.
 *
 * An algorithm that is unknown, or not for this operation whatever the key, is ERR_BAD_PARAMETER. One that is
 * known but not served for the operation decodes with `alg` alone and nothing else looked at, so that good
 * input and bad are answered alike: api_key_operation_served() tells, the answer is ERR_NOT_SUPPORTED.
 * Whether the algorithm fits the key is the caller's to say (alg_fits).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/secret.h"
#include "jose/alg.h"

#define API_VALUE_MAX                                                                              \
	32768 /* octets of a plaintext or ciphertext; fits a message to a token with its aad */
#define API_AAD_MAX 16384 /* octets of aad */
#define API_SIGNATURE_MAX                                                                          \
	4096 /* octets of a signature to verify; longer than any that can be right */

struct api_key_operation {
	enum alg alg;
	struct secret *
		plaintext; /* encrypt, wrapKey; at least one octet; freed by api_key_operation_clear() */
	struct bytes ciphertext; /* decrypt, unwrapKey; at least one octet */
	/*
	 * GCM only, refused with others. iv and tag: always there for decrypt, of any length up to API_VALUE_MAX
	 * (another than 12 and 16 is a ciphertext that does not open), refused for encrypt.
	 */
	struct bytes iv, tag;
	struct bytes aad; /* empty: none */
};

/* `op`: ALG_ENCRYPT, ALG_DECRYPT, ALG_WRAP or ALG_UNWRAP (asserted). ERR_UNAVAILABLE: no locked memory left. */
bool api_key_operation_decode(struct bytes body, struct arena *arena, enum alg_op op,
	struct api_key_operation *ret_operation, struct err *err) MUST_USE;
/* Frees the plaintext; everything is zero then. */
void api_key_operation_clear(struct api_key_operation *operation);

#define API_RANDOM_MAX 128 /* octets; akv-contract §4 */
/* POST /rng: {"count":1..128} and {"value":…}. */
bool api_random_decode(
	struct bytes body, struct arena *arena, size_t *ret_count, struct err *err) MUST_USE;
void api_random_format(const struct secret *random, struct buf *out);

struct api_key_sign {
	enum alg alg;
	struct bytes digest; /* of the algorithm's length */
};
bool api_key_sign_decode(struct bytes body, struct arena *arena, struct api_key_sign *ret_sign,
	struct err *err) MUST_USE;

struct api_key_verify {
	enum alg alg;
	struct bytes digest;    /* of the algorithm's length */
	struct bytes signature; /* of any length: a wrong one is a false answer, not an error */
};
bool api_key_verify_decode(struct bytes body, struct arena *arena,
	struct api_key_verify *ret_verify, struct err *err) MUST_USE;

/* Whether `alg` is served for `op`; if not: ERR_NOT_SUPPORTED. */
bool api_key_operation_served(enum alg alg, enum alg_op op, struct err *err) MUST_USE;

/* KeyOperationResult. */
struct api_key_result {
	const char *kid;             /* full id of the version that was used */
	enum alg alg;                /* repeated in the answer */
	const struct secret *secret; /* the value if not NULL: decrypt, unwrapKey */
	struct bytes value;          /* else this; an empty plaintext is "" */
	struct bytes iv, tag, aad;   /* GCM encrypt; empty: left out */
};
/* `out` holds the plaintext then; struct buf is wiped when cleared. */
void api_key_result_format(const struct api_key_result *result, struct buf *out);

/* {"value":true|false} */
void api_verify_result_format(bool valid, struct buf *out);

static inline void
api_key_operation_clean(struct api_key_operation *operation)
{
	api_key_operation_clear(operation);
}
