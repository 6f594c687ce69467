/*
 * Private keys of files, to be brought into a token: PEM as openssl(1) writes it, PKCS #8 or the older forms, encrypted or not.
 */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/secret.h"
#include "crypto/pubkey.h"

struct privkey_pem {
	struct pubkey *pubkey;               /* tells the type */
	struct secret *d;                    /* EC: as wide as a coordinate */
	struct secret *p, *q, *dp, *dq, *qi; /* RSA */
};

/* Called if the key is encrypted: appends the password to `password`. */
typedef bool privkey_password(void *ctx, struct buf *password, struct err *err);

/* ERR_CLIENT_FILE: no private RSA or EC key, or the password does not open it. ERR_BAD_PARAMETER: one that we do not take. */
bool privkey_pem_read(struct bytes pem, privkey_password *password, void *ctx,
	struct privkey_pem *ret_key, struct err *err) MUST_USE;
void privkey_pem_clear(struct privkey_pem *key);

static inline void
privkey_pem_clean(struct privkey_pem *key)
{
	privkey_pem_clear(key);
}
