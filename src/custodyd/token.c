/*
 * The life of one token: a worker is launched, serves, is replaced or lost, and the state says what callers may
 * expect. Invariants: token_set_state() alone changes the state, by legal transitions; there is at most one
 * launch; a launch begins only when no process of the token is on its way out, so that a module that allows one
 * process at a time, or one that cannot be killed, is not run into (threats B3).
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/log.h"
#include "crypto/random.h"
#include "custodyd/options.h"
#include "custodyd/token_priv.h"

#define TICK_FAST_MS   INT64_C(20) /* while something is to be watched */
#define TICK_SLOW_MS   INT64_C(500)
#define RESTART_MIN_MS INT64_C(100)
#define RESTART_MAX_MS INT64_C(60000)
#define STABLE_MS      INT64_C(60000) /* served so long: the next loss is a first one */
#define GRACE_MS       INT64_C(1000)  /* for leaving (threats B5) */
#define LINGER_MS      INT64_C(5000)  /* a killed process that is still there: say so */
#define RETRY_PIN_MS                                                                               \
	INT64_C(300000) /* a PIN source that cannot be watched is read again; only another PIN is tried */
#define RETRY_RECYCLE_MS INT64_C(60000)

#define TO(state) (1u << TOKEN_STATE_##state)

static const struct {
	const char *name;
	unsigned next; /* legal next states */
} STATES[] = {
	[TOKEN_STATE_STARTING] = {"starting",     TO(LOGIN_NEEDED) | TO(NOT_ENROLLED) | TO(READY) |
						      TO(UNAVAILABLE) | TO(REFUSED) | TO(STOPPED)},
	[TOKEN_STATE_LOGIN_NEEDED] = {"login-needed",
				  TO(NOT_ENROLLED) | TO(READY) | TO(UNAVAILABLE) | TO(REFUSED) | TO(STOPPED)                                  },
	[TOKEN_STATE_NOT_ENROLLED] = {"not-enrolled",
				  TO(READY) | TO(STARTING) | TO(UNAVAILABLE) | TO(REFUSED) | TO(STOPPED)                                      },
	[TOKEN_STATE_READY] = {"ready",        TO(STARTING) | TO(UNAVAILABLE) | TO(REFUSED) | TO(STOPPED)                                  },
	[TOKEN_STATE_UNAVAILABLE] = {"unavailable",
				  TO(STARTING) | TO(UNAVAILABLE) | TO(REFUSED) | TO(STOPPED)                                                  },
	[TOKEN_STATE_REFUSED] = {"refused",
				  TO(STARTING) | TO(REFUSED) | TO(UNAVAILABLE) | TO(STOPPED)                                                  },
	[TOKEN_STATE_STOPPED] = {"stopped",      0											   },
};

/* Reasons that trying again cannot cure. */
static bool
refuses(enum err_code code)
{
	return err_class(code) == ERR_CLASS_INTEGRITY || code == ERR_PIN_REFUSED ||
	       code == ERR_PIN_LOCKED || code == ERR_TOKEN_REDUCED;
}

const char *
token_state_name(enum token_state state)
{
	return STATES[state].name;
}

uint32_t
token_random(void)
{
	uint32_t random;
	random_bytes(&random, sizeof(random));
	return random;
}

void
token_note_error(struct token *token, const struct err *err)
{
	token->last_error = *err;
	token->last_error_at = clock_wall_s();
}

void
token_set_state(struct token *token, enum token_state state, const struct err *reason)
{
	assert((STATES[token->state].next & (1u << state)) != 0);
	bool trouble = state == TOKEN_STATE_UNAVAILABLE || state == TOKEN_STATE_REFUSED;
	token->state = state;
	if (reason != NULL)
		token->reason = *reason;
	else
		err_clear(&token->reason);
	if (trouble) {
		token_note_error(token, reason);
		log_err(state == TOKEN_STATE_REFUSED ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING,
			"token.down", reason, LOG_TEXT("token", token->name));
	}
	log_info("token.state", LOG_TEXT("token", token->name),
		LOG_TEXT("state", STATES[state].name));
	token_wake(token);
}

static void
change(struct token *token, enum token_state state, enum err_code code, const char *message)
{
	struct err reason = {0};
	(void)err_set(&reason, code, message != NULL ? "%s" : NULL, message);
	token_set_state(token, state, &reason);
}

/* ---- the PIN source as a file ---- */

static bool
stamp_pin_source(const struct token *token, struct token_stamp *ret_stamp)
{
	struct stat found;
	if (strncmp(token->pin_source, "file:", 5) != 0 || stat(token->pin_source + 5, &found) != 0)
		return false;
	*ret_stamp = (struct token_stamp){
		.device = found.st_dev,
		.inode = found.st_ino,
		.size = found.st_size,
		.modified_ns = found.st_mtim.tv_sec * INT64_C(1000000000) + found.st_mtim.tv_nsec,
		.changed_ns = found.st_ctim.tv_sec * INT64_C(1000000000) + found.st_ctim.tv_nsec,
	};
	return true;
}

static bool
pin_source_changed(const struct token *token)
{
	struct token_stamp now;
	const struct token_stamp *then = &token->pin_stamp;
	return stamp_pin_source(token, &now) &&
	       (now.device != then->device || now.inode != then->inode || now.size != then->size ||
		       now.modified_ns != then->modified_ns || now.changed_ns != then->changed_ns);
}

/* Remembered across restarts of worker and daemon before anything else is tried (threats B11). */
static void
remember_refused_pin(struct token *token, const uint8_t *digest)
{
	const struct tokens_host *host = &token->set->host;
	struct token_record *record = &token->record;
	struct err err = {0};
	record->pin_refused = true;
	memcpy(record->pin_digest, digest, sizeof(record->pin_digest));
	if (!host->refuse_pin(host->ctx, token->name, record->pin_salt, record->pin_digest, &err))
		log_err(LOG_LEVEL_ERROR, "token.pin", &err, LOG_TEXT("token", token->name));
}

static void
forget_refused_pin(struct token *token)
{
	const struct tokens_host *host = &token->set->host;
	struct err err = {0};
	if (!token->record.pin_refused)
		return;
	token->record.pin_refused = false;
	if (!host->accept_pin(host->ctx, token->name, &err))
		log_err(LOG_LEVEL_WARNING, "token.pin", &err, LOG_TEXT("token", token->name));
}

/* ---- down and up ---- */

void
token_down(struct token *token, const struct err *why)
{
	int64_t now_ms = clock_monotonic_ms();
	if (token->state == TOKEN_STATE_STOPPED)
		return;
	token->planned = false;
	token->draining = false;
	token_fail_queue(token, ERR_UNAVAILABLE);
	if (!refuses(why->code)) {
		token->retry_ms = now_ms + backoff_down(&token->backoff, now_ms, token_random());
		token_set_state(token, TOKEN_STATE_UNAVAILABLE, why);
		return;
	}
	bool unwatched =
		why->code == ERR_PIN_REFUSED && strncmp(token->pin_source, "file:", 5) != 0;
	token->retry_ms = unwatched ? now_ms + RETRY_PIN_MS : INT64_MAX;
	token_set_state(token, TOKEN_STATE_REFUSED, why);
}

void
token_proved(struct token *token)
{
	const struct tokens_host *host = &token->set->host;
	if (token->state != TOKEN_STATE_READY)
		token_set_state(token, TOKEN_STATE_READY, NULL);
	host->ready(host->ctx, token);
}

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
	token->pinged = false;
	token->ping_ms = now_ms + TOKEN_PING_MS;
	breaker_close(&token->breaker, now_ms);
	backoff_up(&token->backoff, now_ms);
	forget_refused_pin(token);
	log_info("worker.ready", LOG_TEXT("token", token->name),
		LOG_INT("pid", worker_pid(token->current)),
		LOG_INT("sessions", token->device->sessions));
	if (token->device->enrolled)
		token_proved(token);
	else if (token->state != TOKEN_STATE_NOT_ENROLLED)
		change(token, TOKEN_STATE_NOT_ENROLLED, ERR_TOKEN_NOT_ENROLLED, NULL);
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
	token->recycle_after_ms = clock_monotonic_ms() + RETRY_RECYCLE_MS;
	/* The token would not have two workers at once, perhaps for want of sessions: one after the other then. */
	token->draining = why->code == ERR_UNAVAILABLE;
}

static bool take_login(void *ctx, int fd, struct err *err);

static void
listen_for_login(struct token *token)
{
	struct login_owner owner = {token, take_login};
	struct err err = {0};
	if (token->login != NULL)
		return;
	token->login = login_new(token->set->loop, token->set->socket, token->name, &owner, &err);
	if (token->login == NULL)
		log_err(LOG_LEVEL_ERROR, "token.login", &err, LOG_TEXT("token", token->name));
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
	listen_for_login(token);
	if (launch->err.code != ERR_NONE)
		token_note_error(token, &launch->err);
	if (token->state != TOKEN_STATE_LOGIN_NEEDED)
		change(token, TOKEN_STATE_LOGIN_NEEDED, ERR_PIN_NEEDED, NULL);
}

static void
follow(struct token *token, enum launch_result result)
{
	struct launch *launch = token->launch;
	if (launch->pin_digest_known)
		remember_refused_pin(token, launch->pin_digest);
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
	follow(token, launch_answer(token->launch, message));
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
	bool succeeded =
		token->planned || token->draining || (token->launch != NULL && !refuses(why->code));
	if (!succeeded || token->state == TOKEN_STATE_STOPPED) {
		token_down(token, why);
		return;
	}
	token->planned = true;
	change(token, TOKEN_STATE_STARTING, ERR_UNAVAILABLE,
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
	struct worker_spec spec = {token->name, token->set->limits.worker, token->env};
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
	(void)stamp_pin_source(token, &token->pin_stamp);
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
		change(token, TOKEN_STATE_STARTING, ERR_UNAVAILABLE,
			"The token is starting; try again soon.");
	if (!may_launch(token, &err) || !launch(token, &err)) {
		if (token->current == NULL)
			token_down(token, &err);
		else
			token->recycle_after_ms = clock_monotonic_ms() + RETRY_RECYCLE_MS;
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

/* A person connected: checks who, and hands the connection to the worker that waits for it. */
static bool
take_login(void *ctx, int fd, struct err *err)
{
	struct token *token = ctx;
	const struct tokens_host *host = &token->set->host;
	if (!host->may_login(host->ctx, fd))
		return err_set(err, ERR_ACCESS_DENIED, NULL);
	if (token->state != TOKEN_STATE_LOGIN_NEEDED || token->launch == NULL)
		return err_set(err, ERR_CONFLICT, "The token waits for no PIN now.");
	if (token->launch->phase != LAUNCH_ASKS || !worker_alive(token->launch->worker))
		return err_set(err, ERR_CONFLICT, "Somebody else is logging in to the token now.");
	launch_login(token->launch, fd);
	token_wake(token);
	return true;
}

/* ---- the tick ---- */

static void
leave_when_done(struct token *token)
{
	struct worker *retiring = token->retiring;
	if (retiring != NULL && worker_running(retiring)->count == 0)
		worker_stop(retiring, GRACE_MS);
	if (token->draining && token->current != NULL &&
		worker_running(token->current)->count == 0) {
		token->planned = true;
		worker_stop(token->current, GRACE_MS);
	}
}

/* A killed process that does not end keeps its successor waiting, and callers are told (threats B3). */
static void
notice_lingering(struct token *token, int64_t now_ms)
{
	bool waits =
		token->state == TOKEN_STATE_STARTING || token->state == TOKEN_STATE_UNAVAILABLE;
	if (!waits || token->dying_count == 0 || token->launch != NULL ||
		now_ms - token->dying_since_ms < LINGER_MS || token->reason.code == ERR_TIMEOUT)
		return;
	struct err why = {0};
	(void)err_set(&why, ERR_TIMEOUT,
		"The token's worker was killed and does not end: its driver or device hangs.");
	token_down(token, &why);
}

static void
try_again(struct token *token, int64_t now_ms)
{
	bool due = now_ms >= token->retry_ms;
	notice_lingering(token, now_ms);
	if (token->state == TOKEN_STATE_REFUSED && token->reason.code == ERR_PIN_REFUSED)
		due = due || pin_source_changed(token);
	bool down = token->state == TOKEN_STATE_UNAVAILABLE || token->state == TOKEN_STATE_REFUSED;
	if ((down && due) || (token->state == TOKEN_STATE_STARTING && token->launch == NULL))
		token_begin(token);
}

static void
arm(struct token *token)
{
	bool settled = token->state == TOKEN_STATE_READY ||
		       token->state == TOKEN_STATE_NOT_ENROLLED ||
		       token->state == TOKEN_STATE_REFUSED;
	token->tick_is_fast = !settled || token->launch != NULL || token->retiring != NULL ||
			      token->breaker.state != BREAKER_CLOSED || token_is_working(token);
	timer_start(token->tick, token->tick_is_fast ? TICK_FAST_MS : TICK_SLOW_MS);
}

static void
tick(void *ctx)
{
	struct token *token = ctx;
	int64_t now_ms = clock_monotonic_ms();
	if (token->launch != NULL)
		follow(token, launch_tick(token->launch, now_ms));
	token_watch(token, now_ms);
	leave_when_done(token);
	if (!token->set->stopping)
		try_again(token, now_ms);
	token_flush(token);
	token_dispatch(token);
	arm(token);
}

void
token_wake(struct token *token)
{
	if (token->tick_is_fast)
		return;
	token->tick_is_fast = true;
	timer_start(token->tick, TICK_FAST_MS);
}

/* ---- birth, change and end ---- */

static char *
dup_text(const char *text)
{
	char *copy = strdup(text != NULL ? text : "");
	if (copy == NULL)
		abort();
	return copy;
}

static void
take_options(struct token *token, const struct options_token *options)
{
	token->name = dup_text(options->name);
	token->region = dup_text(options->region);
	token->uri = dup_text(options->uri);
	token->module = dup_text(options->module);
	token->pin_source = dup_text(options->pin_source);
	token->env = dup_text(options->env);
	token->user = dup_text(options->user);
	token->accept_reduced = dup_text(options->accept_reduced);
	token->sessions = options->sessions > 0 ? (unsigned)options->sessions : 1;
	token->one_thread = options->one_thread;
}

struct token *
token_new(struct tokens *set, const struct options_token *options, struct err *err)
{
	CLEAN(token)
	struct token *token = calloc(1, sizeof(*token));
	if (token == NULL)
		abort();
	token->set = set;
	take_options(token, options);
	token->state = TOKEN_STATE_STARTING;
	(void)err_set(&token->reason, ERR_UNAVAILABLE, "The token is starting; try again soon.");
	token->next_id = 1;
	token->queue = queue_new();
	buf_init(&token->new_spki, TOKEN_SPKI_MAX);
	breaker_init(&token->breaker);
	backoff_init(&token->backoff, RESTART_MIN_MS, RESTART_MAX_MS, STABLE_MS);
	token->tick = timer_new(set->loop, "token", tick, token);
	if (strcmp(token->pin_source, "ask") == 0) {
		struct login_owner owner = {token, take_login};
		token->login = login_new(set->loop, set->socket, token->name, &owner, err);
		if (token->login == NULL)
			return NULL;
	}
	timer_start(token->tick, 0);
	struct token *made = token;
	token = NULL;
	return made;
}

void
token_free(struct token *token)
{
	if (token == NULL)
		return;
	login_free(token->login);
	timer_free(token->tick);
	launch_free(token->launch);
	worker_free(token->current);
	worker_free(token->retiring);
	for (unsigned i = 0; i < token->dying_count; i++)
		worker_free(token->dying[i]);
	queue_free(token->queue);
	request_free(token->held);
	request_list_clear(&token->failures);
	device_free(token->device);
	buf_clear(&token->new_spki);
	char *texts[] = {token->name, token->region, token->uri, token->module, token->pin_source,
		token->env, token->user, token->accept_reduced};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		free(texts[i]);
	free(token);
}

static bool
replace_text(char **text, const char *with)
{
	if (strcmp(*text, with != NULL ? with : "") == 0)
		return false;
	free(*text);
	*text = dup_text(with);
	return true;
}

void
token_reload(struct token *token, const struct options_token *options)
{
	bool changed = replace_text(&token->pin_source, options->pin_source);
	changed = replace_text(&token->accept_reduced, options->accept_reduced) || changed;
	token->no_replacement = false;
	token->recycle_after_ms = 0;
	token->retry_ms = clock_monotonic_ms();
	if (strcmp(token->pin_source, "ask") == 0)
		listen_for_login(token);
	token_wake(token);
	if (!changed)
		return;
	struct err why = {0};
	(void)err_set(&why, ERR_UNAVAILABLE, "The token's section of the configuration changed.");
	if (token->launch != NULL)
		worker_kill(token->launch->worker, &why);
	else
		token_replace(token);
}

void
token_stop(struct token *token)
{
	struct err why = {0};
	(void)err_set(&why, ERR_SHUTTING_DOWN, NULL);
	token_fail_queue(token, ERR_SHUTTING_DOWN);
	if (token->state != TOKEN_STATE_STOPPED)
		token_set_state(token, TOKEN_STATE_STOPPED, &why);
	if (token->launch != NULL)
		worker_kill(token->launch->worker, &why);
	if (token->current != NULL)
		worker_stop(token->current, GRACE_MS);
	if (token->retiring != NULL)
		worker_stop(token->retiring, GRACE_MS);
	login_free(token->login);
	token->login = NULL;
	token_flush(token);
}

bool
token_has_process(const struct token *token)
{
	return token->launch != NULL || token->current != NULL || token->retiring != NULL ||
	       token->dying_count > 0;
}

const char *
token_name(const struct token *token)
{
	return token->name;
}

const char *
token_region(const struct token *token)
{
	return token->region;
}

enum token_state
token_state(const struct token *token)
{
	return token->state;
}

bool
token_is_ready(const struct token *token)
{
	struct err ignored;
	return !token_trouble(token, &ignored);
}
