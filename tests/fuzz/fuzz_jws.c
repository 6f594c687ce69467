/* Certificates of purges as anybody hands them in: refused, or exactly one spelling of what the key signed. */
#include "fuzz.h"

#include <assert.h>
#include <string.h>

#include "jose/jws.h"

#define PAYLOAD_MAX 65536

/* Its private half signed the corpus and was thrown away. */
static const char key[] = "-----BEGIN PUBLIC KEY-----\n"
			  "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEbDd/ZzHWinuUgxHt7YQEgDoxtMt3\n"
			  "n/Yep/GjFkbCnx3jfhpktDVKREYAo/OjNGQn0dJ8sRoaR9QX9dZPGjBZeQ==\n"
			  "-----END PUBLIC KEY-----\n";

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = {0};
	uint8_t digest[HASH_SHA256_LEN];
	char kid[JWS_KID_MAX + 1];
	CLEAN(pubkey)
	struct pubkey *pubkey = pubkey_from_pem(bytes_of_text(key), &err);
	CLEAN(pubkey)
	struct pubkey *given = pubkey_from_pem((struct bytes){data, size}, &err);
	CLEAN(buf)
	struct buf payload, again;
	buf_init(&payload, PAYLOAD_MAX);
	buf_init(&again, 2 * PAYLOAD_MAX);
	assert(pubkey != NULL);
	if (!jws_verify((struct bytes){data, size}, pubkey, kid, &payload, &err)) {
		assert(payload.len == 0);
		return 0;
	}
	jws_begin(kid, buf_bytes(&payload), &again, digest);
	assert(again.len < size && memcmp(again.data, data, again.len) == 0);
	return 0;
}
