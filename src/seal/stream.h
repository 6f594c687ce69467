/*
 * Streaming AEAD in Tink's format AES256_GCM_HKDF_1MB, byte for byte:
 *
 *   header   1 octet 40 (its own length), 32 octets salt, 7 octets nonce prefix
 *   key      HKDF-SHA-256(IKM = data key, salt = salt, info = associated data), 32 octets
 *   segment  AES-256-GCM(key, nonce = prefix ‖ number as 32 bits big-endian ‖ 1 if last else 0), no aad;
 *            1 MiB with its tag, the first one shorter by the header, the last one as long as needed
 *
 * Here is one segment at a time, in memory; sealed.h moves files. A struct stream is used by one thread;
 * stream_dup() makes another for a second thread, as segments are independent given their number.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/secret.h"

#define STREAM_KEY_LEN       32
#define STREAM_HEADER_LEN    40
#define STREAM_TAG_LEN       16
#define STREAM_SEGMENT_LEN   1048576 /* ciphertext octets with tag, header counted in the first */
#define STREAM_PLAINTEXT_LEN (STREAM_SEGMENT_LEN - STREAM_TAG_LEN)

struct stream;

/* For sealing: draws salt and prefix, writes the header. `key` has 32 octets (ERR_BAD_PARAMETER). */
struct stream *stream_new_seal(const struct secret *key, struct bytes associated,
	uint8_t ret_header[static STREAM_HEADER_LEN], struct err *err) MUST_USE;
/* For opening, with the header that was read. ERR_SEALED_CORRUPT: its first octet is not 40. */
struct stream *stream_new_open(const struct secret *key, struct bytes associated,
	const uint8_t header[static STREAM_HEADER_LEN], struct err *err) MUST_USE;
/* The same stream for another thread. */
struct stream *stream_dup(const struct stream *stream, struct err *err) MUST_USE;
void stream_free(struct stream *stream);

/* Plaintext octets of a full segment `number`, and ciphertext octets with tag. */
size_t stream_plaintext_len(uint32_t number);
size_t stream_ciphertext_len(uint32_t number);

/*
 * Seals segment `number`: plaintext.len + 16 octets to `out`, which may be plaintext.data. Every segment but
 * the last must be full (asserted), no number is sealed twice in one stream (the caller's duty).
 */
bool stream_seal(struct stream *stream, uint32_t number, bool last, struct bytes plaintext,
	uint8_t *out, struct err *err) MUST_USE;

/*
 * Opens segment `number`: ciphertext.len - 16 octets to `out`, which may be ciphertext.data.
 * ERR_SEALED_CORRUPT, and `out` wiped, if it is not this segment of this stream.
 */
bool stream_open(struct stream *stream, uint32_t number, bool last, struct bytes ciphertext,
	uint8_t *out, struct err *err) MUST_USE;

DEFINE_CLEAN(stream, struct stream)
