/*
 * Start of everything that calls libcrypto. Algorithms come from a library context of our own, which
 * reads no configuration file and loads OpenSSL's default provider only: what stands in the host's
 * openssl.cnf (a PKCS#11 provider, an engine, a switched-off algorithm) cannot reach us.
 */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"

/*
 * Call first in a program's main(), before any thread. Keeps libcrypto from reading openssl.cnf for the
 * whole process and fetches every algorithm once. ERR_INTERNAL if libcrypto lacks one. Again is harmless.
 *
 * A library inside somebody else's program (libcustody) does not call it: the own context is then made
 * on first use, and the host program's libcrypto is left alone.
 */
bool crypto_init(struct err *err) MUST_USE;

/* Call last in a program's main(): frees the context and wipes the generators' state. No crypto call may follow. */
void crypto_clear(void);
