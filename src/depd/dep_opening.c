/*
 * Opening a generation's DEP key: load its row and verify who made it, ask its owners, and where they neither open nor refuse, use
 * the availability key. Who waits meanwhile joins; a proof is an opening that nobody waits for.
 *
 * Invariant: the availability key is used only after the owners were asked about what was signed, never for a user action that both
 * refused, and what it opens is given away only when the audit has it on disk.
 */
#include "depd/dep_opening_priv.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "depd/purge_guard.h"
#include "service/serve.h"

static struct dep_opening *
opening_of(struct op *op)
{
	return (struct dep_opening *)op;
}

/*
 * Whom a refusal is not for. In an outage that is a recovery: a person's word that keys are lost outlasts its time, not a denial (threats
 * G20). The system goes on always, but where a geo is recovered, which falls back for nothing else (threats G21).
 */
static bool
goes_on(const struct dep_opening *opening, enum dep_action action)
{
	bool outage = opening->verdict == DEP_VERDICT_STRAINED;
	if (action == DEP_RECOVERY)
		return outage;
	return action == DEP_SYSTEM && !(outage && opening->policy.kind == DB_DEP_GEO);
}

/* The first who goes on when others are refused, or the first who does not. */
static const struct dep_waiter *
find_waiter(const struct dep_opening *opening, bool on)
{
	const struct dep_waiter *waiter = opening->first;
	while (waiter != NULL && goes_on(opening, waiter->action) != on)
		waiter = waiter->next;
	return waiter;
}

/* ---- ending ---- */

/* Answers those who wait, one after the other: each may begin and cancel others. */
static void
tell(struct dep_opening *opening, struct dep_key *key)
{
	bool users = opening->refusal.code == ERR_NONE;
	opening->closed = true;
	while (opening->first != NULL) {
		struct dep_waiter *waiter = opening->first;
		bool refused = !users && !goes_on(opening, waiter->action);
		struct dep_key *given = refused ? NULL : key;
		opening->first = waiter->next;
		waiter->fn(waiter->ctx, given,
			given != NULL ? NULL : (refused ? &opening->refusal : &opening->err));
		free(waiter);
	}
}

static enum op_result
finish(struct dep_opening *opening, struct dep_key *take_key)
{
	secret_free(opening->secret);
	opening->secret = NULL;
	tell(opening, take_key);
	(void)dep_key_unref(take_key);
	return OP_DONE;
}

/* What was asked before a purge was requested is not given away after it: the catalog is looked at again (threats G24). */
static bool
is_purging(struct dep_opening *opening)
{
	return !db_dep_policy_get(opening->opener->config.db, opening->policy.id, opening->arena,
		       &opening->policy, &opening->err) ||
	       !purge_guard_open(&opening->policy, &opening->err);
}

static bool record(struct dep_opening *opening, const char *what, enum err_code code);

/* Nobody gets it, the system neither; opening->err says so. */
static enum op_result
purging(struct dep_opening *opening)
{
	struct dep_opener *opener = opening->opener;
	dep_cache_forget(opener->cache, opening->generation);
	opening->verdict = DEP_VERDICT_PURGING;
	err_clear(&opening->refusal); /* one word for all of them */
	if (opening->first == NULL || opening->err.code != ERR_POLICY_PURGING)
		return finish(opening, NULL);
	struct err refusal = opening->err;
	opener->counts.denied++;
	if (record(opening, "Denied", ERR_POLICY_PURGING))
		opening->err = refusal;
	return finish(opening, NULL);
}

static enum op_result
fail(struct dep_opening *opening)
{
	assert(opening->err.code != ERR_NONE);
	opening->opener->counts.failed++;
	log_err(LOG_LEVEL_ERROR, "generation.not-opened", &opening->err,
		LOG_TEXT("policy", opening->policy.name));
	return finish(opening, NULL);
}

/* ---- begin: never from within the call that asked ---- */

static void
begin_due(void *ctx)
{
	struct dep_opening *opening = ctx;
	(void)op_resume(opening->opener->config.ops, opening->op.id);
}

static enum op_result
step_begin(struct op *op)
{
	struct dep_opening *opening = opening_of(op);
	loop_defer(opening->opener->config.loop, "dep.opening", begin_due, opening);
	return OP_WAIT;
}

/* ---- load ---- */

static bool
load_rows(struct dep_opening *opening)
{
	struct db *db = opening->opener->config.db;
	bool found = false;
	if (!db_dep_generation_get(
		    db, opening->generation, opening->arena, &opening->row, &opening->err) ||
		!db_dep_policy_get(
			db, opening->row.policy, opening->arena, &opening->policy, &opening->err) ||
		!db_dep_organization_get(
			db, opening->arena, &opening->organization, &found, &opening->err))
		return false;
	if (!found)
		return err_set(&opening->err, ERR_CATALOG_INTEGRITY, NULL);
	opening->identity = (struct keytree_generation){
		.organization = opening->organization.name,
		.number = (uint64_t)opening->row.number,
	};
	memcpy(opening->identity.policy, opening->policy.guid, KEYTREE_GUID_LEN);
	memcpy(opening->identity.generation, opening->row.guid, KEYTREE_GUID_LEN);
	return true;
}

static bool
verify(struct dep_opening *opening)
{
	CLEAN(pubkey)
	struct pubkey *signer = pubkey_from_spki(opening->organization.signing_spki, &opening->err);
	if (signer == NULL)
		return err_set(&opening->err, ERR_CATALOG_INTEGRITY,
			"The pinned key of generation records cannot be read.");
	opening->damaged = !generation_record_has_envelope(&opening->row);
	return generation_record_verify(opening->organization.name, opening->policy.guid,
		&opening->row, signer, &opening->err);
}

/*
 * A damaged envelope opens as long as a customer key does, for the key that comes out of it is known; but its owners' silence about it
 * says nothing of what they want, and is no reason to fall back (threats G1).
 */
static enum op_result
fail_damaged(struct dep_opening *opening)
{
	(void)err_set(&opening->err, ERR_CATALOG_INTEGRITY,
		"The envelope of a generation of policy %s is damaged, and no customer key opens "
		"it.",
		opening->policy.name);
	return fail(opening);
}

static void
answered(void *ctx, struct custody_answer *answer)
{
	struct dep_opening *opening = ctx;
	opening->call = 0;
	opening->err = answer->err;
	opening->unreachable = answer->unreachable;
	opening->secret = answer->secret;
	answer->secret = NULL;
	for (size_t k = 0; k < 2; k++) {
		const char *kid = opening->row.kid[k];
		const struct custody_attempt attempt = custody_answer_attempt(answer, kid);
		opening->reason[k] = attempt.reason;
		memcpy(opening->code[k], attempt.code, sizeof(opening->code[k]));
		if (attempt.strange)
			log_error("key.strange", LOG_TEXT("key", kid),
				LOG_TEXT("error", attempt.code));
	}
	(void)op_resume(opening->opener->config.ops, opening->op.id);
}

static enum op_result
step_load(struct op *op)
{
	struct dep_opening *opening = opening_of(op);
	struct dep_opener *opener = opening->opener;
	struct dep_key *cached =
		opening->proof ? NULL : dep_cache_find(opener->cache, opening->generation);
	if (cached != NULL)
		return finish(opening, dep_key_ref(cached));
	if (!load_rows(opening))
		return fail(opening);
	if (is_purging(opening))
		return purging(opening);
	if (!verify(opening))
		return fail(opening);
	CLEAN(buf)
	struct buf context;
	buf_init(&context, ENVELOPE_CONTEXT_MAX);
	keytree_envelope_context(&opening->identity, &context);
	opening->asked_ms = clock_monotonic_ms();
	opening->call = custody_port_dual_unwrap(opener->config.custody,
		custody_port_as(opening->policy.kind), opening->row.envelope, buf_bytes(&context),
		answered, opening, &opening->err);
	if (opening->call != 0)
		return OP_WAIT;
	return opening->damaged ? fail_damaged(opening) : fail(opening);
}

/* ---- the owners' word ---- */

/* The key must be the one that was signed for, whoever opened it. */
static bool
check_key(struct dep_opening *opening)
{
	uint8_t check[KEYTREE_CHECK_LEN];
	if (secret_len(opening->secret) == KEYTREE_KEY_LEN) {
		if (!keytree_check_value(opening->secret, &opening->identity, check, &opening->err))
			return false;
		if (secret_equal_bytes(check, opening->row.check, sizeof(check)))
			return true;
	}
	return err_set(&opening->err, ERR_CATALOG_INTEGRITY,
		"What was opened is not the key of this generation; it is not used.");
}

static enum dep_verdict
judge(const struct dep_opening *opening)
{
	if (opening->secret != NULL)
		return DEP_VERDICT_OPENED;
	if (opening->unreachable)
		return DEP_VERDICT_BLIND;
	return opening->reason[0] == DEP_DENIED && opening->reason[1] == DEP_DENIED
		       ? DEP_VERDICT_DENIED
		       : DEP_VERDICT_STRAINED;
}

static const char *
action_name(enum dep_action action)
{
	static const char *const names[] = {
		[DEP_USER] = "user",
		[DEP_SYSTEM] = "system",
		[DEP_RECOVERY] = "recovery",
	};
	return names[action];
}

/* By itself only what has an availability key of its own; never a geo's policy (threats G21). */
static bool
falls_back(const struct dep_opening *opening)
{
	return opening->policy.kind == DB_DEP_M365 || opening->policy.kind == DB_DEP_MAILBOX;
}

/*
 * For a recovery that was asked for a geo falls back, and for nobody else who waits: when both keys are lost, for then neither silence of
 * the owners nor the denial of one key outvotes them (threats G20, G21).
 */
static bool
recovers_geo(struct dep_opening *opening)
{
	if (opening->policy.kind != DB_DEP_GEO || opening->verdict != DEP_VERDICT_STRAINED ||
		opening->reason[0] != DEP_UNAVAILABLE || opening->reason[1] != DEP_UNAVAILABLE)
		return false;
	if (find_waiter(opening, true) == NULL)
		return false;
	(void)err_set(&opening->refusal, ERR_UNAVAILABLE,
		"The keys of geo %s are lost; what is being recovered is opened when it has moved.",
		opening->policy.name);
	return true;
}

/* Who is named by a record: the first whom it concerns. NULL: he left meanwhile. */
static const struct dep_waiter *
concerned(const struct dep_opening *opening, enum err_code code)
{
	return opening->refusal.code != ERR_NONE ? find_waiter(opening, code == ERR_NONE)
						 : opening->first;
}

/* The words of dep-semantics §5 and what was said of each key. false: there must be no answer but the error. */
static bool
record(struct dep_opening *opening, const char *what, enum err_code code)
{
	const struct dep_waiter nobody = {
		.action = opening->policy.kind == DB_DEP_GEO ? DEP_RECOVERY : DEP_SYSTEM};
	const struct dep_waiter *waiter = concerned(opening, code);
	char policy[ID_UUID_TEXT], generation[ID_UUID_TEXT], detail[DEP_OPENING_DETAIL];
	if (waiter == NULL)
		waiter = &nobody;
	id_uuid_format(opening->policy.guid, policy);
	id_uuid_format(opening->row.guid, generation);
	bool blind = opening->verdict == DEP_VERDICT_BLIND;
	(void)snprintf(detail, sizeof(detail),
		"%s; policy %s generation %s scope key %s; %s action; %s %s, %s %s%s", what, policy,
		generation, waiter->scope_key[0] != '\0' ? waiter->scope_key : "none",
		action_name(waiter->action),
		blind ? "unreachable" : dep_reason_name(opening->reason[0]), opening->code[0],
		blind ? "unreachable" : dep_reason_name(opening->reason[1]), opening->code[1],
		blind ? "; blind" : "");
	struct dep_opener_config *config = &opening->opener->config;
	struct audit_record entry = {
		.by_daemon = true,
		.request = waiter->request[0] != '\0' ? waiter->request : NULL,
		.operation = code == ERR_NONE ? "generation.fallback" : "generation.denied",
		.subject = opening->policy.name,
		.code = code,
		.detail = detail,
		.catalog = db_generation(config->db),
	};
	if (!audit_append(config->audit, &entry, true, &opening->err))
		return false;
	serve_tell_head(config->audit, config->db);
	return true;
}

/* Both said no: gone from memory at once, and only a system action goes on (threats G1, G6). */
static enum op_result
denied(struct dep_opening *opening)
{
	struct dep_opener *opener = opening->opener;
	(void)err_set(&opening->refusal, ERR_ACCESS_DENIED,
		"The key owners have revoked both keys of this policy.");
	if (dep_cache_deny(opener->cache, opening->generation))
		log_warning("key.revoked", LOG_TEXT("policy", opening->policy.name));
	bool users = find_waiter(opening, false) != NULL;
	if (users)
		opener->counts.denied++;
	if (users && !record(opening, "Denied", ERR_ACCESS_DENIED)) {
		log_err(LOG_LEVEL_ERROR, "audit.failed", &opening->err,
			LOG_TEXT("policy", opening->policy.name));
		return finish(opening, NULL); /* refused all the same */
	}
	if (find_waiter(opening, true) != NULL && falls_back(opening))
		return OP_NEXT;
	(void)err_set(&opening->err, ERR_ACCESS_DENIED, NULL);
	return finish(opening, NULL);
}

static enum op_result
opened(struct dep_opening *opening)
{
	struct dep_opener *opener = opening->opener;
	if (!check_key(opening))
		return fail(opening);
	opener->counts.opened++;
	struct dep_key *key = dep_opener_keep(opener, opening);
	return key != NULL ? finish(opening, key) : fail(opening);
}

/* Nobody waits, or there is nothing to fall back to: what is in memory stays until its time is over. */
static enum op_result
give_up(struct dep_opening *opening)
{
	if (opening->proof) {
		opening->opener->counts.proofs_failed++;
		log_warning("proof.failed", LOG_TEXT("policy", opening->policy.name),
			LOG_TEXT("first", opening->code[0]), LOG_TEXT("second", opening->code[1]));
		dep_opener_prove_again(opening->opener, opening);
	}
	if (opening->first == NULL)
		return finish(opening, NULL);
	(void)err_set(&opening->err, ERR_UNAVAILABLE,
		"No key of policy %s can be used now; try again later.", opening->policy.name);
	return fail(opening);
}

/* Silence must not outvote a revocation: when its time is over only the system goes on (dep-semantics §5). */
static enum op_result
unheard_of(struct dep_opening *opening)
{
	dep_fallback_limit(opening);
	if (opening->refusal.code == ERR_NONE || find_waiter(opening, true) != NULL)
		return OP_NEXT;
	opening->err = opening->refusal;
	return fail(opening);
}

static enum op_result
step_judge(struct op *op)
{
	struct dep_opening *opening = opening_of(op);
	struct dep_opener *opener = opening->opener;
	bool owners = opening->policy.kind != DB_DEP_SERVICE;
	if (is_purging(opening))
		return purging(opening);
	opening->verdict = judge(opening);
	if (owners && opening->verdict != DEP_VERDICT_BLIND)
		blind_heard(opener->blind);
	else if (owners)
		blind_silent(opener->blind);
	dep_opener_strain(opener, opening, opening->verdict != DEP_VERDICT_OPENED);
	bool unheard =
		opening->verdict == DEP_VERDICT_STRAINED || opening->verdict == DEP_VERDICT_BLIND;
	if (opening->damaged && unheard && opening->first != NULL)
		return fail_damaged(opening);
	if (!unheard)
		dep_fallback_over(opening);
	switch (opening->verdict) {
	case DEP_VERDICT_OPENED:
		return opened(opening);
	case DEP_VERDICT_DENIED:
		return denied(opening);
	case DEP_VERDICT_STRAINED:
	case DEP_VERDICT_BLIND:
	case DEP_VERDICT_PURGING: /* was found before */
		break;
	}
	if (opening->first != NULL && falls_back(opening))
		return unheard_of(opening);
	return recovers_geo(opening) ? OP_NEXT : give_up(opening);
}

/* ---- the availability key ---- */

static void
availability_answered(void *ctx, struct custody_answer *answer)
{
	struct dep_opening *opening = ctx;
	opening->call = 0;
	opening->err = answer->err;
	opening->secret = answer->secret;
	answer->secret = NULL;
	(void)op_resume(opening->opener->config.ops, opening->op.id);
}

static enum op_result
step_fall_back(struct op *op)
{
	struct dep_opening *opening = opening_of(op);
	struct dep_opener_config *config = &opening->opener->config;
	err_clear(&opening->err);
	if (!audit_promise(config->audit, &opening->err))
		return fail(opening);
	opening->promised = true;
	opening->call = custody_port_unwrap(config->custody, opening->policy.kind,
		opening->row.availability_kid, opening->row.availability_wrap,
		availability_answered, opening, &opening->err);
	return opening->call != 0 ? OP_WAIT : fail(opening);
}

static void
release(struct dep_opening *opening)
{
	if (opening->promised)
		audit_release(opening->opener->config.audit);
	opening->promised = false;
}

static enum op_result
step_fallen_back(struct op *op)
{
	struct dep_opening *opening = opening_of(op);
	struct dep_opener *opener = opening->opener;
	release(opening);
	if (is_purging(opening))
		return purging(opening);
	if (opening->secret == NULL) {
		struct err cause = opening->err;
		(void)err_set(&opening->err, ERR_AVAILABILITY_KEY_UNUSABLE, NULL);
		(void)err_origin(&opening->err, "%s: %s", err_name(cause.code), cause.message);
		return fail(opening);
	}
	if (!check_key(opening))
		return fail(opening);
	if (!record(opening, "Fallback to Availability Key", ERR_NONE))
		return fail(opening);
	opener->counts.fallbacks++;
	log_warning("generation.fallback", LOG_TEXT("policy", opening->policy.name),
		LOG_TEXT("first", opening->code[0]), LOG_TEXT("second", opening->code[1]),
		LOG_INT("blind", opening->verdict == DEP_VERDICT_BLIND));
	struct dep_key *key = dep_opener_keep(opener, opening);
	return key != NULL ? finish(opening, key) : fail(opening);
}

/* ---- the operation ---- */

static enum op_result
cancel(struct op *op, enum op_cancel why)
{
	struct dep_opening *opening = opening_of(op);
	(void)why; /* it has no deadline: the calls have theirs; nobody but the shutdown ends it */
	custody_port_cancel(opening->opener->config.custody, opening->call);
	opening->call = 0;
	(void)err_set(&opening->err, ERR_SHUTTING_DOWN, NULL);
	return finish(opening, NULL);
}

static void
destroy(struct op *op)
{
	struct dep_opening *opening = opening_of(op);
	struct dep_opener *opener = opening->opener;
	loop_defer_cancel(opener->config.loop, opening);
	release(opening);
	if (opening->prev != NULL)
		opening->prev->next = opening->next;
	else
		opener->first = opening->next;
	if (opening->next != NULL)
		opening->next->prev = opening->prev;
	if (opening->proof)
		opener->proving--;
	arena_free(opening->arena);
	free(opening);
}

static const struct op_step steps[] = {
	{"begin",       step_begin      },
	{"load",        step_load       },
	{"judge",       step_judge      },
	{"fall-back",   step_fall_back  },
	{"fallen-back", step_fallen_back},
};

static const struct op_type opening_type = {
	.name = "generation.open",
	.steps = steps,
	.step_count = ARRAY_LEN(steps),
	.cancel = cancel,
	.destroy = destroy,
	.background = true,
};

struct dep_opening *
dep_opening_begin(struct dep_opener *opener, int64_t generation, bool proof)
{
	struct dep_opening *opening = calloc(1, sizeof(*opening));
	if (opening == NULL)
		abort();
	opening->opener = opener;
	opening->generation = generation;
	opening->proof = proof;
	opening->arena = arena_new();
	opening->next = opener->first;
	if (opener->first != NULL)
		opener->first->prev = opening;
	opener->first = opening;
	if (proof)
		opener->proving++;
	op_start(opener->config.ops, &opening_type, &opening->op, 0);
	return opening;
}
