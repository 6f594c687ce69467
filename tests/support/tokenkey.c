#include "support/tokenproc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>
#include <sys/random.h>

static struct wire_generate_request
new_request(enum wire_kty kty, uint32_t ops)
{
	struct wire_generate_request request = {
		.label = "vault/key", .kty = (uint8_t)kty, .ops = ops};
	assert_int_equal(getrandom(request.id, sizeof(request.id), 0), sizeof(request.id));
	return request;
}

struct wire_generate_request
tokenkey_rsa(unsigned bits, uint32_t ops)
{
	struct wire_generate_request request = new_request(WIRE_KTY_RSA, ops);
	request.bits = (uint16_t)bits;
	request.public_exponent = 65537;
	return request;
}

struct wire_generate_request
tokenkey_ec(enum wire_curve curve)
{
	struct wire_generate_request request =
		new_request(WIRE_KTY_EC, WIRE_OP_SIGN | WIRE_OP_VERIFY);
	request.curve = (uint8_t)curve;
	return request;
}

struct wire_generate_request
tokenkey_aes(unsigned bits, uint32_t ops)
{
	struct wire_generate_request request = new_request(WIRE_KTY_AES, ops);
	request.bits = (uint16_t)bits;
	return request;
}

struct wire_generate_request
tokenkey_hmac(unsigned bits)
{
	struct wire_generate_request request =
		new_request(WIRE_KTY_HMAC, WIRE_OP_SIGN | WIRE_OP_VERIFY);
	request.bits = (uint16_t)bits;
	return request;
}

bool
tokenproc_try_generate(struct tokenproc *proc, const struct wire_generate_request *request,
	struct tokenkey *ret_key, struct err *err)
{
	struct wire_generate_answer answer;
	if (!tokenproc_ask(proc, WIRE_GENERATE, request, &answer, err))
		return false;
	struct tokenkey key = {
		.asked = *request, .spki_len = answer.spki.len, .provenance = answer.provenance};
	assert_true(answer.spki.len <= sizeof(key.spki));
	assert_int_equal(answer.attestation.len, sizeof(key.attestation));
	memcpy(key.id, request->id, sizeof(key.id));
	memcpy(key.fingerprint, answer.fingerprint, sizeof(key.fingerprint));
	if (answer.spki.len > 0)
		memcpy(key.spki, answer.spki.data, answer.spki.len);
	memcpy(key.attestation, answer.attestation.data, sizeof(key.attestation));
	*ret_key = key;
	return true;
}

struct tokenkey
tokenproc_generate(struct tokenproc *proc, struct wire_generate_request request)
{
	struct tokenkey key;
	struct err err = {0};
	if (!tokenproc_try_generate(proc, &request, &key, &err))
		fail_msg("generate: %s (%s)", err.message, err.origin);
	return key;
}

static uint16_t
alg_number(const char *name)
{
	enum wire_alg alg = wire_alg_find(name);
	assert_int_not_equal(alg, WIRE_ALG_NONE);
	return (uint16_t)alg;
}

bool
tokenproc_decrypt(struct tokenproc *proc, const struct tokenkey *key, const char *alg,
	struct bytes data, struct bytes *ret_plain, struct err *err)
{
	struct wire_encrypt_answer sealed = {.data = data};
	return tokenproc_open(proc, key, alg, &sealed, (struct bytes){NULL, 0}, ret_plain, err);
}

bool
tokenproc_open(struct tokenproc *proc, const struct tokenkey *key, const char *alg,
	const struct wire_encrypt_answer *sealed, struct bytes aad, struct bytes *ret_plain,
	struct err *err)
{
	struct wire_decrypt_request request = {.alg = alg_number(alg),
		.data = sealed->data,
		.iv = sealed->iv,
		.aad = aad,
		.tag = sealed->tag};
	memcpy(request.id, key->id, sizeof(request.id));
	memcpy(request.fingerprint, key->fingerprint, sizeof(request.fingerprint));
	struct wire_decrypt_answer answer;
	if (!tokenproc_ask(proc, WIRE_DECRYPT, &request, &answer, err))
		return false;
	*ret_plain = answer.data;
	return true;
}

bool
tokenproc_encrypt(struct tokenproc *proc, const struct tokenkey *key, const char *alg,
	struct bytes plain, struct bytes aad, struct wire_encrypt_answer *ret_sealed,
	struct err *err)
{
	struct wire_encrypt_request request = {.alg = alg_number(alg), .data = plain, .aad = aad};
	memcpy(request.id, key->id, sizeof(request.id));
	memcpy(request.fingerprint, key->fingerprint, sizeof(request.fingerprint));
	return tokenproc_ask(proc, WIRE_ENCRYPT, &request, ret_sealed, err);
}

bool
tokenproc_sign(struct tokenproc *proc, const struct tokenkey *key, const char *alg,
	struct bytes digest, struct bytes *ret_signature, struct err *err)
{
	struct wire_sign_request request = {.alg = alg_number(alg), .digest = digest};
	memcpy(request.id, key->id, sizeof(request.id));
	memcpy(request.fingerprint, key->fingerprint, sizeof(request.fingerprint));
	struct wire_sign_answer answer;
	if (!tokenproc_ask(proc, WIRE_SIGN, &request, &answer, err))
		return false;
	*ret_signature = answer.signature;
	return true;
}

bool
tokenproc_verify_key(struct tokenproc *proc, const struct tokenkey *key, struct err *err)
{
	struct wire_verify_key_request request = {.label = key->asked.label,
		.ops = key->asked.ops,
		.extractable = key->asked.extractable};
	memcpy(request.id, key->id, sizeof(request.id));
	memcpy(request.fingerprint, key->fingerprint, sizeof(request.fingerprint));
	struct wire_verify_key_answer answer;
	return tokenproc_ask(proc, WIRE_VERIFY_KEY, &request, &answer, err);
}

bool
tokenproc_destroy(
	struct tokenproc *proc, const uint8_t *id, struct bytes fingerprint, struct err *err)
{
	struct wire_destroy_request request = {.fingerprint = fingerprint};
	memcpy(request.id, id, sizeof(request.id));
	struct wire_empty empty;
	return tokenproc_ask(proc, WIRE_DESTROY, &request, &empty, err);
}
