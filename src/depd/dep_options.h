/*
 * depd's configuration, read whole and checked whole before any of it is used (threats F20). The rows are in
 * dep_option.tbl.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/attr.h"
#include "base/err.h"
#include "depd/geos.h"
#include "depd/roles.h"
#include "service/settings.h"

/* Durations in milliseconds, sizes in octets. Strings are never NULL after dep_options_load(): "" for an empty one. */
struct dep_options_daemon {
	union { /* the members of settings can be named directly */
		struct settings settings;
		struct {
			SETTINGS_MEMBERS
		};
	};
	char *organization;
	char *owners_socket, *owners_user, *owners_dns_suffix;
	char *service_socket, *service_user, *service_dns_suffix;
	char *availability_vault, *root_vaults;
	int64_t custody_timeout, operation_timeout, change_timeout;
	int64_t cache_ttl, geo_cache_ttl, blind_fallback;
	int64_t token_watch; /* milliseconds */
	int64_t rewrap_rate; /* scopes a second; 0: paused */
	char *approver_authorities;
	int64_t approvers_needed;
	int64_t purge_wait;

	uid_t owners_uid, service_uid; /* from the users; our own if empty */
};

struct dep_options {
	struct dep_options_daemon daemon;
	struct roles roles;
	struct geos geos;
};

/*
 * Reads, checks and resolves (users and groups of the system: blocking). ERR_CONFIG names file, section, key and what is
 * allowed. Nothing is kept on failure.
 */
struct dep_options *dep_options_load(const char *path, struct err *err) MUST_USE;
/*
 * Keeps what a reload cannot change; see config_keep(). Returns the next such key of [depd], for a warning that a restart is
 * needed; NULL: there are no more.
 */
const char *dep_options_keep(struct dep_options *running, struct dep_options *loaded, size_t *next);
void dep_options_free(struct dep_options *options);

DEFINE_CLEAN(dep_options, struct dep_options)
