/* Invariant: a nonce is made of the segment's number and its being last, never taken from outside. */
#include "stream.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/gcm.h"
#include "crypto/kdf.h"
#include "crypto/random.h"

#define SALT_LEN   32
#define PREFIX_LEN 7

struct stream {
	struct gcm *gcm;
	struct secret *key; /* of the segments: kept for stream_dup() */
	uint8_t prefix[PREFIX_LEN];
};

static struct secret *
derive_key(const struct secret *key, const uint8_t *salt, struct bytes associated, struct err *err)
{
	if (secret_len(key) != STREAM_KEY_LEN) {
		(void)err_set(err, ERR_BAD_PARAMETER, "A data key has %d octets.", STREAM_KEY_LEN);
		return NULL;
	}
	CLEAN(secret)
	struct secret *derived = secret_new(STREAM_KEY_LEN);
	if (derived == NULL) {
		(void)err_set(err, ERR_NO_MEMORY, NULL);
		return NULL;
	}
	if (!kdf_hkdf(HASH_SHA256, secret_bytes(key), (struct bytes){salt, SALT_LEN}, associated,
		    secret_data(derived), STREAM_KEY_LEN, err))
		return NULL;
	struct secret *result = derived;
	derived = NULL;
	return result;
}

/* Owns `take_key`, which may be NULL after an error. */
static struct stream *
make(struct secret *take_key, const uint8_t *prefix, struct err *err)
{
	if (take_key == NULL)
		return NULL;
	CLEAN(stream)
	struct stream *stream = calloc(1, sizeof(*stream));
	if (stream == NULL) {
		secret_free(take_key);
		(void)err_set(err, ERR_NO_MEMORY, NULL);
		return NULL;
	}
	stream->key = take_key;
	memcpy(stream->prefix, prefix, PREFIX_LEN);
	stream->gcm = gcm_new(secret_bytes(take_key), err);
	if (stream->gcm == NULL)
		return NULL;
	struct stream *result = stream;
	stream = NULL;
	return result;
}

struct stream *
stream_new_seal(const struct secret *key, struct bytes associated,
	uint8_t ret_header[static STREAM_HEADER_LEN], struct err *err)
{
	uint8_t header[STREAM_HEADER_LEN];
	header[0] = STREAM_HEADER_LEN;
	random_bytes(header + 1, sizeof(header) - 1);
	struct stream *stream = stream_new_open(key, associated, header, err);
	if (stream != NULL)
		memcpy(ret_header, header, sizeof(header));
	return stream;
}

struct stream *
stream_new_open(const struct secret *key, struct bytes associated,
	const uint8_t header[static STREAM_HEADER_LEN], struct err *err)
{
	if (header[0] != STREAM_HEADER_LEN) {
		(void)err_set(err, ERR_SEALED_CORRUPT, NULL);
		return NULL;
	}
	return make(derive_key(key, header + 1, associated, err), header + 1 + SALT_LEN, err);
}

struct stream *
stream_dup(const struct stream *stream, struct err *err)
{
	struct secret *key = secret_from(secret_peek(stream->key), STREAM_KEY_LEN);
	if (key == NULL)
		(void)err_set(err, ERR_NO_MEMORY, NULL);
	return make(key, stream->prefix, err);
}

void
stream_free(struct stream *stream)
{
	if (stream == NULL)
		return;
	gcm_free(stream->gcm);
	secret_free(stream->key);
	free(stream);
}

size_t
stream_ciphertext_len(uint32_t number)
{
	return number == 0 ? STREAM_SEGMENT_LEN - STREAM_HEADER_LEN : STREAM_SEGMENT_LEN;
}

size_t
stream_plaintext_len(uint32_t number)
{
	return stream_ciphertext_len(number) - STREAM_TAG_LEN;
}

static void
make_nonce(
	const struct stream *stream, uint32_t number, bool last, uint8_t nonce[static GCM_IV_LEN])
{
	memcpy(nonce, stream->prefix, PREFIX_LEN);
	for (unsigned i = 0; i < 4; i++)
		nonce[PREFIX_LEN + i] = (uint8_t)(number >> (24 - 8 * i));
	nonce[PREFIX_LEN + 4] = last ? 1 : 0;
}

bool
stream_seal(struct stream *stream, uint32_t number, bool last, struct bytes plaintext, uint8_t *out,
	struct err *err)
{
	assert(plaintext.len == stream_plaintext_len(number) ||
		(last && plaintext.len < stream_plaintext_len(number)));
	uint8_t nonce[GCM_IV_LEN];
	make_nonce(stream, number, last, nonce);
	return gcm_seal(stream->gcm, nonce, (struct bytes){NULL, 0}, plaintext, out,
		out + plaintext.len, err);
}

bool
stream_open(struct stream *stream, uint32_t number, bool last, struct bytes ciphertext,
	uint8_t *out, struct err *err)
{
	size_t full = stream_ciphertext_len(number);
	bool fits = last ? ciphertext.len <= full : ciphertext.len == full;
	if (!fits || ciphertext.len < STREAM_TAG_LEN)
		return err_set(err, ERR_SEALED_CORRUPT, NULL);
	uint8_t nonce[GCM_IV_LEN];
	uint8_t tag[GCM_TAG_LEN];
	struct bytes text = {ciphertext.data, ciphertext.len - STREAM_TAG_LEN};
	make_nonce(stream, number, last, nonce);
	memcpy(tag, ciphertext.data + text.len, sizeof(tag));
	if (gcm_open(stream->gcm, nonce, (struct bytes){NULL, 0}, text, tag, out, err))
		return true;
	return err->code == ERR_BAD_CIPHERTEXT ? err_set(err, ERR_SEALED_CORRUPT, NULL) : false;
}
