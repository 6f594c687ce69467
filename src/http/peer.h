/* Who is at the other end of a Unix socket, as the kernel knew it when the peer connected. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/attr.h"
#include "base/err.h"

#define PEER_GROUPS_MAX                                                                            \
	4096 /* a peer in more groups is refused: cutting the list would change his rights */

struct peer {
	uid_t uid;
	gid_t gid;
	/* Hints for the audit only, no decision depends on them (threats C5). */
	pid_t pid;
	uint64_t pid_start; /* when that process started, clock ticks since boot; 0: unknown */
	bool unmapped; /* uid is the overflow uid (another user namespace): matches no principal */
	gid_t *groups; /* supplementary groups without the overflow gid */
	size_t group_count;
};

/* SO_PEERCRED and SO_PEERGROUPS; never a name look-up, /proc for the hint only. ERR_INTERNAL. */
bool peer_read(int fd, struct peer *ret_peer, struct err *err) MUST_USE;
void peer_clear(struct peer *peer);
bool peer_in_group(const struct peer *peer, gid_t gid); /* primary or supplementary */
