/* Keys of material from outside: checked, then C_CreateObject from the same full templates as generated keys. */
#pragma once

#include "crypto/privkey.h"
#include "pkcs11/hsmkey.h"
#include "pkcs11/session.h"

struct keyimport_material {
	const struct pubkey *pubkey; /* RSA, EC; NULL for AES and HMAC */
	struct bytes value;          /* AES, HMAC: the key; EC: d */
	struct privkey_rsa rsa;
};

/*
 * As keymake_generate() in everything else. ERR_BAD_PARAMETER, before the token is touched: the material is not that of a sound key
 * of this spec (threats A12, E14). Its provenance is none of HSMKEY_LOCAL, HSMKEY_ALWAYS_SENSITIVE and HSMKEY_NEVER_EXTRACTABLE.
 */
bool keyimport(struct session *session, const struct hsmkey_spec *spec,
	const struct keyimport_material *material, struct hsmkey_facts *ret_facts,
	struct err *err) MUST_USE;
