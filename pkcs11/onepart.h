/*
 * Internal to pkcs11/: one-part operations, each its Init and its call. Outputs are big enough from the start: no
 * two-call dance on lengths (threat B10), and a length above the buffer ends the worker (A23).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"

struct _CK_ATTRIBUTE;
struct _CK_MECHANISM;
struct session;

bool onepart_sign(struct session *session, struct _CK_MECHANISM *mechanism, unsigned long key,
	struct bytes data, uint8_t *out, size_t size, size_t *ret_len, struct err *err) MUST_USE;
bool onepart_verify(struct session *session, struct _CK_MECHANISM *mechanism, unsigned long key,
	struct bytes data, struct bytes signature, bool *ret_valid, struct err *err) MUST_USE;
bool onepart_encrypt(struct session *session, struct _CK_MECHANISM *mechanism, unsigned long key,
	struct bytes data, uint8_t *out, size_t size, size_t *ret_len, struct err *err) MUST_USE;
bool onepart_decrypt(struct session *session, struct _CK_MECHANISM *mechanism, unsigned long key,
	struct bytes data, uint8_t *out, size_t size, size_t *ret_len, struct err *err) MUST_USE;

/*
 * After a call on a caller's ciphertext failed: ERR_BAD_CIPHERTEXT, always in the same words, if the data was to
 * blame; a return value that may mean either is settled by a known-answer operation on this session (threat A16).
 * Forgets keys: a borrowed struct hsmkey is not to be used afterwards. Returns false.
 */
bool onepart_settle(struct session *session, struct err *err);
