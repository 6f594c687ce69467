/* How the calls of custody_port.h are made: begun, answered, and what an answer says of each key. */
#pragma once

#include "api/told.h"
#include "base/arena.h"
#include "depd/custody_port.h"

#define PORT_API_VERSION "api-version=7.4"
#define PORT_DUAL_HOST   "custody" /* routes of ours do not read it */
#define PORT_PATH_SIZE   640

struct port_call;

/* Reads an answer below 400; false with told->err. */
typedef bool port_take_fn(struct port_call *call, struct bytes body, struct custody_answer *told);

struct port_call {
	struct port_call *prev, *next;
	struct custody_port *port;
	struct async *async;
	uint64_t number, async_number;
	port_take_fn *take;
	custody_port_fn *fn;
	void *ctx;
	struct arena *arena;     /* text of the answer */
	const char *application; /* that asks; static, or NULL */
	bool any_status;         /* `take` reads whatever is answered */
	bool dual_open;          /* an answer that opens nothing tells of each key, or of none */
	char kids[ENVELOPE_RECIPIENTS_MAX]
		 [ENVELOPE_KID_MAX + 1]; /* recipients; or [0] the key asked for */
	size_t kid_count;
};

struct custody_port {
	struct async *owners, *service;
	struct port_call *first;
	uint64_t last_number;
};

/* `fn` is told once what `take` read. Free it with port_call_free() or give it to port_call_start(). */
struct port_call *port_call_new(port_take_fn *take, custody_port_fn *fn, void *ctx);
void port_call_free(struct port_call *call);
/* The number of the call, 0 with *err if it could not begin; it is freed then. */
uint64_t port_call_start(struct custody_port *port, struct port_call *take_call,
	struct custody_as as, const struct client_request *request, struct err *err);

/* ERR_BAD_PARAMETER: no key id, or none with a version. */
bool port_parse_kid(const char *uri, bool versioned, struct kid *ret_kid, struct err *err);
/* ERR_TOO_LARGE: the body of a request overflowed. */
bool port_body_fits(const struct buf *body, struct err *err);

/* What custodyd said of each key, as reasons. */
void port_put_attempts(struct custody_answer *answer, const struct api_told_attempts *told);
/* The same when nothing was opened; attempts are read if has_attempts. */
void port_put_unopened(const struct port_call *call, int status, bool has_attempts,
	const struct api_told_attempts *attempts, struct custody_answer *told);
