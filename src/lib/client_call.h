/*
 * One call of libcustody: a request to the daemon, its answer read, its error told. Also the client itself:
 * what it was given, and a pool of connections, so that any number of threads may call at once.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/id.h"
#include "client/client.h"
#include "lib/answer.h"
#include "lib/body.h"
#include "lib/custody/custody.h"

#define CALL_IDLE_MAX                                                                              \
	16 /* connections kept; more calls at once make connections for the time being */
#define CALL_PATH_MAX 1024

struct custody_client {
	char *socket_path;
	char *application; /* NULL: none */
	struct client_config config;
	custody_warning *warning; /* NULL: none */
	void *warning_data;
	_Atomic(struct client *) idle[CALL_IDLE_MAX];
};

struct call {
	const char *method;
	const char
		*vault; /* name or host of the vault of a dialect route; NULL: a route of our own */
	const char *path;
	const struct body *body; /* NULL: none */
	const char *text;        /* body as text instead; NULL: none */
	bool repeatable;         /* changes nothing */
};

/* The answer to a call: its text and, if it has any, its value, borrowed from the text. */
struct reply {
	struct buf text;
	struct answer value;
	char request_id[CLIENT_ID_SIZE];
};

/* true for an answer below 400 whose body is empty or JSON. *ret_reply is then to be cleared. */
bool call_daemon(struct custody_client *client, const struct call *call, struct reply *ret_reply,
	struct custody_error *error) MUST_USE;
void reply_clear(struct reply *reply);

/* Takes a key id apart; `path` becomes /keys/<name>/<version>/<operation> (CALL_PATH_MAX), `vault` its host. */
bool call_key_path(const char *key_id, const char *operation, struct kid *ret_kid, char *path,
	struct custody_error *error) MUST_USE;

/* The attempts of an answer or of an error's details. false, with those that could be read: not all could. */
bool call_read_attempts(struct answer array, struct custody_attempt attempts[CUSTODY_ATTEMPTS_MAX],
	size_t *ret_count) MUST_USE;

/* What came from the daemon as text for a person: control characters become '?'. */
void call_printable(char *text);

/* Fills `error` from ours; status 0. Always returns false. */
bool call_fail(struct custody_error *error, const struct err *err);
/* The same from a code and its own sentence, or a sentence given. */
bool call_fail_code(struct custody_error *error, enum err_code code, const char *message);

static inline void
reply_clean(struct reply *reply)
{
	reply_clear(reply);
}
