/*
 * The requests that wait for one token, fair between callers (threats C23): one of each caller in turn, and
 * no caller has more than its bound, waiting or running. Of one caller the older goes first, but using keys
 * does not wait for a mutation that must wait.
 */
#pragma once

#include "custodyd/request.h"

struct queue;

struct queue *queue_new(void);
void queue_free(struct queue *queue); /* with all that waits in it */

/*
 * Takes `request` if there is room: `total_max` waiting of all callers, `caller_max` waiting or running of its
 * caller. false: ERR_THROTTLED, and the request stays the caller's.
 */
bool queue_push(struct queue *queue, struct request *request, unsigned total_max,
	unsigned caller_max, struct err *err) MUST_USE;
/*
 * The next in turn, the caller's from now on; NULL if there is none. `mutations` false: none of those that
 * mutate. What was popped still counts for its caller, until queue_release().
 */
struct request *queue_pop(struct queue *queue, bool mutations);
/* A request of this caller, popped or removed, has ended. */
void queue_release(struct queue *queue, uint32_t caller);

unsigned queue_count(const struct queue *queue); /* waiting */
/* Takes the request of a ticket out (still counted for its caller); NULL if it does not wait. */
struct request *queue_remove(struct queue *queue, struct token_ticket ticket);
/* Takes out, into `list`, what has its deadline at or before `now_ms`; INT64_MAX: everything. Still counted. */
void queue_expire(struct queue *queue, int64_t now_ms, struct request_list *list);

DEFINE_CLEAN(queue, struct queue)
