/* Invariant: each trial does what an attribute forbids; only a refusal counts as honoured. */
#include "effect.h"

#include "ck.h"
#include "object.h"
#include "template.h"
#include "trial.h"

/* A key of the family that the token serves: most tokens have at least one. */
static struct hsmkey_spec
sample_spec(const struct probe *probe)
{
	bool gcm = probe->service[MECH_A256GCM] != MECH_NOT_SERVED;
	return trial_spec(KEY_AES, 256, CURVE_NONE,
		gcm ? KEY_OP_ENCRYPT | KEY_OP_DECRYPT : KEY_OP_WRAP | KEY_OP_UNWRAP);
}

static bool
takes_without(struct session *session, const struct probe *probe, uint32_t unknown)
{
	struct probe without = *probe;
	without.unknown = unknown;
	/* before anything was tried: a GCM key, so that there is a mechanism to allow */
	without.service[MECH_A256GCM] = MECH_NATIVE;
	struct hsmkey_spec spec = sample_spec(&without);
	struct hsmkey *key = trial_generate(session, &spec, &without);
	trial_end(session, key);
	return key != NULL;
}

void
effect_find_unknown(struct session *session, struct probe *probe)
{
	if (takes_without(session, probe, 0))
		return;
	uint32_t all = 0;
	for (enum attr attr = 0; attr < ATTR_COUNT; attr++) {
		if (!attr_is_hardening(attr))
			continue;
		all |= ATTR_BIT(attr);
		if (takes_without(session, probe, ATTR_BIT(attr))) {
			probe->unknown = ATTR_BIT(attr);
			return;
		}
	}
	if (takes_without(session, probe, all))
		probe->unknown = all;
}

/* --- one trial for each attribute: true if what it forbids was refused --- */

typedef bool effect_trial(
	struct session *session, const struct probe *probe, const struct hsmkey *key);

static bool
modifiable(struct session *session, const struct probe *probe, const struct hsmkey *key)
{
	(void)probe;
	CK_BBOOL yes = CK_TRUE;
	CK_ATTRIBUTE attribute = {CKA_SIGN, &yes, sizeof(yes)};
	return session->ck->C_SetAttributeValue(session->handle, key->handle, &attribute, 1) !=
	       CKR_OK;
}

static bool
copyable(struct session *session, const struct probe *probe, const struct hsmkey *key)
{
	(void)probe;
	CK_BBOOL no = CK_FALSE;
	CK_ATTRIBUTE attribute = {CKA_TOKEN, &no, sizeof(no)};
	CK_OBJECT_HANDLE copy;
	if (session->ck->C_CopyObject(session->handle, key->handle, &attribute, 1, &copy) != CKR_OK)
		return true;
	object_destroy_transient(session, copy);
	return false;
}

static bool
allowed_mechanisms(struct session *session, const struct probe *probe, const struct hsmkey *key)
{
	(void)probe;
	CK_MECHANISM other = {CKM_AES_ECB, NULL, 0};
	if (session->ck->C_EncryptInit(session->handle, &other, key->handle) != CKR_OK)
		return true;
	session->repair =
		CKR_REPAIR_SESSION; /* an operation is active now: trial_end() closes it */
	return false;
}

static bool
sensitive(struct session *session, const struct probe *probe, const struct hsmkey *key)
{
	(void)probe;
	uint8_t value[64];
	size_t len;
	struct err err;
	return object_read(session, key->handle, CKA_VALUE, value, sizeof(value), &len, &err) !=
	       OBJECT_VALUE;
}

/* Wraps `key` under a session key of the token's key wrap. */
static bool
wrap_refused(struct session *session, const struct probe *probe, const struct hsmkey *key)
{
	if (probe->service[MECH_AES_KEY_WRAP] != MECH_KEY_OBJECT)
		return true; /* the token's wrapping keys do not wrap objects at all */
	struct hsmkey_spec spec = trial_spec(KEY_AES, 256, CURVE_NONE, KEY_OP_WRAP | KEY_OP_UNWRAP);
	struct hsmkey *wrapping = trial_generate(session, &spec, probe);
	if (wrapping == NULL)
		return true;
	uint8_t out[128];
	CK_ULONG len = sizeof(out);
	CK_MECHANISM mechanism = {CKM_AES_KEY_WRAP, NULL, 0};
	CK_RV rv = session->ck->C_WrapKey(
		session->handle, &mechanism, wrapping->handle, key->handle, out, &len);
	secret_wipe(out, sizeof(out));
	trial_end(session, wrapping);
	return rv != CKR_OK;
}

static bool
wrap_with_trusted(struct session *session, const struct probe *probe, const struct hsmkey *key)
{
	(void)key; /* this trial needs an extractable one */
	struct hsmkey_spec spec = sample_spec(probe);
	spec.extractable = true;
	struct hsmkey *extractable = trial_generate(session, &spec, probe);
	if (extractable == NULL)
		return false;
	bool refused = wrap_refused(session, probe, extractable);
	trial_end(session, extractable);
	return refused;
}

static const struct {
	enum attr attr;
	effect_trial *run;
} trials[] = {
	{ATTR_MODIFIABLE,         modifiable        },
	{ATTR_COPYABLE,           copyable          },
	{ATTR_ALLOWED_MECHANISMS, allowed_mechanisms},
	{ATTR_SENSITIVE,          sensitive         },
	{ATTR_EXTRACTABLE,        wrap_refused      },
	{ATTR_WRAP_WITH_TRUSTED,  wrap_with_trusted },
};

void
effect_try(struct session *session, struct probe *probe)
{
	struct hsmkey_spec spec = sample_spec(probe);
	for (size_t i = 0; i < ARRAY_LEN(trials); i++) {
		uint32_t bit = ATTR_BIT(trials[i].attr);
		struct hsmkey *key =
			(probe->unknown & bit) != 0 ? NULL : trial_generate(session, &spec, probe);
		probe->tried |= bit;
		if (key == NULL || !trials[i].run(session, probe, key))
			probe->reduced |= bit;
		trial_end(session, key);
	}
	struct hsmkey *key = trial_generate(session, &spec, probe);
	CLEAN(template)
	struct template *template = template_new(&spec, probe, TEMPLATE_SECRET, false);
	struct err err;
	/* a required attribute that differs is judged at each key that is made */
	if (key != NULL && !template_verify(template, session, key->handle, &probe->reduced, &err))
		session->repair = CKR_REPAIR_NONE;
	trial_end(session, key);
	probe->tried |= ATTR_BIT(ATTR_DESTROYABLE);
}
