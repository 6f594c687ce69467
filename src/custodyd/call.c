/* From an HTTP request to its operation, and from the operation's outcome to audit record and answer. */
#include "call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "custodyd/operations.h"
#include "custodyd/rollback.h"
#include "custodyd/witness.h"
#include "service/serve.h"

#define API_VERSION_NEWEST "2025-07-01"

static struct call *
call_of(struct op *op)
{
	return (struct call *)op;
}

/* ---- beginning ---- */

static void
refuse(struct custodyd *daemon, struct http_request *take_http, enum router_result result,
	const struct router_match *match)
{
	struct err err = {0};
	bool method = result == ROUTER_METHOD_NOT_ALLOWED;
	(void)err_set(&err, method ? ERR_METHOD_NOT_ALLOWED : ERR_NOT_FOUND, NULL);
	daemon->counters.requests++;
	daemon->counters.refused++;
	serve_log(take_http, "unknown", err_status(err.code), http_request_peer(take_http)->uid,
		NULL, 0, &err);
	serve_error(take_http, &err, method ? match->allow : NULL, NULL, (struct bytes){0});
}

static int64_t
deadline_of(const struct custodyd *daemon, const struct route_row *row)
{
	const struct options_daemon *options = &daemon->options->daemon;
	return row->mutates ? options->create_timeout : options->operation_timeout;
}

void
call_handle(struct http_request *take_http, void *ctx)
{
	struct custodyd *daemon = ctx;
	struct router_match match;
	enum router_result result = router_match(daemon->router, take_http, &match);
	if (result != ROUTER_FOUND) {
		refuse(daemon, take_http, result, &match);
		return;
	}
	size_t count;
	const struct route_row *row = &routes_get(&count)[match.row];
	struct call *call = calloc(1, row->type->size);
	if (call == NULL)
		abort();
	call->task.daemon = daemon;
	call->task.deliver = row->type->deliver;
	call->http = take_http;
	call->row = row;
	call->arena = http_request_arena(take_http);
	buf_init(&call->body, CALL_ANSWER_MAX);
	for (size_t i = 0; i < ROUTER_CAPTURES_MAX; i++)
		call->names[i] = i < match.capture_count ? match.captures[i] : "";
	serve_caller(&call->caller, http_request_peer(take_http));
	call->task.caller = call->caller.uid;
	op_start(daemon->ops, &row->type->op, &call->task.op, deadline_of(daemon, row));
}

/* ---- admission ---- */

/* akv-contract §2 */
static bool
api_version_known(const char *version)
{
	static const char *const known[] = {
		"7.0", "7.1", "7.2", "7.3", "7.4", "7.5", "7.6", API_VERSION_NEWEST};
	size_t len = strcspn(version, "p");
	const char *preview = version + len;
	if (*preview != '\0') {
		static const char mark[] = "preview.";
		if (len == 0 || version[len - 1] != '-' ||
			strncmp(preview, mark, sizeof(mark) - 1) != 0)
			return false;
		const char *number = preview + sizeof(mark) - 1;
		if (*number == '\0' || strlen(number) > 2 ||
			strspn(number, "0123456789") != strlen(number))
			return false;
		len--;
	}
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		if (strlen(known[i]) == len && strncmp(version, known[i], len) == 0)
			return true;
	}
	return false;
}

static bool
check_api_version(const struct call *call, struct err *err)
{
	bool equal = true;
	size_t count = http_request_param_count(call->http, "api-version", &equal);
	const char *version = http_request_param(call->http, "api-version");
	if (count == 0 || version == NULL)
		return err_set(
			err, ERR_BAD_PARAMETER, "The query parameter api-version is missing.");
	if (!equal || !api_version_known(version))
		return err_set(err, ERR_BAD_PARAMETER,
			"The specified version is not recognized. Consider using the latest "
			"supported version (%s).",
			API_VERSION_NEWEST);
	return true;
}

/* The vault that the permission is asked for, as the request names it; NULL: the route has none. */
static const char *
vault_name(const struct call *call)
{
	if (call->row->dialect)
		return http_request_vault(call->http);
	return call->row->permission >= 0 ? call->names[0] : NULL;
}

/* Before the copy is asked whether there is such a vault: it may be wrong in that. */
static bool
check_rollback(const struct call *call, struct err *err)
{
	const char *key = call->names[call->row->dialect ? 0 : 1];
	return rollback_check(
		call->task.daemon, vault_name(call), key[0] == '\0' ? NULL : key, err);
}

static bool
find_vault(struct call *call, struct err *err)
{
	const struct db_vault *vault = vaults_find(call->task.daemon->vaults, vault_name(call));
	if (vault == NULL)
		return err_set(err, ERR_VAULT_NOT_FOUND,
			call->row->dialect ? "The vault was not found; the first label of the Host "
					     "header names it."
					   : NULL);
	call->vault = *vault;
	call->vault.tags = arena_strdup(call->arena, vault->tags);
	return true;
}

static bool
check_permission(const struct call *call, struct err *err)
{
	const struct access *access = call->task.daemon->access;
	switch (call->row->permission) {
	case ROUTE_ANYBODY:
		return true;
	case ROUTE_ADMINISTRATOR:
		return access_is_administrator(access, &call->caller) ||
		       err_set(err, ERR_ACCESS_DENIED, "Only an administrator may do this.");
	default:
		return access_check(access, &call->caller, call->vault.id,
			(enum permission)call->row->permission, err);
	}
}

static bool
check_load(const struct call *call, struct err *err)
{
	const struct custodyd *daemon = call->task.daemon;
	if (daemon->draining)
		return err_set(err, ERR_SHUTTING_DOWN, NULL);
	size_t limit = (size_t)daemon->options->daemon.in_flight_per_caller;
	if (http_server_in_flight_of(daemon->http, call->caller.uid) > limit)
		return err_set(err, ERR_THROTTLED, NULL);
	if (call->row->mutates && (audit_failed(daemon->audit) || db_read_only(daemon->db)))
		return err_set(err, ERR_STORAGE,
			"The service is read-only after a storage failure; it checks its files and "
			"goes on by itself, see the log.");
	if (call->row->mutates && db_held(daemon->db) && call->row->type != &catalog_accept_type)
		return err_set(err, ERR_CATALOG_ROLLED_BACK, NULL);
	return true;
}

/* A change that could not be recorded is not begun (threats D1, D2). */
static bool
promise_record(struct call *call, struct err *err)
{
	call->promised = call->row->mutates && audit_promise(call->task.daemon->audit, err);
	return call->promised || !call->row->mutates;
}

static void
release_record(struct call *call)
{
	if (call->promised)
		audit_release(call->task.daemon->audit);
	call->promised = false;
}

static bool
admit(struct call *call, struct err *err)
{
	if (vault_name(call) != NULL && (!check_rollback(call, err) || !find_vault(call, err)))
		return false;
	if (call->row->dialect) {
		if (http_request_header(call->http, "Authorization") == NULL)
			return err_set(err, ERR_UNAUTHORIZED, NULL);
		if (!check_api_version(call, err))
			return false;
	}
	return access_choose_application(call->task.daemon->access,
		       http_request_header(call->http, "x-custody-application"), &call->caller,
		       err) &&
	       check_permission(call, err) && check_load(call, err) && promise_record(call, err);
}

enum op_result
call_admit(struct op *op)
{
	struct call *call = call_of(op);
	return admit(call, &call->err) ? OP_NEXT : call_fail(call);
}

/* ---- asking tokens ---- */

bool
call_ask(struct call *call, const char *token, struct token_job *job, unsigned slot)
{
	if (job->deadline_ms == 0)
		job->deadline_ms =
			loop_now_ms(call->task.daemon->loop) + op_left_ms(&call->task.op);
	return task_ask(&call->task, token, job, slot, &call->err);
}

/* ---- ending ---- */

static bool
write_audit(struct call *call, int status, struct err *err)
{
	struct custodyd *daemon = call->task.daemon;
	struct audit_record record = {
		.operation = call->row->audit,
		.vault = call->audit_vault != NULL ? call->audit_vault : vault_name(call),
		.key = call->audit_key,
		.version = call->audit_version,
		.code = call->err.code,
		.status = status,
		.detail = call->audit_detail,
	};
	release_record(call);
	return serve_record(daemon->audit, daemon->db, call->http, &call->caller, &record,
		call->row->mutates, err);
}

static void
log_call(const struct call *call, int status)
{
	const struct log_field about[] = {
		LOG_TEXT("vault", call->vault.id != 0 ? call->vault.name : NULL),
		LOG_TEXT("key", call->audit_key),
	};
	serve_log(call->http, call->row->audit, status, call->caller.uid, about, ARRAY_LEN(about),
		&call->err);
}

/* akv-contract §3: resource is the host without its first label, so that the client's own check passes. */
static const char *
challenge(const struct call *call)
{
	const struct options_daemon *options = &call->task.daemon->options->daemon;
	const char *dot = strchr(http_request_host(call->http), '.');
	return arena_printf(call->arena,
		"Bearer authorization=\"https://login.microsoftonline.com/%s\", "
		"resource=\"https://%s\"",
		options->tenant_id, dot != NULL ? dot + 1 : options->dns_suffix);
}

enum op_result
call_finish(struct call *call, int status)
{
	struct custodyd *daemon = call->task.daemon;
	struct err audit_err = {0};
	bool challenge_only =
		call->err.code == ERR_UNAUTHORIZED; /* nobody asked for anything yet */
	if (!challenge_only && !write_audit(call, status, &audit_err)) {
		call->err = audit_err; /* no answer without its record (threats D2) */
		call->details = (struct bytes){0};
		status = err_status(audit_err.code);
		custodyd_note(daemon, "audit.failed", &audit_err, NULL);
	}
	daemon->counters.requests++;
	if (status >= 400)
		daemon->counters.refused++;
	log_call(call, status);
	if (call->err.code != ERR_NONE)
		serve_error(call->http, &call->err, NULL,
			call->err.code == ERR_UNAUTHORIZED ? challenge(call) : NULL, call->details);
	else
		http_answer(call->http, status, NULL, 0, status == 204 ? NULL : &call->body);
	call->http = NULL;
	if (call->row->mutates)
		witness_tick(daemon->witness);
	op_answered(&call->task.op);
	return OP_DONE;
}

enum op_result
call_fail(struct call *call)
{
	enum err_class class = err_class(call->err.code); /* of an old copy it was said once */
	if ((class == ERR_CLASS_INTEGRITY && call->err.code != ERR_CATALOG_ROLLED_BACK) ||
		call->err.code == ERR_STORAGE_FULL || call->err.code == ERR_STORAGE)
		custodyd_note(call->task.daemon, "call.failed", &call->err, call->audit_key);
	return call_finish(call, err_status(call->err.code));
}

enum op_result
call_cancel(struct op *op, enum op_cancel why)
{
	struct call *call = call_of(op);
	if (call->finishing)
		return OP_WAIT;
	(void)err_set(
		&call->err, why == OP_CANCEL_SHUTDOWN ? ERR_SHUTTING_DOWN : ERR_TIMEOUT, NULL);
	return call_fail(call);
}

void
call_destroy(struct op *op)
{
	struct call *call = call_of(op);
	if (call->row->type->clear != NULL)
		call->row->type->clear(call);
	release_record(call);
	buf_clear(&call->body);
	free(call);
}
