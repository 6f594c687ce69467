/*
 * What a token is asked: taken, queued, sent, answered, timed out, failed. Invariants: every accepted request is
 * in exactly one of queue, held, a worker's table and failures, and leaves the last of them by exactly one
 * delivery unless it was cancelled; deliveries happen only from the loop.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "custodyd/token_priv.h"

#define PREFETCH_US    INT64_C(1000) /* of work for each thread may wait in a worker's socket */
#define PREFETCH_MAX   8u            /* requests for each thread, running and waiting there */
#define ABSENT_STARTS  2             /* failed in a row: the token is gone rather than slow */
#define ABSENT_RETRY_S 10
#define RETRY_MAX_S    60
#define SERVICE_GUESS  INT64_C(1000) /* microseconds, when nothing is known */

/* ---- delivering ---- */

/* The delivery itself; the request is in no list and stays the caller's. */
void
token_tell(struct token *token, const struct request *request, const void *fields,
	const struct err *err)
{
	const struct tokens_host *host = &token->set->host;
	struct token_answer answer = {
		.type = request->purpose == REQUEST_ENROLL ? WIRE_ENROLL : request->type,
		.fields = fields,
		.err = err,
		.elapsed_us = request->sent_us == 0 ? 0 : clock_monotonic_us() - request->sent_us,
	};
	host->deliver(host->ctx, request->ticket, &answer);
}

void
token_finish(struct token *token, struct request *take_request, const void *fields,
	const struct err *err)
{
	bool waits =
		take_request->purpose == REQUEST_CALLER || take_request->purpose == REQUEST_ENROLL;
	if (take_request->purpose == REQUEST_CALLER)
		queue_release(token->queue, take_request->caller);
	if (waits && !take_request->dropped)
		token_tell(token, take_request, fields, err);
	request_free(take_request);
}

void
token_fail(struct token *token, struct request *take_request, enum err_code code)
{
	take_request->failed = code;
	request_list_push(&token->failures, take_request);
}

void
token_flush(struct token *token)
{
	struct request *request;
	while ((request = request_list_pop(&token->failures)) != NULL) {
		struct err err = {0};
		(void)err_set(&err, request->failed, NULL);
		token_finish(token, request, NULL, &err);
	}
}

static void
fail_list(struct token *token, struct request_list *list, enum err_code code)
{
	struct request *request;
	while ((request = request_list_pop(list)) != NULL)
		token_fail(token, request, code);
}

void
token_fail_queue(struct token *token, enum err_code code)
{
	struct request_list waiting = {0};
	queue_expire(token->queue, INT64_MAX, &waiting);
	if (token->held != NULL)
		request_list_push(&waiting, token->held);
	token->held = NULL;
	fail_list(token, &waiting, code);
}

/* ---- running work ---- */

void
token_ended(struct token *token, const struct request *request)
{
	if (request->purpose == REQUEST_LAUNCH)
		return; /* a launch sends by itself */
	if (request_mutates(request))
		token->mutations--;
	if (request->alone)
		token->alone = false;
}

static int64_t
hard_limit(const struct token_limits *limits, enum wire_type type)
{
	switch (wire_deadline(type)) {
	case WIRE_DEADLINE_USE:
		return limits->use_ms;
	case WIRE_DEADLINE_SEARCH:
		return limits->search_ms;
	case WIRE_DEADLINE_CREATE:
		return limits->create_ms;
	case WIRE_DEADLINE_START:
	case WIRE_DEADLINE_LOGIN:
	case WIRE_DEADLINE_NONE: /* a launch has its own deadlines */
		break;
	}
	return INT64_MAX / 2;
}

void
token_send(struct token *token, struct request *take_request)
{
	take_request->hard_ms =
		clock_monotonic_ms() + hard_limit(&token->set->limits, take_request->type);
	if (request_mutates(take_request))
		token->mutations++;
	if (take_request->alone)
		token->alone = true;
	worker_send(token->current, take_request);
	token_wake(token);
}

/* ---- choosing what runs next ---- */

static int64_t
service_us(const struct token *token, enum latency_kind kind)
{
	return token->service_us[kind] > 0 ? token->service_us[kind] : SERVICE_GUESS;
}

unsigned
token_threads(const struct token *token)
{
	return token->device != NULL ? token->device->sessions : 1;
}

/*
 * One request a thread, and beyond that only about a millisecond of work waiting in the socket: enough that no
 * thread idles for our turn-around, too little to spoil the fairness of the queue.
 */
static bool
has_room(const struct token *token)
{
	const struct request_list *running = worker_running(token->current);
	unsigned count = token_threads(token);
	if (running->count < count)
		return true;
	if (running->count >= count * PREFETCH_MAX)
		return false;
	int64_t work_us = 0;
	for (const struct request *r = running->first; r != NULL; r = r->next)
		work_us += service_us(token, r->kind);
	return work_us < (int64_t)count * PREFETCH_US;
}

static bool
takes_work(const struct token *token)
{
	return token->state == TOKEN_STATE_READY && token->breaker.state == BREAKER_CLOSED &&
	       !token->draining && token->current != NULL && worker_alive(token->current);
}

/* A mutation at a worker of one thread would let what is sent after it run into its deadline. */
static bool
must_run_alone(const struct token *token, const struct request *request)
{
	return request->suspect || (request_mutates(request) && token_threads(token) == 1);
}

static struct request *
choose(struct token *token)
{
	unsigned running = worker_running(token->current)->count;
	struct request *request = token->held;
	if (request != NULL) {
		token->held = running == 0 ? NULL : request;
		return running == 0 ? request : NULL;
	}
	if (token->alone || !has_room(token))
		return NULL;
	request = queue_pop(token->queue, token->mutations == 0);
	if (request == NULL)
		return NULL;
	request->alone = must_run_alone(token, request);
	if (!request->alone || running == 0)
		return request;
	token->held = request;
	return NULL;
}

void
token_dispatch(struct token *token)
{
	int64_t now_ms = clock_monotonic_ms();
	struct request *request;
	while (takes_work(token) && (request = choose(token)) != NULL) {
		if (request->deadline_ms <= now_ms)
			token_fail(token, request, ERR_TIMEOUT);
		else
			token_send(token, request);
	}
}

/* ---- asking ---- */

/*
 * A lost worker is back in a moment. A token that could not be started twice is more likely gone: whoever waits for an
 * answer is told a time that no interactive client waits for.
 */
static int
retry_after_s(const struct token *token)
{
	int64_t left_s = (token->retry_ms - clock_monotonic_ms()) / 1000;
	if (token->failed_starts < ABSENT_STARTS || !err_retryable(token->reason.code))
		return 0;
	return left_s > ABSENT_RETRY_S && left_s < RETRY_MAX_S ? (int)left_s : ABSENT_RETRY_S;
}

bool
token_trouble(const struct token *token, struct err *ret_err)
{
	if (token->set->stopping) {
		(void)err_set(ret_err, ERR_SHUTTING_DOWN, NULL);
		return true;
	}
	if (token->state != TOKEN_STATE_READY) {
		*ret_err = token->reason;
		ret_err->retry_after_s = retry_after_s(token);
		return true;
	}
	if (token->breaker.state == BREAKER_CLOSED)
		return false;
	(void)err_set(
		ret_err, ERR_UNAVAILABLE, "The token failed too often; it is tried again soon.");
	return true;
}

static bool
accepts(const struct token *token, struct err *err)
{
	if (token->planned && token->state == TOKEN_STATE_STARTING && !token->set->stopping)
		return true; /* a successor is on its way: waiting is shorter than failing */
	return !token_trouble(token, err);
}

static void
take_digest(struct request *request, const uint8_t *digest)
{
	if (digest != NULL)
		memcpy(request->digest, digest, sizeof(request->digest));
	else
		hash_sha256(request->message.data + WIRE_HEADER, request->message.len - WIRE_HEADER,
			request->digest);
}

static bool
check_poison(struct token *token, struct request *request, int64_t now_ms, struct err *err)
{
	enum poison_verdict verdict = poison_check(token->set->poison, request->digest, now_ms);
	request->suspect = verdict == POISON_SUSPECT;
	if (verdict == POISON_BARRED)
		return err_set(err, ERR_UNAVAILABLE,
			"This request was running at two failures of a token's worker; it is not "
			"tried again for a while.");
	return true;
}

static bool
enqueue(struct token *token, struct request *request, int64_t now_ms, struct err *err)
{
	const struct token_limits *limits = &token->set->limits;
	bool cut = poison_caller_is_cut(token->set->poison, request->caller, now_ms);
	return queue_push(token->queue, request, limits->queue_max,
		cut ? POISON_CALLER_MAX : limits->caller_max, err);
}

bool
token_request(struct token *token, const struct token_job *job, struct err *err)
{
	int64_t now_ms = clock_monotonic_ms();
	if (!accepts(token, err))
		return false;
	bool creates = job->type == WIRE_GENERATE || job->type == WIRE_IMPORT;
	if (creates && token_holds_creation(token, err))
		return false;
	if (job->deadline_ms <= now_ms)
		return err_set(err, ERR_TIMEOUT, NULL);
	struct request *request =
		request_new(REQUEST_CALLER, job->type, token->next_id++, job->request);
	if (request == NULL)
		return err_set(err, ERR_BAD_PARAMETER, "The request is too large for the token.");
	request->ticket = job->ticket;
	request->caller = job->caller;
	request->deadline_ms = job->deadline_ms;
	request->kind = job->kind;
	take_digest(request, job->digest);
	if (!check_poison(token, request, now_ms, err) || !enqueue(token, request, now_ms, err)) {
		request_free(request);
		return false;
	}
	token_dispatch(token);
	token_wake(token);
	return true;
}

static void
drop_running(struct worker *worker, struct token_ticket ticket)
{
	struct request *request =
		worker != NULL ? request_list_find(worker_running(worker), ticket) : NULL;
	if (request != NULL)
		request->dropped = true;
}

void
token_cancel(struct token *token, struct token_ticket ticket)
{
	struct request *request = queue_remove(token->queue, ticket);
	struct request *held = token->held;
	if (request == NULL && held != NULL && held->ticket.op_id == ticket.op_id &&
		held->ticket.slot == ticket.slot) {
		request = held;
		token->held = NULL;
	}
	if (request != NULL) {
		request->dropped = true;
		token_finish(token, request, NULL, NULL);
	} else if ((request = request_list_find(&token->failures, ticket)) != NULL) {
		request->dropped = true;
	} else {
		drop_running(token->current, ticket);
		drop_running(token->retiring, ticket);
	}
}

void
token_expire(struct token *token, int64_t now_ms)
{
	struct request_list expired = {0};
	queue_expire(token->queue, now_ms, &expired);
	if (token->held != NULL && token->held->deadline_ms <= now_ms) {
		request_list_push(&expired, token->held);
		token->held = NULL;
	}
	fail_list(token, &expired, ERR_TIMEOUT);
}

/* ---- asked from outside about the load ---- */

bool
token_is_working(const struct token *token)
{
	bool runs = token->current != NULL && worker_running(token->current)->count > 0;
	bool leaves = token->retiring != NULL && worker_running(token->retiring)->count > 0;
	return runs || leaves || token->held != NULL || token->failures.count > 0 ||
	       queue_count(token->queue) > 0;
}

bool
token_is_idle(const struct token *token)
{
	return token_is_ready(token) && token->held == NULL && queue_count(token->queue) == 0 &&
	       worker_running(token->current)->count < token_threads(token);
}

int64_t
token_load_us(const struct token *token, enum latency_kind kind)
{
	int64_t service = service_us(token, kind);
	int64_t work = service * (int64_t)queue_count(token->queue);
	const struct request_list *running =
		token->current != NULL ? worker_running(token->current) : NULL;
	for (const struct request *r = running != NULL ? running->first : NULL; r != NULL;
		r = r->next)
		work += service_us(token, r->kind);
	return work / token_threads(token) + service;
}

int64_t
token_latency_us(const struct token *token, enum latency_kind kind, unsigned percent)
{
	return latency_quantile_us(&token->latencies[kind], percent);
}
