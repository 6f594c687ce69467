/* The daemon's state, passed down everywhere; there is no other. Who owns what: daemon.c makes and frees all of it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "custodyd/access.h"
#include "custodyd/keystore.h"
#include "custodyd/options.h"
#include "custodyd/tokens.h"
#include "custodyd/vaults.h"
#include "db/db_custody.h"
#include "http/http.h"
#include "http/router.h"
#include "loop/loop.h"
#include "loop/op.h"
#include "service/audit.h"
#include "service/calendar.h"

struct inspector;
struct reconciler;

struct custodyd {
	const char *config_path;
	struct options *options;
	struct loop *loop;
	struct ops *ops;
	struct db *db;
	struct audit *audit;
	struct calendar *calendar;
	struct access *access;
	struct vaults *vaults;
	struct keystore *keys;
	struct reconciler *reconciler;
	struct inspector *inspector;
	struct tokens *tokens;
	struct router *router;
	struct http_server *http;
	int64_t started_ms; /* monotonic */
	bool draining;

	struct {
		uint64_t requests; /* answered */
		uint64_t refused;  /* of them with a status of 400 or more */
		uint64_t openings; /* of dual envelopes */
		uint64_t hedges;   /* of them, asked of a second token before the first answered */
	} counters;
	struct err last_error; /* of class unavailable or integrity; ERR_NONE: none */
	int64_t last_error_at;
};

/* Notes an error for status, and logs it where it says that somebody must act. */
void custodyd_note(
	struct custodyd *daemon, const char *event, const struct err *err, const char *subject);
