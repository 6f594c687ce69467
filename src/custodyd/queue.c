/*
 * A ring of callers, each with two lists: what uses keys and what mutates. The caller just served goes to the
 * end of the ring. A caller stays in the ring as long as anything of its counts.
 */
#include "custodyd/queue.h"

#include <assert.h>
#include <stdlib.h>

struct queue_caller {
	struct queue_caller *prev, *next;
	uint32_t uid;
	unsigned held; /* waiting and running */
	struct request_list uses;
	struct request_list mutations;
};

struct queue {
	struct queue_caller *first, *last;
	unsigned waiting;
	uint64_t order;
};

struct queue *
queue_new(void)
{
	struct queue *queue = calloc(1, sizeof(*queue));
	if (queue == NULL)
		abort();
	return queue;
}

static void
unlink_caller(struct queue *queue, struct queue_caller *caller)
{
	if (caller->prev != NULL)
		caller->prev->next = caller->next;
	else
		queue->first = caller->next;
	if (caller->next != NULL)
		caller->next->prev = caller->prev;
	else
		queue->last = caller->prev;
}

static void
append_caller(struct queue *queue, struct queue_caller *caller)
{
	caller->next = NULL;
	caller->prev = queue->last;
	if (queue->last != NULL)
		queue->last->next = caller;
	else
		queue->first = caller;
	queue->last = caller;
}

static void
free_caller(struct queue *queue, struct queue_caller *caller)
{
	unlink_caller(queue, caller);
	request_list_clear(&caller->uses);
	request_list_clear(&caller->mutations);
	free(caller);
}

void
queue_free(struct queue *queue)
{
	if (queue == NULL)
		return;
	while (queue->first != NULL)
		free_caller(queue, queue->first);
	free(queue);
}

static struct queue_caller *
find_caller(const struct queue *queue, uint32_t uid)
{
	struct queue_caller *caller = queue->first;
	while (caller != NULL && caller->uid != uid)
		caller = caller->next;
	return caller;
}

static struct queue_caller *
make_caller(struct queue *queue, uint32_t uid)
{
	struct queue_caller *caller = calloc(1, sizeof(*caller));
	if (caller == NULL)
		abort();
	caller->uid = uid;
	append_caller(queue, caller);
	return caller;
}

bool
queue_push(struct queue *queue, struct request *request, unsigned total_max, unsigned caller_max,
	struct err *err)
{
	struct queue_caller *caller = find_caller(queue, request->caller);
	if (caller != NULL && caller->held >= caller_max)
		return err_set(err, ERR_THROTTLED, NULL);
	if (queue->waiting >= total_max)
		return err_set(err, ERR_THROTTLED,
			"Too many requests wait for this token; try again later.");
	if (caller == NULL)
		caller = make_caller(queue, request->caller);
	caller->held++;
	queue->waiting++;
	request->order = queue->order++;
	request_list_push(request_mutates(request) ? &caller->mutations : &caller->uses, request);
	return true;
}

/* The list whose head is this caller's turn; NULL if none may go. */
static struct request_list *
choose(struct queue_caller *caller, bool mutations)
{
	struct request *use = caller->uses.first;
	struct request *mutation = mutations ? caller->mutations.first : NULL;
	if (use != NULL && (mutation == NULL || use->order < mutation->order))
		return &caller->uses;
	return mutation != NULL ? &caller->mutations : NULL;
}

struct request *
queue_pop(struct queue *queue, bool mutations)
{
	struct queue_caller *caller = queue->first;
	struct request_list *list = NULL;
	while (caller != NULL && (list = choose(caller, mutations)) == NULL)
		caller = caller->next;
	if (caller == NULL)
		return NULL;
	unlink_caller(queue, caller);
	append_caller(queue, caller);
	queue->waiting--;
	return request_list_pop(list);
}

void
queue_release(struct queue *queue, uint32_t uid)
{
	struct queue_caller *caller = find_caller(queue, uid);
	assert(caller != NULL && caller->held > 0);
	if (--caller->held == 0)
		free_caller(queue, caller);
}

unsigned
queue_count(const struct queue *queue)
{
	return queue->waiting;
}

struct request *
queue_remove(struct queue *queue, struct token_ticket ticket)
{
	for (struct queue_caller *caller = queue->first; caller != NULL; caller = caller->next) {
		struct request_list *lists[] = {&caller->uses, &caller->mutations};
		for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
			struct request *request = request_list_find(lists[i], ticket);
			if (request == NULL)
				continue;
			request_list_remove(lists[i], request);
			queue->waiting--;
			return request;
		}
	}
	return NULL;
}

static unsigned
move_expired(struct request_list *from, int64_t now_ms, struct request_list *list)
{
	unsigned moved = 0;
	struct request *next;
	for (struct request *request = from->first; request != NULL; request = next) {
		next = request->next;
		if (request->deadline_ms > now_ms)
			continue;
		request_list_remove(from, request);
		request_list_push(list, request);
		moved++;
	}
	return moved;
}

void
queue_expire(struct queue *queue, int64_t now_ms, struct request_list *list)
{
	for (struct queue_caller *caller = queue->first; caller != NULL; caller = caller->next) {
		queue->waiting -= move_expired(&caller->uses, now_ms, list);
		queue->waiting -= move_expired(&caller->mutations, now_ms, list);
	}
}
