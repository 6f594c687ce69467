/* Invariant: the header and the octets are one block of the secure heap, so nothing of it is ever swapped. */
#include "secret.h"

#include <assert.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <openssl/crypto.h>

#define SECRET_MAX 65536

struct secret {
	size_t len;
	size_t size; /* as allocated: what is wiped at the end */
	uint8_t data[];
};

bool
secret_heap_init(size_t size)
{
	/* 1: ready and locked, 2: ready but not locked (OPENSSL_secure_malloc(3)) */
	int result = CRYPTO_secure_malloc_init(size, 32);
	assert(result != 0);
	return result == 1;
}

void
secret_process_harden(void)
{
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); /* cannot fail with these arguments */
	struct rlimit none = {0, 0};
	(void)setrlimit(RLIMIT_CORE, &none); /* lowering is always allowed */
}

struct secret *
secret_new(size_t len)
{
	assert(len > 0 && len <= SECRET_MAX);
	struct secret *secret = OPENSSL_secure_zalloc(sizeof(*secret) + len);
	if (secret == NULL)
		return NULL;
	secret->len = len;
	secret->size = len;
	return secret;
}

struct secret *
secret_from(const void *data, size_t len)
{
	struct secret *secret = secret_new(len);
	if (secret != NULL)
		memcpy(secret->data, data, len);
	return secret;
}

void
secret_free(struct secret *secret)
{
	if (secret != NULL)
		OPENSSL_secure_clear_free(secret, sizeof(*secret) + secret->size);
}

uint8_t *
secret_data(struct secret *secret)
{
	return secret->data;
}

const uint8_t *
secret_peek(const struct secret *secret)
{
	return secret->data;
}

size_t
secret_len(const struct secret *secret)
{
	return secret->len;
}

struct bytes
secret_bytes(const struct secret *secret)
{
	return (struct bytes){secret->data, secret->len};
}

void
secret_truncate(struct secret *secret, size_t len)
{
	assert(len <= secret->len);
	OPENSSL_cleanse(secret->data + len, secret->len - len);
	secret->len = len;
}

bool
secret_equal(const struct secret *a, const struct secret *b)
{
	return a->len == b->len && CRYPTO_memcmp(a->data, b->data, a->len) == 0;
}

bool
secret_equal_bytes(const void *a, const void *b, size_t len)
{
	return CRYPTO_memcmp(a, b, len) == 0;
}

void
secret_wipe(void *data, size_t len)
{
	if (len > 0)
		OPENSSL_cleanse(data, len);
}
