/* GET /health and GET /status. */
#include <string.h>

#include "base/b64.h"
#include "custodyd/operations.h"
#include "custodyd/rollback.h"
#include "custodyd/token_view.h"
#include "custodyd/vault_call.h"

#define REASONS_MAX (OPTIONS_TOKENS_MAX + 5)

static size_t
reasons_get(struct call *call, const char *reasons[REASONS_MAX])
{
	struct custodyd *daemon = call->task.daemon;
	size_t count = 0;
	if (audit_failed(daemon->audit))
		reasons[count++] = "the audit cannot be written";
	if (db_read_only(daemon->db))
		reasons[count++] = "the catalog is read-only";
	if (rollback_why(daemon) != NULL)
		reasons[count++] =
			"the catalog is an old copy: nothing is changed until it is accepted";
	if (db_reserve_given(daemon->db))
		reasons[count++] = "the catalog's disk is full";
	if (calendar_jump_s(daemon->calendar) != 0)
		reasons[count++] =
			"the clock jumped ahead: scheduled purges wait for a confirmation";
	for (size_t i = 0; i < tokens_count(daemon->tokens); i++) {
		const struct token *token = tokens_get(daemon->tokens, i);
		if (!token_is_ready(token))
			reasons[count++] = arena_printf(call->arena, "token %s is %s",
				token_name(token), token_state_name(token_state(token)));
	}
	return count;
}

static enum op_result
step_health(struct op *op)
{
	struct call *call = (struct call *)op;
	const char *reasons[REASONS_MAX];
	size_t count = reasons_get(call, reasons);
	api_health_format(reasons, count, &call->body);
	return call_finish(call, count == 0 ? 200 : 503);
}

static const struct op_step health_steps[] = {
	{"admit",  call_admit },
	{"health", step_health},
};

const struct call_type health_type = {
	.op = CALL_OP_TYPE("health", health_steps),
	.size = sizeof(struct call),
};

static bool
view_vaults(struct call *call, struct api_status *status)
{
	struct custodyd *daemon = call->task.daemon;
	size_t count = vaults_count(daemon->vaults);
	struct api_status_vault *views = arena_array(call->arena, count, sizeof(*views));
	for (size_t i = 0; i < count; i++) {
		struct db_vault counted;
		const char *name = vaults_get(daemon->vaults, i)->name;
		if (!db_vault_find(daemon->db, name, call->arena, &counted, &call->err))
			return false;
		vault_view(call, &counted, &views[i].vault);
		views[i].keys = counted.live_keys;
		views[i].deleted_keys = counted.deleted_keys;
	}
	status->vaults = views;
	status->vault_count = count;
	return true;
}

static void
view_tokens(struct call *call, struct api_status *status)
{
	struct tokens *tokens = call->task.daemon->tokens;
	size_t count = tokens_count(tokens);
	struct api_token *views = arena_array(call->arena, count, sizeof(*views));
	for (size_t i = 0; i < count; i++)
		token_view(call, tokens_get(tokens, i), &views[i]);
	status->tokens = views;
	status->token_count = count;
}

static enum op_result
step_status(struct op *op)
{
	struct call *call = (struct call *)op;
	struct custodyd *daemon = call->task.daemon;
	struct http_stats http = http_server_stats(daemon->http);
	struct audit_head head = audit_head(daemon->audit);
	char hash[2 * AUDIT_HASH_BYTES + 1];
	hex_encode(head.hash, sizeof(head.hash), hash);
	struct db_counts counts;
	struct api_status status = {
		.version = PACKAGE_VERSION,
		.uptime_s = (loop_now_ms(daemon->loop) - daemon->started_ms) / 1000,
		.read_only = audit_failed(daemon->audit) || db_read_only(daemon->db) ||
			     db_held(daemon->db),
		.rolled_back = rollback_why(daemon),
		.in_flight = (int64_t)http.in_flight,
		.requests = (int64_t)daemon->counters.requests,
		.refused = (int64_t)(daemon->counters.refused + http.rejected),
		.connections = (int64_t)http.connections,
		.audit_records = (int64_t)head.records,
		.audit_head = hash,
		.last_error =
			daemon->last_error.code != ERR_NONE ? daemon->last_error.message : NULL,
	};
	view_tokens(call, &status);
	if (!view_vaults(call, &status) || !db_counts(daemon->db, &counts, &call->err))
		return call_fail(call);
	status.intents = counts.intents;
	api_status_format(&status, &call->body);
	return call_finish(call, 200);
}

static const struct op_step status_steps[] = {
	{"admit",  call_admit },
	{"status", step_status},
};

const struct call_type status_type = {
	.op = CALL_OP_TYPE("status", status_steps),
	.size = sizeof(struct call),
};
