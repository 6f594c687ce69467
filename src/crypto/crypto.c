/* Invariant: openssl.cnf is never read once crypto_init() ran, whatever in the process asks libcrypto for what. */
#include "crypto.h"

#include <openssl/crypto.h>

#include "crypto/libctx.h"

bool
crypto_init(struct err *err)
{
	if (OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) == 0)
		return libctx_fail(err, "OPENSSL_init_crypto");
	if (libctx_find() == NULL)
		return libctx_fail(err, "OSSL_LIB_CTX_new");
	return true;
}

void
crypto_clear(void)
{
	libctx_clear();
}
