/*
 * Connecting to a daemon's Unix socket, and making sure that it is the daemon's (threat C8) before
 * anything is sent.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/attr.h"
#include "base/err.h"

#define UDS_TRUST_MAX 4

/* Who may own the other end and the socket's directory. */
struct uds_trust {
	uid_t uids[UDS_TRUST_MAX];
	size_t count;
};

/* Adds a uid; asserts that there is room. */
void uds_trust_add(struct uds_trust *trust, uid_t uid);

/* ERR_CLIENT_CONNECT: the path is empty or longer than a socket's may be. */
bool uds_check_length(const char *path, struct err *err) MUST_USE;

/*
 * The steps, for who connects by himself; each fails with ERR_CLIENT_CONNECT. The directory of the socket
 * must belong to a trusted uid and be writable by its owner only; the process that listens must run (or
 * have run when it began to listen) as a trusted uid. *ret_refused, written on failure: nobody listens
 * there or the queue is full, so trying again may help; false: it will not.
 */
bool uds_check_path(const char *path, const struct uds_trust *trust, bool *ret_refused,
	struct err *err) MUST_USE;
bool uds_check_peer(int fd, const char *path, const struct uds_trust *trust, bool *ret_refused,
	struct err *err) MUST_USE;

/* All of it: a connected, blocking, close-on-exec descriptor with `timeout_ms` for each transfer, or -1. */
int uds_connect(const char *path, const struct uds_trust *trust, uint32_t timeout_ms,
	struct err *err) MUST_USE;
