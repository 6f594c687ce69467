/*
 * A key is made in these steps: nothing has its id; C_GenerateKey(Pair) from full templates; a fresh session sees
 * exactly its halves; every attribute reads back as asked; the key proves itself by use. Invariant: after a failure
 * of any step, nothing of that id is left, or the error says so.
 */
#include "keymake.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "attr.h"
#include "base/clock.h"
#include "ck.h"
#include "hsmkey_priv.h"
#include "identity.h"
#include "inspect_priv.h"
#include "keymake_priv.h"
#include "object.h"
#include "probe.h"
#include "remains.h"
#include "template.h"

#define VISIBLE_WAIT_MS 2000 /* a cluster may show a new object late (threat B27) */
#define VISIBLE_POLL_MS 50
#define REMAINS_MAX     16

/* --- what may be made --- */

static bool
ops_fit(const struct hsmkey_spec *spec)
{
	static const uint32_t rsa = KEY_OP_ENCRYPT | KEY_OP_DECRYPT | KEY_OP_SIGN | KEY_OP_VERIFY |
				    KEY_OP_WRAP | KEY_OP_UNWRAP;
	static const uint32_t sign = KEY_OP_SIGN | KEY_OP_VERIFY;
	static const uint32_t wrap = KEY_OP_WRAP | KEY_OP_UNWRAP;
	static const uint32_t cipher = KEY_OP_ENCRYPT | KEY_OP_DECRYPT;
	if (spec->ops == 0)
		return false;
	switch (spec->kty) {
	case KEY_RSA:
		return (spec->ops & ~rsa) == 0;
	case KEY_EC:
	case KEY_HMAC:
		return (spec->ops & ~sign) == 0;
	case KEY_AES: /* one family (threat A3) */
		return (spec->ops & ~wrap) == 0 || (spec->ops & ~cipher) == 0;
	}
	return false;
}

static bool
family_served(const struct hsmkey_spec *spec, const struct probe *probe)
{
	if (spec->kty != KEY_AES)
		return true;
	bool wraps = (spec->ops & (KEY_OP_WRAP | KEY_OP_UNWRAP)) != 0;
	return probe->service[wraps ? MECH_AES_KEY_WRAP : MECH_A256GCM] != MECH_NOT_SERVED;
}

static bool
label_fits(const char *label)
{
	size_t len = strlen(label);
	return len > 0 && len <= HSMKEY_LABEL_MAX && strchr(label, '/') != NULL;
}

static bool
spec_check(const struct hsmkey_spec *spec, const struct probe *probe, struct err *err)
{
	bool rsa_exponent = spec->public_exponent == 65537 || spec->public_exponent == 3;
	if (!ops_fit(spec) || !label_fits(spec->label) || (spec->kty == KEY_RSA && !rsa_exponent))
		return err_set(err, ERR_BAD_PARAMETER,
			"No key is made with these operations or this exponent.");
	if (!probe_has_kind(probe, spec->kty, spec->bits, spec->curve) ||
		!family_served(spec, probe))
		return err_set(err, ERR_BAD_PARAMETER,
			"The token makes no keys of this type, size or curve.");
	if (spec->extractable && (probe->reduced & ATTR_BIT(ATTR_WRAP_WITH_TRUSTED)) != 0)
		return err_set(err, ERR_TOKEN_REDUCED,
			"The token does not honour the attribute 'wrap-with-trusted', so none of "
			"its keys can be backed up.");
	return true;
}

/* --- a fresh view --- */

/* A session that has seen nothing yet; the token may have none to spare, then it is our own. */
static struct session *
fresh_open(struct session *session)
{
	struct err err;
	struct session *fresh = session_open(session->module, NULL, &err);
	return fresh == NULL ? session : fresh;
}

static void
fresh_close(struct session *session, struct session *fresh)
{
	if (fresh != session)
		session_free(fresh);
}

static bool
fresh_find(struct session *session, const uint8_t id[static HSMKEY_ID_LEN], unsigned long *objects,
	size_t max, size_t *ret_count, struct err *err)
{
	struct session *fresh = fresh_open(session);
	bool searched = object_find_id(fresh, id, objects, max, ret_count, err);
	if (!searched && fresh != session)
		session->repair = fresh->repair;
	fresh_close(session, fresh);
	return searched;
}

/* --- removing --- */

/* Another process may have reused the number behind the handle (threat B21): the id is read back first. */
static bool
destroy_one(struct session *session, unsigned long object, const uint8_t id[static HSMKEY_ID_LEN],
	struct err *err)
{
	uint8_t found[HSMKEY_ID_LEN];
	size_t len;
	if (!object_get(session, object, CKA_ID, found, sizeof(found), &len, err))
		return false;
	if (len != sizeof(found) || memcmp(found, id, sizeof(found)) != 0) {
		(void)err_set(err, ERR_KEY_INTEGRITY, NULL);
		return err_origin(err, "another object under the handle");
	}
	return object_destroy(session, object, err);
}

static bool
is_public(struct session *session, unsigned long object)
{
	CK_ULONG class = CKO_DATA;
	size_t len;
	struct err err;
	return object_read(session, object, CKA_CLASS, &class, sizeof(class), &len, &err) ==
		       OBJECT_VALUE &&
	       class == CKO_PUBLIC_KEY;
}

/* Destroys the halves of one kind; ret_left: how many of the other kind there are. */
static bool
destroy_halves(struct session *session, const uint8_t id[static HSMKEY_ID_LEN], bool public,
	size_t *ret_left, struct err *complaint, struct err *err)
{
	unsigned long objects[REMAINS_MAX];
	size_t count, left = 0;
	if (!object_find_id(session, id, objects, REMAINS_MAX, &count, err))
		return false;
	for (size_t i = 0; i < count; i++) {
		if (is_public(session, objects[i]) != public)
			left++;
		else
			(void)destroy_one(session, objects[i], id, complaint);
	}
	*ret_left = left;
	return true;
}

/*
 * Whatever has the id; what C_DestroyObject says counts less than what is found afterwards (threat B29). Public halves go last,
 * when nothing else is left: interrupted between two objects, they still prove whose remains they are (public_remains()),
 * while a private half without them proves nothing and could never be purged.
 */
static bool
remove_all(struct session *session, const uint8_t id[static HSMKEY_ID_LEN], struct err *err)
{
	hsmkey_forget(session, id);
	struct err complaint = {0};
	size_t publics, others = 0, count;
	if (!destroy_halves(session, id, false, &publics, &complaint, err))
		return false;
	if (publics > 0) {
		struct err later = {0};
		unsigned long objects[REMAINS_MAX];
		if (!fresh_find(session, id, objects, REMAINS_MAX, &count, err))
			return false;
		if (count == publics && !destroy_halves(session, id, true, &others, &later, err))
			return false;
		if (complaint.code == ERR_NONE)
			complaint = later;
	}
	unsigned long objects[REMAINS_MAX];
	if (!fresh_find(session, id, objects, REMAINS_MAX, &count, err))
		return false;
	if (count == 0)
		return true;
	if (complaint.code == ERR_NONE)
		(void)err_set(&complaint, ERR_UNAVAILABLE,
			"The token still shows the object that it destroyed.");
	*err = complaint;
	return false;
}

/* After a creation that failed or was interrupted: also what the module had not given the id yet. */
static bool
undo(struct session *session, const uint8_t id[static HSMKEY_ID_LEN], struct err *err)
{
	return remove_all(session, id, err) && remains_remove(session, err);
}

static bool
undo_unfinished(struct session *session, void *data, struct err *err)
{
	const uint8_t *id = data;
	unsigned long objects[REMAINS_MAX];
	size_t count;
	if (!object_find_id(session, id, objects, REMAINS_MAX, &count, err))
		return false;
	for (size_t i = 0; i < count; i++)
		if (!is_public(session, objects[i]) && !remains_has_no_value(session, objects[i]))
			return err_set(err, ERR_CONFLICT, NULL);
	return undo(session, id, err);
}

bool
keymake_undo_identity(
	struct session *session, const uint8_t id[static HSMKEY_ID_LEN], struct err *err)
{
	uint8_t copy[HSMKEY_ID_LEN];
	memcpy(copy, id, sizeof(copy));
	return session_run(session, undo_unfinished, copy, err);
}

/* --- making --- */

static CK_RV
generate_pair(struct session *session, const struct hsmkey_spec *spec, const char **ret_function)
{
	const struct probe *probe = probe_get(session);
	CLEAN(template)
	struct template *public_half = template_new(spec, probe, TEMPLATE_PUBLIC, true);
	CLEAN(template)
	struct template *private_half = template_new(spec, probe, TEMPLATE_PRIVATE, true);
	size_t public_count, private_count;
	CK_ATTRIBUTE *public_rows = template_attributes(public_half, &public_count);
	CK_ATTRIBUTE *private_rows = template_attributes(private_half, &private_count);
	CK_MECHANISM mechanism = {
		spec->kty == KEY_RSA ? CKM_RSA_PKCS_KEY_PAIR_GEN : CKM_EC_KEY_PAIR_GEN, NULL, 0};
	CK_OBJECT_HANDLE public_object, private_object;
	*ret_function = "C_GenerateKeyPair";
	CK_RV rv = session->ck->C_GenerateKeyPair(session->handle, &mechanism, public_rows,
		public_count, private_rows, private_count, &public_object, &private_object);
	if (rv == CKR_OK && spec->kty == KEY_RSA)
		object_destroy_transient(
			session, public_object); /* see half_stays() in template.c */
	return rv;
}

static CK_RV
generate_secret(struct session *session, const struct hsmkey_spec *spec, const char **ret_function)
{
	CLEAN(template)
	struct template *template = template_new(spec, probe_get(session), TEMPLATE_SECRET, true);
	size_t count;
	CK_ATTRIBUTE *rows = template_attributes(template, &count);
	CK_MECHANISM mechanism = {
		spec->kty == KEY_AES ? CKM_AES_KEY_GEN : CKM_GENERIC_SECRET_KEY_GEN, NULL, 0};
	CK_OBJECT_HANDLE object;
	*ret_function = "C_GenerateKey";
	return session->ck->C_GenerateKey(session->handle, &mechanism, rows, count, &object);
}

static bool
generate_once(
	struct session *session, const struct hsmkey_spec *spec, const void *data, struct err *err)
{
	(void)data;
	bool pair = spec->kty == KEY_RSA || spec->kty == KEY_EC;
	const char *function;
	CK_RV rv = pair ? generate_pair(session, spec, &function)
			: generate_secret(session, spec, &function);
	return rv == CKR_OK || session_fail(session, function, rv, err);
}

/* The creation failed by *err; if its remains cannot be removed either, that is what must be known. */
static void
remove_remains(struct session *session, const uint8_t id[static HSMKEY_ID_LEN], struct err *err)
{
	struct err removal;
	if (undo(session, id, &removal))
		return;
	char origin[sizeof(err->origin)];
	memcpy(origin, err->origin, sizeof(origin));
	(void)err_set(err, ERR_OUTCOME_UNKNOWN, NULL);
	(void)err_origin(err, "%.60s; not removed: %.50s", origin, removal.origin);
}

/*
 * SoftHSM fails now and then under load and leaves a file behind (threat B36): remove, then once more. What the second
 * failure leaves goes as well.
 */
static bool
make(struct session *session, const struct hsmkey_spec *spec, keymake_once *once, const void *data,
	struct err *err)
{
	if (once(session, spec, data, err))
		return true;
	struct err reopening;
	bool again =
		err->code != ERR_TOKEN_FULL && err->code != ERR_TOKEN_READ_ONLY && !session->lost;
	if (again && session->repair == CKR_REPAIR_SESSION)
		again = session_reopen(session, &reopening);
	remove_remains(session, spec->id, err);
	if (!again || err->code == ERR_OUTCOME_UNKNOWN)
		return false;
	if (once(session, spec, data, err))
		return true;
	remove_remains(session, spec->id, err);
	return false;
}

static void
pause_ms(long ms)
{
	struct timespec time = {ms / 1000, ms % 1000 * 1000000};
	(void)nanosleep(&time, NULL); /* woken early, the caller looks again a little sooner */
}

static bool
wait_visible(struct session *session, const struct hsmkey_spec *spec, struct err *err)
{
	size_t wanted = spec->kty == KEY_EC ? 2 : 1, count;
	int64_t deadline = clock_monotonic_ms() + VISIBLE_WAIT_MS;
	for (;;) {
		unsigned long objects[REMAINS_MAX];
		if (!fresh_find(session, spec->id, objects, REMAINS_MAX, &count, err))
			return false;
		if (count == wanted)
			return true;
		if (count > wanted || clock_monotonic_ms() >= deadline)
			break;
		pause_ms(VISIBLE_POLL_MS);
	}
	(void)err_set(err, ERR_UNAVAILABLE, NULL);
	return err_origin(err, "%zu objects of the new key instead of %zu", count, wanted);
}

/* In a session that did not make it. */
static bool
read_back(struct session *fresh, const struct hsmkey_spec *spec, struct hsmkey_facts *facts,
	struct err *err)
{
	CLEAN(hsmkey)
	struct hsmkey *key = hsmkey_load(fresh, spec->id, err);
	if (key == NULL)
		return false;
	hsmkey_fill_facts(key, facts);
	const struct probe *probe = probe_get(fresh);
	uint32_t reduced = probe->unknown;
	if (!inspect_attributes(fresh, key, spec, probe, &reduced, err))
		return false;
	uint32_t refused = reduced & ~probe->accepted;
	if (refused != 0) {
		char names[ATTR_SET_TEXT];
		attr_set_format(refused, names);
		return err_set(err, ERR_TOKEN_REDUCED,
			"The new key lacks the hardening attributes: %s.", names);
	}
	facts->reduced = reduced;
	return true;
}

static bool
prove_new(struct session *session, const struct hsmkey_spec *spec, struct hsmkey_facts *facts,
	struct err *err)
{
	if (!wait_visible(session, spec, err))
		return false;
	struct session *fresh = fresh_open(session);
	bool good = read_back(fresh, spec, facts, err);
	session->lost = session->lost || fresh->lost;
	session->objects += fresh == session ? 0 : fresh->objects;
	fresh_close(session, fresh);
	return good;
}

static bool
nothing_there(struct session *session, void *data, struct err *err)
{
	const struct hsmkey_spec *spec = data;
	unsigned long object;
	size_t count;
	if (!object_find_id(session, spec->id, &object, 1, &count, err))
		return false;
	return count == 0 || err_set(err, ERR_CONFLICT, "The token has an object of this id.");
}

/* The fingerprint that it must have; NULL: any. */
static bool
has_fingerprint(const struct hsmkey_facts *facts, const uint8_t *fingerprint, struct err *err)
{
	if (fingerprint == NULL ||
		memcmp(facts->fingerprint, fingerprint, sizeof(facts->fingerprint)) == 0)
		return true;
	(void)err_set(err, ERR_KEY_INTEGRITY, NULL);
	return err_origin(err, "the token shows another key than it was given");
}

bool
keymake_by(struct session *session, const struct hsmkey_spec *spec, keymake_once *once,
	const void *data, const uint8_t *fingerprint, struct hsmkey_facts *ret_facts,
	struct err *err)
{
	struct hsmkey_spec copy = *spec;
	if (!spec_check(spec, probe_get(session), err) ||
		!session_run(session, nothing_there, &copy, err) ||
		!make(session, spec, once, data, err))
		return false;
	struct hsmkey_facts facts;
	if (prove_new(session, spec, &facts, err) && has_fingerprint(&facts, fingerprint, err)) {
		*ret_facts = facts;
		return true;
	}
	remove_remains(session, spec->id, err);
	return false;
}

bool
keymake_identity(struct session *session, const struct hsmkey_spec *spec,
	struct hsmkey_facts *ret_facts, struct err *err)
{
	return keymake_by(session, spec, generate_once, NULL, NULL, ret_facts, err);
}

bool
keymake_generate(struct session *session, const struct hsmkey_spec *spec,
	struct hsmkey_facts *ret_facts, struct err *err)
{
	if (identity_is(spec->id))
		return err_set(err, ERR_CONFLICT, "The id is reserved.");
	return keymake_identity(session, spec, ret_facts, err);
}

/* --- destroying --- */

struct destroy_args {
	const uint8_t *id;
	const uint8_t *fingerprint; /* NULL: whatever has the id, the rest of a creation */
};

/* What an interrupted destruction of an EC pair leaves: the public half alone, if it is this key's. */
static bool
public_remains(struct session *session, const struct destroy_args *args, struct err *err)
{
	unsigned long objects[2];
	size_t count, len;
	uint8_t params[32], fingerprint[HSMKEY_FINGERPRINT_LEN];
	if (!object_find_id(session, args->id, objects, 2, &count, err))
		return false;
	if (count == 0)
		return true;
	if (!object_get(session, objects[0], CKA_EC_PARAMS, params, sizeof(params), &len, err))
		return false;
	enum curve curve = curve_find_der((struct bytes){params, len});
	CLEAN(pubkey)
	struct pubkey *pubkey =
		curve == CURVE_NONE ? NULL : hsmkey_read_ec(session, objects[0], curve, err);
	if (pubkey != NULL)
		pubkey_fingerprint(pubkey, fingerprint);
	if (count > 1 || pubkey == NULL ||
		memcmp(fingerprint, args->fingerprint, sizeof(fingerprint)) != 0)
		return err_set(err, ERR_KEY_INTEGRITY, NULL);
	return true;
}

/* true: all that has the id is this key, or its remains, or nothing. */
static bool
may_go(struct session *session, const struct destroy_args *args, struct err *err)
{
	hsmkey_forget(session, args->id);
	if (hsmkey_find(session, args->id, args->fingerprint, err) != NULL)
		return true;
	return err->code == ERR_KEY_MISSING && public_remains(session, args, err);
}

static bool
destroy(struct session *session, void *data, struct err *err)
{
	const struct destroy_args *args = data;
	if (args->fingerprint == NULL)
		return undo(session, args->id, err);
	return may_go(session, args, err) && remove_all(session, args->id, err);
}

bool
keymake_destroy(struct session *session, const uint8_t id[static HSMKEY_ID_LEN],
	const uint8_t *fingerprint, struct err *err)
{
	if (identity_is(id))
		return err_set(err, ERR_KEY_NOT_FOUND, NULL);
	struct destroy_args args = {id, fingerprint};
	return session_run(session, destroy, &args,
		err); /* what is gone is not destroyed twice: repeating is safe */
}
