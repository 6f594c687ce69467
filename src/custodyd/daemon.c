/*
 * What custodyd is besides a host: tokens and what they need of us. Tokens start before the first request is taken, but nobody
 * waits for them; on the way down requests end first, then workers, then storage.
 */
#include "daemon.h"

#include <stdlib.h>
#include <string.h>

#include "base/b64.h"
#include "base/log.h"
#include "custodyd/call.h"
#include "custodyd/inspector.h"
#include "custodyd/reconcile.h"
#include "custodyd/rollback.h"
#include "custodyd/rotator.h"
#include "custodyd/task.h"
#include "custodyd/witness.h"
#include "service/serve.h"
#include "wire/wire.h"

#define KEYS_CACHED              2048 /* versions; about 6 KiB each with an RSA key */
#define RECONCILE_MS             30000
#define FILES_BESIDE_CONNECTIONS 128

struct life {
	struct custodyd daemon; /* first: what everybody else sees */
	struct timer *purge_timer, *reconcile_timer;
};

static struct custodyd *
daemon_of(struct host *host)
{
	return (struct custodyd *)host;
}

/* ---- what the tokens need of us ---- */

static void
token_ready(void *ctx, struct token *token)
{
	struct custodyd *daemon = ctx;
	const char *name = token_name(token);
	CLEAN(arena)
	struct arena *arena = arena_new();
	struct db_token row;
	bool found;
	struct err err = {0};
	if (!db_token_find(daemon->db, name, arena, &row, &found, &err) ||
		(found && row.identity.len > 0 &&
			!keystore_set_identity(daemon->keys, name, row.identity, &err)))
		custodyd_note(daemon, "token.identity", &err, name);
	log_info("token.ready", LOG_TEXT("token", name));
	witness_ready(daemon->witness, token);
	reconcile_token(daemon->reconciler, name);
}

static bool
may_login(void *ctx, int fd)
{
	struct custodyd *daemon = ctx;
	struct peer peer;
	struct err err = {0};
	if (!peer_read(fd, &peer, &err))
		return false;
	const struct caller caller = {.uid = peer.uid,
		.gid = peer.gid,
		.groups = peer.groups,
		.group_count = peer.group_count};
	bool allowed = access_is_administrator(daemon->access, &caller);
	peer_clear(&peer);
	return allowed;
}

static bool
record_load(void *ctx, const char *name, struct token_record *ret_record, struct err *err)
{
	struct custodyd *daemon = ctx;
	CLEAN(arena)
	struct arena *arena = arena_new();
	struct db_token row;
	bool found;
	if (!db_token_find(daemon->db, name, arena, &row, &found, err))
		return false;
	*ret_record = (struct token_record){0};
	if (!found)
		return true;
	if (row.identity.len > sizeof(ret_record->spki))
		return err_set(err, ERR_CATALOG_INTEGRITY, NULL);
	/* a token whose PIN was refused before it was enrolled has a row without an identity */
	if (row.identity.len > 0)
		memcpy(ret_record->spki, row.identity.data, row.identity.len);
	ret_record->spki_len = row.identity.len;
	if (row.capability.len > 0 && row.capability.len <= sizeof(ret_record->capability)) {
		memcpy(ret_record->capability, row.capability.data, row.capability.len);
		ret_record->capability_len = row.capability.len;
	}
	ret_record->pin_refused = row.pin_refused;
	memcpy(ret_record->pin_salt, row.pin_salt, sizeof(ret_record->pin_salt));
	memcpy(ret_record->pin_digest, row.pin_digest, sizeof(ret_record->pin_digest));
	return true;
}

static bool
record_enrol(void *ctx, const char *name, const struct token_enrolment *enrolment, struct err *err)
{
	struct custodyd *daemon = ctx;
	struct db_token row = {
		.identity = enrolment->spki,
		.capability = enrolment->capability,
		.enrolled_at = calendar_now_s(daemon->calendar),
		.counter = (int64_t)enrolment->counter,
	};
	if (row.counter < 0)
		return err_set(err, ERR_INTERNAL, "The token's worker reported no counter.");
	memcpy(row.identity_id, WIRE_IDENTITY_ID, sizeof(row.identity_id));
	strncpy(row.name, name, sizeof(row.name) - 1);
	strncpy(row.label, enrolment->label, sizeof(row.label) - 1);
	strncpy(row.serial, enrolment->serial, sizeof(row.serial) - 1);
	strncpy(row.manufacturer, enrolment->manufacturer, sizeof(row.manufacturer) - 1);
	strncpy(row.model, enrolment->model, sizeof(row.model) - 1);
	return db_token_enroll(daemon->db, &row, 0, err);
}

static bool
record_accept_capability(void *ctx, const char *name, struct bytes capability, struct err *err)
{
	return db_token_set_capability(((struct custodyd *)ctx)->db, name, capability, err);
}

static bool
record_know_counter(void *ctx, const char *name, uint64_t counter, struct err *err)
{
	return witness_know(((struct custodyd *)ctx)->witness, name, counter, err);
}

static bool
record_refuse_pin(void *ctx, const char *name, const uint8_t salt[static TOKEN_PIN_SALT],
	const uint8_t digest[static TOKEN_PIN_DIGEST], struct err *err)
{
	return db_token_set_pin_refused(((struct custodyd *)ctx)->db, name, salt, digest, err);
}

static bool
record_accept_pin(void *ctx, const char *name, struct err *err)
{
	return db_token_clear_pin_refused(((struct custodyd *)ctx)->db, name, err);
}

/* ---- timers ---- */

static bool
refresh_names(struct host *host)
{
	return access_refresh(daemon_of(host)->access);
}

static void
tick(struct host *host)
{
	inspector_tick(daemon_of(host)->inspector);
	rotator_tick(daemon_of(host)->rotator);
	witness_tick(daemon_of(host)->witness);
}

static void
purge_tick(void *ctx)
{
	struct custodyd *daemon = ctx;
	reconcile_purge_due(daemon->reconciler);
}

static void
reconcile_tick(void *ctx)
{
	struct custodyd *daemon = ctx;
	reconcile_all(daemon->reconciler);
}

/* ---- the catalog read again after a failure ---- */

static void
forget_rows(struct host *host)
{
	keystore_forget_all(daemon_of(host)->keys);
}

static bool
reload_rows(struct host *host, struct err *err)
{
	struct custodyd *daemon = daemon_of(host);
	return vaults_reload(daemon->vaults, err) && access_reload(daemon->access, err);
}

static bool
rolled_back(struct host *host, const struct audit_head *remembered, const struct err *why,
	struct err *err)
{
	return rollback_begin(daemon_of(host), remembered, why, err);
}

/* ---- readiness ---- */

static bool
tokens_settled(struct host *host)
{
	const struct custodyd *daemon = daemon_of(host);
	for (size_t i = 0; i < tokens_count(daemon->tokens); i++) {
		if (token_state(tokens_get(daemon->tokens, i)) == TOKEN_STATE_STARTING)
			return false;
	}
	return true;
}

/* ---- configuration ---- */

static bool
configure_access(struct custodyd *daemon, const struct options *options, struct err *err)
{
	return access_configure(daemon->access, options->daemon.administrators,
		options->applications, options->application_count, err);
}

static bool
is_administrator(const struct peer *peer, void *ctx)
{
	const struct custodyd *daemon = ctx;
	struct caller caller;
	serve_caller(&caller, peer);
	return !peer->unmapped && access_is_administrator(daemon->access, &caller);
}

/* A new configuration is checked whole before anything of it is used (threats F20). */
static bool
apply(struct custodyd *daemon, const struct options *options, struct err *err)
{
	if (!configure_access(daemon, options, err))
		return false;
	tokens_reload(daemon->tokens, options);
	host_apply(&daemon->host, &options->daemon.settings);
	struct life *life = (struct life *)daemon;
	timer_start_periodic(life->purge_timer, options->daemon.purge_interval);
	return true;
}

static void
on_hangup(struct host *host)
{
	struct custodyd *daemon = daemon_of(host);
	struct err err = {0};
	struct options *options = options_load(daemon->config_path, &err);
	if (options == NULL || !apply(daemon, options, &err)) {
		options_free(options);
		log_err(LOG_LEVEL_ERROR, "reload.refused", &err,
			LOG_TEXT("path", daemon->config_path));
		return;
	}
	char name[128];
	size_t next = 0;
	while (options_keep(daemon->options, options, &next, name, sizeof(name)))
		log_warning("reload.restart-needed", LOG_TEXT("option", name));
	options_free(daemon->options);
	daemon->options = options;
	log_info("reloaded", LOG_TEXT("path", daemon->config_path));
}

/* ---- stopping ---- */

static void
workers_gone(void *ctx)
{
	host_stopped(ctx);
}

static void
stop_tokens(struct host *host)
{
	tokens_stop(daemon_of(host)->tokens, 1000, workers_gone, host);
}

/* ---- birth and death ---- */

static const struct host_type custodyd_host = {
	.program = "custodyd",
	.kind = &custody_catalog,
	.handle = call_handle,
	.privileged = is_administrator,
	.answer_max = CALL_ANSWER_MAX,
	.files_beside = FILES_BESIDE_CONNECTIONS,
	.tick = tick,
	.names = refresh_names,
	.names_see = "custodyctl doctor",
	.rolled_back = rolled_back,
	.forget = forget_rows,
	.reload_rows = reload_rows,
	.settled = tokens_settled,
	.hangup = on_hangup,
	.stop = stop_tokens,
};

static bool
open_state(struct custodyd *daemon, struct err *err)
{
	daemon->access = access_new(daemon->db, err);
	if (daemon->access == NULL || !configure_access(daemon, daemon->options, err))
		return false;
	daemon->vaults = vaults_new(daemon->db, err);
	if (daemon->vaults == NULL)
		return false;
	daemon->keys = keystore_new(daemon->db, daemon->options->daemon.dns_suffix, KEYS_CACHED);
	daemon->reconciler = reconciler_new(daemon);
	daemon->inspector = inspector_new(daemon);
	daemon->rotator = rotator_new(daemon);
	daemon->witness = witness_new(daemon);
	return true;
}

static bool
open_tokens(struct custodyd *daemon, struct err *err)
{
	struct tokens_host host = {
		.ctx = daemon,
		.deliver = task_deliver,
		.ready = token_ready,
		.may_login = may_login,
		.load = record_load,
		.enrol = record_enrol,
		.accept_capability = record_accept_capability,
		.know_counter = record_know_counter,
		.refuse_pin = record_refuse_pin,
		.accept_pin = record_accept_pin,
	};
	if (!hex_decode(db_instance(daemon->db), host.instance, sizeof(host.instance)))
		return err_set(err, ERR_CATALOG_INTEGRITY, NULL);
	daemon->tokens = tokens_new(daemon->loop, &host, daemon->options, err);
	return daemon->tokens != NULL;
}

static void
start_serving(struct life *life)
{
	struct custodyd *daemon = &life->daemon;
	size_t count;
	const struct route_row *rows = routes_get(&count);
	host_start(&daemon->host, &rows->route, count, sizeof(*rows));
	life->purge_timer = timer_new(daemon->loop, "purge", purge_tick, daemon);
	life->reconcile_timer = timer_new(daemon->loop, "reconcile", reconcile_tick, daemon);
	timer_start_periodic(life->purge_timer, daemon->options->daemon.purge_interval);
	timer_start_periodic(life->reconcile_timer, RECONCILE_MS);
}

struct custodyd *
daemon_new(const char *config_path, struct err *err)
{
	struct life *life = calloc(1, sizeof(*life));
	if (life == NULL)
		abort();
	struct custodyd *daemon = &life->daemon;
	daemon->config_path = config_path;
	daemon->options = options_load(config_path, err);
	if (daemon->options == NULL ||
		!host_open(&daemon->host, &custodyd_host, &daemon->options->daemon.settings, err) ||
		!open_state(daemon, err) || !host_bind(&daemon->host, err) ||
		!open_tokens(daemon, err)) {
		daemon_free(daemon);
		return NULL;
	}
	start_serving(life);
	return daemon;
}

bool
daemon_run(struct custodyd *daemon, struct err *err)
{
	reconcile_purge_due(daemon->reconciler);
	return host_run(&daemon->host, err);
}

void
daemon_free(struct custodyd *daemon)
{
	struct life *life = (struct life *)daemon;
	host_close(&daemon->host);
	tokens_free(daemon->tokens);
	timer_free(life->purge_timer);
	timer_free(life->reconcile_timer);
	host_clear(&daemon->host);
	reconciler_free(daemon->reconciler);
	inspector_free(daemon->inspector);
	rotator_free(daemon->rotator);
	witness_free(daemon->witness);
	keystore_free(daemon->keys);
	rollback_free(daemon->rollback);
	vaults_free(daemon->vaults);
	access_free(daemon->access);
	options_free(daemon->options);
	free(life);
}
