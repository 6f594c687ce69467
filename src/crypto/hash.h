/*
 * Hashes and HMAC (FIPS 180-4, FIPS 198-1). These fail only for lack of memory, which aborts.
 * Thread-safe; one struct hash_state is used by one thread at a time.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"

#define HASH_LEN_MAX    64 /* SHA-512 */
#define HASH_SHA256_LEN 32

enum hash {
	HASH_NONE,
	HASH_SHA1, /* RSA-OAEP of RFC 7518 §4.3 only */
	HASH_SHA256,
	HASH_SHA384,
	HASH_SHA512,
};

/* Octets of a digest; `hash` must not be HASH_NONE (asserted). */
size_t hash_len(enum hash hash);

/* Writes hash_len(hash) octets to `digest`. */
void hash_data(enum hash hash, const void *data, size_t len, uint8_t *digest);
void hash_sha256(const void *data, size_t len, uint8_t digest[static HASH_SHA256_LEN]);

/* Writes hash_len(hash) octets to `mac`. Any key length, 0 included. Compare with secret_equal_bytes(). */
void hash_hmac(enum hash hash, struct bytes key, struct bytes data, uint8_t *mac);

/* Piece by piece. */
struct hash_state;

struct hash_state *hash_new(enum hash hash);
void hash_free(struct hash_state *state);
void hash_update(struct hash_state *state, const void *data, size_t len);
/* Writes the digest and leaves `state` ready for the next message. */
void hash_finish(struct hash_state *state, uint8_t *digest);

static inline void
hash_clean(struct hash_state **state)
{
	hash_free(*state);
	*state = NULL;
}
