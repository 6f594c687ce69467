/*
 * The life of a daemon, the same in each of ours: catalog and audit opened and checked against each other, trusted time, the
 * socket and its server, signals, reload, draining, readiness. What the daemon is for hangs on a struct host_type.
 *
 * In order: host_open(), host_bind(), host_start(), host_run(); host_close() and host_clear(), also after a failure at any point.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "db/db.h"
#include "http/http.h"
#include "http/router.h"
#include "loop/loop.h"
#include "loop/op.h"
#include "service/audit.h"
#include "service/calendar.h"
#include "service/settings.h"

struct host;
struct host_life; /* host.c */

/* Called from the loop. NULL where not said otherwise: nothing to do. */
struct host_type {
	const char *program;
	const struct db_kind *kind;  /* of its catalog */
	http_handler *handle;        /* never NULL; ctx is the host */
	http_privileged *privileged; /* never NULL; likewise */
	bool names_errors;           /* http_server_set_names_errors() */
	size_t answer_max;           /* octets of an answer's body */
	http_body_limit
		*body_limit; /* NULL: settings alone say how long a body may be; ctx is the host */
	size_t body_most;    /* that it may allow */
	size_t files_beside; /* descriptors needed beside those of connections */
	void (*tick)(struct host *host);  /* every few seconds */
	bool (*names)(struct host *host); /* every name-refresh: whether a principal changed */
	const char *names_see;            /* what shows them, for the log */
	/*
	 * While it is opened: its catalog is an old copy, whose audit head is `remembered` (threats D8). Changes are held back;
	 * what is safe to serve is the daemon's to say. NULL: the start is refused.
	 */
	bool (*rolled_back)(struct host *host, const struct audit_head *remembered,
		const struct err *why, struct err *err);
	void (*forget)(struct host *host); /* the catalog is about to be read again */
	bool (*reload_rows)(
		struct host *host, struct err *err); /* it was: read what is kept of it */
	bool (*settled)(struct host *
			host); /* whether to say that it is ready; it is at the latest after 10 s */
	void (*hangup)(struct host *host); /* SIGHUP */
	void (*stop)(struct host *host); /* no request is left: end the rest, then host_stopped() */
};

struct host_counters {
	uint64_t requests; /* answered */
	uint64_t refused;  /* of them with a status of 400 or more */
};

/*
 * A list, so that a daemon's own struct can hold them beside its own, and begin with a struct host:
 * union { struct host host; struct { HOST_MEMBERS }; };
 */
#define HOST_MEMBERS                                                                               \
	const struct host_type *type;                                                              \
	struct loop *loop;                                                                         \
	struct ops *ops;                                                                           \
	struct db *db;                                                                             \
	struct audit *audit;                                                                       \
	struct calendar *calendar;                                                                 \
	struct router *router;                                                                     \
	struct http_server *http;                                                                  \
	int64_t started_ms; /* monotonic */                                                        \
	bool draining;                                                                             \
	struct host_counters counters;                                                             \
	struct err last_error; /* of class unavailable or integrity; ERR_NONE: none */             \
	int64_t last_error_at;                                                                     \
	struct host_life *life;

struct host {
	HOST_MEMBERS
};

/*
 * Loop, operations, catalog, audit, calendar. The audit must continue what the catalog remembers (threats D8, D16).
 * `settings` are borrowed until the next host_apply(). Blocking.
 */
bool host_open(struct host *host, const struct host_type *type, const struct settings *settings,
	struct err *err) MUST_USE;
/* The socket, made or passed by systemd. Its lock says that what lies beside it is nobody else's. */
bool host_bind(struct host *host, struct err *err) MUST_USE;
/* Serves; `routes` as for router_new(). Timers and signals run from here on. */
void host_start(struct host *host, const struct route *routes, size_t count, size_t stride);
/* Until SIGTERM or SIGINT was handled and everything in flight is answered or timed out. */
bool host_run(struct host *host, struct err *err) MUST_USE;
/* The answer to stop(). */
void host_stopped(struct host *host);
/* New settings, checked: what of them can change while running. */
void host_apply(struct host *host, const struct settings *settings);

/* Ends serving, timers and signals. */
void host_close(struct host *host);
/* Ends operations and loop, closes calendar, audit and catalog. */
void host_clear(struct host *host);

/* Tells the service manager, in a sentence; NULL: nothing is out of the ordinary any more. */
void host_tell(const char *status);
/* Notes an error for status, and logs it where it says that somebody must act. `subject` NULL: of no object. */
void host_note(struct host *host, const char *event, const struct err *err, const char *subject);
