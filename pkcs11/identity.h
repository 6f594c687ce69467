/*
 * The token's identity: an EC P-256 key pair made on it at enrolment, which never leaves it. Who can sign with it is
 * the token that was enrolled (threats B23, B24). It signs what src/token composes, and is used for known-answer
 * operations; never for callers.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "crypto/pubkey.h"
#include "pkcs11/hsmkey.h"
#include "pkcs11/session.h"

#define IDENTITY_LABEL         "custody/identity"
#define IDENTITY_SIGNATURE_LEN 64 /* r || s */

/* Whether an id is the identity key's. */
bool identity_is(const uint8_t id[static HSMKEY_ID_LEN]);

/* Whether the token has anything under the identity's id, whoever made it. */
bool identity_exists(struct session *session, bool *ret_exists, struct err *err) MUST_USE;

/*
 * Makes the identity key, or adopts the one that is there if it is as we make it: enrolling twice is harmless.
 * Writes the SPKI. ERR_KEY_INTEGRITY: there is one that is not as we make it. One at a time for the whole process.
 */
bool identity_enroll(struct session *session, uint8_t ret_spki[static PUBKEY_SPKI_MAX],
	size_t *ret_len, struct err *err) MUST_USE;

/*
 * Proves by a fresh signature that the token has the private half of this SPKI. ERR_TOKEN_IMPOSTOR if not. After
 * true the process counts as enrolled.
 */
bool identity_check(struct session *session, struct bytes expected_spki, struct err *err) MUST_USE;

/* Whether identity_enroll() or identity_check() succeeded in this process. Any thread. */
bool identity_enrolled(const struct session *session);

/*
 * Whether the token still has any identity key, by a search; true before it is enrolled. False, and the session lost,
 * if not: what we serve is not there any more (threat B6).
 */
bool identity_present(struct session *session, struct err *err) MUST_USE;

/* ES256 over a message, and the SPKI that verifies it. */
bool identity_sign(struct session *session, struct bytes message,
	uint8_t ret_signature[static IDENTITY_SIGNATURE_LEN],
	uint8_t ret_spki[static PUBKEY_SPKI_MAX], size_t *ret_spki_len, struct err *err) MUST_USE;

/*
 * A known-answer operation on this session: signs something fresh and verifies it in software. Before the token is
 * enrolled: the state of the session. False: the token is at fault. Forgets nothing but stale handles.
 */
bool identity_known_answer(struct session *session, struct err *err) MUST_USE;
