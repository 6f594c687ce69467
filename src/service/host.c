/*
 * Order matters: what is checked against what. The audit must continue what the catalog remembers before anything is
 * served; on the way down requests end first, then what the daemon is for, then storage.
 */
#include "host.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <systemd/sd-daemon.h>

#include "base/clock.h"
#include "base/log.h"
#include "http/listener.h"
#include "service/serve.h"

#define TICK_MS        5000
#define STORAGE_MS     2000
#define SETTLE_POLL_MS 20
#define SETTLE_LIMIT_MS                                                                            \
	10000 /* readiness is told at the latest after this, whatever is not settled */

struct host_life {
	const struct settings *settings;
	struct listener *listener;
	struct timer *audit, *names, *tick, *storage, *drain, *settle;
	struct signal_watch *term, *interrupt, *hangup;
	int64_t settle_until_ms;
	bool storage_reported;
	enum err_code trouble; /* of reopening a file, as last noted */
};

void
host_note(struct host *host, const char *event, const struct err *err, const char *subject)
{
	host->last_error = *err;
	host->last_error_at = clock_wall_s();
	enum log_level level =
		err_class(err->code) == ERR_CLASS_INTEGRITY ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING;
	log_err(level, event, err, LOG_TEXT("subject", subject));
	if (err->code == ERR_STORAGE_FULL && host->db != NULL && db_release_reserve(host->db))
		log_error(
			"reserve.released", LOG_TEXT("why", "the disk is full; free space on it"));
}

void
host_tell(const char *status)
{
	(void)sd_notifyf(0, "STATUS=%s", status == NULL ? "" : status); /* as READY below */
}

/* ---- timers ---- */

static void
on_audit(void *ctx)
{
	struct host *host = ctx;
	struct err err = {0};
	if (audit_sync(host->audit, &err)) {
		host->life->storage_reported = false;
		serve_tell_head(host->audit, host->db);
		return;
	}
	if (!host->life->storage_reported)
		host_note(host, "audit.sync", &err, NULL);
	host->life->storage_reported = true;
}

static void
on_names(void *ctx)
{
	struct host *host = ctx;
	if (host->type->names != NULL && host->type->names(host))
		log_warning("names.changed", LOG_TEXT("see", host->type->names_see));
}

static void
on_tick(void *ctx)
{
	struct host *host = ctx;
	struct err err = {0};
	if (!calendar_tick(host->calendar, &err))
		host_note(host, "calendar", &err, NULL);
	if (host->type->tick != NULL)
		host->type->tick(host);
}

/* Tried again and again, said once for each reason. */
static void
note_trouble(struct host *host, const char *event, const struct err *err)
{
	if (host->life->trouble != err->code)
		host_note(host, event, err, NULL);
	host->life->trouble = err->code;
}

static bool
reopen_catalog(struct host *host, struct err *err)
{
	if (host->type->forget != NULL)
		host->type->forget(host);
	if (!db_reopen(host->db, err) ||
		(host->type->reload_rows != NULL && !host->type->reload_rows(host, err)))
		return false;
	log_info("catalog.reopened", LOG_INT("generation", db_generation(host->db)));
	return true;
}

/*
 * After a failed sync nothing is believed that was not read again from the disk (threats D3): catalog and audit are opened
 * and verified anew, under the same locks. The reserve that a full disk took is made again when there is room (D1).
 */
static void
on_storage(void *ctx)
{
	struct host *host = ctx;
	struct err err = {0};
	if (db_read_only(host->db) && !reopen_catalog(host, &err)) {
		note_trouble(host, "catalog.reopen", &err);
		return;
	}
	if (audit_failed(host->audit)) {
		if (!audit_reopen(host->audit, &err)) {
			note_trouble(host, "audit.reopen", &err);
			return;
		}
		log_info("audit.reopened", LOG_INT("records", audit_head(host->audit).records));
	}
	host->life->trouble = ERR_NONE;
	if (db_reserve_given(host->db) && db_restore_reserve(host->db, &err))
		log_info("reserve.restored", LOG_TEXT("catalog", host->life->settings->catalog));
}

/* ---- readiness ---- */

static void
on_settle(void *ctx)
{
	struct host *host = ctx;
	bool settled = host->type->settled == NULL || host->type->settled(host);
	if (!settled && loop_now_ms(host->loop) < host->life->settle_until_ms) {
		timer_start(host->life->settle, SETTLE_POLL_MS);
		return;
	}
	(void)sd_notify(0, "READY=1"); /* without a service manager there is nobody to tell */
	log_info("ready", LOG_TEXT("socket", host->life->settings->socket));
}

/* ---- configuration ---- */

/* Connections are bounded, but administrators get in when everybody else is at the bound (threats C11). */
static void
configure_http(struct host *host)
{
	const struct settings *settings = host->life->settings;
	struct http_limits limits;
	settings_limits(settings, host->type->answer_max, &limits);
	http_server_set_limits(host->http, &limits);
	http_server_set_privileged(host->http, host->type->privileged, host);
	settings_raise_files(settings, host->type->files_beside);
}

void
host_apply(struct host *host, const struct settings *settings)
{
	host->life->settings = settings;
	configure_http(host);
	calendar_set_limit(host->calendar, settings->clock_jump_limit / 1000);
	log_set_level(settings->log_level);
	timer_start_periodic(host->life->audit, settings->audit_sync);
	timer_start_periodic(host->life->names, settings->name_refresh);
}

static void
on_hangup(void *ctx)
{
	struct host *host = ctx;
	if (host->type->hangup != NULL)
		host->type->hangup(host);
}

/* ---- stopping ---- */

void
host_stopped(struct host *host)
{
	loop_stop(host->loop);
}

static void
drained(void *ctx)
{
	struct host *host = ctx;
	timer_stop(host->life->drain);
	if (host->type->stop != NULL)
		host->type->stop(host);
	else
		host_stopped(host);
}

static void
drain_expired(void *ctx)
{
	struct host *host = ctx;
	ops_cancel_all(host->ops);
	drained(host);
}

static void
on_terminate(void *ctx)
{
	struct host *host = ctx;
	if (host->draining)
		return;
	host->draining = true;
	(void)sd_notify(0, "STOPPING=1");
	log_info("stopping", LOG_INT("connections", http_server_stats(host->http).connections));
	timer_start(host->life->drain, host->life->settings->drain_timeout);
	http_server_drain(host->http, drained, host);
}

/* ---- birth ---- */

static bool
open_storage(struct host *host, struct err *err)
{
	const struct settings *options = host->life->settings;
	const struct db_settings settings = {
		.kind = host->type->kind,
		.path = options->catalog,
		.allow_network_filesystem = options->network_filesystem,
		.reserve_bytes = options->catalog_reserve,
	};
	host->db = db_open(&settings, err);
	if (host->db == NULL)
		return false;
	if (db_reserve_given(host->db))
		log_error("reserve.missing", LOG_TEXT("why", "the disk is full; free space on it"));
	host->audit = audit_open(options->audit, host->type->program, err);
	if (host->audit == NULL)
		return false;
	struct db_audit_head stored = db_audit_head(host->db);
	struct audit_head remembered = {.records = stored.records,
		.offset = stored.offset,
		.catalog = db_generation(host->db)};
	memcpy(remembered.hash, stored.hash, sizeof(remembered.hash));
	struct err why = {0};
	if (audit_check(host->audit, &remembered, &why))
		return true;
	if (why.code == ERR_CATALOG_ROLLED_BACK && host->type->rolled_back != NULL) {
		db_hold(host->db);
		return host->type->rolled_back(host, &remembered, &why, err);
	}
	*err = why;
	return false;
}

bool
host_open(struct host *host, const struct host_type *type, const struct settings *settings,
	struct err *err)
{
	host->type = type;
	host->started_ms = clock_monotonic_ms();
	host->life = calloc(1, sizeof(*host->life));
	if (host->life == NULL)
		abort();
	host->life->settings = settings;
	log_set_level(settings->log_level);
	host->loop = loop_new(err);
	if (host->loop == NULL)
		return false;
	host->ops = ops_new(host->loop);
	if (!open_storage(host, err))
		return false;
	host->calendar = calendar_new(host->db, settings->clock_jump_limit / 1000);
	return true;
}

bool
host_bind(struct host *host, struct err *err)
{
	const struct settings *settings = host->life->settings;
	struct listener *listener = listener_from_systemd(err);
	if (listener == NULL && err->code != ERR_NONE)
		return false;
	if (listener == NULL)
		listener = listener_open(
			settings->socket, settings->socket_mode, settings->socket_gid, err);
	host->life->listener = listener;
	return listener != NULL;
}

static void
start_timers(struct host *host)
{
	struct host_life *life = host->life;
	life->audit = timer_new(host->loop, "audit.sync", on_audit, host);
	life->names = timer_new(host->loop, "names", on_names, host);
	life->tick = timer_new(host->loop, "calendar", on_tick, host);
	life->storage = timer_new(host->loop, "storage", on_storage, host);
	life->drain = timer_new(host->loop, "drain", drain_expired, host);
	life->settle = timer_new(host->loop, "settle", on_settle, host);
	timer_start_periodic(life->audit, life->settings->audit_sync);
	timer_start_periodic(life->names, life->settings->name_refresh);
	timer_start_periodic(life->tick, TICK_MS);
	timer_start_periodic(life->storage, STORAGE_MS);
	life->settle_until_ms = clock_monotonic_ms() + SETTLE_LIMIT_MS;
	timer_start(life->settle, SETTLE_POLL_MS);
	life->term = signal_watch_new(host->loop, SIGTERM, on_terminate, host);
	life->interrupt = signal_watch_new(host->loop, SIGINT, on_terminate, host);
	life->hangup = signal_watch_new(host->loop, SIGHUP, on_hangup, host);
}

void
host_start(struct host *host, const struct route *routes, size_t count, size_t stride)
{
	struct http_limits limits;
	host->router = router_new(routes, count, stride);
	settings_limits(host->life->settings, host->type->answer_max, &limits);
	host->http = http_server_new(host->loop, &limits, host->type->handle, host);
	if (host->type->names_errors)
		http_server_set_names_errors(host->http);
	if (host->type->body_limit != NULL)
		http_server_set_body_limit(
			host->http, host->type->body_most, host->type->body_limit, host);
	configure_http(host);
	http_server_listen(host->http, host->life->listener);
	start_timers(host);
}

/* So that the next start knows every record of this run (threats F10, D8). */
static void
remember_audit(struct host *host)
{
	struct err err = {0};
	if (audit_sync(host->audit, &err)) {
		if (db_held(host->db))
			return; /* an old copy keeps the head from which it is seen what it lacks */
		serve_tell_head(host->audit, host->db);
		if (db_store_audit_head(host->db, &err))
			return;
	}
	host_note(host, "audit.remember", &err, NULL);
}

bool
host_run(struct host *host, struct err *err)
{
	bool clean = loop_run(host->loop, err);
	struct err cause = {0};
	if (!calendar_keep(host->calendar, &cause))
		host_note(host, "calendar", &cause, NULL);
	remember_audit(host);
	return clean;
}

/* ---- death ---- */

void
host_close(struct host *host)
{
	struct host_life *life = host->life;
	if (life == NULL)
		return;
	http_server_free(host->http);
	listener_free(life->listener);
	router_free(host->router);
	timer_free(life->audit);
	timer_free(life->names);
	timer_free(life->tick);
	timer_free(life->storage);
	timer_free(life->drain);
	timer_free(life->settle);
	signal_watch_free(life->term);
	signal_watch_free(life->interrupt);
	signal_watch_free(life->hangup);
	free(life);
	host->life = NULL;
}

void
host_clear(struct host *host)
{
	if (host->ops != NULL) {
		ops_cancel_all(host->ops);
		ops_free(host->ops);
	}
	loop_free(host->loop);
	calendar_free(host->calendar);
	audit_close(host->audit);
	db_close(host->db);
}
