/* Invariant: nothing is changed on the token, and nothing that was cached of the key is believed. */
#include "inspect.h"

#include <string.h>

#include "ck.h"
#include "inspect_priv.h"
#include "probe.h"
#include "template.h"

bool
inspect_attributes(struct session *session, const struct hsmkey *key,
	const struct hsmkey_spec *spec, const struct probe *probe, uint32_t *reduced,
	struct err *err)
{
	bool pair = spec->kty == KEY_RSA || spec->kty == KEY_EC;
	CLEAN(template)
	struct template *template =
		template_new(spec, probe, pair ? TEMPLATE_PRIVATE : TEMPLATE_SECRET, true);
	if (!template_verify(template, session, key->handle, reduced, err))
		return false;
	if (key->public_half == CK_INVALID_HANDLE)
		return true;
	CLEAN(template)
	struct template *public_half = template_new(spec, probe, TEMPLATE_PUBLIC, true);
	return template_verify(public_half, session, key->public_half, reduced, err);
}

/*
 * The list of allowed mechanisms is left out: it is what the token served when the key was made, which is written
 * nowhere, and a module that can do more by now must not make all keys suspect.
 */
static struct probe
at_birth(const struct probe *probe)
{
	struct probe birth = *probe;
	birth.unknown |= ATTR_BIT(ATTR_ALLOWED_MECHANISMS);
	return birth;
}

static bool
differs(const char *what, struct err *err)
{
	(void)err_set(err, ERR_KEY_INTEGRITY, NULL);
	return err_origin(err, "not as it was made: %s", what);
}

/* The words of a refused creation, about a key that passed at its own. */
static bool
required_differs(struct err *err)
{
	if (err->code != ERR_TOKEN_REDUCED)
		return false;
	char what[sizeof(err->origin)];
	(void)memccpy(what, err->message, '\0', sizeof(what));
	what[sizeof(what) - 1] = '\0';
	return differs(what, err);
}

struct inspect_args {
	const struct hsmkey_spec *spec;
	const uint8_t *fingerprint;
	struct hsmkey_facts *facts;
};

static bool
inspect(struct session *session, void *data, struct err *err)
{
	struct inspect_args *args = data;
	hsmkey_forget(session, args->spec->id);
	const struct hsmkey *key = hsmkey_find(session, args->spec->id, args->fingerprint, err);
	if (key == NULL)
		return false;
	struct hsmkey_spec spec = *args->spec;
	spec.kty = key->kty;
	spec.bits = key->bits;
	spec.curve = key->curve;
	struct probe birth = at_birth(probe_get(session));
	uint32_t reduced = 0;
	if (!inspect_attributes(session, key, &spec, &birth, &reduced, err))
		return required_differs(err);
	if ((reduced & ~birth.accepted) != 0) {
		char names[ATTR_SET_TEXT];
		attr_set_format(reduced & ~birth.accepted, names);
		return differs(names, err);
	}
	hsmkey_fill_facts(key, args->facts);
	args->facts->reduced = reduced;
	return true;
}

bool
inspect_key(struct session *session, const struct hsmkey_spec *spec,
	const uint8_t fingerprint[static HSMKEY_FINGERPRINT_LEN], struct hsmkey_facts *ret_facts,
	struct err *err)
{
	if (strlen(spec->label) > HSMKEY_LABEL_MAX)
		return err_set(err, ERR_BAD_PARAMETER, "The label of the key is too long.");
	struct inspect_args args = {spec, fingerprint, ret_facts};
	return session_run(session, inspect, &args, err);
}
