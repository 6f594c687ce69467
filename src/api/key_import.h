/*
 * KeyImport of the Key Vault dialect: a key's material as a JWK (RFC 7517, RFC 7518 §6), complete or refused. Decoding as in key.h.
 *
 * What leaves here has the size and curve that its type may have and a public half that is sound; whether the private half belongs to it
 * is for crypto/privkey.h to say. Private members are in struct secret only, and no error repeats any.
 */
#pragma once

#include "api/key.h"
#include "base/secret.h"

struct api_key_material {
	struct pubkey *pubkey;               /* RSA, EC; NULL for oct */
	struct secret *value;                /* oct: k; RSA, EC: d */
	struct secret *p, *q, *dp, *dq, *qi; /* RSA */
};

struct api_key_import {
	struct api_key_create create; /* the key that it is to be */
	struct api_key_material material;
};

/* ERR_NOT_SUPPORTED: key material wrapped by others (key_hsm, BYOK), key_ops with import or export. */
bool api_key_import_decode(struct bytes body, struct arena *arena,
	struct api_key_import *ret_import, struct err *err) MUST_USE;
/* Frees the material; it is all NULL then. */
void api_key_material_clear(struct api_key_material *material);

static inline void
api_key_import_clean(struct api_key_import *import)
{
	api_key_material_clear(&import->material);
}
