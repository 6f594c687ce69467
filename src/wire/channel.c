/* Datagrams with at most one descriptor. Invariant: a received descriptor is handed out or closed, never lost. */
#include "wire.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

union control {
	char room[CMSG_SPACE(sizeof(int))];
	struct cmsghdr align;
};

static enum wire_io
failed(int error, const char *call, struct err *err)
{
	if (error == EAGAIN)
		return WIRE_IO_AGAIN;
	if (error == EPIPE || error == ECONNRESET || error == ENOTCONN)
		return WIRE_IO_CLOSED;
	(void)err_errno(err, ERR_INTERNAL, error, call);
	return WIRE_IO_FAILED;
}

enum wire_io
wire_send(int fd, struct bytes datagram, int attach, struct err *err)
{
	assert(datagram.len >= WIRE_HEADER && datagram.len <= WIRE_MAX);
	struct iovec part = {
		(void *)(uintptr_t)datagram.data, datagram.len}; /* iovec has no const */
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	union control control = {0};
	if (attach >= 0) {
		message.msg_control = control.room;
		message.msg_controllen = sizeof(control.room);
		struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
		rights->cmsg_level = SOL_SOCKET;
		rights->cmsg_type = SCM_RIGHTS;
		rights->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(rights), &attach, sizeof(int));
	}
	for (;;) {
		ssize_t sent = sendmsg(fd, &message, MSG_NOSIGNAL);
		if (sent >= 0) /* a datagram goes whole or not at all */
			return WIRE_IO_DONE;
		if (errno != EINTR)
			return failed(errno, "sendmsg", err);
	}
}

/* The first descriptor that came along; a peer's surplus ones are closed. */
static int
attached_fd(struct msghdr *message)
{
	int first = -1;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t at = CMSG_LEN(0); at + sizeof(int) <= c->cmsg_len; at += sizeof(int)) {
			int fd;
			memcpy(&fd, (const uint8_t *)c + at, sizeof(int));
			if (first < 0)
				first = fd;
			else
				(void)close(fd);
		}
	}
	return first;
}

enum wire_io
wire_recv(int fd, struct buf *buf, int *ret_attached, struct err *err)
{
	buf_reset(buf);
	uint8_t *room = buf_reserve(buf, WIRE_MAX);
	assert(room != NULL);
	for (;;) {
		struct iovec part = {room, WIRE_MAX};
		union control control = {0};
		struct msghdr message = {
			.msg_iov = &part,
			.msg_iovlen = 1,
			.msg_control = control.room,
			.msg_controllen = sizeof(control.room),
		};
		ssize_t received = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
		if (received < 0 && errno == EINTR)
			continue;
		if (received < 0)
			return failed(errno, "recvmsg", err);
		int attached = attached_fd(&message);
		if (received == 0 || (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
			if (attached >= 0)
				(void)close(attached);
			return received == 0 ? WIRE_IO_CLOSED : failed(EMSGSIZE, "recvmsg", err);
		}
		buf_add_len(buf, (size_t)received);
		*ret_attached = attached;
		return WIRE_IO_DONE;
	}
}
