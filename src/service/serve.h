/*
 * The end of a request, the same in every daemon: its audit record, its line in the log, its answer. Who may ask and
 * what is done is the daemon's; see its call.h.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/log.h"
#include "db/db.h"
#include "http/http.h"
#include "service/audit.h"
#include "service/principal.h"

/* Who asks, as the kernel said when the connection was accepted; groups are borrowed from it. */
void serve_caller(struct caller *caller, const struct peer *peer);

/*
 * Appends `record` (request and caller are filled in here); on disk when true is returned if `changed`, and then the
 * catalog is told the audit's head. false: there must be no answer but `err` (threats D2).
 */
bool serve_record(struct audit *audit, struct db *db, const struct http_request *http,
	const struct caller *caller, struct audit_record *record, bool changed,
	struct err *err) MUST_USE;
/* Tells the catalog how far the audit is on the disk: stored by its next change. */
void serve_tell_head(const struct audit *audit, struct db *db);

/*
 * One line for each request, without secrets: operation, status, microseconds, uid, the daemon's own `about`, id, error and its origin. Our own failures are warnings.
 */
#define SERVE_ABOUT_MAX 4
void serve_log(const struct http_request *http, const char *operation, int status, uid_t uid,
	const struct log_field *about, size_t about_count, const struct err *err);

/* Seconds after which trying again may help: the error's own, else by whether its cause passes by itself. */
int serve_retry_after_s(const struct err *err);

/*
 * Answers with the error; adds Allow if `allow`, WWW-Authenticate if `challenge` is given, and Retry-After to what may be
 * tried again. `details` as in http_answer_error().
 */
void serve_error(struct http_request *take_http, const struct err *err, const char *allow,
	const char *challenge, struct bytes details);
