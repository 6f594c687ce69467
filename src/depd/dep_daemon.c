/*
 * What depd is besides a host: two custodyds that it is a client of. On the way down requests end first, then what is asked
 * of them, then storage.
 */
#include "dep_daemon.h"

#include <stdlib.h>

#include "base/log.h"
#include "depd/custody_port.h"
#include "depd/dep_call.h"
#include "depd/dep_opening.h"
#include "depd/geo_call.h"
#include "depd/organization.h"
#include "depd/purger.h"
#include "depd/redundancy.h"
#include "depd/rewrapper.h"
#include "service/serve.h"

#define FILES_BESIDE_CONNECTIONS 128
#define END_POLL_MS              20

struct life {
	struct depd depd; /* first: what everybody else sees */
	struct timer *end;
};

static struct depd *
depd_of(struct host *host)
{
	return (struct depd *)host;
}

/* ---- what the host asks ---- */

static bool
is_administrator(const struct peer *peer, void *ctx)
{
	const struct depd *depd = ctx;
	struct caller caller;
	serve_caller(&caller, peer);
	return !peer->unmapped &&
	       (roles_of(&depd->options->roles, &caller) & ROLE_GLOBAL_ADMIN) != 0;
}

static bool
refresh_names(struct host *host)
{
	return roles_refresh(&depd_of(host)->options->roles);
}

/* The first start makes the organization, if the service's custody is there. */
static bool
is_settled(struct host *host)
{
	CLEAN(arena)
	struct arena *arena = arena_new();
	struct db_dep_organization organization;
	struct err err = {0};
	return organization_get(depd_of(host), arena, &organization, &err);
}

/* What was begun and must be finished goes on until its custodyd answers or is too late; everything else is given up. */
static void
on_end(void *ctx)
{
	struct depd *depd = ctx;
	if (ops_stats(depd->ops).in_flight == 0)
		host_stopped(&depd->host);
	else
		timer_start(((struct life *)depd)->end, END_POLL_MS);
}

static void
stop(struct host *host)
{
	ops_cancel_all(host->ops);
	on_end(host);
}

/* A new configuration is checked whole before anything of it is used (threats F20). */
static void
on_hangup(struct host *host)
{
	struct depd *depd = depd_of(host);
	struct err err = {0};
	struct dep_options *options = dep_options_load(depd->config_path, &err);
	if (options == NULL) {
		log_err(LOG_LEVEL_ERROR, "reload.refused", &err,
			LOG_TEXT("path", depd->config_path));
		return;
	}
	size_t next = 0;
	const char *key;
	while ((key = dep_options_keep(depd->options, options, &next)) != NULL)
		log_warning("reload.restart-needed", LOG_TEXT("option", key));
	host_apply(host, &options->daemon.settings);
	dep_options_free(depd->options);
	depd->options = options;
	geo_call_make_slots(depd);
	rewrapper_wake(depd->rewrapper); /* its rate may be another */
	log_info("reloaded", LOG_TEXT("path", depd->config_path));
}

static const struct host_type depd_host = {
	.program = "depd",
	.kind = &dep_catalog,
	.handle = dep_call_handle,
	.privileged = is_administrator,
	.names_errors = true,
	.answer_max = DEP_CALL_ANSWER_MAX,
	.body_limit = dep_call_body_limit,
	.body_most = DEP_CALL_BODY_MAX,
	.files_beside = FILES_BESIDE_CONNECTIONS,
	.names = refresh_names,
	.names_see = "depd.conf(5)",
	.settled = is_settled,
	.stop = stop,
	.hangup = on_hangup,
};

/* ---- birth and death ---- */

static struct async *
connect_to(struct depd *depd, const char *socket, uid_t uid, struct err *err)
{
	struct client_config config = {
		.socket_path = socket,
		.timeout_ms = (uint32_t)depd->options->daemon.custody_timeout,
	};
	uds_trust_add(&config.trust, uid);
	return async_new(depd->loop, &config, CUSTODY_PORT_ANSWER_MAX, err);
}

static bool
open_custody(struct depd *depd, struct err *err)
{
	const struct dep_options_daemon *options = &depd->options->daemon;
	depd->owners = connect_to(depd, options->owners_socket, options->owners_uid, err);
	if (depd->owners == NULL)
		return false;
	depd->service = connect_to(depd, options->service_socket, options->service_uid, err);
	if (depd->service == NULL)
		return false;
	depd->custody = custody_port_new(depd->owners, depd->service);
	const struct dep_opener_config opener = {
		.loop = depd->loop,
		.ops = depd->ops,
		.db = depd->db,
		.audit = depd->audit,
		.custody = depd->custody,
		.calendar = depd->calendar,
		.cache_ttl_ms = options->cache_ttl,
		.geo_cache_ttl_ms = options->geo_cache_ttl,
		.blind_fallback_ms = options->blind_fallback,
	};
	depd->opener = dep_opener_new(&opener, err);
	return depd->opener != NULL;
}

struct depd *
dep_daemon_new(const char *config_path, struct err *err)
{
	struct life *life = calloc(1, sizeof(*life));
	if (life == NULL)
		abort();
	struct depd *depd = &life->depd;
	depd->config_path = config_path;
	depd->options = dep_options_load(config_path, err);
	if (depd->options == NULL ||
		!host_open(&depd->host, &depd_host, &depd->options->daemon.settings, err) ||
		!host_bind(&depd->host, err) || !open_custody(depd, err) ||
		!organization_start(depd, err)) {
		dep_daemon_free(depd);
		return NULL;
	}
	life->end = timer_new(depd->loop, "end", on_end, depd);
	depd->purger = purger_new(depd);
	depd->redundancy = redundancy_new(depd);
	depd->rewrapper = rewrapper_new(depd);
	size_t count;
	const struct dep_route *rows = dep_routes_get(&count);
	host_start(&depd->host, &rows->route, count, sizeof(*rows));
	return depd;
}

bool
dep_daemon_run(struct depd *depd, struct err *err)
{
	return host_run(&depd->host, err);
}

void
dep_daemon_free(struct depd *depd)
{
	host_close(&depd->host);
	if (depd->ops != NULL)
		ops_cancel_all(depd->ops);
	purger_free(depd->purger);
	redundancy_free(depd->redundancy);
	rewrapper_free(depd->rewrapper);
	dep_opener_free(depd->opener);
	custody_port_free(depd->custody);
	async_free(depd->owners);
	async_free(depd->service);
	timer_free(((struct life *)depd)->end);
	host_clear(&depd->host);
	dep_options_free(depd->options);
	free(depd);
}
