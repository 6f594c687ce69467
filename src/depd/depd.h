/* depd's state, passed down everywhere; there is no other. Who owns what: dep_daemon.c makes and frees all of it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "client/async.h"
#include "db/db_dep.h"
#include "depd/dep_options.h"
#include "http/http.h"
#include "http/router.h"
#include "loop/loop.h"
#include "loop/op.h"
#include "service/audit.h"
#include "service/calendar.h"

struct custody_port;
struct dep_opener;
struct rewrapper;

struct depd {
	const char *config_path;
	struct dep_options *options;
	struct loop *loop;
	struct ops *ops;
	struct db *db;
	struct audit *audit;
	struct calendar *calendar;
	struct router *router;
	struct http_server *http;
	int64_t started_ms; /* monotonic */
	bool draining;

	struct async *owners;         /* the key owners' custodyd */
	struct async *service;        /* the service's own */
	struct custody_port *custody; /* typed calls over both */
	struct dep_opener *opener;    /* opens DEP keys and keeps them */
	struct rewrapper *rewrapper;  /* moves scopes' keys to where they belong */

	struct {
		uint64_t requests; /* answered */
		uint64_t refused;  /* of them with a status of 400 or more */
	} counters;
	struct err last_error; /* of class unavailable or integrity; ERR_NONE: none */
	int64_t last_error_at;
};

/* Notes an error for status, and logs it where it says that somebody must act. `subject` NULL: of no object. */
void depd_note(struct depd *depd, const char *event, const struct err *err, const char *subject);
