/* Invariant: nothing returns with fewer random octets than asked. */
#include "random.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include <openssl/rand.h>

#include "crypto/libctx.h"

/* The kernel's generator, which needs no memory: libcustody must not end its process for the lack of some. */
static void
kernel_bytes(uint8_t *data, size_t len)
{
	while (len > 0) {
		ssize_t got = getrandom(data, len, 0);
		if (got < 0 && errno != EINTR)
			abort();
		if (got > 0) {
			data += got;
			len -= (size_t)got;
		}
	}
}

void
random_bytes(void *data, size_t len)
{
	const struct libctx *ctx = libctx_find();
	if (ctx == NULL || RAND_priv_bytes_ex(ctx->context, data, len, 0) != 1)
		kernel_bytes(data, len);
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
random_mix(void *data, size_t len)
{
	uint8_t *at = data;
	while (len > 0) {
		uint8_t own[64];
		size_t part = len < sizeof(own) ? len : sizeof(own);
		random_bytes(own, part);
		for (size_t i = 0; i < part; i++)
			at[i] ^= own[i];
		OPENSSL_cleanse(own, sizeof(own));
		at += part;
		len -= part;
	}
}

void
random_stir(const void *data, size_t len)
{
	/* The primary feeds every thread's generator; its reseed draws from the system too. */
	EVP_RAND_CTX *primary = RAND_get0_primary(libctx_get()->context);
	if (primary == NULL || EVP_RAND_reseed(primary, 0, NULL, 0, data, len) != 1)
		abort();
}
