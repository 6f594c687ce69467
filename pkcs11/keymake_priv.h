/* Internal to pkcs11/: the one key that is made under a reserved id. */
#pragma once

#include "keymake.h"

/* As keymake_generate(), for the identity key only. */
bool keymake_identity(struct session *session, const struct hsmkey_spec *spec,
	struct hsmkey_facts *ret_facts, struct err *err) MUST_USE;
