/* From an HTTP request to its operation, and from the operation's outcome to audit record and answer. */
#include "dep_call.h"

#include <stdlib.h>
#include <string.h>

#include "service/serve.h"

static struct dep_call *
call_of(struct op *op)
{
	return (struct dep_call *)op;
}

/* ---- beginning ---- */

static void
refuse(struct depd *depd, struct http_request *take_http, enum router_result result,
	const struct router_match *match)
{
	struct err err = {0};
	bool method = result == ROUTER_METHOD_NOT_ALLOWED;
	(void)err_set(&err, method ? ERR_METHOD_NOT_ALLOWED : ERR_NOT_FOUND, NULL);
	depd->counters.requests++;
	depd->counters.refused++;
	serve_log(take_http, "unknown", err_status(err.code), http_request_peer(take_http)->uid,
		NULL, 0, &err);
	serve_error(take_http, &err, method ? match->allow : NULL, NULL, (struct bytes){0});
}

void
dep_call_handle(struct http_request *take_http, void *ctx)
{
	struct depd *depd = ctx;
	struct router_match match;
	enum router_result result = router_match(depd->router, take_http, &match);
	if (result != ROUTER_FOUND) {
		refuse(depd, take_http, result, &match);
		return;
	}
	size_t count;
	const struct dep_route *row = &dep_routes_get(&count)[match.row];
	struct dep_call *call = calloc(1, row->type->size);
	if (call == NULL)
		abort();
	call->depd = depd;
	call->http = take_http;
	call->row = row;
	call->arena = http_request_arena(take_http);
	buf_init(&call->body, DEP_CALL_ANSWER_MAX);
	for (size_t i = 0; i < ROUTER_CAPTURES_MAX; i++)
		call->names[i] = i < match.capture_count ? match.captures[i] : "";
	serve_caller(&call->caller, http_request_peer(take_http));
	const struct dep_options_daemon *options = &depd->options->daemon;
	op_start(depd->ops, &row->type->op, &call->op,
		row->mutates ? options->change_timeout : options->operation_timeout);
}

/* The path of a target that is not decoded yet: a word that was encoded is not known here, and has the common limit. */
static size_t
split_path(char *path, const char *segments[HTTP_SEGMENTS_MAX])
{
	size_t count = 0;
	path[strcspn(path, "?")] = '\0';
	for (char *at = path; *at == '/' && count < HTTP_SEGMENTS_MAX;) {
		size_t len = strcspn(at + 1, "/");
		char *next = at + 1 + len;
		segments[count++] = at + 1;
		*at = '\0';
		at = next;
	}
	return count;
}

size_t
dep_call_body_limit(
	const struct peer *peer, enum http_method method, struct bytes target, void *ctx)
{
	const struct depd *depd = ctx;
	const char *segments[HTTP_SEGMENTS_MAX];
	struct router_match match;
	struct caller caller;
	size_t row_count;
	CLEAN(arena)
	struct arena *arena = arena_new();
	char *path = arena_strndup(arena, (const char *)target.data, target.len);
	size_t count = split_path(path, segments);
	if (router_match_path(depd->router, method, segments, count, &match) != ROUTER_FOUND)
		return 0;
	const struct dep_route *row = &dep_routes_get(&row_count)[match.row];
	serve_caller(&caller, peer);
	bool may = (roles_of(&depd->options->roles, &caller) & row->roles) != 0;
	return may ? row->type->body_bytes : 0;
}

/* ---- admission ---- */

bool
dep_call_check_roles(struct dep_call *call, uint32_t roles)
{
	return roles == ROLES_ANYBODY || (call->roles & roles) != 0 ||
	       err_set(&call->err, ERR_ACCESS_DENIED,
		       "The caller has no role that may do this; see depd.conf(5).");
}

bool
dep_call_check_workload(struct dep_call *call, enum keytree_scope_kind kind, bool *ret_system)
{
	uint32_t bits = roles_serves(&call->depd->options->roles, &call->caller, kind);
	if (bits == 0)
		return err_set(&call->err, ERR_ACCESS_DENIED,
			"The caller is no workload of this kind of scope; see depd.conf(5).");
	*ret_system = (bits & ROLE_SYSTEM_WORKLOAD) != 0;
	return true;
}

static bool
check_load(const struct dep_call *call, struct err *err)
{
	const struct depd *depd = call->depd;
	if (depd->draining)
		return err_set(err, ERR_SHUTTING_DOWN, NULL);
	size_t limit = (size_t)depd->options->daemon.in_flight_per_caller;
	if (http_server_in_flight_of(depd->http, call->caller.uid) > limit)
		return err_set(err, ERR_THROTTLED, NULL);
	if (call->row->mutates && (audit_failed(depd->audit) || db_read_only(depd->db)))
		return err_set(err, ERR_STORAGE,
			"The service is read-only after a storage failure; it checks its files and "
			"goes on by itself, see the log.");
	return true;
}

/* A change that could not be recorded is not begun (threats D1, D2). */
static bool
promise_record(struct dep_call *call, struct err *err)
{
	call->promised = call->row->mutates && audit_promise(call->depd->audit, err);
	return call->promised || !call->row->mutates;
}

static void
release_record(struct dep_call *call)
{
	if (call->promised)
		audit_release(call->depd->audit);
	call->promised = false;
}

enum op_result
dep_call_admit(struct op *op)
{
	struct dep_call *call = call_of(op);
	call->roles = roles_of(&call->depd->options->roles, &call->caller);
	bool admitted = dep_call_check_roles(call, call->row->roles) &&
			check_load(call, &call->err) && promise_record(call, &call->err);
	return admitted ? OP_NEXT : dep_call_fail(call);
}

/* ---- ending ---- */

static bool
write_audit(struct dep_call *call, int status, struct err *err)
{
	struct depd *depd = call->depd;
	struct audit_record record = {
		.operation = call->row->audit,
		.subject = call->audit_subject,
		.code = call->err.code,
		.status = status,
		.detail = call->audit_detail,
	};
	release_record(call);
	return serve_record(
		depd->audit, depd->db, call->http, &call->caller, &record, call->row->mutates, err);
}

enum op_result
dep_call_finish(struct dep_call *call, int status)
{
	struct depd *depd = call->depd;
	struct err audit_err = {0};
	if (!write_audit(call, status, &audit_err)) {
		call->err = audit_err; /* no answer without its record (threats D2) */
		call->details = (struct bytes){0};
		status = err_status(audit_err.code);
		depd_note(depd, "audit.failed", &audit_err, NULL);
	}
	depd->counters.requests++;
	if (status >= 400)
		depd->counters.refused++;
	const struct log_field about[] = {LOG_TEXT("subject", call->audit_subject)};
	serve_log(call->http, call->row->audit, status, call->caller.uid, about, ARRAY_LEN(about),
		&call->err);
	if (call->err.code != ERR_NONE)
		serve_error(call->http, &call->err, NULL, NULL, call->details);
	else
		http_answer(call->http, status, NULL, 0, status == 204 ? NULL : &call->body);
	call->http = NULL;
	op_answered(&call->op);
	return OP_DONE;
}

enum op_result
dep_call_fail(struct dep_call *call)
{
	enum err_class class = err_class(call->err.code);
	if (class == ERR_CLASS_INTEGRITY || call->err.code == ERR_STORAGE_FULL ||
		call->err.code == ERR_STORAGE)
		depd_note(call->depd, "call.failed", &call->err, call->audit_subject);
	return dep_call_finish(call, err_status(call->err.code));
}

enum op_result
dep_call_cancel(struct op *op, enum op_cancel why)
{
	struct dep_call *call = call_of(op);
	if (call->finishing)
		return OP_WAIT;
	(void)err_set(
		&call->err, why == OP_CANCEL_SHUTDOWN ? ERR_SHUTTING_DOWN : ERR_TIMEOUT, NULL);
	return dep_call_fail(call);
}

void
dep_call_destroy(struct op *op)
{
	struct dep_call *call = call_of(op);
	if (call->row->type->clear != NULL)
		call->row->type->clear(call);
	release_record(call);
	buf_clear(&call->body);
	free(call);
}
