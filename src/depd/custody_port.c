/* Invariant: a call that has begun is in the list until its callback is called or it is cancelled, and its callback is called once. */
#include "depd/custody_port_priv.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "api/told.h"

static_assert(CUSTODY_PORT_ANSWER_MAX == API_TOLD_MAX, "what may be read may come");

const struct custody_as custody_service = {CUSTODY_SERVICE, NULL};

struct custody_as
custody_port_as(enum db_dep_policy_kind kind)
{
	switch (kind) {
	case DB_DEP_M365:
		return (struct custody_as){CUSTODY_OWNERS, CUSTODY_APP_M365};
	case DB_DEP_MAILBOX:
		return (struct custody_as){CUSTODY_OWNERS, CUSTODY_APP_EXCHANGE};
	case DB_DEP_SERVICE:
		return custody_service;
	case DB_DEP_GEO:
		return (struct custody_as){CUSTODY_OWNERS, CUSTODY_APP_SHAREPOINT};
	}
	abort(); /* no such policy can be made */
}

/* ---- calls under way ---- */

struct custody_port *
custody_port_new(struct async *owners, struct async *service)
{
	struct custody_port *port = calloc(1, sizeof(*port));
	if (port == NULL)
		abort();
	port->owners = owners;
	port->service = service;
	return port;
}

void
port_call_free(struct port_call *call)
{
	arena_free(call->arena);
	free(call);
}

static void
take_out(struct port_call *call)
{
	if (call->prev != NULL)
		call->prev->next = call->next;
	else
		call->port->first = call->next;
	if (call->next != NULL)
		call->next->prev = call->prev;
}

void
custody_port_cancel(struct custody_port *port, uint64_t number)
{
	struct port_call *call = port->first;
	while (call != NULL && call->number != number)
		call = call->next;
	if (call == NULL)
		return;
	async_cancel(call->async, call->async_number);
	take_out(call);
	port_call_free(call);
}

void
custody_port_free(struct custody_port *port)
{
	if (port == NULL)
		return;
	while (port->first != NULL)
		custody_port_cancel(port, port->first->number);
	free(port);
}

/* ---- answers ---- */

static void
tell_refusal(struct port_call *call, int status, struct bytes body, struct custody_answer *told)
{
	struct api_told_attempts attempts;
	bool has_attempts = api_told_error(status, body, call->arena, &attempts, &told->err);
	if (call->dual_open)
		port_put_unopened(call, status, has_attempts, &attempts, told);
	else
		told->unreachable = told->err.code == ERR_CLIENT_ANSWER;
}

static void
answered(void *ctx, const struct client_answer *answer, const struct err *err)
{
	struct port_call *call = ctx;
	struct custody_answer told = {.key.expires = API_NO_TIME};
	if (answer == NULL) {
		told.err = *err;
		told.unreachable = true;
	} else {
		memcpy(told.request_id, answer->request_id, sizeof(told.request_id));
		if (answer->status >= 300 && !call->any_status)
			tell_refusal(call, answer->status, buf_bytes(answer->body), &told);
		else if (!call->take(call, buf_bytes(answer->body), &told))
			told.unreachable = true;
	}
	take_out(call);
	call->fn(call->ctx, &told);
	secret_free(told.secret);
	pubkey_free(told.key.pubkey);
	port_call_free(call);
}

/* ---- beginning ---- */

struct port_call *
port_call_new(port_take_fn *take, custody_port_fn *fn, void *ctx)
{
	struct port_call *call = calloc(1, sizeof(*call));
	if (call == NULL)
		abort();
	call->arena = arena_new();
	call->take = take;
	call->fn = fn;
	call->ctx = ctx;
	return call;
}

uint64_t
port_call_start(struct custody_port *port, struct port_call *take_call, struct custody_as as,
	const struct client_request *request, struct err *err)
{
	struct port_call *call = take_call;
	struct client_request whole = *request;
	whole.application = as.application;
	whole.authorize = true;
	call->port = port;
	call->application = as.application;
	call->async = as.side == CUSTODY_OWNERS ? port->owners : port->service;
	call->async_number = async_call(call->async, &whole, answered, call, err);
	if (call->async_number == 0) {
		port_call_free(call);
		return 0;
	}
	call->number = ++port->last_number;
	call->next = port->first;
	if (port->first != NULL)
		port->first->prev = call;
	port->first = call;
	return call->number;
}

/* The first of call->kids is what was asked for. */
bool
port_parse_kid(const char *uri, bool versioned, struct kid *ret_kid, struct err *err)
{
	if (strlen(uri) <= ENVELOPE_KID_MAX && kid_parse(uri, ret_kid) &&
		(!versioned || ret_kid->version[0] != '\0'))
		return true;
	return err_set(err, ERR_BAD_PARAMETER, "A key id is wanted, https://<host>/keys/<name>%s.",
		versioned ? "/<version>" : "");
}

bool
port_body_fits(const struct buf *body, struct err *err)
{
	return !body->overflow || err_set(err, ERR_TOO_LARGE, NULL);
}
