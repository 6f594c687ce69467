/*
 * What comes back from a worker, or does not: answers, what they say of the token's health, deadlines that pass,
 * workers that are lost.
 */
#include <assert.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "custodyd/token_priv.h"

#define SERVICE_FADE 8  /* the mean follows the last eight or so */
#define PROBES_MAX   3u /* failed ones: another worker is tried */

/* ---- what ran at a worker that is lost ---- */

static bool
was_sent(const struct request *request)
{
	return request->message.len == 0; /* wiped when the socket took it */
}

/* Whoever hung is the suspect; if nobody did, everybody who ran is. */
static bool
is_suspect(const struct request *request, bool hung, int64_t now_ms)
{
	return request->purpose == REQUEST_CALLER && was_sent(request) &&
	       (!hung || request->hard_ms <= now_ms);
}

/* Callers may ask the same at once, as for the key of a busy mailbox: one death counts once against it. */
static bool
is_counted(const struct request_list *running, const struct request *request, bool hung,
	int64_t now_ms)
{
	for (const struct request *r = running->first; r != request; r = r->next) {
		if (is_suspect(r, hung, now_ms) &&
			memcmp(r->digest, request->digest, sizeof(r->digest)) == 0)
			return true;
	}
	return false;
}

static void
suspect(struct token *token, const struct request_list *running)
{
	int64_t now_ms = clock_monotonic_ms();
	bool hung = false;
	for (const struct request *r = running->first; r != NULL; r = r->next)
		hung = hung || r->hard_ms <= now_ms;
	for (const struct request *r = running->first; r != NULL; r = r->next) {
		if (!is_suspect(r, hung, now_ms) || is_counted(running, r, hung, now_ms))
			continue;
		enum poison_verdict verdict =
			poison_note(token->set->poison, r->digest, r->caller, now_ms);
		if (verdict == POISON_BARRED)
			log_warning("token.poison", LOG_TEXT("token", token->name),
				LOG_TEXT("message", wire_name(r->type)), LOG_INT("uid", r->caller));
	}
}

void
token_fail_running(struct token *token, struct worker *worker)
{
	struct request_list *running = worker_running(worker);
	struct request *request;
	suspect(token, running);
	while ((request = request_list_pop(running)) != NULL) {
		token_ended(token, request);
		bool unknown = was_sent(request) && !wire_idempotent(request->type);
		if (request->purpose == REQUEST_PING || request->purpose == REQUEST_PROBE)
			token->pinged = false;
		if (request->purpose == REQUEST_RAISE)
			token->raising = false;
		token_fail(token, request, unknown ? ERR_OUTCOME_UNKNOWN : ERR_UNAVAILABLE);
	}
}

/* ---- answers ---- */

union any_answer {
#define RECORD(record) struct wire_##record record;
#define FIELD(record, type, name)
#define END(record)
#define MSG(number, symbol, name, request, answer, deadline, idempotent, secret)
#include "wire/msg.tbl"
};

static void
learn(struct token *token, const struct request *request)
{
	int64_t elapsed_us = clock_monotonic_us() - request->sent_us;
	unsigned count = token_threads(token);
	unsigned crowd = request->crowd > count ? request->crowd : count;
	int64_t service = elapsed_us * count / crowd + 1;
	int64_t *mean = &token->service_us[request->kind];

	*mean = *mean == 0 ? service : *mean + (service - *mean) / SERVICE_FADE;
	latency_add(&token->latencies[request->kind], elapsed_us);
}

/* What a use of a key says about the token's health. Mutations fail for their own reasons: a full token still opens. */
static void
judge(struct token *token, const struct request *request, const struct err *err)
{
	if (wire_deadline(request->type) != WIRE_DEADLINE_USE)
		return;
	bool failed = err != NULL && err_class(err->code) == ERR_CLASS_UNAVAILABLE;
	if (!breaker_count(&token->breaker, failed, clock_monotonic_ms(), token_random()))
		return;
	log_err(LOG_LEVEL_WARNING, "token.breaker", err, LOG_TEXT("token", token->name));
	token_note_error(token, err);
	token_fail_queue(token, ERR_UNAVAILABLE);
}

/* Once; if the next worker has none either, that is the breaker's (threats B13). */
static void
replace_for_memory(struct token *token)
{
	token_replace(token);
	token->recycle_after_ms = clock_monotonic_ms() + TOKEN_RECYCLE_PAUSE_MS;
}

/* Errors of an operation that are about the worker or the token as a whole. */
static void
react(struct token *token, struct worker *worker, const struct err *err)
{
	if (err->code == ERR_TOKEN_IMPOSTOR || err->code == ERR_TOKEN_AMBIGUOUS)
		worker_kill(worker, err);
	else if (err->code == ERR_TOKEN_LEASED && worker == token->current)
		token_leased(token);
	else if (err->code == ERR_NO_MEMORY && worker == token->current)
		replace_for_memory(token);
}

static void
answered_caller(struct token *token, struct worker *worker, struct request *request,
	const struct wire_message *message)
{
	union any_answer answer;
	struct err err = {0};
	bool ok = wire_decode_answer(message, &answer, NULL, &err);
	if (!ok && (message->flags & WIRE_FLAG_ERROR) == 0)
		worker_kill(worker, &err); /* not an error answer: nonsense */
	token->worked = true;
	if (request->dropped)
		token->late_answers++;
	poison_acquit(token->set->poison, request->digest);
	if (ok)
		learn(token, request);
	else
		react(token, worker, &err);
	judge(token, request, ok ? NULL : &err);
	token_finish(token, request, ok ? &answer : NULL, ok ? NULL : &err);
}

/* Some modules leak memory, some session objects: whoever served long enough gets a successor (threats B32). */
static bool
is_worn(const struct token_limits *limits, const struct wire_ping_answer *answer)
{
	bool big = limits->recycle_bytes > 0 && answer->rss_bytes > (uint64_t)limits->recycle_bytes;
	bool old = limits->recycle_operations > 0 &&
		   answer->operations >= (uint64_t)limits->recycle_operations;
	return big || old;
}

static void
pinged(struct token *token, struct worker *worker, const struct wire_message *message)
{
	struct wire_ping_answer answer;
	struct err err = {0};
	bool ok = wire_decode_answer(message, &answer, NULL, &err);
	int64_t now_ms = clock_monotonic_ms();

	token->pinged = false;
	if (worker != token->current)
		return;
	if (!ok && err.code == ERR_TOKEN_LEASED) {
		token_leased(token);
		return; /* the token itself is well */
	}
	if (token->breaker.state == BREAKER_HALF_OPEN) {
		token->failed_probes = ok ? 0 : token->failed_probes + 1;
		breaker_probed(&token->breaker, !ok, now_ms, token_random());
	} else {
		(void)breaker_count(&token->breaker, !ok, now_ms, token_random());
	}
	if (!ok && token->failed_probes >= PROBES_MAX)
		worker_kill(worker, &err);
	if (!ok)
		return;
	token->device->sessions = answer.sessions > 0 ? answer.sessions : 1;
	if (is_worn(&token->set->limits, &answer))
		token_replace(token);
}

void
token_answered(struct token *token, struct worker *worker, struct request *take_request,
	const struct wire_message *message)
{
	token_ended(token, take_request);
	switch (take_request->purpose) {
	case REQUEST_CALLER:
		answered_caller(token, worker, take_request, message);
		break;
	case REQUEST_ENROLL:
		token_enrolling(token, worker, take_request, message);
		break;
	case REQUEST_PING:
	case REQUEST_PROBE:
		pinged(token, worker, message);
		request_free(take_request);
		break;
	case REQUEST_RAISE:
		token_raised(token, worker, message);
		request_free(take_request);
		break;
	case REQUEST_LAUNCH: /* the launch's, not ours */
		assert(false);
		break;
	}
	token_flush(token);
	token_dispatch(token);
}

/* ---- watching ---- */

/* What its caller no longer waits for is told so; the answer, when it comes, is late. */
static void
time_out(struct token *token, struct request *request)
{
	struct err err = {0};
	request->dropped = true;
	(void)err_set(
		&err, wire_idempotent(request->type) ? ERR_TIMEOUT : ERR_OUTCOME_UNKNOWN, NULL);
	token_tell(token, request, NULL, &err);
}

static void
watch_worker(struct token *token, struct worker *worker, int64_t now_ms)
{
	if (worker == NULL)
		return;
	bool hangs = false;
	/* A delivery may append to the table and mark in it, never take out of it. */
	for (struct request *r = worker_running(worker)->first; r != NULL; r = r->next) {
		bool waits = r->purpose == REQUEST_CALLER || r->purpose == REQUEST_ENROLL;
		hangs = hangs || r->hard_ms <= now_ms;
		if (waits && !r->dropped && r->deadline_ms <= now_ms)
			time_out(token, r);
	}
	if (!hangs)
		return;
	struct err why = {0};
	(void)err_set(
		&why, ERR_TIMEOUT, "The token did not answer in time; its worker is replaced.");
	worker_kill(worker, &why);
}

static void
ping(struct token *token, enum request_purpose purpose, int64_t now_ms)
{
	struct wire_empty empty = {};
	struct request *request = request_new(purpose, WIRE_PING, token->next_id++, &empty);
	assert(request != NULL); /* an empty record always fits */
	request->kind = LATENCY_OTHER;
	token->pinged = true;
	token->worked = false;
	token->last_ping_ms = now_ms;
	token_send(token, request);
}

static bool
ping_is_due(const struct token *token, int64_t now_ms)
{
	int64_t idle_ms = token->set->limits.idle_ping_ms, waited_ms = now_ms - token->last_ping_ms;
	return (token->worked && waited_ms >= TOKEN_PING_MS) ||
	       (idle_ms > 0 && waited_ms >= idle_ms);
}

void
token_watch(struct token *token, int64_t now_ms)
{
	token_expire(token, now_ms);
	watch_worker(token, token->current, now_ms);
	watch_worker(token, token->retiring, now_ms);
	if (token->current == NULL || !worker_alive(token->current) || token->draining ||
		token->pinged)
		return;
	if (breaker_try(&token->breaker, now_ms))
		ping(token, REQUEST_PROBE, now_ms);
	else if (token->breaker.state == BREAKER_CLOSED && ping_is_due(token, now_ms))
		ping(token, REQUEST_PING, now_ms);
}
