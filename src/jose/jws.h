/*
 * Compact JWS (RFC 7515 §3.1) with ES256: what a service signs for others to verify without it. The protected header is exactly
 * {"alg":"ES256","kid":"…"}, so that there is nothing in it to disagree about.
 */
#pragma once

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "crypto/hash.h"
#include "crypto/pubkey.h"

#define JWS_KID_MAX       512 /* characters */
#define JWS_SIGNATURE_LEN 64  /* r ‖ s (RFC 7518 §3.4) */

/*
 * The signing input, BASE64URL(header) "." BASE64URL(payload), appended to `out`, and its SHA-256, which is what a key signs. `kid` is
 * printable ASCII without quotes and backslashes, of at most JWS_KID_MAX characters (asserted). An overflow of `out` is its to tell.
 */
void jws_begin(const char *kid, struct bytes payload, struct buf *out,
	uint8_t digest[static HASH_SHA256_LEN]);
/* What jws_begin() wrote becomes a JWS. */
void jws_end(const uint8_t signature[static JWS_SIGNATURE_LEN], struct buf *out);

/*
 * Verifies all of `text` with an EC key on P-256 and appends the payload to `payload`; kid[] is what the header names, which proves
 * nothing. ERR_SIGNATURE_REFUSED: it is not of this form, or not signed by this key.
 */
bool jws_verify(struct bytes text, const struct pubkey *pubkey, char kid[static JWS_KID_MAX + 1],
	struct buf *payload, struct err *err) MUST_USE;
