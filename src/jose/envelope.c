/*
 * Making and opening. Invariant: the content key reaches AES-GCM only after it fitted the commitment, so one
 * ciphertext cannot open to two texts (threat E10).
 */
#include "envelope.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/b64.h"
#include "base/id.h"
#include "crypto/kdf.h"
#include "crypto/random.h"
#include "jose/envelope_priv.h"
#include "json/json_writer.h"

static const char commit_label[] = "custodyd-jwe-v1 commit"; /* with its NUL, envelope.md */

bool
envelope_key_valid(const struct envelope_key *key)
{
	struct kid kid;
	bool allowed = key->alg == ALG_RSA_OAEP_256 || key->alg == ALG_A256KW; /* threat E2 */
	return allowed && kid_parse(key->kid, &kid) && kid.version[0] != '\0';
}

bool
envelope_key_len_valid(enum alg alg, size_t len)
{
	if (alg == ALG_A256KW)
		return len == ENVELOPE_KW_LEN;
	return len == 256 || len == 384 || len == 512; /* RSA-2048, 3072, 4096 */
}

bool
envelope_list_valid(const struct envelope_key *keys, size_t count)
{
	if (count < ENVELOPE_LISTED_MIN || count > ENVELOPE_RECIPIENTS_MAX)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (!envelope_key_valid(&keys[i]))
			return false;
		for (size_t j = 0; j < i; j++)
			if (strcmp(keys[i].kid, keys[j].kid) == 0)
				return false;
	}
	return true;
}

/* SHA-256(kid 00 alg 00 kid 00 alg) over the protected list. */
static void
hash_listed(const struct envelope *envelope, uint8_t digest[static HASH_SHA256_LEN])
{
	CLEAN(hash)
	struct hash_state *state = hash_new(HASH_SHA256);
	for (size_t i = 0; i < envelope->listed_count; i++) {
		const struct envelope_key *key = &envelope->listed[i];
		const char *alg = alg_name(key->alg);
		bool last = i + 1 == envelope->listed_count;
		hash_update(state, key->kid, strlen(key->kid) + 1);
		hash_update(state, alg, strlen(alg) + (last ? 0 : 1));
	}
	hash_finish(state, digest);
}

/* envelope.md, "Commitment". */
static bool
commit(const struct envelope *envelope, const struct secret *cek,
	uint8_t out[static ENVELOPE_COMMIT_LEN], struct err *err)
{
	uint8_t info[sizeof(commit_label) + 2 * HASH_SHA256_LEN];
	memcpy(info, commit_label, sizeof(commit_label));
	uint8_t *digests = info + sizeof(commit_label);
	hash_sha256(envelope->aad_text, strlen(envelope->aad_text), digests);
	hash_listed(envelope, digests + HASH_SHA256_LEN);
	return kdf_hkdf(HASH_SHA512, secret_bytes(cek),
		(struct bytes){envelope->id, ENVELOPE_ID_LEN}, (struct bytes){info, sizeof(info)},
		out, ENVELOPE_COMMIT_LEN, err);
}

/* RFC 7516 §5.1 step 14: without a context there is no aad member and no dot. */
static void
associated_data(const struct envelope *envelope, struct buf *out)
{
	(void)buf_text(out, envelope->protected_text);
	if (envelope->aad_text[0] != '\0') {
		(void)buf_text(out, ".");
		(void)buf_text(out, envelope->aad_text);
	}
	assert(!out->overflow);
}

static char *
b64_new(struct bytes data)
{
	char *text = malloc(b64_encoded_len(data.len) + 1);
	if (text == NULL)
		abort();
	b64_encode(data.data, data.len, text);
	return text;
}

static char *
format_protected(const struct envelope *envelope)
{
	CLEAN(buf)
	struct buf json;
	buf_init(&json, ENVELOPE_TEXT_MAX);
	struct json_writer writer;
	json_writer_init(&writer, &json);
	json_write_object(&writer, NULL);
	json_write_text(&writer, "enc", alg_name(ALG_A256GCM));
	json_write_object(&writer, ENVELOPE_NAMESPACE);
	json_write_array(&writer, "rcp");
	for (size_t i = 0; i < envelope->listed_count; i++) {
		json_write_object(&writer, NULL);
		json_write_text(&writer, "kid", envelope->listed[i].kid);
		json_write_text(&writer, "alg", alg_name(envelope->listed[i].alg));
		json_write_end(&writer);
	}
	json_write_end(&writer);
	json_write_base64(&writer, "id", envelope->id, ENVELOPE_ID_LEN);
	json_write_base64(&writer, "com", envelope->commit, ENVELOPE_COMMIT_LEN);
	json_write_end(&writer);
	json_write_end(&writer);
	assert(json_writer_ok(&writer));
	return b64_new(buf_bytes(&json));
}

static bool
encrypt(struct envelope *envelope, const struct secret *plaintext, const struct secret *cek,
	struct err *err)
{
	CLEAN(gcm)
	struct gcm *gcm = gcm_new(secret_bytes(cek), err);
	if (gcm == NULL)
		return false;
	CLEAN(buf)
	struct buf aad;
	buf_init(&aad, 2 * ENVELOPE_TEXT_MAX);
	associated_data(envelope, &aad);
	envelope->ciphertext_len = secret_len(plaintext);
	return gcm_seal(gcm, envelope->iv, buf_bytes(&aad), secret_bytes(plaintext),
		envelope->ciphertext, envelope->tag, err);
}

static bool
check_arguments(const struct envelope_key *keys, size_t count, struct bytes context,
	const struct secret *plaintext, struct err *err)
{
	if (!envelope_list_valid(keys, count))
		return err_set(err, ERR_BAD_PARAMETER,
			"An envelope needs two different key versions, RSA or 256-bit oct.");
	if (context.len > ENVELOPE_CONTEXT_MAX)
		return err_set(err, ERR_BAD_PARAMETER, "A context has at most %d octets.",
			ENVELOPE_CONTEXT_MAX);
	if (secret_len(plaintext) > ENVELOPE_PLAINTEXT_MAX)
		return err_set(err, ERR_BAD_PARAMETER, "An envelope holds 1 to %d octets.",
			ENVELOPE_PLAINTEXT_MAX);
	return true;
}

struct envelope *
envelope_make(const struct envelope_key *keys, size_t count, struct bytes context,
	const struct secret *plaintext, struct secret **ret_cek, struct err *err)
{
	if (!check_arguments(keys, count, context, plaintext, err))
		return NULL;
	CLEAN(secret)
	struct secret *cek = random_secret(ENVELOPE_CEK_LEN);
	CLEAN(envelope)
	struct envelope *envelope = calloc(1, sizeof(*envelope));
	if (cek == NULL || envelope == NULL) {
		(void)err_set(err, ERR_NO_MEMORY, NULL);
		return NULL;
	}
	envelope->listed_count = count;
	envelope->recipient_count = count;
	for (size_t i = 0; i < count; i++) {
		envelope->listed[i] = keys[i];
		envelope->recipients[i].key = keys[i];
	}
	random_bytes(envelope->id, sizeof(envelope->id));
	random_bytes(envelope->iv, sizeof(envelope->iv));
	envelope->aad_text = b64_new(context);
	if (!commit(envelope, cek, envelope->commit, err))
		return NULL;
	envelope->protected_text = format_protected(envelope);
	if (!encrypt(envelope, plaintext, cek, err))
		return NULL;

	*ret_cek = cek;
	cek = NULL;
	struct envelope *result = envelope;
	envelope = NULL;
	return result;
}

bool
envelope_wrap(struct envelope *envelope, size_t i, const struct pubkey *pubkey,
	const struct secret *cek, struct err *err)
{
	assert(i < envelope->recipient_count);
	struct envelope_recipient *recipient = &envelope->recipients[i];
	if (recipient->key.alg != ALG_RSA_OAEP_256 || pubkey_get_type(pubkey) != PUBKEY_RSA)
		return err_set(err, ERR_INTERNAL, NULL);
	return pubkey_encrypt(pubkey, PUBKEY_OAEP_SHA256, secret_bytes(cek),
		recipient->encrypted_key, &recipient->encrypted_key_len, err);
}

bool
envelope_set_key(struct envelope *envelope, size_t i, struct bytes encrypted_key, struct err *err)
{
	assert(i < envelope->recipient_count);
	struct envelope_recipient *recipient = &envelope->recipients[i];
	if (!envelope_key_len_valid(recipient->key.alg, encrypted_key.len))
		return err_set(err, ERR_BAD_PARAMETER, "An encrypted key of %s has not %zu octets.",
			alg_name(recipient->key.alg), encrypted_key.len);
	memcpy(recipient->encrypted_key, encrypted_key.data, encrypted_key.len);
	recipient->encrypted_key_len = encrypted_key.len;
	return true;
}

bool
envelope_format(const struct envelope *envelope, struct buf *out, struct err *err)
{
	struct json_writer writer;
	json_writer_init(&writer, out);
	json_write_object(&writer, NULL);
	json_write_text(&writer, "protected", envelope->protected_text);
	json_write_array(&writer, "recipients");
	for (size_t i = 0; i < envelope->recipient_count; i++) {
		const struct envelope_recipient *recipient = &envelope->recipients[i];
		assert(recipient->encrypted_key_len > 0);
		json_write_object(&writer, NULL);
		json_write_object(&writer, "header");
		json_write_text(&writer, "kid", recipient->key.kid);
		json_write_text(&writer, "alg", alg_name(recipient->key.alg));
		json_write_end(&writer);
		json_write_base64(&writer, "encrypted_key", recipient->encrypted_key,
			recipient->encrypted_key_len);
		json_write_end(&writer);
	}
	json_write_end(&writer);
	if (envelope->aad_text[0] != '\0')
		json_write_text(&writer, "aad", envelope->aad_text);
	json_write_base64(&writer, "iv", envelope->iv, GCM_IV_LEN);
	json_write_base64(&writer, "ciphertext", envelope->ciphertext, envelope->ciphertext_len);
	json_write_base64(&writer, "tag", envelope->tag, GCM_TAG_LEN);
	json_write_end(&writer);
	return json_writer_ok(&writer) || err_set(err, ERR_TOO_LARGE, NULL);
}

bool
envelope_degraded(const struct envelope *envelope)
{
	return envelope->recipient_count < envelope->listed_count;
}

bool
envelope_check_context(const struct envelope *envelope, struct bytes context, struct err *err)
{
	char text[ENVELOPE_CONTEXT_MAX * 4 / 3 + 4];
	bool equal = context.len <= ENVELOPE_CONTEXT_MAX &&
		     strlen(envelope->aad_text) == b64_encoded_len(context.len);
	if (equal) {
		b64_encode(context.data, context.len, text);
		equal = secret_equal_bytes(text, envelope->aad_text, strlen(envelope->aad_text));
	}
	return equal || err_set(err, ERR_BAD_CIPHERTEXT, NULL);
}

/* The length counts with the value, so that a key of odd length costs what a wrong one does (threat E11). */
static bool
check_commitment(const struct envelope *envelope, const struct secret *cek, struct err *err)
{
	uint8_t expected[ENVELOPE_COMMIT_LEN];
	if (!commit(envelope, cek, expected, err))
		return false;
	bool fits = secret_equal_bytes(expected, envelope->commit, ENVELOPE_COMMIT_LEN);
	fits &= secret_len(cek) == ENVELOPE_CEK_LEN;
	return fits || err_set(err, ERR_BAD_CIPHERTEXT, NULL);
}

struct secret *
envelope_open(const struct envelope *envelope, struct bytes context, const struct secret *cek,
	struct err *err)
{
	if (!envelope_check_context(envelope, context, err) ||
		!check_commitment(envelope, cek, err))
		return NULL;
	CLEAN(gcm)
	struct gcm *gcm = gcm_new(secret_bytes(cek), err);
	if (gcm == NULL)
		return NULL;
	CLEAN(secret)
	struct secret *plaintext = secret_new(envelope->ciphertext_len);
	if (plaintext == NULL) {
		(void)err_set(err, ERR_NO_MEMORY, NULL);
		return NULL;
	}
	CLEAN(buf)
	struct buf aad;
	buf_init(&aad, 2 * ENVELOPE_TEXT_MAX);
	associated_data(envelope, &aad);
	struct bytes ciphertext = {envelope->ciphertext, envelope->ciphertext_len};
	if (!gcm_open(gcm, envelope->iv, buf_bytes(&aad), ciphertext, envelope->tag,
		    secret_data(plaintext), err))
		return NULL;
	struct secret *result = plaintext;
	plaintext = NULL;
	return result;
}

struct envelope *
envelope_dup(const struct envelope *envelope)
{
	struct envelope *copy = malloc(sizeof(*copy));
	if (copy == NULL)
		abort();
	*copy = *envelope;
	copy->protected_text = strdup(envelope->protected_text);
	copy->aad_text = strdup(envelope->aad_text);
	if (copy->protected_text == NULL || copy->aad_text == NULL)
		abort();
	return copy;
}

void
envelope_free(struct envelope *envelope)
{
	if (envelope == NULL)
		return;
	free(envelope->protected_text);
	free(envelope->aad_text);
	free(envelope);
}
