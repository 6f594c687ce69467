/*
 * Invariant: an attempt leaves OPENING_PENDING exactly once. A bad recipient never ends the search: the other one is
 * always tried, so damage to one half loses nothing and tells nothing.
 */
#include "opening.h"

#include <string.h>

#include "api/dual.h"
#include "base/log.h"
#include "custodyd/key_call.h"
#include "custodyd/rollback.h"
#include "service/serve.h"
#include "wire/wire.h"

/* A hedge is sent when the first token takes longer than it does in 95 of 100 cases, but not for noise. */
#define HEDGE_PERCENT    95
#define HEDGE_MIN_MS     5
#define HEDGE_DEFAULT_MS 250
#define HEDGE_SHARE      20 /* at most one in so many dual openings (threats B17: 5 %) */

void
opening_init(struct opening *opening, struct call *call, struct envelope *take_envelope,
	struct bytes context)
{
	*opening = (struct opening){.call = call, .envelope = take_envelope, .context = context};
	struct hash_state *state = hash_new(HASH_SHA256);
	for (size_t i = 0; i < take_envelope->recipient_count; i++) {
		const struct envelope_recipient *recipient = &take_envelope->recipients[i];
		hash_update(state, recipient->encrypted_key, recipient->encrypted_key_len);
	}
	hash_finish(state, opening->digest);
	hash_free(state);
}

void
opening_clear(struct opening *opening)
{
	timer_free(opening->hedge);
	for (size_t i = 0; i < ENVELOPE_RECIPIENTS_MAX; i++)
		opening->attempts[i].key = key_version_unref(opening->attempts[i].key);
	secret_free(opening->plaintext);
	envelope_free(opening->envelope);
}

/* ---- judging ---- */

static void
settle(struct opening_attempt *attempt, const struct err *err)
{
	attempt->err = *err;
	attempt->tried = true;
	switch (err_class(err->code)) {
	case ERR_CLASS_BAD:
		attempt->outcome = OPENING_BAD;
		break;
	case ERR_CLASS_DENIED:
		attempt->outcome = OPENING_DENIED;
		break;
	case ERR_CLASS_UNAVAILABLE:
		attempt->outcome = OPENING_UNAVAILABLE;
		break;
	case ERR_CLASS_INTEGRITY:
		attempt->outcome = OPENING_INTEGRITY;
		break;
	}
}

/* The algorithm is that of the key as the catalog records it, never the header's word (threats E2). */
static bool
fits(const struct key_version *key, const struct envelope_recipient *recipient)
{
	if (key->type == ALG_KEY_RSA)
		return recipient->key.alg == ALG_RSA_OAEP_256 &&
		       recipient->encrypted_key_len == pubkey_signature_len(key->pubkey);
	return key->type == ALG_KEY_OCT && key->version.bits == 256 &&
	       recipient->key.alg == ALG_A256KW && (key->version.ops_born & ALG_UNWRAP) != 0 &&
	       recipient->encrypted_key_len == ENVELOPE_KW_LEN;
}

/* A key that the catalog never knew is not the owner's "no": it counts as unavailable (threats G3). */
static bool
unknown_is_unavailable(struct err *err)
{
	if (err->code == ERR_KEY_NOT_FOUND || err->code == ERR_VAULT_NOT_FOUND)
		(void)err_set(err, ERR_UNAVAILABLE, "A key of the envelope is not known here.");
	return false;
}

static bool
resolve(struct opening *opening, size_t i, struct err *err)
{
	struct call *call = opening->call;
	struct custodyd *daemon = call->task.daemon;
	const struct envelope_recipient *recipient = &opening->envelope->recipients[i];
	struct kid kid;
	if (!kid_parse(recipient->key.kid, &kid) || kid.version[0] == '\0')
		return err_set(err, ERR_BAD_CIPHERTEXT, NULL);
	const struct db_vault *vault = vaults_find(daemon->vaults, kid.vault);
	if (!rollback_check(daemon, kid.vault, kid.name, err)) {
		if (vault != NULL && access_allows(daemon->access, &call->caller, vault->id,
					     PERMISSION_UNWRAP_KEY))
			memcpy(opening->attempts[i].token, vault->token, sizeof(vault->token));
		return false;
	}
	/* An unknown vault answers as one without permission: a stranger cannot probe names (threats C21). */
	if (vault == NULL)
		return err_set(err, ERR_FORBIDDEN, NULL);
	if (!access_check(daemon->access, &call->caller, vault->id, PERMISSION_UNWRAP_KEY, err))
		return false;
	memcpy(opening->attempts[i].token, vault->token, sizeof(vault->token));
	struct key_version *key = keystore_get(daemon->keys, vault, kid.name, kid.version, err);
	if (key == NULL)
		return unknown_is_unavailable(err);
	opening->attempts[i].key = key;
	if (!key_check_state(key, ALG_UNWRAP, calendar_now_s(daemon->calendar), err))
		return false;
	if (strcmp(key->kid, recipient->key.kid) != 0 || !fits(key, recipient))
		return err_set(err, ERR_BAD_CIPHERTEXT, NULL);
	/* A token that takes no work is not asked, but named: the caller learns that he is down to one. */
	const struct token *token = tokens_find(daemon->tokens, key->vault.token);
	if (token == NULL)
		return err_set(
			err, ERR_UNAVAILABLE, "Token %s is not configured.", key->vault.token);
	return !token_trouble(token, err);
}

void
opening_judge(struct opening *opening)
{
	for (size_t i = 0; i < opening->envelope->recipient_count; i++) {
		struct err err = {0};
		if (!resolve(opening, i, &err))
			settle(&opening->attempts[i], &err);
	}
}

void
opening_refuse(struct opening *opening, const struct err *err)
{
	for (size_t i = 0; i < opening->envelope->recipient_count; i++) {
		if (opening->attempts[i].outcome == OPENING_PENDING)
			settle(&opening->attempts[i], err);
	}
}

/* ---- asking ---- */

static struct token *
token_of(const struct opening *opening, size_t i)
{
	return tokens_find(
		opening->call->task.daemon->tokens, opening->attempts[i].key->vault.token);
}

static bool
is_open_question(const struct opening_attempt *attempt)
{
	return attempt->outcome == OPENING_PENDING && !attempt->asked;
}

/* The shortest expected wait. Returns the count of recipients for none. */
static size_t
best(const struct opening *opening)
{
	size_t count = opening->envelope->recipient_count;
	size_t found = count;
	int64_t found_us = INT64_MAX;
	for (size_t i = 0; i < count; i++) {
		if (!is_open_question(&opening->attempts[i]))
			continue;
		const struct token *token = token_of(opening, i);
		int64_t us = token != NULL ? token_load_us(token, opening->attempts[i].key->cost)
					   : INT64_MAX - 1;
		if (us < found_us) {
			found = i;
			found_us = us;
		}
	}
	return found;
}

static bool
ask_one(struct opening *opening, size_t i)
{
	struct opening_attempt *attempt = &opening->attempts[i];
	const struct envelope_recipient *recipient = &opening->envelope->recipients[i];
	struct wire_decrypt_request wire = {
		.alg = recipient->key.alg == ALG_RSA_OAEP_256 ? WIRE_ALG_RSA_OAEP_256
							      : WIRE_ALG_A256KW,
		.data = {recipient->encrypted_key, recipient->encrypted_key_len},
	};
	memcpy(wire.id, attempt->key->version.id, sizeof(wire.id));
	memcpy(wire.fingerprint, attempt->key->version.fingerprint, sizeof(wire.fingerprint));
	struct token_job job = {.type = WIRE_DECRYPT,
		.request = &wire,
		.kind = attempt->key->cost,
		.digest = opening->digest};
	if (!call_ask(opening->call, attempt->key->vault.token, &job, (unsigned)i)) {
		settle(attempt, &opening->call->err);
		err_clear(&opening->call->err);
		return false;
	}
	attempt->asked = true;
	attempt->tried = true;
	return true;
}

static void
hedge_due(void *ctx)
{
	struct opening *opening = ctx;
	struct custodyd *daemon = opening->call->task.daemon;
	size_t i = best(opening);
	if (i == opening->envelope->recipient_count ||
		daemon->hedges * HEDGE_SHARE > daemon->openings)
		return;
	const struct token *token = token_of(opening, i);
	if (token == NULL || !token_is_ready(token) || !token_is_idle(token))
		return;
	daemon->hedges++;
	(void)ask_one(opening, i); /* a refusal is settled there; the first one still runs */
}

static void
hedge_start(struct opening *opening, size_t asked)
{
	struct loop *loop = opening->call->task.daemon->loop;
	if (best(opening) == opening->envelope->recipient_count)
		return; /* nobody else to ask */
	const struct token *token = token_of(opening, asked);
	int64_t usual_us =
		token_latency_us(token, opening->attempts[asked].key->cost, HEDGE_PERCENT);
	int64_t after_ms = usual_us == 0 ? HEDGE_DEFAULT_MS : usual_us / 1000 * 2;
	if (opening->hedge == NULL)
		opening->hedge = timer_new(loop, "hedge", hedge_due, opening);
	timer_start(opening->hedge, after_ms < HEDGE_MIN_MS ? HEDGE_MIN_MS : after_ms);
}

bool
opening_ask(struct opening *opening, bool all)
{
	size_t count = opening->envelope->recipient_count;
	for (size_t i = best(opening); i < count; i = best(opening)) {
		if (ask_one(opening, i) && !all) {
			hedge_start(opening, i);
			return true;
		}
	}
	return opening_running(opening);
}

bool
opening_running(const struct opening *opening)
{
	for (size_t i = 0; i < opening->envelope->recipient_count; i++) {
		if (opening->attempts[i].asked)
			return true;
	}
	return false;
}

void
opening_take(struct opening *opening, unsigned slot, const struct token_answer *answer)
{
	struct opening_attempt *attempt = &opening->attempts[slot];
	attempt->asked = false;
	if (answer->err != NULL) {
		settle(attempt, answer->err);
		return;
	}
	const struct wire_decrypt_answer *fields = answer->fields;
	struct err err = {0};
	CLEAN(secret)
	struct secret *cek =
		fields->data.len == 0 ? NULL : secret_from(fields->data.data, fields->data.len);
	CLEAN(secret)
	struct secret *plaintext = NULL;
	if (cek == NULL)
		(void)err_set(
			&err, fields->data.len == 0 ? ERR_BAD_CIPHERTEXT : ERR_NO_MEMORY, NULL);
	else
		plaintext = envelope_open(opening->envelope, opening->context, cek, &err);
	if (plaintext == NULL) {
		settle(attempt, &err);
		return;
	}
	attempt->outcome = OPENING_OPENED;
	if (opening->plaintext == NULL) {
		opening->plaintext = plaintext;
		opening->opened_by = slot;
		plaintext = NULL;
	}
}

void
opening_cancel(struct opening *opening)
{
	if (opening->hedge != NULL)
		timer_stop(opening->hedge);
	for (size_t i = 0; i < opening->envelope->recipient_count; i++) {
		struct opening_attempt *attempt = &opening->attempts[i];
		struct token *token = attempt->asked ? token_of(opening, i) : NULL;
		if (token != NULL)
			token_cancel(token,
				(struct token_ticket){opening->call->task.op.id, (uint32_t)i});
		attempt->asked = false;
		if (attempt->outcome == OPENING_PENDING)
			attempt->tried = false; /* it was not waited for: neither good nor bad */
	}
}

/* ---- telling ---- */

static const char *
outcome_name(enum opening_outcome outcome)
{
	static const char *const names[] = {
		[OPENING_PENDING] = "pending",
		[OPENING_OPENED] = "opened",
		[OPENING_BAD] = "bad",
		[OPENING_DENIED] = "denied",
		[OPENING_UNAVAILABLE] = "unavailable",
		[OPENING_INTEGRITY] = "integrity",
	};
	return names[outcome];
}

size_t
opening_attempts(const struct opening *opening, struct api_attempt *attempts)
{
	size_t count = 0;
	for (size_t i = 0; i < opening->envelope->recipient_count; i++) {
		const struct opening_attempt *attempt = &opening->attempts[i];
		if (!attempt->tried)
			continue;
		attempts[count++] = (struct api_attempt){
			.kid = opening->envelope->recipients[i].key.kid,
			.token = attempt->token[0] != '\0' ? attempt->token : NULL,
			.code = attempt->err.code,
		};
	}
	return count;
}

bool
opening_degraded(const struct opening *opening)
{
	for (size_t i = 0; i < opening->envelope->recipient_count; i++) {
		const struct opening_attempt *attempt = &opening->attempts[i];
		if (attempt->tried && attempt->outcome != OPENING_OPENED)
			return true;
	}
	return envelope_degraded(opening->envelope);
}

static const struct err *
first_err(const struct opening *opening, enum opening_outcome outcome)
{
	for (size_t i = 0; i < opening->envelope->recipient_count; i++) {
		if (opening->attempts[i].outcome == outcome)
			return &opening->attempts[i].err;
	}
	return NULL;
}

/* When the first of the keys that an accident keeps away may be back. */
static int
retry_after_s(const struct opening *opening)
{
	int soonest_s = 0;
	for (size_t i = 0; i < opening->envelope->recipient_count; i++) {
		const struct opening_attempt *attempt = &opening->attempts[i];
		if (attempt->outcome != OPENING_UNAVAILABLE &&
			attempt->outcome != OPENING_INTEGRITY)
			continue;
		int after_s = serve_retry_after_s(&attempt->err);
		if (soonest_s == 0 || after_s < soonest_s)
			soonest_s = after_s;
	}
	return soonest_s;
}

void
opening_fail(struct opening *opening)
{
	struct call *call = opening->call;
	const struct err *unavailable = first_err(opening, OPENING_UNAVAILABLE);
	const struct err *integrity = first_err(opening, OPENING_INTEGRITY);
	const struct err *bad = first_err(opening, OPENING_BAD);
	if (bad != NULL && unavailable == NULL && integrity == NULL) {
		(void)err_set(&call->err, ERR_BAD_CIPHERTEXT,
			NULL); /* never with details: it says nothing of why */
		return;
	}
	if (bad == NULL && unavailable == NULL && integrity == NULL) {
		(void)err_set(&call->err, ERR_ACCESS_DENIED,
			"No key of the envelope may be used; see details.");
	} else {
		(void)err_set(&call->err, ERR_UNAVAILABLE,
			"No key of the envelope can be used now; see details.");
		const struct err *cause = unavailable != NULL ? unavailable
					  : integrity != NULL ? integrity
							      : bad;
		(void)err_origin(&call->err, "%s: %s", err_name(cause->code), cause->origin);
		call->err.retry_after_s = retry_after_s(opening);
	}
	struct api_attempt attempts[ENVELOPE_RECIPIENTS_MAX];
	size_t count = opening_attempts(opening, attempts);
	CLEAN(buf)
	struct buf text;
	buf_init(&text, CALL_ANSWER_MAX);
	api_attempts_format(attempts, count, &text);
	call->details = arena_bytes(call->arena, text.data, text.len);
}

void
opening_audit(struct opening *opening)
{
	struct call *call = opening->call;
	const char *detail = "";
	for (size_t i = 0; i < opening->envelope->recipient_count; i++) {
		const struct opening_attempt *attempt = &opening->attempts[i];
		const char *word = attempt->tried ? outcome_name(attempt->outcome) : "not asked";
		detail = arena_printf(call->arena, "%s%s%s: %s%s%s", detail, i == 0 ? "" : "; ",
			opening->envelope->recipients[i].key.kid, word,
			attempt->err.code != ERR_NONE ? " " : "",
			attempt->err.code != ERR_NONE ? err_name(attempt->err.code) : "");
	}
	call->audit_detail = detail;
}
