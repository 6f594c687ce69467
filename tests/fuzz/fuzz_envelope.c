/*
 * The text of a dual envelope: refused, or within the limits of its header, written again as something that parses to the same
 * (threats E2 to E8, E17), and never opened by a content key that it does not commit to (threats E10, E11).
 */
#include "fuzz.h"

#include <assert.h>
#include <string.h>

#include "base/b64.h"
#include "base/id.h"
#include "jose/envelope.h"

static void
check_limits(const struct envelope *envelope)
{
	struct kid kid;
	assert(envelope->listed_count >= ENVELOPE_LISTED_MIN &&
		envelope->listed_count <= ENVELOPE_RECIPIENTS_MAX);
	assert(envelope->recipient_count >= 1 &&
		envelope->recipient_count <= envelope->listed_count);
	assert(envelope->ciphertext_len >= 1 && envelope->ciphertext_len <= ENVELOPE_PLAINTEXT_MAX);
	for (size_t i = 0; i < envelope->recipient_count; i++) {
		const struct envelope_recipient *recipient = &envelope->recipients[i];
		assert(kid_parse(recipient->key.kid, &kid) && kid.version[0] != '\0');
		assert(recipient->key.alg == ALG_A256KW
				? recipient->encrypted_key_len == ENVELOPE_KW_LEN
				: recipient->encrypted_key_len >= 256);
	}
}

static void
check_same(const struct envelope *a, const struct envelope *b)
{
	assert(strcmp(a->protected_text, b->protected_text) == 0);
	assert(strcmp(a->aad_text, b->aad_text) == 0);
	assert(memcmp(a->iv, b->iv, sizeof(a->iv)) == 0);
	assert(memcmp(a->tag, b->tag, sizeof(a->tag)) == 0);
	assert(memcmp(a->id, b->id, sizeof(a->id)) == 0);
	assert(memcmp(a->commit, b->commit, sizeof(a->commit)) == 0);
	assert(a->ciphertext_len == b->ciphertext_len &&
		memcmp(a->ciphertext, b->ciphertext, a->ciphertext_len) == 0);
	assert(a->recipient_count == b->recipient_count && a->listed_count == b->listed_count);
	for (size_t i = 0; i < a->recipient_count; i++) {
		const struct envelope_recipient *left = &a->recipients[i];
		const struct envelope_recipient *right = &b->recipients[i];
		assert(strcmp(left->key.kid, right->key.kid) == 0);
		assert(left->key.alg == right->key.alg);
		assert(left->encrypted_key_len == right->encrypted_key_len);
		assert(memcmp(left->encrypted_key, right->encrypted_key, left->encrypted_key_len) ==
			0);
	}
}

static void
check_written(const struct envelope *envelope)
{
	struct err err;
	CLEAN(buf)
	struct buf first;
	CLEAN(buf)
	struct buf second;
	buf_init(&first, ENVELOPE_TEXT_MAX);
	buf_init(&second, ENVELOPE_TEXT_MAX);
	assert(envelope_format(envelope, &first, &err));
	CLEAN(envelope)
	struct envelope *again = envelope_parse(buf_peek(&first), first.len, &err);
	assert(again != NULL);
	check_same(envelope, again);
	assert(envelope_format(again, &second, &err));
	assert(bytes_equal(buf_bytes(&first), buf_bytes(&second)));
}

static void
check_closed(const struct envelope *envelope)
{
	struct err err = {0};
	uint8_t context[ENVELOPE_CONTEXT_MAX + 4];
	size_t len = 0;
	assert(b64_decode(envelope->aad_text, strlen(envelope->aad_text), context, &len));
	assert(envelope_check_context(envelope, (struct bytes){context, len}, &err));
	context[len] = 0;
	assert(!envelope_check_context(envelope, (struct bytes){context, len + 1}, &err));
	CLEAN(secret)
	struct secret *cek = secret_new(ENVELOPE_CEK_LEN);
	assert(cek != NULL);
	assert(envelope_open(envelope, (struct bytes){context, len}, cek, &err) == NULL);
	assert(err.code == ERR_BAD_CIPHERTEXT);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = {0};
	const union {
		const uint8_t *octets;
		const char *text;
	} input = {data};
	CLEAN(envelope)
	struct envelope *envelope = envelope_parse(input.text, size, &err);
	if (envelope == NULL) {
		assert(err_class(err.code) == ERR_CLASS_BAD && err.message[0] != '\0');
		return 0;
	}
	check_limits(envelope);
	check_written(envelope);
	check_closed(envelope);
	return 0;
}
