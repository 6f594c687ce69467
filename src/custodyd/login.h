/*
 * The socket at which a person gives a token its PIN: <socket>.login-<token>. custodyd checks the peer and hands
 * the connection on; it never reads from it, so no PIN passes through this process. What is refused gets one
 * line, "error <name> <sentence>", and is closed.
 */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"
#include "loop/loop.h"

struct login;

struct login_owner {
	void *ctx;
	/* true: the connection is the callee's from now on. false: *err is told to the peer, which is closed. */
	bool (*take)(void *ctx, int fd, struct err *err);
};

/*
 * Listens. `owner` is copied. ERR_CONFIG: the path is too long for a socket (no truncation), something that is
 * not a socket is in its place, or it cannot be made.
 */
struct login *login_new(struct loop *loop, const char *socket, const char *token,
	const struct login_owner *owner, struct err *err) MUST_USE;
/* Also removes the socket from the file system. NULL is fine. */
void login_free(struct login *login);

DEFINE_CLEAN(login, struct login)
