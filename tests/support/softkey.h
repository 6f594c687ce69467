/* Private keys in software for tests: what a token would do, by OpenSSL. */
#pragma once

#include <openssl/evp.h>

#include "crypto/pubkey.h"

/* New private keys; never NULL (asserted). Free with EVP_PKEY_free(). */
EVP_PKEY *softkey_rsa(unsigned bits);
EVP_PKEY *softkey_ec(enum curve curve);
/* From big-endian numbers of a vector file. */
EVP_PKEY *softkey_rsa_from(struct bytes n, struct bytes e, struct bytes d);

/* The public half as product code has it. */
struct pubkey *softkey_pubkey(EVP_PKEY *pkey);

/* CKM_RSA_X_509: in^d mod n, exactly modulus length both. false if in >= n. */
bool softkey_raw(EVP_PKEY *pkey, const uint8_t *in, uint8_t *out);

/* r ‖ s over a digest, fixed width, as a token answers. */
void softkey_ecdsa(EVP_PKEY *pkey, enum curve curve, struct bytes digest, uint8_t *signature);
