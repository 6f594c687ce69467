/*
 * One token: its states, the tick that watches it, its birth and end. Invariant: token_set_state() alone changes the
 * state, by legal transitions.
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

#define TO(state) (1u << TOKEN_STATE_##state)

static const struct {
	const char *name;
	unsigned next; /* legal next states */
} STATES[] = {
	[TOKEN_STATE_STARTING] = {"starting",     TO(LOGIN_NEEDED) | TO(NOT_ENROLLED) | TO(LEASED) |
						      TO(READY) | TO(UNAVAILABLE) | TO(REFUSED) |
						      TO(STOPPED)                          },
	[TOKEN_STATE_LOGIN_NEEDED] = {"login-needed", TO(NOT_ENROLLED) | TO(LEASED) | TO(READY) |
							      TO(UNAVAILABLE) | TO(REFUSED) |
							      TO(STOPPED)              },
	[TOKEN_STATE_NOT_ENROLLED] = {"not-enrolled", TO(LEASED) | TO(READY) | TO(STARTING) |
							      TO(UNAVAILABLE) | TO(REFUSED) |
							      TO(STOPPED)              },
	[TOKEN_STATE_LEASED] = {"leased",       TO(NOT_ENROLLED) | TO(READY) | TO(STARTING) |
						  TO(UNAVAILABLE) | TO(REFUSED) | TO(STOPPED)},
	[TOKEN_STATE_READY] = {"ready",
				  TO(LEASED) | TO(STARTING) | TO(UNAVAILABLE) | TO(REFUSED) | TO(STOPPED)                               },
	[TOKEN_STATE_UNAVAILABLE] = {"unavailable",
				  TO(STARTING) | TO(UNAVAILABLE) | TO(REFUSED) | TO(STOPPED)                                            },
	[TOKEN_STATE_REFUSED] = {"refused",
				  TO(STARTING) | TO(REFUSED) | TO(UNAVAILABLE) | TO(STOPPED)                                            },
	[TOKEN_STATE_STOPPED] = {"stopped",      0										     },
};

/* Reasons that trying again cannot cure. */
bool
token_refuses(enum err_code code)
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

/* Callers' input is never why a token is down: what is wrong with its section or module is unavailable to them. */
static struct err
for_callers(const struct err *reason)
{
	struct err shown = *reason;
	enum err_class class = err_class(reason->code);
	if (class == ERR_CLASS_BAD || class == ERR_CLASS_DENIED)
		(void)err_set(&shown, ERR_UNAVAILABLE, "%s", reason->message);
	return shown;
}

void
token_set_state(struct token *token, enum token_state state, const struct err *reason)
{
	assert((STATES[token->state].next & (1u << state)) != 0);
	bool trouble = state == TOKEN_STATE_UNAVAILABLE || state == TOKEN_STATE_REFUSED ||
		       state == TOKEN_STATE_LEASED;
	token->state = state;
	if (reason != NULL)
		token->reason = for_callers(reason);
	else
		err_clear(&token->reason);
	if (trouble) {
		token_note_error(token, reason);
		log_err(state == TOKEN_STATE_UNAVAILABLE ? LOG_LEVEL_WARNING : LOG_LEVEL_ERROR,
			"token.down", reason, LOG_TEXT("token", token->name));
	}
	log_info("token.state", LOG_TEXT("token", token->name),
		LOG_TEXT("state", STATES[state].name));
	token_wake(token);
}

void
token_change(struct token *token, enum token_state state, enum err_code code, const char *message)
{
	struct err reason = {0};
	(void)err_set(&reason, code, message != NULL ? "%s" : NULL, message);
	token_set_state(token, state, &reason);
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
	if (token->state == TOKEN_STATE_STARTING)
		token->failed_starts++;
	token_fail_queue(token, ERR_UNAVAILABLE);
	if (!token_refuses(why->code)) {
		token->retry_ms = now_ms + backoff_down(&token->backoff, now_ms, token_random());
		token_set_state(token, TOKEN_STATE_UNAVAILABLE, why);
		return;
	}
	struct token_stamp stamp;
	bool unwatched = why->code == ERR_PIN_REFUSED && !token_stamp_pin(token, &stamp);
	token->retry_ms = unwatched ? now_ms + RETRY_PIN_MS : INT64_MAX;
	token_set_state(token, TOKEN_STATE_REFUSED, why);
}

void
token_compare(struct token *token)
{
	struct bytes enrolled = {token->record.capability, token->record.capability_len};
	struct err why = {0};
	(void)device_lost(token->device, enrolled, token->lost, sizeof(token->lost));
	if (!token_holds_creation(token, &why))
		return;
	token_note_error(token, &why);
	log_err(LOG_LEVEL_ERROR, "token.lost", &why, LOG_TEXT("token", token->name));
}

bool
token_holds_creation(const struct token *token, struct err *ret_err)
{
	if (token->lost[0] == '\0')
		return false;
	(void)err_set(ret_err, ERR_TOKEN_REDUCED,
		"The token no longer serves %s; no keys are made on it until custodyctl token "
		"enroll accepts that.",
		token->lost);
	return true;
}

void
token_proved(struct token *token)
{
	const struct tokens_host *host = &token->set->host;
	if (token->state != TOKEN_STATE_READY)
		token_set_state(token, TOKEN_STATE_READY, NULL);
	host->ready(host->ctx, token);
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
		due = due || token_pin_changed(token);
	bool down = token->state == TOKEN_STATE_UNAVAILABLE || token->state == TOKEN_STATE_REFUSED;
	if ((down && due) || (token->state == TOKEN_STATE_STARTING && token->launch == NULL))
		token_begin(token);
}

static void
arm(struct token *token)
{
	bool settled = token->state == TOKEN_STATE_READY ||
		       token->state == TOKEN_STATE_NOT_ENROLLED ||
		       token->state == TOKEN_STATE_LEASED || token->state == TOKEN_STATE_REFUSED;
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
		token_follow(token, launch_tick(token->launch, now_ms));
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
	if (strcmp(token->pin_source, "ask") == 0 && !token_listen_login(token, err))
		return NULL;
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
	(void)replace_text(&token->region, options->region); /* no matter of the worker's */
	const struct {
		char **mine;
		const char *with;
	} texts[] = {
		{&token->uri,            options->uri           },
		{&token->module,         options->module        },
		{&token->pin_source,     options->pin_source    },
		{&token->env,            options->env           },
		{&token->user,           options->user          },
		{&token->accept_reduced, options->accept_reduced},
	};
	unsigned sessions = options->sessions > 0 ? (unsigned)options->sessions : 1;
	bool changed = sessions != token->sessions || options->one_thread != token->one_thread;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		changed = replace_text(texts[i].mine, texts[i].with) || changed;
	token->sessions = sessions;
	token->one_thread = options->one_thread;
	token->no_replacement = false;
	token->recycle_after_ms = 0;
	token->retry_ms = clock_monotonic_ms();
	struct err err = {0};
	if (strcmp(token->pin_source, "ask") == 0 && !token_listen_login(token, &err))
		log_err(LOG_LEVEL_ERROR, "token.login", &err, LOG_TEXT("token", token->name));
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

bool
token_is_hardware(const struct token *token)
{
	return token->device != NULL && (token->device->flags & WIRE_TOKEN_HARDWARE) != 0;
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

bool
token_is_reduced(const struct token *token)
{
	return token->device != NULL && token->device->reduced_count > 0;
}
