/*
 * POST /keys/{name}/create: a new key, or a new version of a live one.
 *
 * The intent with the version's id is in the catalog before the token is touched; the version's row and the end of
 * the intent are one transaction after the token made, read back, tried and attested the key. Whatever ends in between,
 * the reconciler destroys what the token may have under that id: the client was told no success.
 */
#include <string.h>

#include "base/b64.h"
#include "base/log.h"
#include "crypto/random.h"
#include "custodyd/key_call.h"
#include "custodyd/operations.h"
#include "custodyd/reconcile.h"
#include "wire/wire.h"

struct key_create {
	struct call call; /* first */
	struct api_key_create wanted;
	uint8_t id[ID_VERSION_BYTES];
	int64_t intent; /* 0: none */
	bool owned;     /* the intent is this operation's to end */
	struct db_version version;
};

static struct key_create *
create_of(struct op *op)
{
	return (struct key_create *)op;
}

static enum op_result
step_decode(struct op *op)
{
	struct key_create *create = create_of(op);
	struct call *call = &create->call;
	if (!key_name_check(call) || !http_request_check_json(call->http, &call->err) ||
		!api_key_create_decode(
			http_request_body(call->http), call->arena, &create->wanted, &call->err))
		return call_fail(call);
	return OP_NEXT;
}

/* A token that takes no work is noticed before an intent is written: then nothing at all was done. */
static bool
token_takes_work(const struct call *call, struct err *err)
{
	const struct token *token = tokens_find(call->task.daemon->tokens, call->vault.token);
	if (token == NULL)
		return err_set(
			err, ERR_UNAVAILABLE, "Token %s is not configured.", call->vault.token);
	return !token_trouble(token, err);
}

static enum op_result
step_intend(struct op *op)
{
	struct key_create *create = create_of(op);
	struct call *call = &create->call;
	struct custodyd *daemon = call->task.daemon;
	random_bytes(create->id, sizeof(create->id));
	if (!token_takes_work(call, &call->err) ||
		!db_create_begin(daemon->db, call->vault.id, call->names[0], create->id,
			calendar_now_s(daemon->calendar), http_request_id(call->http),
			&create->intent, &call->err))
		return call_fail(call);
	create->owned = true;
	call->finishing = true;
	reconcile_own(daemon->reconciler, create->intent);
	return OP_NEXT;
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

static enum op_result
step_generate(struct op *op)
{
	struct key_create *create = create_of(op);
	struct call *call = &create->call;
	const struct api_key_create *wanted = &create->wanted;
	char label[KEYSTORE_LABEL];
	keystore_label(call->vault.name, call->names[0], label);
	struct wire_generate_request wire = {
		.label = label,
		.kty = (uint8_t)wire_kty_of(wanted),
		.bits = (uint16_t)wanted->bits,
		.curve = (uint8_t)wire_curve_of(wanted->curve),
		.public_exponent = wanted->exponent,
		.ops = wanted->ops,
		.extractable = call->vault.backup == DB_BACKUP_TRUSTED,
	};
	memcpy(wire.id, create->id, sizeof(wire.id));
	struct token_job job = {
		.type = WIRE_GENERATE,
		.request = &wire,
		.kind = LATENCY_OTHER,
		.deadline_ms = loop_now_ms(call->task.daemon->loop) +
			       call->task.daemon->options->daemon.create_timeout,
	};
	op_set_deadline(op, 0); /* the job's own deadline ends it */
	return call_ask(call, call->vault.token, &job, 0) ? OP_WAIT : call_fail(call);
}

static uint32_t
provenance_of(const struct key_create *create, uint8_t said)
{
	uint32_t provenance = said | DB_PROVENANCE_OURS;
	unsigned ops = create->wanted.ops;
	if ((ops & ALG_SIGNS) != 0 && (ops & ~(unsigned)ALG_SIGNS) != 0)
		provenance |= DB_PROVENANCE_MIXED;
	return provenance;
}

static void
deliver(struct task *task, unsigned slot, const struct token_answer *answer)
{
	struct key_create *create = (struct key_create *)task;
	struct call *call = &create->call;
	(void)slot;
	if (answer->err != NULL) {
		call->err = *answer->err;
		return;
	}
	const struct wire_generate_answer *fields = answer->fields;
	const struct api_key_create *wanted = &create->wanted;
	const struct api_attributes *attributes = &wanted->attributes;
	int64_t now_s = calendar_now_s(task->daemon->calendar);
	struct db_version *version = &create->version;
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
		.spki = arena_bytes(call->arena, fields->spki.data, fields->spki.len),
		.attestation =
			arena_bytes(call->arena, fields->attestation.data, fields->attestation.len),
		.provenance = provenance_of(create, fields->provenance),
		.state = DB_VERSION_OK,
	};
	memcpy(version->id, create->id, sizeof(version->id));
	memcpy(version->fingerprint, fields->fingerprint, sizeof(version->fingerprint));
	strncpy(version->kty, kty_name(wanted->kty), sizeof(version->kty) - 1);
	if (wanted->curve != CURVE_NONE)
		strncpy(version->curve, curve_name(wanted->curve), sizeof(version->curve) - 1);
}

static enum op_result
step_commit(struct op *op)
{
	struct key_create *create = create_of(op);
	struct call *call = &create->call;
	struct custodyd *daemon = call->task.daemon;
	struct db_key_item item;
	if (call->err.code != ERR_NONE)
		return call_fail(call);
	if (!db_create_commit(daemon->db, create->intent, &create->version, &item, &call->err))
		return call_fail(call);
	create->owned = false;
	reconcile_disown(daemon->reconciler, create->intent);
	keystore_forget(daemon->keys, call->vault.id, call->names[0]);
	if (!key_answer(call, &item.key, &item.newest))
		return call_fail(call);
	return call_finish(call, 200);
}

/* Given up: whatever the token has of it, the reconciler removes. */
static void
clear(struct call *call)
{
	struct key_create *create = (struct key_create *)call;
	if (!create->owned)
		return;
	struct custodyd *daemon = call->task.daemon;
	reconcile_disown(daemon->reconciler, create->intent);
	reconcile_token(daemon->reconciler, call->vault.token);
}

static const struct op_step steps[] = {
	{"admit",    call_admit   },
	{"decode",   step_decode  },
	{"intend",   step_intend  },
	{"generate", step_generate},
	{"commit",   step_commit  },
};

const struct call_type key_create_type = {
	.op = CALL_OP_TYPE("key.create", steps),
	.size = sizeof(struct key_create),
	.deliver = deliver,
	.clear = clear,
};
