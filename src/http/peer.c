/* SO_PEERCRED and SO_PEERGROUPS: fixed when the peer connected, whatever it becomes later. */
#include "http/peer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* DEFAULT_OVERFLOWUID of the kernel: what a uid of another user namespace is shown as. */
#define OVERFLOW_ID 65534

static bool
read_groups(int fd, struct peer *peer, struct err *err)
{
	socklen_t size = 0;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &size) < 0 && errno != ERANGE)
		return err_errno(err, ERR_INTERNAL, errno, "SO_PEERGROUPS");
	if (size > PEER_GROUPS_MAX * sizeof(gid_t)) {
		err_set(err, ERR_INTERNAL, NULL);
		return err_origin(err, "SO_PEERGROUPS: more than %d groups", PEER_GROUPS_MAX);
	}
	if (size == 0)
		return true;
	gid_t *groups = malloc(size);
	if (groups == NULL)
		abort();
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) < 0) {
		err_errno(err, ERR_INTERNAL, errno, "SO_PEERGROUPS");
		free(groups);
		return false;
	}
	peer->groups = groups;
	for (size_t i = 0; i < size / sizeof(gid_t); i++) {
		if (groups[i] != OVERFLOW_ID)
			groups[peer->group_count++] = groups[i];
	}
	return true;
}

/* Field 22 of /proc/PID/stat, proc(5): behind the program's name, which may hold anything. */
static uint64_t
start_of(pid_t pid)
{
	char path[32];
	char text[1024];
	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	int fd = pid > 0 ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	if (fd < 0)
		return 0;
	ssize_t len = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[len > 0 ? len : 0] = '\0';
	const char *at = strrchr(text, ')');
	for (int field = 2; at != NULL && field < 22; field++)
		at = strchr(at + 1, ' ');
	return at != NULL ? strtoull(at + 1, NULL, 10) : 0;
}

bool
peer_read(int fd, struct peer *ret_peer, struct err *err)
{
	struct ucred credentials;
	socklen_t size = sizeof(credentials);
	struct peer peer = {.groups = NULL};

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) < 0)
		return err_errno(err, ERR_INTERNAL, errno, "SO_PEERCRED");
	if (!read_groups(fd, &peer, err))
		return false;
	peer.uid = credentials.uid;
	peer.gid = credentials.gid;
	peer.pid = credentials.pid;
	peer.pid_start = start_of(credentials.pid);
	peer.unmapped = credentials.uid == OVERFLOW_ID;
	*ret_peer = peer;
	return true;
}

void
peer_clear(struct peer *peer)
{
	free(peer->groups);
	memset(peer, 0, sizeof(*peer));
}

bool
peer_in_group(const struct peer *peer, gid_t gid)
{
	if (gid == OVERFLOW_ID)
		return false;
	if (peer->gid == gid)
		return true;
	for (size_t i = 0; i < peer->group_count; i++) {
		if (peer->groups[i] == gid)
			return true;
	}
	return false;
}
