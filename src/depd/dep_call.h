/*
 * One HTTP request to depd being served: who asks, what for, what came of it. An operation of the op engine whose own struct
 * begins with struct dep_call; its first step is dep_call_admit, its last calls dep_call_finish() or dep_call_fail().
 *
 * Order of checks: framing (src/http), route, role, load, then the operation's own. Roles come before existence, so that a
 * stranger learns nothing.
 */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "depd/depd.h"
#include "http/router.h"
#include "service/principal.h"

#define DEP_CALL_ANSWER_MAX (2 << 20) /* octets: a thousand data keys, plain and wrapped */

struct dep_route;

struct dep_call {
	struct op op; /* first */
	struct depd *depd;
	struct http_request *http;
	const struct dep_route *row;
	struct arena *arena; /* of the HTTP request */
	struct caller caller;
	uint32_t roles;                         /* bits of the caller: enum role */
	const char *names[ROUTER_CAPTURES_MAX]; /* captured segments, "" where absent */

	struct err err;       /* ERR_NONE: success */
	struct buf body;      /* of a success; wiped at the end */
	struct bytes details; /* JSON for error.details; in `arena` */
	bool finishing; /* begun and to be finished whatever happens (C25): cancelling is of no effect */
	bool promised; /* the audit has room for its record */

	/* For the audit; NULL where not known. In `arena` or static. */
	const char *audit_subject; /* the policy or scope that was named */
	const char *audit_detail;
};

/* An operation of a route: the engine's type, and what the request needs of it. */
struct dep_call_type {
	struct op_type op;
	size_t size;                          /* of its struct */
	void (*clear)(struct dep_call *call); /* frees what its struct owns; NULL: nothing */
	size_t body_bytes; /* most of a body, where it is more than of others; 0: it is not */
};

/* A row of dep_route.tbl. */
struct dep_route {
	struct route route; /* first, for the router */
	uint32_t roles;     /* any of these bits may ask, or ROLES_ANYBODY */
	bool mutates; /* its audit record is synced before the answer; refused while read-only */
	const struct dep_call_type *type;
	const char *audit; /* "policy.create" */
};

/* The table of routes; the router's rows. */
const struct dep_route *dep_routes_get(size_t *ret_count);

/* The HTTP handler: finds the route and starts its operation. ctx: struct depd. */
void dep_call_handle(struct http_request *take_http, void *ctx);

/* Bodies larger than others are taken for operations that need them, from callers who have a role for them. ctx: struct depd. */
#define DEP_CALL_BODY_MAX (8 << 20) /* octets: of any operation */
size_t dep_call_body_limit(
	const struct peer *peer, enum http_method method, struct bytes target, void *ctx);

/* First step of every operation. */
op_step_fn dep_call_admit;

/* ERR_ACCESS_DENIED in call->err unless the caller has any of these roles: for rules that a row cannot say. */
bool dep_call_check_roles(struct dep_call *call, uint32_t roles) MUST_USE;
/* The same: unless he is a workload of this kind. ret_system: his actions are the system's. */
bool dep_call_check_workload(
	struct dep_call *call, enum keytree_scope_kind kind, bool *ret_system) MUST_USE;

/* Members of struct op_type for every call type. */
enum op_result dep_call_cancel(struct op *op, enum op_cancel why);
void dep_call_destroy(struct op *op);

/* Answers: writes the audit record, then the body or the error. Returns OP_DONE for the step to return. */
enum op_result dep_call_finish(struct dep_call *call, int status);
/* dep_call_finish() with call->err, which must be set. */
enum op_result dep_call_fail(struct dep_call *call);

#define DEP_CALL_OP_TYPE(op_name, op_steps)                                                        \
	{                                                                                          \
		.name = (op_name), .steps = (op_steps), .step_count = ARRAY_LEN(op_steps),         \
		.cancel = dep_call_cancel, .destroy = dep_call_destroy                             \
	}
