/*
 * Order matters: what is checked against what. The audit must continue what the catalog remembers before anything is
 * served; tokens start before the first request is taken, but nobody waits for them; on the way down requests end first,
 * then workers, then storage.
 */
#include "daemon.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <systemd/sd-daemon.h>

#include "base/clock.h"
#include "base/log.h"
#include "custodyd/call.h"
#include "custodyd/inspector.h"
#include "custodyd/reconcile.h"
#include "custodyd/task.h"
#include "service/serve.h"
#include "wire/wire.h"

#define KEYS_CACHED              2048 /* versions; about 6 KiB each with an RSA key */
#define CALENDAR_TICK_MS         5000
#define RECONCILE_MS             30000
#define FILES_BESIDE_CONNECTIONS 128
#define STORAGE_MS               2000
#define SETTLE_POLL_MS           20
#define SETTLE_LIMIT_MS                                                                            \
	10000 /* readiness is told at the latest after this, whatever the tokens do */

struct life {
	struct custodyd daemon; /* first: what everybody else sees */
	struct listener *listener;
	struct timer *audit_timer, *names_timer, *calendar_timer, *purge_timer, *reconcile_timer,
		*storage_timer, *drain_timer, *settle_timer;
	struct signal_watch *term, *interrupt, *hangup;
	int64_t settle_until_ms;
	bool storage_reported;
	enum err_code trouble; /* of reopening a file, as last noted */
};

static struct life *
life_of(struct custodyd *daemon)
{
	return (struct life *)daemon;
}

void
custodyd_note(
	struct custodyd *daemon, const char *event, const struct err *err, const char *subject)
{
	daemon->last_error = *err;
	daemon->last_error_at = clock_wall_s();
	enum log_level level =
		err_class(err->code) == ERR_CLASS_INTEGRITY ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING;
	log_err(level, event, err, LOG_TEXT("subject", subject));
	if (err->code == ERR_STORAGE_FULL && daemon->db != NULL && db_release_reserve(daemon->db))
		log_error(
			"reserve.released", LOG_TEXT("why", "the disk is full; free space on it"));
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
	};
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

static void
audit_tick(void *ctx)
{
	struct life *life = ctx;
	struct err err = {0};
	if (audit_sync(life->daemon.audit, &err)) {
		life->storage_reported = false;
		serve_tell_head(life->daemon.audit, life->daemon.db);
		return;
	}
	if (!life->storage_reported)
		custodyd_note(&life->daemon, "audit.sync", &err, NULL);
	life->storage_reported = true;
}

static void
names_tick(void *ctx)
{
	struct custodyd *daemon = ctx;
	if (access_refresh(daemon->access))
		log_warning("names.changed", LOG_TEXT("see", "custodyctl doctor"));
}

static void
calendar_tick_timer(void *ctx)
{
	struct custodyd *daemon = ctx;
	struct err err = {0};
	if (!calendar_tick(daemon->calendar, &err))
		custodyd_note(daemon, "calendar", &err, NULL);
	inspector_tick(daemon->inspector);
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

/* Tried again and again, said once for each reason. */
static void
note_trouble(struct life *life, const char *event, const struct err *err)
{
	if (life->trouble != err->code)
		custodyd_note(&life->daemon, event, err, NULL);
	life->trouble = err->code;
}

/*
 * After a failed sync nothing is believed that was not read again from the disk (threats D3): catalog and audit are opened
 * and verified anew, under the same locks. The reserve that a full disk took is made again when there is room (D1).
 */
static void
storage_tick(void *ctx)
{
	struct life *life = ctx;
	struct custodyd *daemon = &life->daemon;
	struct err err = {0};
	if (db_read_only(daemon->db)) {
		keystore_forget_all(daemon->keys);
		if (!db_reopen(daemon->db, &err) || !vaults_reload(daemon->vaults, &err) ||
			!access_reload(daemon->access, &err)) {
			note_trouble(life, "catalog.reopen", &err);
			return;
		}
		log_info("catalog.reopened", LOG_INT("generation", db_generation(daemon->db)));
		reconcile_all(daemon->reconciler); /* which waited for that */
	}
	if (audit_failed(daemon->audit)) {
		if (!audit_reopen(daemon->audit, &err)) {
			note_trouble(life, "audit.reopen", &err);
			return;
		}
		log_info("audit.reopened", LOG_INT("records", audit_head(daemon->audit).records));
	}
	life->trouble = ERR_NONE;
	if (db_reserve_given(daemon->db) && db_restore_reserve(daemon->db, &err)) {
		log_info("reserve.restored", LOG_TEXT("catalog", daemon->options->daemon.catalog));
	}
}

/* ---- readiness ---- */

static bool
tokens_settled(const struct custodyd *daemon)
{
	for (size_t i = 0; i < tokens_count(daemon->tokens); i++) {
		if (token_state(tokens_get(daemon->tokens, i)) == TOKEN_STATE_STARTING)
			return false;
	}
	return true;
}

static void
settle_tick(void *ctx)
{
	struct life *life = ctx;
	if (!tokens_settled(&life->daemon) &&
		loop_now_ms(life->daemon.loop) < life->settle_until_ms) {
		timer_start(life->settle_timer, SETTLE_POLL_MS);
		return;
	}
	(void)sd_notify(0, "READY=1"); /* without a service manager there is nobody to tell */
	log_info("ready", LOG_TEXT("socket", life->daemon.options->daemon.socket));
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

/* Connections are bounded, but administrators get in when everybody else is at the bound (threats C11). */
static void
configure_http(struct custodyd *daemon, const struct options *options)
{
	struct http_limits limits;
	settings_limits(&options->daemon.settings, CALL_ANSWER_MAX, &limits);
	http_server_set_limits(daemon->http, &limits);
	http_server_set_privileged(daemon->http, is_administrator, daemon);
	settings_raise_files(&options->daemon.settings, FILES_BESIDE_CONNECTIONS);
}

/* A new configuration is checked whole before anything of it is used (threats F20). */
static bool
apply(struct custodyd *daemon, const struct options *options, struct err *err)
{
	if (!configure_access(daemon, options, err))
		return false;
	tokens_reload(daemon->tokens, options);
	configure_http(daemon, options);
	calendar_set_limit(daemon->calendar, options->daemon.clock_jump_limit / 1000);
	log_set_level(options->daemon.log_level);
	struct life *life = life_of(daemon);
	timer_start_periodic(life->audit_timer, options->daemon.audit_sync);
	timer_start_periodic(life->names_timer, options->daemon.name_refresh);
	timer_start_periodic(life->purge_timer, options->daemon.purge_interval);
	return true;
}

static void
on_hangup(void *ctx)
{
	struct custodyd *daemon = ctx;
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
	struct custodyd *daemon = ctx;
	loop_stop(daemon->loop);
}

static void
drained(void *ctx)
{
	struct life *life = ctx;
	timer_stop(life->drain_timer);
	tokens_stop(life->daemon.tokens, 1000, workers_gone, &life->daemon);
}

static void
drain_expired(void *ctx)
{
	struct life *life = ctx;
	ops_cancel_all(life->daemon.ops);
	drained(life);
}

static void
on_terminate(void *ctx)
{
	struct life *life = ctx;
	if (life->daemon.draining)
		return;
	life->daemon.draining = true;
	(void)sd_notify(0, "STOPPING=1");
	log_info("stopping",
		LOG_INT("connections", http_server_stats(life->daemon.http).connections));
	timer_start(life->drain_timer, life->daemon.options->daemon.drain_timeout);
	http_server_drain(life->daemon.http, drained, life);
}

/* ---- birth and death ---- */

static bool
open_storage(struct custodyd *daemon, struct err *err)
{
	const struct options_daemon *options = &daemon->options->daemon;
	const struct db_settings settings = {
		.kind = &custody_catalog,
		.path = options->catalog,
		.allow_network_filesystem = options->network_filesystem,
		.reserve_bytes = options->catalog_reserve,
	};
	daemon->db = db_open(&settings, err);
	if (daemon->db == NULL)
		return false;
	if (db_reserve_given(daemon->db))
		log_error("reserve.missing", LOG_TEXT("why", "the disk is full; free space on it"));
	daemon->audit = audit_open(options->audit, err);
	if (daemon->audit == NULL)
		return false;
	struct db_audit_head stored = db_audit_head(daemon->db);
	struct audit_head remembered = {.records = stored.records,
		.offset = stored.offset,
		.catalog = db_generation(daemon->db)};
	memcpy(remembered.hash, stored.hash, sizeof(remembered.hash));
	return audit_check(daemon->audit, &remembered, err);
}

static bool
open_state(struct custodyd *daemon, struct err *err)
{
	daemon->calendar =
		calendar_new(daemon->db, daemon->options->daemon.clock_jump_limit / 1000);
	daemon->access = access_new(daemon->db, err);
	if (daemon->access == NULL || !configure_access(daemon, daemon->options, err))
		return false;
	daemon->vaults = vaults_new(daemon->db, err);
	if (daemon->vaults == NULL)
		return false;
	daemon->keys = keystore_new(daemon->db, daemon->options->daemon.dns_suffix, KEYS_CACHED);
	daemon->reconciler = reconciler_new(daemon);
	daemon->inspector = inspector_new(daemon);
	return true;
}

static bool
open_tokens(struct custodyd *daemon, struct err *err)
{
	const struct tokens_host host = {
		.ctx = daemon,
		.deliver = task_deliver,
		.ready = token_ready,
		.may_login = may_login,
		.load = record_load,
		.enrol = record_enrol,
		.accept_capability = record_accept_capability,
		.refuse_pin = record_refuse_pin,
		.accept_pin = record_accept_pin,
	};
	daemon->tokens = tokens_new(daemon->loop, &host, daemon->options, err);
	return daemon->tokens != NULL;
}

/* Before the tokens: its lock is what says that the login sockets beside it are nobody else's. */
static bool
open_socket(struct life *life, struct err *err)
{
	const struct options_daemon *options = &life->daemon.options->daemon;
	life->listener = listener_from_systemd(err);
	if (life->listener == NULL && err->code != ERR_NONE)
		return false;
	if (life->listener == NULL)
		life->listener = listener_open(
			options->socket, options->socket_mode, options->socket_gid, err);
	return life->listener != NULL;
}

static void
open_http(struct life *life)
{
	struct custodyd *daemon = &life->daemon;
	size_t count;
	const struct route_row *rows = routes_get(&count);
	daemon->router = router_new(&rows->route, count, sizeof(*rows));
	struct http_limits limits;
	settings_limits(&daemon->options->daemon.settings, CALL_ANSWER_MAX, &limits);
	daemon->http = http_server_new(daemon->loop, &limits, call_handle, daemon);
	configure_http(daemon, daemon->options);
	http_server_listen(daemon->http, life->listener);
}

static void
open_timers(struct life *life)
{
	struct custodyd *daemon = &life->daemon;
	const struct options_daemon *options = &daemon->options->daemon;
	life->audit_timer = timer_new(daemon->loop, "audit.sync", audit_tick, life);
	life->names_timer = timer_new(daemon->loop, "names", names_tick, daemon);
	life->calendar_timer = timer_new(daemon->loop, "calendar", calendar_tick_timer, daemon);
	life->purge_timer = timer_new(daemon->loop, "purge", purge_tick, daemon);
	life->reconcile_timer = timer_new(daemon->loop, "reconcile", reconcile_tick, daemon);
	life->storage_timer = timer_new(daemon->loop, "storage", storage_tick, life);
	life->drain_timer = timer_new(daemon->loop, "drain", drain_expired, life);
	life->settle_timer = timer_new(daemon->loop, "settle", settle_tick, life);
	timer_start_periodic(life->audit_timer, options->audit_sync);
	timer_start_periodic(life->names_timer, options->name_refresh);
	timer_start_periodic(life->calendar_timer, CALENDAR_TICK_MS);
	timer_start_periodic(life->purge_timer, options->purge_interval);
	timer_start_periodic(life->reconcile_timer, RECONCILE_MS);
	timer_start_periodic(life->storage_timer, STORAGE_MS);
	life->settle_until_ms = clock_monotonic_ms() + SETTLE_LIMIT_MS;
	timer_start(life->settle_timer, SETTLE_POLL_MS);
	life->term = signal_watch_new(daemon->loop, SIGTERM, on_terminate, life);
	life->interrupt = signal_watch_new(daemon->loop, SIGINT, on_terminate, life);
	life->hangup = signal_watch_new(daemon->loop, SIGHUP, on_hangup, daemon);
}

struct custodyd *
daemon_new(const char *config_path, struct err *err)
{
	struct life *life = calloc(1, sizeof(*life));
	if (life == NULL)
		abort();
	struct custodyd *daemon = &life->daemon;
	daemon->config_path = config_path;
	daemon->started_ms = clock_monotonic_ms();
	daemon->options = options_load(config_path, err);
	bool opened = daemon->options != NULL;
	if (opened) {
		log_set_level(daemon->options->daemon.log_level);
		daemon->loop = loop_new(err);
		opened = daemon->loop != NULL;
	}
	if (opened)
		daemon->ops = ops_new(daemon->loop);
	if (!opened || !open_storage(daemon, err) || !open_state(daemon, err) ||
		!open_socket(life, err) || !open_tokens(daemon, err)) {
		daemon_free(daemon);
		return NULL;
	}
	open_http(life);
	open_timers(life);
	return daemon;
}

/* So that the next start knows every record of this run (threats F10, D8). */
static void
remember_audit(struct custodyd *daemon)
{
	struct err err = {0};
	if (audit_sync(daemon->audit, &err)) {
		serve_tell_head(daemon->audit, daemon->db);
		if (db_store_audit_head(daemon->db, &err))
			return;
	}
	custodyd_note(daemon, "audit.remember", &err, NULL);
}

bool
daemon_run(struct custodyd *daemon, struct err *err)
{
	reconcile_purge_due(daemon->reconciler);
	bool clean = loop_run(daemon->loop, err);
	remember_audit(daemon);
	return clean;
}

static void
free_timers(struct life *life)
{
	timer_free(life->audit_timer);
	timer_free(life->names_timer);
	timer_free(life->calendar_timer);
	timer_free(life->purge_timer);
	timer_free(life->reconcile_timer);
	timer_free(life->storage_timer);
	timer_free(life->drain_timer);
	timer_free(life->settle_timer);
	signal_watch_free(life->term);
	signal_watch_free(life->interrupt);
	signal_watch_free(life->hangup);
}

void
daemon_free(struct custodyd *daemon)
{
	struct life *life = life_of(daemon);
	http_server_free(daemon->http);
	listener_free(life->listener);
	router_free(daemon->router);
	tokens_free(daemon->tokens);
	free_timers(life);
	if (daemon->ops != NULL) {
		ops_cancel_all(daemon->ops);
		ops_free(daemon->ops);
	}
	loop_free(daemon->loop);
	reconciler_free(daemon->reconciler);
	inspector_free(daemon->inspector);
	keystore_free(daemon->keys);
	vaults_free(daemon->vaults);
	access_free(daemon->access);
	calendar_free(daemon->calendar);
	audit_close(daemon->audit);
	db_close(daemon->db);
	options_free(daemon->options);
	free(life);
}
