/*
 * The private half of a key that comes from outside, looked at before a token gets it (threats A12, E14): whether it is whole, sound and
 * belongs to its public half. Nothing of it is kept; all working memory is locked and wiped. ERR_BAD_PARAMETER says what is wrong with it,
 * never by a value. Thread-safe.
 */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "crypto/pubkey.h"

/* Big-endian numbers of RFC 8017 §3.2, the first representation beside the second; leading zeros allowed. */
struct privkey_rsa {
	struct bytes d;
	struct bytes p, q;
	struct bytes dp, dq, qi;
};

/*
 * Two different primes of half the modulus each, not close to each other, whose product it is; d inverse to e for both, and not short;
 * dp, dq and qi as they follow from those; then pubkey_check(). Up to a second for RSA-4096.
 */
bool privkey_check_rsa(
	const struct pubkey *pubkey, const struct privkey_rsa *private, struct err *err) MUST_USE;

/* d within 1..n-1 and the public point its multiple of the generator. */
bool privkey_check_ec(const struct pubkey *pubkey, struct bytes d, struct err *err) MUST_USE;

/* A symmetric key that nobody drew: all octets alike. */
bool privkey_check_secret(struct bytes value, struct err *err) MUST_USE;
