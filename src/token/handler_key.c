/* Invariant: a key that could not be attested is gone, or the answer says that nobody knows. */
#include "handler_key.h"

#include <string.h>

#include "pkcs11/identity.h"
#include "pkcs11/keyimport.h"
#include "pkcs11/keymake.h"

#define ATTESTED_MAX 512

bool
handler_sign_record(struct session *session, enum wire_record record, const void *value,
	struct handler_reply *reply, struct bytes *ret_signature, struct bytes *ret_identity,
	struct err *err)
{
	CLEAN(buf)
	struct buf message;
	buf_init(&message, ATTESTED_MAX);
	size_t len;
	if (!wire_record_append(&message, record, value))
		return err_set(err, ERR_INTERNAL, NULL);
	if (!identity_sign(
		    session, buf_bytes(&message), reply->signature, reply->octets, &len, err))
		return false;
	*ret_signature = (struct bytes){reply->signature, IDENTITY_SIGNATURE_LEN};
	*ret_identity = (struct bytes){reply->octets, len};
	return true;
}

static bool
read_spec(const struct wire_generate_request *request, struct hsmkey_spec *spec, struct err *err)
{
	if (request->kty < WIRE_KTY_RSA || request->kty > WIRE_KTY_HMAC ||
		request->curve >= CURVE_COUNT)
		return err_set(err, ERR_BAD_PARAMETER, "Not a type or curve of keys.");
	*spec = (struct hsmkey_spec){
		.label = request->label,
		.kty = (enum key_kty)request->kty,
		.bits = request->bits,
		.curve = (enum curve)request->curve,
		.public_exponent = request->public_exponent,
		.ops = request->ops,
		.extractable = request->extractable != 0,
	};
	memcpy(spec->id, request->id, sizeof(spec->id));
	return true;
}

/* The catalog's row of this key can be checked against the token's signature for ever (threat A11). */
static bool
attest(struct session *session, const struct wire_generate_request *request,
	const struct hsmkey_facts *facts, struct handler_reply *reply,
	struct bytes *ret_attestation, struct err *err)
{
	struct wire_attested attested = {
		.purpose = WIRE_ATTESTED_PURPOSE,
		.label = request->label,
		.kty = request->kty,
		.bits = request->bits,
		.curve = request->curve,
		.ops = request->ops,
		.extractable = request->extractable,
		.provenance = (uint8_t)facts->provenance,
	};
	memcpy(attested.id, request->id, sizeof(attested.id));
	memcpy(attested.fingerprint, facts->fingerprint, sizeof(attested.fingerprint));
	struct bytes identity;
	return handler_sign_record(
		session, WIRE_RECORD_attested, &attested, reply, ret_attestation, &identity, err);
}

/* Attests the new key, or takes it away again, and answers with what it is. */
static bool
answer_made(struct session *session, const struct wire_generate_request *wanted,
	const struct hsmkey_facts *facts, struct handler_reply *reply, struct err *err)
{
	struct bytes attestation;
	if (!attest(session, wanted, facts, reply, &attestation, err)) {
		struct err undo;
		if (!keymake_destroy(session, wanted->id, facts->fingerprint, &undo))
			(void)err_set(err, ERR_OUTCOME_UNKNOWN, NULL);
		return false;
	}
	/* attesting left the identity's SPKI there; this key's takes its place */
	memcpy(reply->octets, facts->spki, facts->spki_len);
	attr_set_format(facts->reduced, reply->text);
	struct wire_generate_answer *answer = &reply->answer.generate_answer;
	*answer = (struct wire_generate_answer){
		.spki = {reply->octets, facts->spki_len},
		.provenance = (uint8_t)facts->provenance,
		.reduced = reply->text,
		.attestation = attestation,
	};
	memcpy(answer->fingerprint, facts->fingerprint, sizeof(answer->fingerprint));
	return true;
}

bool
handler_generate(struct agent *agent, struct session *session, const union handler_record *request,
	struct handler_reply *reply, struct err *err)
{
	(void)agent;
	const struct wire_generate_request *wanted = &request->generate_request;
	struct hsmkey_spec spec;
	struct hsmkey_facts facts;
	return read_spec(wanted, &spec, err) && keymake_generate(session, &spec, &facts, err) &&
	       answer_made(session, wanted, &facts, reply, err);
}

/* What would have been asked for, had it been generated. */
static void
as_generated(const struct wire_import_request *given, const struct pubkey *pubkey,
	struct wire_generate_request *ret_wanted)
{
	*ret_wanted = (struct wire_generate_request){
		.label = given->label,
		.kty = given->kty,
		.bits = given->bits,
		.curve = given->curve,
		.ops = given->ops,
		.extractable = given->extractable,
	};
	memcpy(ret_wanted->id, given->id, sizeof(ret_wanted->id));
	if (pubkey == NULL || pubkey_get_type(pubkey) != PUBKEY_RSA)
		return;
	struct bytes e = pubkey_get_e(pubkey);
	for (size_t i = 0; i < e.len; i++) /* at most PUBKEY_EXPONENT_MAX octets */
		ret_wanted->public_exponent = ret_wanted->public_exponent << 8 | e.data[i];
}

bool
handler_import(struct agent *agent, struct session *session, const union handler_record *request,
	struct handler_reply *reply, struct err *err)
{
	(void)agent;
	const struct wire_import_request *given = &request->import_request;
	struct wire_generate_request wanted;
	struct hsmkey_spec spec;
	struct hsmkey_facts facts;
	CLEAN(pubkey)
	struct pubkey *pubkey = given->spki.len > 0 ? pubkey_from_spki(given->spki, err) : NULL;
	if (pubkey == NULL && given->spki.len > 0)
		return false;
	as_generated(given, pubkey, &wanted);
	const struct keyimport_material material = {
		.pubkey = pubkey,
		.value = given->value,
		.rsa = {given->value, given->p, given->q, given->dp, given->dq, given->qi},
	};
	return read_spec(&wanted, &spec, err) &&
	       keyimport(session, &spec, &material, &facts, err) &&
	       answer_made(session, &wanted, &facts, reply, err);
}

bool
handler_destroy(struct agent *agent, struct session *session, const union handler_record *request,
	struct handler_reply *reply, struct err *err)
{
	(void)agent;
	(void)reply;
	const struct wire_destroy_request *gone = &request->destroy_request;
	if (gone->fingerprint.len != 0 && gone->fingerprint.len != HSMKEY_FINGERPRINT_LEN)
		return err_set(err, ERR_BAD_PARAMETER, "Not a fingerprint.");
	const uint8_t *fingerprint = gone->fingerprint.len == 0 ? NULL : gone->fingerprint.data;
	return keymake_destroy(session, gone->id, fingerprint, err);
}
