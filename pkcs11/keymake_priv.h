/* Internal to pkcs11/: how keys are made, and the one that is made under a reserved id. */
#pragma once

#include "keymake.h"

/* Makes the objects of a key, once; what it leaves when it fails is removed by the caller. */
typedef bool keymake_once(
	struct session *session, const struct hsmkey_spec *spec, const void *data, struct err *err);

/* As keymake_generate(), with `once` for C_GenerateKey(Pair). `fingerprint`: what the key must turn out to have; NULL: any. */
bool keymake_by(struct session *session, const struct hsmkey_spec *spec, keymake_once *once,
	const void *data, const uint8_t *fingerprint, struct hsmkey_facts *ret_facts,
	struct err *err) MUST_USE;

/* As keymake_generate(), for the identity key only. */
bool keymake_identity(struct session *session, const struct hsmkey_spec *spec,
	struct hsmkey_facts *ret_facts, struct err *err) MUST_USE;

/*
 * Before it: removes what an interrupted keymake_identity() left under the id or nameless (threat B28). ERR_CONFLICT, and nothing is
 * touched, when a private half with a value is there.
 */
bool keymake_undo_identity(
	struct session *session, const uint8_t id[static HSMKEY_ID_LEN], struct err *err) MUST_USE;
