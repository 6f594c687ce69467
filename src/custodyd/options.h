/*
 * custodyd's configuration, read whole and checked whole before any of it is used (threats F20). The rows are in
 * option.tbl.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "access.h"
#include "base/attr.h"
#include "base/err.h"
#include "base/id.h"
#include "base/log.h"
#include "db/db_token.h"
#include "service/settings.h"

#define OPTIONS_TOKENS_MAX       16
#define OPTIONS_SESSIONS_MAX     64
#define OPTIONS_APPLICATIONS_MAX 256

/* Durations in milliseconds, sizes in octets. Strings are never NULL after options_load(): "" for an empty one. */
struct options_daemon {
	union { /* the members of settings can be named directly */
		struct settings settings;
		struct {
			SETTINGS_MEMBERS
		};
	};
	char *worker, *dns_suffix, *tenant_id, *administrators;
	int64_t queue, operation_timeout, create_timeout, start_timeout, recycle_memory,
		recycle_operations, idle_ping, purge_interval;
};

struct options_token {
	char name[DB_TOKEN_NAME];
	char *uri, *module, *pin_source, *region, *env, *user, *accept_reduced;
	int64_t sessions; /* at least 1: number of CPUs applied, 1 under one-thread */
	bool one_thread;

	uid_t uid; /* from user; the daemon's own if empty */
	gid_t gid;
};

struct options {
	struct options_daemon daemon;
	struct options_token *tokens; /* in file order; at least one */
	size_t token_count;
	struct access_application *applications;
	size_t application_count;
};

/*
 * Reads, checks and resolves (users and groups of the system: blocking). ERR_CONFIG names file, section, key and what is
 * allowed. Nothing is kept on failure.
 */
struct options *options_load(const char *path, struct err *err) MUST_USE;
void options_free(struct options *options);

/*
 * Keeps what a reload cannot change: the first value of `loaded` that differs from the running one and is not reloadable is
 * exchanged for it, and named ("[custodyd] catalog", "[token west]" for one that came or went, which stays named) for a
 * warning that a restart is needed. *next is 0 at first; false: there are no more.
 */
bool options_keep(
	struct options *running, struct options *loaded, size_t *next, char *ret_name, size_t size);

/* Borrowed; NULL if not configured. */
const struct options_token *options_find_token(const struct options *options, const char *name);

/* A row of the table for those who print it: man page, sample. Index from 0; false at the end. */
struct options_row {
	const char *section; /* "custodyd", "token", "application" */
	const char *key;
	const char *type;    /* "path", "text", "list", "yes/no", "integer", "duration", "size" */
	const char *initial; /* as written in a file; "": empty; NULL: must be given */
	int64_t min,
		max; /* of integers, durations (milliseconds) and sizes (octets); 0, 0 otherwise */
	bool reloadable;
	const char *help;
};
bool options_row(size_t index, struct options_row *ret_row);

DEFINE_CLEAN(options, struct options)
