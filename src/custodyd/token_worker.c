/*
 * The workers of a token: launched, adopted when they are logged in, succeeded, buried when they are lost.
 * Invariants: there is at most one launch; it begins only when no process of the token is on its way out, so that a
 * module that allows one process at a time, or one that cannot be killed, is not run into (threats B3).
 */
#include <assert.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "crypto/random.h"
#include "custodyd/token_priv.h"

/* ---- a launch and what becomes of it ---- */

static void
bury(struct token *token, struct worker *worker)
{
	assert(token->dying_count < TOKEN_DYING_MAX);
	if (token->dying_count == 0)
		token->dying_since_ms = clock_monotonic_ms();
	token->dying[token->dying_count++] = worker;
}

/* The launched worker is logged in: it serves from now on, its predecessor finishes what it has. */
static void
adopt(struct token *token)
{
	struct launch *launch = token->launch;
	token->launch = NULL;
	assert(token->retiring == NULL);
	token->retiring = token->current;
	token->current = launch->worker;
	launch->worker = NULL;
	device_free(token->device);
	token->device = launch->device;
	launch->device = NULL;
	launch_free(launch);

	int64_t now_ms = clock_monotonic_ms();
	token->planned = false;
	token->draining = false;
	token->failed_probes = 0;
	token->failed_starts = 0;
	token->pinged = false;
	token->worked = false;
	token->last_ping_ms = now_ms;
	breaker_close(&token->breaker, now_ms);
	backoff_up(&token->backoff, now_ms);
	token_forget_pin(token);
	log_info("worker.ready", LOG_TEXT("token", token->name),
		LOG_INT("pid", worker_pid(token->current)),
		LOG_INT("sessions", token->device->sessions));
	token_compare(token);
	if (token->device->lease == WIRE_LEASE_OTHER)
		token_leased(token);
	else if (token->device->enrolled)
		token_proved(token);
	else if (token->state != TOKEN_STATE_NOT_ENROLLED)
		token_change(token, TOKEN_STATE_NOT_ENROLLED, ERR_TOKEN_NOT_ENROLLED, NULL);
}

/* A launch is over without a worker, which is on its way out already. */
static void
launch_over(struct token *token, const struct err *why)
{
	token->launch->worker = NULL;
	launch_free(token->launch);
	token->launch = NULL;
	if (token->current == NULL) {
		token_down(token, why);
		return;
	}
	log_err(LOG_LEVEL_WARNING, "worker.no-successor", why, LOG_TEXT("token", token->name));
	token->recycle_after_ms = clock_monotonic_ms() + TOKEN_RECYCLE_PAUSE_MS;
	/* The token would not have two workers at once, perhaps for want of sessions: one after the other then. */
	token->draining = why->code == ERR_UNAVAILABLE;
}

static void
needs_login(struct token *token)
{
	struct launch *launch = token->launch;
	if (token->current != NULL) {
		struct err why = {0};
		(void)err_set(&why, ERR_PIN_NEEDED, NULL);
		token->no_replacement = true;
		worker_kill(launch->worker, &why);
		return;
	}
	struct err err = {0};
	if (!token_listen_login(token, &err))
		log_err(LOG_LEVEL_ERROR, "token.login", &err, LOG_TEXT("token", token->name));
	if (launch->err.code != ERR_NONE)
		token_note_error(token, &launch->err);
	if (token->state != TOKEN_STATE_LOGIN_NEEDED)
		token_change(token, TOKEN_STATE_LOGIN_NEEDED, ERR_PIN_NEEDED, NULL);
}

void
token_follow(struct token *token, enum launch_result result)
{
	struct launch *launch = token->launch;
	if (launch->pin_digest_known)
		token_remember_pin(token, launch->pin_digest);
	launch->pin_digest_known = false;
	switch (result) {
	case LAUNCH_WAITS:
		break;
	case LAUNCH_NEEDS_LOGIN:
		needs_login(token);
		break;
	case LAUNCH_DONE:
		adopt(token);
		break;
	case LAUNCH_FAILED:
		worker_kill(launch->worker, &launch->err);
		break;
	}
}

/* ---- what a worker does ---- */

static bool
is_launching(const struct token *token, const struct worker *worker)
{
	return token->launch != NULL && token->launch->worker == worker;
}

static void
on_answer(void *ctx, struct worker *worker, struct request *take_request,
	const struct wire_message *message)
{
	struct token *token = ctx;
	if (!is_launching(token, worker)) {
		token_answered(token, worker, take_request, message);
		return;
	}
	request_free(take_request);
	token_follow(token, launch_answer(token->launch, message));
	token_flush(token);
	token_dispatch(token);
}

static void
on_told(void *ctx, struct worker *worker, const struct wire_message *message)
{
	struct token *token = ctx;
	if (is_launching(token, worker))
		launch_told(token->launch, message);
}

static void
current_gone(struct token *token, const struct err *why)
{
	token->current = NULL;
	token->enrolling = false;
	bool succeeded = token->planned || token->draining ||
			 (token->launch != NULL && !token_refuses(why->code));
	if (!succeeded || token->state == TOKEN_STATE_STOPPED) {
		token_down(token, why);
		return;
	}
	token->planned = true;
	token_change(token, TOKEN_STATE_STARTING, ERR_UNAVAILABLE,
		"The token's worker is being replaced.");
}

static void
on_gone(void *ctx, struct worker *worker, const struct err *why)
{
	struct token *token = ctx;
	log_err(LOG_LEVEL_DEBUG, "worker.gone", why, LOG_TEXT("token", token->name));
	bury(token, worker);
	token_fail_running(token, worker);
	if (is_launching(token, worker))
		launch_over(token, why);
	else if (worker == token->current)
		current_gone(token, why);
	else
		token->retiring = NULL;
	token_flush(token);
	token_dispatch(token);
	token_wake(token);
}

static void
on_reaped(void *ctx, struct worker *worker)
{
	struct token *token = ctx;
	unsigned i = 0;
	while (token->dying[i] != worker)
		i++;
	token->dying[i] = token->dying[--token->dying_count];
	worker_free(worker);
	if (token->state == TOKEN_STATE_STARTING)
		token_begin(token);
	token_wake(token);
}

/* ---- starting a worker ---- */

static bool
load_record(struct token *token, struct err *err)
{
	const struct tokens_host *host = &token->set->host;
	struct token_record record = {0};
	if (token->recorded)
		return true;
	if (!host->load(host->ctx, token->name, &record, err))
		return false;
	if (record.spki_len > TOKEN_SPKI_MAX)
		return err_set(err, ERR_CATALOG_INTEGRITY,
			"The recorded identity of the token is no key.");
	if (!record.pin_refused)
		random_bytes(record.pin_salt, sizeof(record.pin_salt));
	token->record = record;
	token->recorded = true;
	return true;
}

static bool
launch(struct token *token, struct err *err)
{
	struct token_record *record = &token->record;
	struct worker_spec spec = {token->name, token->set->limits.worker, token->env,
		strncmp(token->pin_source, "credential:", 11) == 0};
	struct worker_events events = {token, on_answer, on_told, on_gone, on_reaped};
	struct bytes identity = {record->spki, record->spki_len};
	struct wire_start_request start = {
		.version = wire_version(),
		.name = token->name,
		.module = token->module,
		.uri = token->uri,
		.pin_source = token->pin_source,
		.sessions = (uint16_t)token->sessions,
		.one_thread = token->one_thread ? 1 : 0,
		.accept_reduced = token->accept_reduced,
		.identity = identity,
		.pin_salt = {record->pin_salt,   sizeof(record->pin_salt)        },
		.refused_pin_digest = {record->pin_digest,
			     record->pin_refused ? sizeof(record->pin_digest) : 0},
		.user = token->user,
	};
	memcpy(start.instance, token->set->host.instance, sizeof(start.instance));
	(void)token_stamp_pin(token, &token->pin_stamp);
	struct worker *worker = worker_new(token->set->loop, &spec, &events, err);
	if (worker == NULL)
		return false;
	token->launch = launch_new(
		worker, &start, identity, &token->next_id, token->set->limits.step_ms, err);
	return token->launch != NULL;
}

static bool
may_launch(struct token *token, struct err *err)
{
	if (!load_record(token, err))
		return false;
	struct bytes identity = {token->record.spki, token->record.spki_len};
	const struct token *twin = token_find_twin(token, identity);
	if (twin != NULL && token->current == NULL)
		return err_set(err, ERR_TOKEN_IMPOSTOR,
			"Tokens %s and %s have one identity: one is a copy of the other.",
			token->name, twin->name);
	return true;
}

void
token_begin(struct token *token)
{
	struct err err = {0};
	if (token->launch != NULL || token->dying_count > 0 || token->set->stopping)
		return;
	if (token->current == NULL && token->state != TOKEN_STATE_STARTING)
		token_change(token, TOKEN_STATE_STARTING, ERR_UNAVAILABLE,
			"The token is starting; try again soon.");
	if (!may_launch(token, &err) || !launch(token, &err)) {
		if (token->current == NULL)
			token_down(token, &err);
		else
			token->recycle_after_ms = clock_monotonic_ms() + TOKEN_RECYCLE_PAUSE_MS;
		return;
	}
	log_info("worker.started", LOG_TEXT("token", token->name),
		LOG_INT("pid", worker_pid(token->launch->worker)),
		LOG_INT("starts", token->starts));
	token->starts++;
	token_wake(token);
}

void
token_replace(struct token *token)
{
	bool can = token->current != NULL && token->launch == NULL && token->retiring == NULL &&
		   !token->draining && !token->no_replacement && !token->enrolling;
	if (can && clock_monotonic_ms() >= token->recycle_after_ms)
		token_begin(token);
}
