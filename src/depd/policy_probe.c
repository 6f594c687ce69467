/* Invariant: an answer is put into its key before the operation goes on; what was not answered stays unknown. */
#include "policy_probe.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "depd/custody_port.h"
#include "depd/keytree.h"

#define CONTEXT_MAX 1024 /* keytree_envelope_context() */

/* ---- what they are ---- */

static void
answered(struct policy_probe_call *call)
{
	struct policy_probe *probe = call->probe;
	call->number = 0;
	assert(probe->waiting > 0);
	if (--probe->waiting == 0)
		(void)op_resume(
			probe->depd->ops, probe->op); /* it is there: it would have cancelled */
}

static void
on_vault(void *ctx, struct custody_answer *answer)
{
	struct policy_probe_call *call = ctx;
	struct policy_key *key = call->key;
	key->vault_asked = true;
	key->vault_err = answer->err;
	if (answer->err.code == ERR_NONE) {
		(void)snprintf(key->token, sizeof(key->token), "%s", answer->vault.token);
		key->granted = answer->vault.granted;
	}
	answered(call);
}

static void
on_key(void *ctx, struct custody_answer *answer)
{
	struct policy_probe_call *call = ctx;
	struct policy_key *key = call->key;
	const struct custody_key *said = &answer->key;
	key->asked = true;
	key->err = answer->err;
	if (answer->err.code == ERR_NONE) {
		(void)snprintf(key->kid, sizeof(key->kid), "%s", said->kid);
		key->kty = said->kty;
		key->bits = said->bits;
		key->enabled = said->enabled;
		key->expires = said->expires;
		(void)snprintf(key->recovery_level, sizeof(key->recovery_level), "%s",
			said->recovery_level);
	}
	answered(call);
}

static void
ask(struct policy_probe *probe, struct policy_probe_call *call, struct policy_key *key,
	struct custody_as as, bool vault)
{
	struct custody_port *port = probe->depd->custody;
	struct err *err = vault ? &key->vault_err : &key->err;
	call->probe = probe;
	call->key = key;
	key->application = as.application;
	call->number = vault ? custody_port_vault_get(port, as, key->id.vault, on_vault, call, err)
			     : custody_port_key_get(port, as, key->uri, on_key, call, err);
	if (call->number != 0)
		probe->waiting++;
	else if (vault)
		key->vault_asked = true;
	else
		key->asked = true;
}

bool
policy_probe_start(struct policy_probe *probe, struct depd *depd, uint64_t op,
	enum db_dep_policy_kind kind, struct policy_key keys[static POLICY_KEYS])
{
	struct custody_as as = custody_port_as(kind);
	*probe = (struct policy_probe){.depd = depd, .op = op};
	for (size_t i = 0; i < POLICY_KEYS; i++) {
		if (keys[i].id.vault[0] == '\0')
			continue;
		ask(probe, &probe->calls[2 * i], &keys[i], as, true);
		ask(probe, &probe->calls[2 * i + 1], &keys[i], as, false);
	}
	return probe->waiting > 0;
}

void
policy_probe_cancel(struct policy_probe *probe)
{
	for (size_t i = 0; i < POLICY_PROBE_CALLS && probe->depd != NULL; i++)
		custody_port_cancel(probe->depd->custody, probe->calls[i].number);
	*probe = (struct policy_probe){0};
}

/* ---- whether they work ---- */

static void
trial_ended(struct policy_trial *trial)
{
	trial->number = 0;
	(void)op_resume(trial->depd->ops, trial->op);
}

static void
judge(struct policy_key *key, const struct custody_answer *answer)
{
	const struct custody_attempt attempt = custody_answer_attempt(answer, key->kid);
	key->tried = true;
	if (attempt.reason == DEP_OPENED)
		return;
	enum err_code code = err_find(attempt.code);
	(void)err_set(&key->trial, code != ERR_NONE ? code : ERR_UNAVAILABLE, NULL);
}

static void
on_check(void *ctx, struct custody_answer *answer)
{
	struct policy_trial *trial = ctx;
	if (answer->attempt_count == 0)
		trial->err = answer->err;
	for (size_t i = 0; i < POLICY_KEYS && answer->attempt_count > 0; i++)
		judge(&trial->keys[i], answer);
	if (answer->attempt_count == 0 && answer->err.code == ERR_NONE)
		(void)err_set(&trial->err, ERR_CLIENT_ANSWER, NULL);
	trial_ended(trial);
}

/* The envelope must be for the very versions that were judged. */
static bool
take_envelope(struct policy_trial *trial, const struct custody_answer *answer)
{
	for (size_t i = 0; i < POLICY_KEYS; i++)
		if (strcmp(answer->kids[i], trial->keys[i].kid) != 0)
			return err_set(&trial->err, ERR_CLIENT_ANSWER,
				"Custody wrapped with other keys than it was asked to.");
	trial->envelope = strdup(answer->envelope);
	if (trial->envelope == NULL)
		abort();
	return true;
}

static void
on_wrap(void *ctx, struct custody_answer *answer)
{
	struct policy_trial *trial = ctx;
	if (answer->err.code != ERR_NONE) {
		(void)err_set(&trial->err,
			err_class(answer->err.code) == ERR_CLASS_UNAVAILABLE ? answer->err.code
									     : ERR_KEY_UNUSABLE,
			"The keys of vaults %s and %s do not wrap: %.200s", trial->keys[0].id.vault,
			trial->keys[1].id.vault, answer->err.message);
		trial_ended(trial);
		return;
	}
	if (take_envelope(trial, answer))
		trial->number = custody_port_dual_check(trial->depd->custody,
			custody_port_as(trial->kind), trial->envelope, buf_bytes(&trial->context),
			on_check, trial, &trial->err);
	else
		trial->number = 0;
	if (trial->number == 0)
		trial_ended(trial);
}

bool
policy_trial_start(struct policy_trial *trial, struct depd *depd, uint64_t op,
	enum db_dep_policy_kind kind, struct policy_key keys[static POLICY_KEYS],
	struct bytes context, const struct secret *value)
{
	const char *const kids[POLICY_KEYS] = {keys[0].kid, keys[1].kid};
	*trial = (struct policy_trial){.depd = depd, .op = op, .keys = keys, .kind = kind};
	buf_init(&trial->context, CONTEXT_MAX);
	(void)buf_append(&trial->context, context.data, context.len); /* ours, and short */
	trial->number = custody_port_dual_wrap(depd->custody, custody_port_as(kind), kids, context,
		value, on_wrap, trial, &trial->err);
	return trial->number != 0;
}

void
policy_trial_clear(struct policy_trial *trial)
{
	if (trial->depd == NULL)
		return;
	custody_port_cancel(trial->depd->custody, trial->number);
	free(trial->envelope);
	buf_clear(&trial->context);
	*trial = (struct policy_trial){0};
}
