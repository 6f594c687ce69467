/*
 * XAES-256-GCM (C2SP): AES-256-GCM under a key that CMAC (SP 800-108) derives from a 256-bit key and the first half of a
 * 192-bit nonce. Nonces are random: unlike GCM's they do not run out, so one key may wrap as much as is asked of it.
 * One struct xaes is used by one thread at a time.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/secret.h"

#define XAES_KEY_LEN   32
#define XAES_NONCE_LEN 24
#define XAES_TAG_LEN   16

struct xaes;

/* A context for one key of XAES_KEY_LEN octets (asserted), which is not needed afterwards. ERR_NO_MEMORY, ERR_INTERNAL. */
struct xaes *xaes_new(const struct secret *key, struct err *err) MUST_USE;
void xaes_free(struct xaes *xaes);

/*
 * Writes plaintext.len octets to `ciphertext`, which may be plaintext.data itself, and the tag. A nonce is made by the
 * generator for each call. ERR_INTERNAL on a failure of libcrypto; nothing written is then to be used.
 */
bool xaes_seal(struct xaes *xaes, const uint8_t nonce[static XAES_NONCE_LEN], struct bytes aad,
	struct bytes plaintext, uint8_t *ciphertext, uint8_t tag[static XAES_TAG_LEN],
	struct err *err) MUST_USE;

/*
 * Writes ciphertext.len octets to `plaintext`, which may be ciphertext.data itself. When the tag does not
 * fit: ERR_BAD_CIPHERTEXT, and `plaintext` is wiped.
 */
bool xaes_open(struct xaes *xaes, const uint8_t nonce[static XAES_NONCE_LEN], struct bytes aad,
	struct bytes ciphertext, const uint8_t tag[static XAES_TAG_LEN], uint8_t *plaintext,
	struct err *err) MUST_USE;

DEFINE_CLEAN(xaes, struct xaes)
