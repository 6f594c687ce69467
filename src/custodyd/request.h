/*
 * One accepted request to a token on its way: waiting in the queue, running at a worker, or about to be
 * delivered as failed. Owned by the one list it is in.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "crypto/hash.h"
#include "custodyd/token.h"

enum request_purpose {
	REQUEST_CALLER, /* somebody waits: it is delivered */
	REQUEST_ENROLL, /* a caller's enrolment, delivered after the proof */
	REQUEST_LAUNCH, /* a step of a worker's start */
	REQUEST_PING,   /* ours, on a healthy worker */
	REQUEST_PROBE,  /* ours, on a half-open breaker */
	REQUEST_RAISE,  /* ours, of the token's counter */
};

struct request {
	struct request *prev, *next; /* of the list that owns it */
	enum request_purpose purpose;
	enum wire_type type;
	uint64_t id; /* on the wire; never used twice for one token */
	struct token_ticket ticket;
	uint32_t caller;
	int64_t deadline_ms;
	enum latency_kind kind;
	uint8_t digest[HASH_SHA256_LEN];
	bool suspect;         /* was running when a worker died */
	bool alone;           /* runs only while nothing else does */
	bool dropped;         /* delivered or cancelled already: its answer is of no use */
	struct buf message;   /* encoded; wiped when sent */
	int attach;           /* descriptor to go along, owned; -1: none */
	uint64_t order;       /* of arrival */
	int64_t sent_us;      /* 0: not yet */
	int64_t hard_ms;      /* running: the worker is replaced then */
	unsigned crowd;       /* how many ran with it when it was sent, itself included */
	enum err_code failed; /* in the list of failures: why */
};

/* NULL: the message would be over WIRE_MAX. The caller fills what does not concern the message. */
struct request *request_new(enum request_purpose purpose, enum wire_type type, uint64_t id,
	const void *fields) MUST_USE;
void request_free(struct request *request); /* wipes; closes `attach` */

/* Creates, changes or destroys objects on the token: one at a time per token (threats B36). */
bool request_mutates(const struct request *request);

/* An owning list, first in first out. A zeroed struct is an empty list. */
struct request_list {
	struct request *first, *last;
	unsigned count;
};

void request_list_push(struct request_list *list, struct request *take_request);
/* Takes it out; it must be in this list. */
void request_list_remove(struct request_list *list, struct request *request);
struct request *request_list_pop(struct request_list *list); /* NULL: empty */
void request_list_clear(struct request_list *list);          /* frees them all */
/* Borrowed or NULL: the one of this ticket that is still to be delivered. */
struct request *request_list_find(const struct request_list *list, struct token_ticket ticket);
