/* Internal to pkcs11/: the one key that is made under a reserved id. */
#pragma once

#include "keymake.h"

/* As keymake_generate(), for the identity key only. */
bool keymake_identity(struct session *session, const struct hsmkey_spec *spec,
	struct hsmkey_facts *ret_facts, struct err *err) MUST_USE;

/*
 * Before it: removes what an interrupted keymake_identity() left under the id or nameless (threat B28). ERR_CONFLICT, and nothing is
 * touched, when a private half with a value is there.
 */
bool keymake_undo_identity(
	struct session *session, const uint8_t id[static HSMKEY_ID_LEN], struct err *err) MUST_USE;
