#include "custodyd/request.h"

#include <assert.h>
#include <stdlib.h>
#include <unistd.h>

struct request *
request_new(enum request_purpose purpose, enum wire_type type, uint64_t id, const void *fields)
{
	struct request *request = calloc(1, sizeof(*request));
	if (request == NULL)
		abort();
	request->purpose = purpose;
	request->type = type;
	request->id = id;
	request->attach = -1;
	buf_init(&request->message, WIRE_MAX);
	if (wire_encode_request(&request->message, type, id, fields))
		return request;
	request_free(request);
	return NULL;
}

void
request_free(struct request *request)
{
	if (request == NULL)
		return;
	buf_clear(&request->message);
	if (request->attach >= 0)
		(void)close(request->attach);
	free(request);
}

bool
request_mutates(const struct request *request)
{
	/* Capabilities are in the class too: the trials behind them make and destroy objects. */
	return wire_deadline(request->type) == WIRE_DEADLINE_CREATE;
}

void
request_list_push(struct request_list *list, struct request *take_request)
{
	take_request->next = NULL;
	take_request->prev = list->last;
	if (list->last != NULL)
		list->last->next = take_request;
	else
		list->first = take_request;
	list->last = take_request;
	list->count++;
}

void
request_list_remove(struct request_list *list, struct request *request)
{
	assert(list->count > 0);
	if (request->prev != NULL)
		request->prev->next = request->next;
	else
		list->first = request->next;
	if (request->next != NULL)
		request->next->prev = request->prev;
	else
		list->last = request->prev;
	request->prev = NULL;
	request->next = NULL;
	list->count--;
}

struct request *
request_list_pop(struct request_list *list)
{
	struct request *request = list->first;
	if (request != NULL)
		request_list_remove(list, request);
	return request;
}

void
request_list_clear(struct request_list *list)
{
	struct request *request;
	while ((request = request_list_pop(list)) != NULL)
		request_free(request);
}

struct request *
request_list_find(const struct request_list *list, struct token_ticket ticket)
{
	for (struct request *request = list->first; request != NULL; request = request->next) {
		bool delivers =
			request->purpose == REQUEST_CALLER || request->purpose == REQUEST_ENROLL;
		if (delivers && !request->dropped && request->ticket.op_id == ticket.op_id &&
			request->ticket.slot == ticket.slot)
			return request;
	}
	return NULL;
}
