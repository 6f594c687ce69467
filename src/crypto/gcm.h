/*
 * AES-GCM (SP 800-38D) with 128, 192 or 256-bit keys, a 96-bit iv and a 128-bit tag: nothing else exists
 * here, so no header or parameter can shorten a tag. Making an iv that was never used with the key is the
 * caller's duty. One struct gcm is used by one thread at a time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"

#define GCM_IV_LEN  12
#define GCM_TAG_LEN 16

struct gcm;

/*
 * A context for one key: the key schedule is made once, each call then costs only its data. `key` has 16,
 * 24 or 32 octets (ERR_BAD_PARAMETER otherwise) and is not needed afterwards. It both seals and opens.
 */
struct gcm *gcm_new(struct bytes key, struct err *err) MUST_USE;
void gcm_free(struct gcm *gcm);
/* Another key of the same length for the same context: cheaper than a new one. Errors as gcm_new(). */
bool gcm_rekey(struct gcm *gcm, struct bytes key, struct err *err) MUST_USE;

/*
 * Writes plaintext.len octets to `ciphertext`, which may be plaintext.data itself, and the tag.
 * ERR_INTERNAL on a failure of libcrypto; nothing of `ciphertext` is then to be used.
 */
bool gcm_seal(struct gcm *gcm, const uint8_t iv[static GCM_IV_LEN], struct bytes aad,
	struct bytes plaintext, uint8_t *ciphertext, uint8_t tag[static GCM_TAG_LEN],
	struct err *err) MUST_USE;

/*
 * Writes ciphertext.len octets to `plaintext`, which may be ciphertext.data itself. When the tag does not
 * fit: ERR_BAD_CIPHERTEXT, and `plaintext` is wiped.
 */
bool gcm_open(struct gcm *gcm, const uint8_t iv[static GCM_IV_LEN], struct bytes aad,
	struct bytes ciphertext, const uint8_t tag[static GCM_TAG_LEN], uint8_t *plaintext,
	struct err *err) MUST_USE;

DEFINE_CLEAN(gcm, struct gcm)
