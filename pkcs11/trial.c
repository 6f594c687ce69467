/* Invariant: a trial changes nothing on the token and leaves the session usable. */
#include "trial.h"

#include <stdlib.h>
#include <string.h>

#include "ck.h"
#include "object.h"
#include "template.h"

struct hsmkey_spec
trial_spec(enum key_kty kty, unsigned bits, enum curve curve, uint32_t ops)
{
	return (struct hsmkey_spec){
		.label = "custody/trial",
		.kty = kty,
		.bits = bits,
		.curve = curve,
		.public_exponent = kty == KEY_RSA ? 65537 : 0,
		.ops = ops,
	};
}

static struct hsmkey *
trial_key(const struct hsmkey_spec *spec, unsigned long handle)
{
	struct hsmkey *key = calloc(1, sizeof(*key));
	if (key == NULL)
		abort();
	key->kty = spec->kty;
	key->bits = spec->bits;
	key->curve = spec->curve;
	key->handle = handle;
	return key;
}

static struct hsmkey *
refused(struct session *session, unsigned long rv)
{
	struct err err;
	(void)session_fail(session, "trial", rv, &err); /* notes a session that needs repair */
	trial_end(session, NULL);
	return NULL;
}

static struct hsmkey *
generate_pair(struct session *session, const struct hsmkey_spec *spec, const struct probe *probe)
{
	CLEAN(template)
	struct template *public_half = template_new(spec, probe, TEMPLATE_PUBLIC, false);
	CLEAN(template)
	struct template *private_half = template_new(spec, probe, TEMPLATE_PRIVATE, false);
	size_t public_count, private_count;
	CK_ATTRIBUTE *public_rows = template_attributes(public_half, &public_count);
	CK_ATTRIBUTE *private_rows = template_attributes(private_half, &private_count);
	bool rsa = spec->kty == KEY_RSA;
	CK_MECHANISM mechanism = {rsa ? CKM_RSA_PKCS_KEY_PAIR_GEN : CKM_EC_KEY_PAIR_GEN, NULL, 0};
	CK_OBJECT_HANDLE public_object, private_object;
	CK_RV rv = session->ck->C_GenerateKeyPair(session->handle, &mechanism, public_rows,
		public_count, private_rows, private_count, &public_object, &private_object);
	if (rv != CKR_OK)
		return refused(session, rv);
	struct hsmkey *key = trial_key(spec, private_object);
	struct err err;
	key->pubkey = rsa ? hsmkey_read_rsa(session, private_object, &err)
			  : hsmkey_read_ec(session, public_object, spec->curve, &err);
	object_destroy_transient(session, public_object);
	if (key->pubkey != NULL)
		return key;
	trial_end(session, key);
	return NULL;
}

struct hsmkey *
trial_generate(struct session *session, const struct hsmkey_spec *spec, const struct probe *probe)
{
	if (spec->kty == KEY_RSA || spec->kty == KEY_EC)
		return generate_pair(session, spec, probe);
	CLEAN(template)
	struct template *template = template_new(spec, probe, TEMPLATE_SECRET, false);
	size_t count;
	CK_ATTRIBUTE *rows = template_attributes(template, &count);
	CK_MECHANISM mechanism = {
		spec->kty == KEY_AES ? CKM_AES_KEY_GEN : CKM_GENERIC_SECRET_KEY_GEN, NULL, 0};
	CK_OBJECT_HANDLE object;
	CK_RV rv = session->ck->C_GenerateKey(session->handle, &mechanism, rows, count, &object);
	return rv == CKR_OK ? trial_key(spec, object) : refused(session, rv);
}

struct hsmkey *
trial_create(struct session *session, const struct hsmkey_spec *spec, const struct probe *probe,
	struct bytes value)
{
	CLEAN(template)
	struct template *template = template_new(spec, probe, TEMPLATE_SECRET, false);
	size_t count;
	CK_ATTRIBUTE *rows = template_attributes(template, &count);
	for (size_t i = 0; i < count; i++) {
		if (rows[i].type == CKA_VALUE_LEN) /* the value tells it */
			rows[i] =
				(CK_ATTRIBUTE){CKA_VALUE, (void *)(uintptr_t)value.data, value.len};
	}
	CK_OBJECT_HANDLE object;
	CK_RV rv = session->ck->C_CreateObject(session->handle, rows, count, &object);
	return rv == CKR_OK ? trial_key(spec, object) : refused(session, rv);
}

void
trial_end(struct session *session, struct hsmkey *key)
{
	if (key != NULL)
		object_destroy_transient(session, key->handle);
	hsmkey_free(key);
	struct err err;
	if (session->repair == CKR_REPAIR_SESSION && !session_reopen(session, &err))
		session->lost = true;
	session->repair = CKR_REPAIR_NONE;
	session->data = CKR_DATA_SAME;
}
