/* Invariant: nothing returns with fewer random octets than asked. */
#include "random.h"

#include <stdlib.h>

#include <openssl/rand.h>

#include "crypto/libctx.h"

void
random_bytes(void *data, size_t len)
{
	if (RAND_priv_bytes_ex(libctx_get()->context, data, len, 0) != 1)
		abort();
}

struct secret *
random_secret(size_t len)
{
	struct secret *secret = secret_new(len);
	if (secret != NULL)
		random_bytes(secret_data(secret), len);
	return secret;
}

void
random_uuid(char text[static ID_UUID_TEXT])
{
	uint8_t data[16]; /* RFC 9562 §5.4 */
	random_bytes(data, sizeof(data));
	id_uuid_format(data, text);
}

void
random_stir(const void *data, size_t len)
{
	/* The primary feeds every thread's generator; its reseed draws from the system too. */
	EVP_RAND_CTX *primary = RAND_get0_primary(libctx_get()->context);
	if (primary == NULL || EVP_RAND_reseed(primary, 0, NULL, 0, data, len) != 1)
		abort();
}
