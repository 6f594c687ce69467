/*
 * Principals: users, groups and applications, as text, as numbers, as stored. A number and its name are kept
 * together, so that a uid given to somebody else does not inherit (threats C28).
 *
 * Name look-ups (getpwnam_r and kin) block: at start, on policy changes and on the refresh timer only.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/id.h"
#include "db/db_vault.h"

#define PRINCIPAL_TEXT       (DB_PRINCIPAL_NAME + 8) /* "group:" and a name */
#define PRINCIPAL_GROUPS_MAX 1024

struct principal {
	enum db_principal_kind kind;
	int64_t number; /* uid or gid; -1 for an application */
	char name
		[DB_PRINCIPAL_NAME]; /* name at that time, "" for a number without one; folded GUID */
};

enum principal_state {
	PRINCIPAL_OK,
	PRINCIPAL_CHANGED, /* the number has another name now, or none: it grants nothing */
};

/*
 * "user:NAME", "user:1000", "group:NAME", "group:100", "app:GUID", resolved to number and name by the
 * system's databases; a name wins over a number of the same spelling. ERR_BAD_PARAMETER: malformed, no such
 * user or group, or the overflow uid or gid (threats C7).
 */
bool principal_parse(const char *text, struct principal *ret_principal, struct err *err) MUST_USE;
/*
 * The same against stored principals, without asking the system: so that the policy of a user who is gone can
 * be shown and removed. Index into `stored`, or `count` if none is meant.
 */
size_t principal_match(const char *text, const struct principal *stored, size_t count);
/* "user:alice"; "user:1000" for a number without a name. */
void principal_format(const struct principal *principal, char text[static PRINCIPAL_TEXT]);
/*
 * Asks the system whether number and name still belong together. Applications always are. false: the system could not be
 * asked, *ret_state is untouched.
 */
bool principal_check(const struct principal *principal, enum principal_state *ret_state) MUST_USE;

/* As /proc/sys/kernel/overflowuid and overflowgid say; 65534 where they cannot be read. Read at each call. */
uid_t principal_overflow_uid(void);
gid_t principal_overflow_gid(void);

/* Who asks: from the socket's peer at accept, and the application chosen by the request. */
struct caller {
	uid_t uid;
	gid_t gid;           /* primary, of the connecting process */
	const gid_t *groups; /* supplementary; borrowed from the connection */
	size_t group_count;
	pid_t pid;                      /* a hint for the audit, nothing else (threats C5) */
	uint64_t pid_start;             /* its start time in clock ticks, 0 if unknown */
	char application[ID_UUID_TEXT]; /* folded GUID; "" when acting as the user */
};

/* Whether a principal that is a user or a group is the caller, by number. Those of overflow are nobody; an application never is. */
bool principal_is(const struct principal *principal, const struct caller *caller,
	uid_t overflow_uid, gid_t overflow_gid);
