/*
 * A listening Unix socket with its hygiene: own directory, lock file held for life, no symlink or
 * foreign file ever replaced, no second daemon, no window between bind and chmod.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/attr.h"
#include "base/err.h"

#define LISTENER_PATH_MAX 107 /* octets of sockaddr_un.sun_path without its NUL */

struct listener;

/*
 * Listens at an absolute `path` of at most 107 octets, in a directory owned by our euid that nobody else
 * can write. `<path>.lock` is held until listener_free(). A dead socket of ours is replaced; anything
 * else there is refused. `mode` and `group` ((gid_t)-1: as the directory gives it) are the socket's, set before anybody can
 * connect. ERR_CONFIG says what is wrong.
 */
struct listener *listener_open(
	const char *path, mode_t mode, gid_t group, struct err *err) MUST_USE;
/*
 * The one listening Unix stream socket that systemd passed (LISTEN_FDS). NULL without an error set
 * (err->code stays ERR_NONE): not started by a socket unit. ERR_CONFIG: passed something else.
 */
struct listener *listener_from_systemd(struct err *err) MUST_USE;
int listener_fd(const struct listener *listener);           /* borrowed, non-blocking */
const char *listener_path(const struct listener *listener); /* borrowed; "" for a passed socket */
/* Closes; removes the socket if it is still the one made here. NULL is fine. */
void listener_free(struct listener *listener);

DEFINE_CLEAN(listener, struct listener)
