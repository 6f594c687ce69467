/*
 * The only door to Cryptoki. Included by the .c files of this folder (and by the shim, the bench and the attack
 * programs of tests/); no header of this folder includes it, so nobody above sees a CK_ type. Headers here write
 * `unsigned long` for handles, return values and mechanism numbers, and `struct _CK_ATTRIBUTE`.
 */
#pragma once

#include <p11-kit/pkcs11.h>

#ifndef CKR_AEAD_DECRYPT_FAILED
#define CKR_AEAD_DECRYPT_FAILED 0x42UL /* PKCS#11 3.0 */
#endif
