/*
 * Requests to a custodyd, as a daemon that is its client writes them (key.h, key_operation.h and dual.h read them). Appended to `out`,
 * which holds secrets then; if something did not fit, out->overflow is set and `out` is not to be used.
 */
#pragma once

#include "base/buf.h"
#include "base/secret.h"
#include "jose/alg.h"

/* POST /dual/wrapkey */
void api_asking_dual_wrap(const char *const keys[static 2], struct bytes context,
	const struct secret *value, struct buf *out);
/* POST /dual/unwrapkey, /dual/check; `envelope` is JSON */
void api_asking_dual_open(struct bytes envelope, struct bytes context, struct buf *out);
/* KeyCreate: `bits` of an oct or RSA key, 0: none; `curve` of an EC key, else CURVE_NONE */
void api_asking_key_create(
	enum kty kty, unsigned bits, enum curve curve, unsigned ops, struct buf *out);
/* KeyOperation and KeySign: the value is `secret` if not NULL, else `value`. */
void api_asking_operation(
	enum alg alg, const struct secret *secret, struct bytes value, struct buf *out);
