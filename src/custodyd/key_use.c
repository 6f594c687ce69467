/*
 * encrypt, decrypt, wrapkey, unwrapkey, sign, verify with one key version.
 *
 * What needs the public half only is done here in software, and only with a version that its token proved; what needs
 * the private or the symmetric key is asked of the token. Body first, then the key and its state, then algorithm
 * and lengths, all before a token is asked; every ciphertext that does not open gets one and the same answer.
 */
#include <stdlib.h>
#include <string.h>

#include "api/key_operation.h"
#include "base/log.h"
#include "custodyd/key_call.h"
#include "custodyd/operations.h"
#include "db/db_gcm.h"
#include "wire/wire.h"

#define KW_MIN 16 /* octets of key material, SP 800-38F §5.3.1 */
#define KW_MAX 64 /* threats A20 */

struct key_use {
	struct call call; /* first */
	enum alg_op op;
	enum alg alg;
	struct api_key_operation operation;
	struct bytes digest, signature; /* sign, verify */
	struct key_version *key;
	/* The result. */
	struct secret *plaintext;
	struct bytes value, iv, tag; /* in the arena */
	bool valid;
};

static struct key_use *
use_of(struct op *op)
{
	return (struct key_use *)op;
}

/* ---- body ---- */

static bool
decode(struct key_use *use, struct err *err)
{
	struct call *call = &use->call;
	struct bytes body = http_request_body(call->http);
	if (!http_request_check_json(call->http, err))
		return false;
	if (use->op == ALG_SIGN) {
		struct api_key_sign sign;
		if (!api_key_sign_decode(body, call->arena, &sign, err))
			return false;
		use->alg = sign.alg;
		use->digest = sign.digest;
		return true;
	}
	if (use->op == ALG_VERIFY) {
		struct api_key_verify verify;
		if (!api_key_verify_decode(body, call->arena, &verify, err))
			return false;
		use->alg = verify.alg;
		use->digest = verify.digest;
		use->signature = verify.signature;
		return true;
	}
	if (!api_key_operation_decode(body, call->arena, use->op, &use->operation, err))
		return false;
	use->alg = use->operation.alg;
	return true;
}

static enum op_result
step_decode(struct op *op)
{
	struct key_use *use = use_of(op);
	use->op = (enum alg_op)use->call.row->alg_op;
	return decode(use, &use->call.err) ? OP_NEXT : call_fail(&use->call);
}

/* ---- key, state, algorithm, lengths ---- */

static bool
check_lengths(const struct key_use *use, struct err *err)
{
	size_t plain = use->operation.plaintext != NULL ? secret_len(use->operation.plaintext) : 0;
	switch (alg_get_scheme(use->alg)) {
	case ALG_SCHEME_KW:
		if (use->op == ALG_WRAP && (plain < KW_MIN || plain > KW_MAX || plain % 8 != 0))
			return err_set(err, ERR_BAD_PARAMETER,
				"'value' must have 16 to 64 octets, a multiple of 8, for %s.",
				alg_name(use->alg));
		break;
	case ALG_SCHEME_OAEP:
	case ALG_SCHEME_RSAES_PKCS1:
		if (use->op == ALG_DECRYPT || use->op == ALG_UNWRAP) {
			if (use->operation.ciphertext.len != pubkey_signature_len(use->key->pubkey))
				return err_set(err, ERR_BAD_CIPHERTEXT, NULL);
		}
		break;
	case ALG_SCHEME_GCM:
		if (use->op == ALG_DECRYPT && (use->operation.iv.len != GCM_IV_LEN ||
						      use->operation.tag.len != GCM_TAG_LEN))
			return err_set(err, ERR_BAD_CIPHERTEXT, NULL);
		break;
	case ALG_SCHEME_KWP:
	case ALG_SCHEME_PKCS1:
	case ALG_SCHEME_PSS:
	case ALG_SCHEME_ECDSA:
	case ALG_SCHEME_HMAC:
	case ALG_SCHEME_CBC:
		break;
	}
	return true;
}

static bool
find(struct key_use *use, struct err *err)
{
	use->key = key_find(&use->call);
	if (use->key == NULL)
		return false;
	int64_t now_s = calendar_now_s(use->call.task.daemon->calendar);
	if (!key_check_state(use->key, use->op, now_s, err))
		return false;
	if (!api_key_operation_served(use->alg, use->op, err))
		return false;
	if (!alg_fits(use->alg, use->key->type, (unsigned)use->key->version.bits, use->key->curve))
		return err_set(err, ERR_BAD_PARAMETER,
			"Algorithm %s does not fit type and size of the key.", alg_name(use->alg));
	return check_lengths(use, err);
}

static enum op_result
step_find(struct op *op)
{
	struct key_use *use = use_of(op);
	return find(use, &use->call.err) ? OP_NEXT : call_fail(&use->call);
}

/* ---- in software ---- */

static enum pubkey_padding
padding_of(enum alg alg)
{
	if (alg_get_scheme(alg) == ALG_SCHEME_RSAES_PKCS1)
		return PUBKEY_PKCS1;
	return alg_get_hash(alg) == HASH_SHA1 ? PUBKEY_OAEP_SHA1 : PUBKEY_OAEP_SHA256;
}

static bool
encrypt_rsa(struct key_use *use, struct err *err)
{
	uint8_t out[PUBKEY_MODULUS_MAX];
	size_t len;
	if (!keystore_prove(use->call.task.daemon->keys, use->key, err) ||
		!pubkey_encrypt(use->key->pubkey, padding_of(use->alg),
			secret_bytes(use->operation.plaintext), out, &len, err))
		return false;
	use->value = arena_bytes(use->call.arena, out, len);
	return true;
}

static enum pubkey_scheme
scheme_of(enum alg alg)
{
	switch (alg_get_scheme(alg)) {
	case ALG_SCHEME_PSS:
		return PUBKEY_SIGN_PSS;
	case ALG_SCHEME_ECDSA:
		return PUBKEY_SIGN_ECDSA;
	case ALG_SCHEME_PKCS1:
	case ALG_SCHEME_OAEP:
	case ALG_SCHEME_RSAES_PKCS1:
	case ALG_SCHEME_GCM:
	case ALG_SCHEME_KW:
	case ALG_SCHEME_KWP:
	case ALG_SCHEME_HMAC:
	case ALG_SCHEME_CBC:
		break;
	}
	return PUBKEY_SIGN_PKCS1;
}

static bool
verify_public(struct key_use *use, struct err *err)
{
	return keystore_prove(use->call.task.daemon->keys, use->key, err) &&
	       pubkey_verify(use->key->pubkey, scheme_of(use->alg), alg_get_hash(use->alg),
		       use->digest, use->signature, &use->valid, err);
}

/* ---- by the token ---- */

static bool
ask(struct key_use *use, enum wire_type type, const void *wire)
{
	struct token_job job = {.type = type, .request = wire, .kind = use->key->cost};
	return call_ask(&use->call, use->key->vault.token, &job, 0);
}

static bool
ask_encrypt(struct key_use *use, struct err *err)
{
	struct custodyd *daemon = use->call.task.daemon;
	if (alg_get_scheme(use->alg) == ALG_SCHEME_GCM) {
		bool warn =
			false; /* one more use is counted before the token chooses its nonce (threats E15) */
		if (!db_gcm_use(daemon->db, use->key->version.id, &warn, err))
			return false;
		if (warn)
			log_warning("key.nearly-exhausted", LOG_TEXT("kid", use->key->kid));
	}
	struct wire_encrypt_request wire = {
		.alg = (uint16_t)wire_alg_find(alg_name(use->alg)),
		.data = secret_bytes(use->operation.plaintext),
		.aad = use->operation.aad,
	};
	memcpy(wire.id, use->key->version.id, sizeof(wire.id));
	memcpy(wire.fingerprint, use->key->version.fingerprint, sizeof(wire.fingerprint));
	return ask(use, WIRE_ENCRYPT, &wire);
}

static bool
ask_decrypt(struct key_use *use)
{
	struct wire_decrypt_request wire = {
		.alg = (uint16_t)wire_alg_find(alg_name(use->alg)),
		.data = use->operation.ciphertext,
		.iv = use->operation.iv,
		.aad = use->operation.aad,
		.tag = use->operation.tag,
	};
	memcpy(wire.id, use->key->version.id, sizeof(wire.id));
	memcpy(wire.fingerprint, use->key->version.fingerprint, sizeof(wire.fingerprint));
	return ask(use, WIRE_DECRYPT, &wire);
}

static bool
ask_sign(struct key_use *use)
{
	struct wire_sign_request wire = {
		.alg = (uint16_t)wire_alg_find(alg_name(use->alg)), .digest = use->digest};
	memcpy(wire.id, use->key->version.id, sizeof(wire.id));
	memcpy(wire.fingerprint, use->key->version.fingerprint, sizeof(wire.fingerprint));
	return ask(use, WIRE_SIGN, &wire);
}

static bool
ask_verify(struct key_use *use)
{
	struct wire_verify_request wire = {
		.alg = (uint16_t)wire_alg_find(alg_name(use->alg)),
		.digest = use->digest,
		.signature = use->signature,
	};
	memcpy(wire.id, use->key->version.id, sizeof(wire.id));
	memcpy(wire.fingerprint, use->key->version.fingerprint, sizeof(wire.fingerprint));
	return ask(use, WIRE_VERIFY, &wire);
}

static bool
in_software(const struct key_use *use)
{
	return use->key->type != ALG_KEY_OCT &&
	       (use->op & (ALG_ENCRYPT | ALG_WRAP | ALG_VERIFY)) != 0;
}

static bool
run(struct key_use *use, struct err *err)
{
	switch (use->op) {
	case ALG_ENCRYPT:
	case ALG_WRAP:
		return in_software(use) ? encrypt_rsa(use, err) : ask_encrypt(use, err);
	case ALG_DECRYPT:
	case ALG_UNWRAP:
		return ask_decrypt(use);
	case ALG_SIGN:
		return ask_sign(use);
	case ALG_VERIFY:
		return in_software(use) ? verify_public(use, err) : ask_verify(use);
	}
	return err_set(err, ERR_INTERNAL, NULL);
}

static enum op_result
step_run(struct op *op)
{
	struct key_use *use = use_of(op);
	if (!run(use, &use->call.err))
		return call_fail(&use->call);
	return in_software(use) ? OP_NEXT : OP_WAIT;
}

static bool
take_decrypted(struct key_use *use, const struct wire_decrypt_answer *fields)
{
	if (fields->data.len == 0)
		return true; /* an empty plaintext is written as "" */
	use->plaintext = secret_from(fields->data.data, fields->data.len);
	return use->plaintext != NULL || err_set(&use->call.err, ERR_NO_MEMORY, NULL);
}

static void
deliver(struct task *task, unsigned slot, const struct token_answer *answer)
{
	struct key_use *use = (struct key_use *)task;
	struct arena *arena = use->call.arena;
	(void)slot; /* one request at a time */
	if (answer->err != NULL) {
		use->call.err = *answer->err;
		return;
	}
	if (answer->type == WIRE_DECRYPT) {
		(void)take_decrypted(use,
			answer->fields); /* a failure is in request.err, seen by the next step */
	} else if (answer->type == WIRE_ENCRYPT) {
		const struct wire_encrypt_answer *fields = answer->fields;
		use->value = arena_bytes(arena, fields->data.data, fields->data.len);
		use->iv = arena_bytes(arena, fields->iv.data, fields->iv.len);
		use->tag = arena_bytes(arena, fields->tag.data, fields->tag.len);
	} else if (answer->type == WIRE_SIGN) {
		const struct wire_sign_answer *fields = answer->fields;
		use->value = arena_bytes(arena, fields->signature.data, fields->signature.len);
	} else {
		const struct wire_verify_answer *fields = answer->fields;
		use->valid = fields->valid != 0;
	}
}

static enum op_result
step_answer(struct op *op)
{
	struct key_use *use = use_of(op);
	struct call *call = &use->call;
	if (call->err.code != ERR_NONE)
		return call_fail(call);
	if (use->op == ALG_VERIFY) {
		api_verify_result_format(use->valid, &call->body);
		return call_finish(call, 200);
	}
	const struct api_key_result result = {
		.kid = use->key->kid,
		.alg = use->alg,
		.secret = use->plaintext,
		.value = use->value,
		.iv = use->iv,
		.tag = use->tag,
		.aad = use->iv.len > 0 ? use->operation.aad : (struct bytes){0},
	};
	api_key_result_format(&result, &call->body);
	return call_finish(call, 200);
}

static void
clear(struct call *call)
{
	struct key_use *use = (struct key_use *)call;
	api_key_operation_clear(&use->operation);
	secret_free(use->plaintext);
	use->key = key_version_unref(use->key);
}

static const struct op_step steps[] = {
	{"admit",  call_admit },
	{"decode", step_decode},
	{"find",   step_find  },
	{"run",    step_run   },
	{"answer", step_answer},
};

const struct call_type key_use_type = {
	.op = CALL_OP_TYPE("key.use", steps),
	.size = sizeof(struct key_use),
	.deliver = deliver,
	.clear = clear,
};
