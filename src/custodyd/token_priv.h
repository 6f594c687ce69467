/* Internal to token*.c and tokens.c: the one token's state and what all tokens share. */
#pragma once

#include "custodyd/backoff.h"
#include "custodyd/breaker.h"
#include "custodyd/device.h"
#include "custodyd/launch.h"
#include "custodyd/login.h"
#include "custodyd/poison.h"
#include "custodyd/proof.h"
#include "custodyd/queue.h"
#include "custodyd/tokens.h"
#include "custodyd/worker.h"

struct options_token;

#define TOKEN_DYING_MAX 3 /* serving, leaving and starting: a new worker waits until none is left */

/* Of a token at work: its health, what its worker leaks. One without work is asked as the options say (threats B33). */
#define TOKEN_PING_MS INT64_C(10000)
/* Before another successor is tried when one did not come up or did not help. */
#define TOKEN_RECYCLE_PAUSE_MS INT64_C(60000)

/* From the options; durations in milliseconds. */
struct token_limits {
	char *worker; /* path */
	unsigned queue_max, caller_max;
	int64_t step_ms; /* of a start */
	int64_t use_ms; /* of one use of a key, one search, one creation: the worker is replaced then */
	int64_t search_ms;
	int64_t create_ms;
	int64_t recycle_bytes;
	int64_t recycle_operations; /* 0: never */
	int64_t idle_ping_ms;       /* 0: never */
};

struct tokens {
	struct loop *loop;
	struct tokens_host host;
	struct token_limits limits;
	char *socket;
	struct poison *poison;
	struct token **tokens;
	size_t count;
	bool stopping;
	bool stopped; /* done was called */
	struct timer *stop_timer;
	int64_t stop_ms; /* when running work is given up */
	void (*done)(void *ctx);
	void *done_ctx;
};

/* What a file looked like, to notice that it changed. */
struct token_stamp {
	uint64_t device, inode;
	int64_t size, modified_ns, changed_ns;
};

struct token {
	struct tokens *set;
	char *name, *region, *uri, *module, *pin_source, *env, *user, *accept_reduced;
	unsigned sessions;
	bool one_thread;
	struct token_record record;
	bool recorded; /* `record` was loaded */

	enum token_state state; /* token_set_state() alone assigns it */
	struct err reason;      /* why it is not ready */
	struct err last_error;
	int64_t last_error_at;

	struct worker *current;  /* serves; NULL unless ready or not enrolled */
	struct worker *retiring; /* finishes what it has, then leaves */
	struct worker *dying[TOKEN_DYING_MAX];
	unsigned dying_count;
	int64_t dying_since_ms;
	struct launch *launch; /* the next to serve; NULL: none */
	struct device *device; /* of `current`, or of the last that served */
	char lost
		[TOKEN_TEXT_MAX]; /* algorithms it served when enrolled and does not now: no keys are made; "" for none */
	bool draining; /* `current` gets nothing new, then leaves; its successor takes the queue */
	bool planned;  /* `current` leaves because we asked it to */
	bool no_replacement; /* a successor would need a person: not tried again until a reload */
	struct token_stamp pin_stamp;
	struct backoff backoff;
	int64_t starts;         /* of workers */
	unsigned failed_starts; /* in a row, since one served */
	int64_t retry_ms; /* unavailable or refused: when to try again; INT64_MAX: not by time */
	int64_t recycle_after_ms;

	uint64_t next_id;
	struct queue *queue;
	struct request *held;         /* next to run, when nothing else does */
	struct request_list failures; /* to be delivered as failed */
	unsigned mutations;           /* that run */
	bool alone;                   /* what runs, runs alone */
	struct breaker breaker;
	struct latency latencies[LATENCY_KINDS];
	int64_t service_us[LATENCY_KINDS]; /* mean time at a free thread; 0: unknown */
	bool pinged;
	bool worked; /* since the last ping */
	int64_t last_ping_ms;
	unsigned failed_probes;
	bool enrolling;
	bool raising;           /* the counter on the token */
	int64_t raised_ms;      /* when that was last begun; 0: never */
	uint8_t taken_from[16]; /* by the last enrolment; zeros: from nobody */
	struct buf new_spki;    /* while enrolling: made, not yet proved */
	uint8_t challenge[PROOF_CHALLENGE];
	int64_t late_answers;

	struct login *login;
	struct timer *tick;
	bool tick_is_fast;
};

/* token.c: states, the tick, birth and end */
struct token *token_new(
	struct tokens *set, const struct options_token *options, struct err *err) MUST_USE;
void token_free(struct token *token);
/* The one place that changes the state; `reason` NULL for ready. Illegal transitions are asserted. */
void token_set_state(struct token *token, enum token_state state, const struct err *reason);
/* The same with a reason made of code and sentence (NULL: the code's own). */
void token_change(
	struct token *token, enum token_state state, enum err_code code, const char *message);
/* Trying again cannot cure it: an integrity or PIN error. */
bool token_refuses(enum err_code code);
/* The serving worker is lost: the state follows from the reason. Queued work fails. */
void token_down(struct token *token, const struct err *why);
/* The serving worker has proved the recorded identity: ready. */
void token_proved(struct token *token);
/* Compares what the serving worker's token can do with what it could when it was enrolled (threats B39). */
void token_compare(struct token *token);
/* Why keys are not made on a ready token; false: they are. */
bool token_holds_creation(const struct token *token, struct err *ret_err);
void token_note_error(struct token *token, const struct err *err);
void token_reload(struct token *token, const struct options_token *options);
void token_stop(struct token *token); /* its workers are asked to leave */
bool token_has_process(const struct token *token);
void token_wake(struct token *token); /* the tick comes soon */
uint32_t token_random(void);

/* token_worker.c: launches, successors, losses */
void token_begin(struct token *token);   /* starts a worker, unless one is on its way */
void token_replace(struct token *token); /* a successor for the serving worker, logged in first */
/* Does what a result of the launch asks for. */
void token_follow(struct token *token, enum launch_result result);

/* token_pin.c: the PIN source, the refused PIN, the login socket */
/* false: the source is no file, or not there. */
bool token_stamp_pin(const struct token *token, struct token_stamp *ret_stamp);
bool token_pin_changed(const struct token *token); /* since the last launch */
/* In the catalog, before anything else is tried (threats B11). */
void token_remember_pin(struct token *token, const uint8_t *digest);
void token_forget_pin(struct token *token);
/* Opens the login socket unless it is open. */
bool token_listen_login(struct token *token, struct err *err) MUST_USE;

/* token_work.c: requests in, deliveries out */
void token_dispatch(struct token *token); /* sends what may run */
void token_send(struct token *token, struct request *take_request);
/* The delivery itself; the request is in no list and stays the caller's. From the loop only. */
void token_tell(struct token *token, const struct request *request, const void *fields,
	const struct err *err);
/* A request has ended: delivers unless nobody waits, and frees. From the loop only, or with `dropped` set. */
void token_finish(struct token *token, struct request *take_request, const void *fields,
	const struct err *err);
void token_fail(struct token *token, struct request *take_request,
	enum err_code code);           /* at the next flush */
void token_flush(struct token *token); /* from the loop only: delivers what failed */
void token_fail_queue(struct token *token, enum err_code code);
void token_expire(struct token *token, int64_t now_ms); /* what waits past its deadline fails */
void token_ended(struct token *token, const struct request *request); /* it runs no more */
unsigned token_threads(const struct token *token);
bool token_is_working(const struct token *token); /* something runs, waits or is to be delivered */

/* token_answer.c: what comes back, or does not */
void token_answered(struct token *token, struct worker *worker, struct request *take_request,
	const struct wire_message *message);
/* What ran at a worker that is lost fails. */
void token_fail_running(struct token *token, struct worker *worker);
/* Expires what waits, times out and kills what runs too long, probes and pings. */
void token_watch(struct token *token, int64_t now_ms);

/* token_lease.c: whose the token is, and its counter */
/* It is another catalog's: it serves nothing until it is taken over. */
void token_leased(struct token *token);
/* An answer to token_raise(). */
void token_raised(struct token *token, struct worker *worker, const struct wire_message *message);

/* token_enrol.c */
/* The other token that has this identity recorded, NULL for none: one of the two is a clone (threats B24). */
const struct token *token_find_twin(const struct token *token, struct bytes spki);
/* An answer to one of the messages of an enrolment. */
void token_enrolling(struct token *token, struct worker *worker, struct request *take_request,
	const struct wire_message *message);

DEFINE_CLEAN(token, struct token)
