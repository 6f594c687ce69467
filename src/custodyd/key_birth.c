#include "custodyd/key_birth.h"

#include <string.h>

#include "crypto/pubkey.h"
#include "crypto/random.h"
#include "custodyd/keystore.h"
#include "custodyd/reconcile.h"
#include "wire/wire.h"

/* A token that takes no work is noticed before an intent is written: then nothing at all was done. */
static bool
token_takes_work(const struct custodyd *daemon, const char *name, struct err *err)
{
	const struct token *token = tokens_find(daemon->tokens, name);
	if (token == NULL)
		return err_set(err, ERR_UNAVAILABLE, "Token %s is not configured.", name);
	return !token_trouble(token, err);
}

/* Only the public key says it; 0 for other types than RSA. */
static bool
exponent_of(const struct db_version *version, uint32_t *ret_exponent, struct err *err)
{
	*ret_exponent = 0;
	CLEAN(pubkey)
	struct pubkey *pubkey = pubkey_from_spki(version->spki, err);
	if (pubkey == NULL)
		return false;
	struct bytes e = pubkey_get_e(pubkey);
	for (size_t i = 0; i < e.len; i++) /* at most PUBKEY_EXPONENT_MAX octets */
		*ret_exponent = *ret_exponent << 8 | e.data[i];
	return true;
}

bool
key_birth_repeat(struct key_birth *birth, const struct db_version *version, const char *expiry,
	struct err *err)
{
	enum kty kty = kty_find(version->kty);
	if (kty == KTY_NONE)
		return err_set(err, ERR_KEY_INTEGRITY, NULL);
	birth->wanted = (struct api_key_create){
		.kty = kty,
		.type = kty_key(kty),
		.bits = (unsigned)version->bits,
		.curve = version->curve[0] != '\0' ? curve_find(version->curve) : CURVE_NONE,
		.ops = version->ops != 0 ? version->ops : version->ops_born,
		.tags = version->tags,
	};
	birth->ends = expiry[0] != '\0' && period_parse(expiry, &birth->lives);
	return birth->wanted.type != ALG_KEY_RSA ||
	       exponent_of(version, &birth->wanted.exponent, err);
}

bool
key_birth_intend(struct task *task, struct key_birth *birth, int64_t vault, const char *detail,
	struct err *err)
{
	struct custodyd *daemon = task->daemon;
	random_bytes(birth->id, sizeof(birth->id));
	if (!token_takes_work(daemon, birth->token, err) ||
		!db_create_begin(daemon->db, vault, birth->name, birth->id,
			calendar_now_s(daemon->calendar), detail, &birth->intent, err))
		return false;
	birth->owned = true;
	reconcile_own(daemon->reconciler, birth->intent);
	return true;
}

static enum wire_kty
wire_kty_of(const struct api_key_create *wanted)
{
	switch (wanted->type) {
	case ALG_KEY_RSA:
		return WIRE_KTY_RSA;
	case ALG_KEY_EC:
		return WIRE_KTY_EC;
	case ALG_KEY_OCT:
		break;
	}
	return (wanted->ops & ALG_SIGN) != 0 ? WIRE_KTY_HMAC : WIRE_KTY_AES;
}

static enum wire_curve
wire_curve_of(enum curve curve)
{
	static const uint8_t curves[CURVE_COUNT] = {
		[CURVE_P256] = WIRE_CURVE_P256,
		[CURVE_P384] = WIRE_CURVE_P384,
		[CURVE_P521] = WIRE_CURVE_P521,
		[CURVE_P256K] = WIRE_CURVE_P256K,
	};
	return (enum wire_curve)curves[curve];
}

static bool
ask(struct task *task, const struct key_birth *birth, enum wire_type type, const void *request,
	struct err *err)
{
	struct token_job job = {
		.type = type,
		.request = request,
		.kind = LATENCY_OTHER,
		.deadline_ms = loop_now_ms(task->daemon->loop) +
			       task->daemon->options->daemon.create_timeout,
	};
	op_set_deadline(&task->op, 0); /* the job's own deadline ends it */
	return task_ask(task, birth->token, &job, 0, err);
}

static struct bytes
octets_of(const struct secret *secret)
{
	return secret != NULL ? secret_bytes(secret) : (struct bytes){0};
}

static bool
ask_import(struct task *task, const struct key_birth *birth, const char *label, struct err *err)
{
	const struct api_key_create *wanted = &birth->wanted;
	const struct api_key_material *material = birth->material;
	struct wire_import_request wire = {
		.label = label,
		.kty = (uint8_t)wire_kty_of(wanted),
		.bits = (uint16_t)wanted->bits,
		.curve = (uint8_t)wire_curve_of(wanted->curve),
		.ops = wanted->ops,
		.extractable = birth->extractable,
		.value = octets_of(material->value),
		.p = octets_of(material->p),
		.q = octets_of(material->q),
		.dp = octets_of(material->dp),
		.dq = octets_of(material->dq),
		.qi = octets_of(material->qi),
	};
	if (material->pubkey != NULL)
		wire.spki = pubkey_get_spki(material->pubkey);
	memcpy(wire.id, birth->id, sizeof(wire.id));
	return ask(task, birth, WIRE_IMPORT, &wire, err);
}

static bool
ask_generate(struct task *task, const struct key_birth *birth, const char *label, struct err *err)
{
	const struct api_key_create *wanted = &birth->wanted;
	struct wire_generate_request wire = {
		.label = label,
		.kty = (uint8_t)wire_kty_of(wanted),
		.bits = (uint16_t)wanted->bits,
		.curve = (uint8_t)wire_curve_of(wanted->curve),
		.public_exponent = wanted->exponent,
		.ops = wanted->ops,
		.extractable = birth->extractable,
	};
	memcpy(wire.id, birth->id, sizeof(wire.id));
	return ask(task, birth, WIRE_GENERATE, &wire, err);
}

bool
key_birth_ask(struct task *task, struct key_birth *birth, struct err *err)
{
	char label[KEYSTORE_LABEL];
	keystore_label(birth->vault, birth->name, label);
	return birth->material != NULL ? ask_import(task, birth, label, err)
				       : ask_generate(task, birth, label, err);
}

static uint32_t
provenance_of(const struct key_birth *birth, uint8_t said)
{
	uint32_t provenance =
		said | (birth->material != NULL ? DB_PROVENANCE_IMPORTED : DB_PROVENANCE_OURS);
	unsigned ops = birth->wanted.ops;
	if ((ops & ALG_SIGNS) != 0 && (ops & ~(unsigned)ALG_SIGNS) != 0)
		provenance |= DB_PROVENANCE_MIXED;
	return provenance;
}

void
key_birth_take(struct task *task, struct key_birth *birth,
	const struct wire_generate_answer *answer, struct arena *arena)
{
	const struct api_key_create *wanted = &birth->wanted;
	const struct api_attributes *attributes = &wanted->attributes;
	int64_t now_s = calendar_now_s(task->daemon->calendar);
	struct db_version *version = &birth->version;
	*version = (struct db_version){
		.bits = (int)wanted->bits,
		.ops_born = wanted->ops,
		.ops = wanted->ops,
		.enabled = !attributes->has_enabled || attributes->enabled,
		.nbf = attributes->has_nbf ? attributes->nbf : DB_NO_TIME,
		.exp = attributes->has_exp ? attributes->exp : DB_NO_TIME,
		.created = now_s,
		.updated = now_s,
		.tags = wanted->tags,
		.spki = arena_bytes(arena, answer->spki.data, answer->spki.len),
		.attestation =
			arena_bytes(arena, answer->attestation.data, answer->attestation.len),
		.provenance = provenance_of(birth, answer->provenance),
		.state = DB_VERSION_OK,
	};
	if (birth->ends)
		version->exp = period_after(&birth->lives, now_s);
	memcpy(version->id, birth->id, sizeof(version->id));
	memcpy(version->fingerprint, answer->fingerprint, sizeof(version->fingerprint));
	strncpy(version->kty, kty_name(wanted->kty), sizeof(version->kty) - 1);
	if (wanted->curve != CURVE_NONE)
		strncpy(version->curve, curve_name(wanted->curve), sizeof(version->curve) - 1);
}

bool
key_birth_commit(
	struct task *task, struct key_birth *birth, struct db_key_item *ret_item, struct err *err)
{
	struct custodyd *daemon = task->daemon;
	if (!db_create_commit(daemon->db, birth->intent, &birth->version, ret_item, err))
		return false;
	birth->owned = false;
	reconcile_disown(daemon->reconciler, birth->intent);
	keystore_forget(daemon->keys, ret_item->key.vault, birth->name);
	return true;
}

void
key_birth_end(struct task *task, struct key_birth *birth)
{
	if (!birth->owned)
		return;
	birth->owned = false;
	reconcile_disown(task->daemon->reconciler, birth->intent);
	reconcile_token(task->daemon->reconciler, birth->token);
}
