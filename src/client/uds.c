/* Invariant: both ends of the question are asked: who may have made the name, and who listens behind it. */
#include "uds.h"

#include <assert.h>
#include <errno.h>
#include <libgen.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

void
uds_trust_add(struct uds_trust *trust, uid_t uid)
{
	assert(trust->count < UDS_TRUST_MAX);
	trust->uids[trust->count++] = uid;
}

static bool
trusted(const struct uds_trust *trust, uid_t uid)
{
	for (size_t i = 0; i < trust->count; i++) {
		if (trust->uids[i] == uid)
			return true;
	}
	return false;
}

static bool
set_address(const char *path, struct sockaddr_un *address, struct err *err)
{
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	size_t len = strlen(path);
	if (len == 0 || len >= sizeof(address->sun_path))
		return err_set(err, ERR_CLIENT_CONNECT,
			"The socket's path must have 1 to %zu characters; %s has %zu.",
			sizeof(address->sun_path) - 1, path, len);
	memcpy(address->sun_path, path, len + 1);
	return true;
}

bool
uds_check_length(const char *path, struct err *err)
{
	struct sockaddr_un address;
	return set_address(path, &address, err);
}

bool
uds_check_path(const char *path, const struct uds_trust *trust, bool *ret_refused, struct err *err)
{
	*ret_refused = false;
	struct sockaddr_un address;
	if (!set_address(path, &address, err))
		return false;
	const char *directory = dirname(address.sun_path);
	struct stat status;
	if (stat(directory, &status) != 0) {
		*ret_refused = errno == ENOENT;
		return err_set(err, ERR_CLIENT_CONNECT,
			"The socket's directory %s cannot be looked at: %s. Is the daemon running?",
			directory, strerror(errno));
	}
	if (!trusted(trust, status.st_uid))
		return err_set(err, ERR_CLIENT_CONNECT,
			"The socket's directory %s belongs to uid %u, who is neither root, nor the "
			"caller, nor the daemon's expected uid; nothing was sent.",
			directory, status.st_uid);
	if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return err_set(err, ERR_CLIENT_CONNECT,
			"Others than its owner may write to the socket's directory %s (mode %04o); "
			"nothing was sent.",
			directory, status.st_mode & 07777);
	return true;
}

/* The credentials are those of the process that called listen(), at that time (unix(7)). */
bool
uds_check_peer(
	int fd, const char *path, const struct uds_trust *trust, bool *ret_refused, struct err *err)
{
	*ret_refused = false;
	struct ucred peer;
	socklen_t len = sizeof(peer);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0)
		return err_set(err, ERR_CLIENT_CONNECT,
			"It cannot be found out who listens on %s: %s.", path, strerror(errno));
	if (peer.pid == 0 && peer.uid == (uid_t)-1) { /* not connected: its queue is full */
		*ret_refused = true;
		return err_set(err, ERR_CLIENT_CONNECT,
			"The daemon on %s accepts no more connections.", path);
	}
	if (!trusted(trust, peer.uid))
		return err_set(err, ERR_CLIENT_CONNECT,
			"Uid %u listens on %s, and is neither root, nor the caller, nor the "
			"daemon's "
			"expected uid; nothing was sent. If this is ours, name its uid in "
			"CUSTODY_SERVER_UID.",
			peer.uid, path);
	return true;
}

/* Also bounds connect(), which waits while the listener's queue is full (unix(7)). */
static bool
set_timeout(int fd, uint32_t timeout_ms, struct err *err)
{
	struct timeval limit = {timeout_ms / 1000, timeout_ms % 1000 * 1000};
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) == 0 &&
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) == 0)
		return true;
	return err_set(
		err, ERR_CLIENT_CONNECT, "The socket takes no time limit: %s.", strerror(errno));
}

static bool
connect_to(int fd, const struct sockaddr_un *address, struct err *err)
{
	int result;
	do {
		result = connect(fd, (const struct sockaddr *)address, sizeof(*address));
	} while (result != 0 && errno == EINTR);
	return result == 0 ||
	       err_set(err, ERR_CLIENT_CONNECT, "No connection to the daemon on %s: %s.",
		       address->sun_path, strerror(errno));
}

int
uds_connect(const char *path, const struct uds_trust *trust, uint32_t timeout_ms, struct err *err)
{
	bool refused;
	struct sockaddr_un address;
	if (!set_address(path, &address, err) || !uds_check_path(path, trust, &refused, err))
		return -1;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		(void)err_set(
			err, ERR_CLIENT_CONNECT, "No socket can be made: %s.", strerror(errno));
		return -1;
	}
	if (set_timeout(fd, timeout_ms, err) && connect_to(fd, &address, err) &&
		uds_check_peer(fd, path, trust, &refused, err))
		return fd;
	(void)close(fd); /* nothing was written to it */
	return -1;
}
