/*
 * One HTTP request being served: who asks, what for, what came of it. An operation of the op engine whose own
 * struct begins with struct call; its first step is call_admit, its last calls call_finish().
 *
 * Order of checks: framing (src/http), vault, route, challenge, caller, permission, then the operation's own:
 * body, key found, state, token. Permission comes before existence, so that a stranger learns nothing.
 */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "custodyd/custodyd.h"
#include "custodyd/task.h"
#include "http/router.h"
#include "service/principal.h"

#define CALL_ANSWER_MAX (1 << 20) /* octets: a page of 25 keys with all tags */

struct route_row;

struct call {
	struct task task; /* first */
	struct http_request *http;
	const struct route_row *row;
	struct arena *arena; /* of the HTTP request */
	struct caller caller;
	const char *names[ROUTER_CAPTURES_MAX]; /* captured segments, "" where absent */
	struct db_vault
		vault; /* of the Host on the dialect's routes, of the path on ours that need a permission; else id 0 */

	struct err err;       /* ERR_NONE: success */
	struct buf body;      /* of a success */
	struct bytes details; /* JSON for error.details; in `arena` */
	bool finishing; /* begun and to be finished whatever happens (C25): cancelling is of no effect */
	bool promised; /* the audit has room for its record */

	/* For the audit; NULL where not known. In `arena` or static. */
	const char *audit_vault; /* NULL: that of `vault`, or of the request */
	const char *audit_key;
	const char *audit_version;
	const char *audit_detail;
};

/* An operation of a route: the engine's type, and what the request needs of it. */
struct call_type {
	struct op_type op;
	size_t size;                      /* of its struct */
	task_deliver_fn *deliver;         /* NULL: asks no token */
	void (*clear)(struct call *call); /* frees what its struct owns; NULL: nothing */
};

/* A row of route.tbl. */
struct route_row {
	struct route route; /* first, for the router */
	bool dialect;       /* vault from Host, challenge, api-version */
	int permission;     /* enum permission, or one of the two below */
	bool mutates;
	unsigned alg_op; /* enum alg_op of the operations with a key; 0 elsewhere */
	const struct call_type *type;
	const char *audit; /* "key.unwrap" */
};

#define ROUTE_ADMINISTRATOR (-1)
#define ROUTE_ANYBODY       (-2) /* the operation itself decides what the caller may see */

/* The table of routes; the router's rows. */
const struct route_row *routes_get(size_t *ret_count);

/* The HTTP handler: finds the route and starts its operation. ctx: struct custodyd. */
void call_handle(struct http_request *take_http, void *ctx);

/* First step of every operation. */
op_step_fn call_admit;

/* Members of struct op_type for every call type. */
enum op_result call_cancel(struct op *op, enum op_cancel why);
void call_destroy(struct op *op);

/* Answers: writes the audit record, then the body or the error. Returns OP_DONE for the step to return. */
enum op_result call_finish(struct call *call, int status);
/* call_finish() with call->err, which must be set. */
enum op_result call_fail(struct call *call);

/* Asks the token of a vault; see task_ask(). Deadline and caller are the request's. */
bool call_ask(struct call *call, const char *token, struct token_job *job, unsigned slot) MUST_USE;

#define CALL_OP_TYPE(op_name, op_steps)                                                            \
	{                                                                                          \
		.name = (op_name), .steps = (op_steps), .step_count = ARRAY_LEN(op_steps),         \
		.cancel = call_cancel, .destroy = call_destroy                                     \
	}
