/* Invariant: the digest cannot be turned back into a PIN without as much work for each guess as we had. */
#include "pin.h"

#include <string.h>

#include "crypto/kdf.h"

_Static_assert(PIN_DIGEST_LEN == KDF_SCRYPT_LEN, "the digest is what scrypt makes");

bool
pin_digest(const struct secret *pin, struct bytes salt, uint8_t ret_digest[static PIN_DIGEST_LEN],
	struct err *err)
{
	if (salt.len < PIN_SALT_MIN)
		return err_set(err, ERR_INTERNAL, "The salt of the PIN digest is too short.");
	CLEAN(secret)
	struct secret *digest = kdf_scrypt(pin, salt, err);
	if (digest == NULL)
		return false;
	memcpy(ret_digest, secret_peek(digest), PIN_DIGEST_LEN);
	return true;
}
