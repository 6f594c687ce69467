/*
 * The part of the configuration that every daemon of ours has: where its files and its socket lie, and the limits of its
 * server. Rows in settings.tbl; the daemon's own table includes it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/attr.h"
#include "base/config.h"
#include "base/err.h"
#include "base/log.h"
#include "http/http.h"

/*
 * Durations in milliseconds, sizes in octets; strings are never NULL once read. A list of members, so that a daemon's own
 * struct can hold them beside its own: union { struct settings settings; struct { SETTINGS_MEMBERS }; };
 */
#define SETTINGS_MEMBERS                                                                           \
	char *catalog, *audit, *socket, *socket_mode_text, *socket_group, *log_level_text;         \
	int64_t catalog_reserve, audit_sync, name_refresh;                                         \
	int64_t connections, connections_per_user, connections_reserved, connection_age,           \
		idle_timeout, request_timeout, header_size, body_size, in_flight_per_caller;       \
	int64_t drain_timeout, clock_jump_limit;                                                   \
	bool network_filesystem;                                                                   \
	mode_t socket_mode;       /* from socket-mode */                                           \
	gid_t socket_gid;         /* from socket-group; (gid_t)-1 if empty */                      \
	enum log_level log_level; /* from log-level */

struct settings {
	SETTINGS_MEMBERS
};

/* A section, for messages: [kind name]. */
struct settings_section {
	const struct config *config;
	const char *kind, *name;
};

/* ERR_CONFIG: "FILE:LINE: [kind name] key: what". Returns false. */
bool settings_fail(
	struct err *err, const struct settings_section *section, const char *key, const char *what);

/* Checks and resolves what the table's ranges cannot (groups of the system: blocking). ERR_CONFIG. */
bool settings_check(struct settings *settings, const struct settings_section *section,
	struct err *err) MUST_USE;

/* What was made of texts that a reload kept (config_keep()) is kept too. */
void settings_keep(const struct settings *running, struct settings *loaded);

/* The server's limits; an answer's body has at most `answer_max` octets. */
void settings_limits(
	const struct settings *settings, size_t answer_max, struct http_limits *ret_limits);
/*
 * Raises the limit on descriptors to what all connections and `beside` others need, as far as the hard limit goes, and
 * warns if that is not far enough (threats C12).
 */
void settings_raise_files(const struct settings *settings, size_t beside);
