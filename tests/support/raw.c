/*
 * raw SOCKET [OPTION...] <MESSAGE: writes exact octets to a Unix socket and prints the octets that come back.
 *
 * In MESSAGE \r, \n, \t, \\ and \xHH stand for octets and a line's end for nothing. Sent once, then the writing half is
 * closed, so that the peer answers what it will answer and closes; nothing here depends on time.
 *
 *   -l        prints a line for each answer instead: STATUS keep|close BODY; "rest N" for N octets that are none
 *   -o        leaves the writing half open: ends when the peer closes
 *   -s N      in pieces of N octets, each when the peer has read the one before
 *   -c N      leaves after N octets without reading
 *   -C        a connection for each octet, left after it: behind the first, the second, … and the last
 *   -n COUNT  so many connections at once; prints "sent PID" when all of them sent, and a line for each as it ends: the status
 *             of its first answer, or "none"
 *   -d        with -n and -o: an octet more on each connection, every 20 ms
 *   -u UID    becomes this user when connected, before anything is sent
 *   -f UID    sends with it forged credentials of this user and group, and a descriptor (unix(7))
 *
 * Ends with 1 if something is wrong, 2 if it took longer than $DEADLINE seconds.
 */
#include <errno.h>
#include <grp.h>
#include <linux/sockios.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"

#define MESSAGE_MAX (4 * 1024 * 1024)
#define ANSWERS_MAX (16 * 1024 * 1024)
#define DRIP_MS     20
#define STATUS_LEN  12 /* "HTTP/1.1 200" */
#define CLIENTS_MAX 4096

static const char *path;
static bool lines, open_half, every_octet, drip;
static size_t piece, leave, clients;
static uid_t become, forge; /* 0: not */

_Noreturn static void
fail(const char *what)
{
	fprintf(stderr, "raw: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* ---- the message ---- */

static int
hex_digit(char c)
{
	const char *digits = "0123456789abcdef";
	const char *found = c != '\0' ? strchr(digits, c | 0x20) : NULL;
	return found != NULL ? (int)(found - digits) : -1;
}

/* The octet behind a backslash at text[*at], which moves to its last character. */
static char
escaped(const char *text, size_t *at)
{
	static const char names[] = "rnt\\";
	static const char octets[] = "\r\n\t\\";
	char name = text[++*at];
	const char *found = name != '\0' ? strchr(names, name) : NULL;
	if (found != NULL)
		return octets[found - names];
	int high = name == 'x' ? hex_digit(text[*at + 1]) : -1;
	int low = high >= 0 ? hex_digit(text[*at + 2]) : -1;
	if (low < 0) {
		errno = EINVAL;
		fail("an escape of the message");
	}
	*at += 2;
	return (char)(high << 4 | low);
}

static void
read_message(struct buf *message)
{
	CLEAN(buf)
	struct buf text;
	ssize_t got;
	buf_init(&text, MESSAGE_MAX);
	do {
		uint8_t *room = buf_reserve(&text, 65536);
		if (room == NULL || (got = read(STDIN_FILENO, room, 65536)) < 0)
			fail("read the message");
		buf_add_len(&text, (size_t)got);
	} while (got > 0);
	const char *from = buf_peek(&text);
	for (size_t i = 0; i < text.len; i++) {
		if (from[i] == '\n')
			continue;
		char octet = from[i] == '\\' ? escaped(from, &i) : from[i];
		(void)buf_append(message, &octet, 1);
	}
}

/* ---- one connection ---- */

static int
dial(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		fail(path);
	}
	memcpy(address.sun_path, path, strlen(path) + 1);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		fail(path);
	if (become != 0 && (setgroups(0, NULL) < 0 || setresgid(become, become, become) < 0 ||
				   setresuid(become, become, become) < 0))
		fail("become another user");
	return fd;
}

/* As send(2), with control messages by which a peer could claim to be somebody, or give us something to hold. */
static ssize_t
send_forged(int fd, const uint8_t *data, size_t len)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(sizeof(int))];
	} control = {0};
	const struct ucred claim = {.pid = getpid(), .uid = forge, .gid = forge};
	struct iovec octets = {(void *)(uintptr_t)data, len};
	struct msghdr message = {.msg_iov = &octets,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control)};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_CREDENTIALS;
	header->cmsg_len = CMSG_LEN(sizeof(claim));
	memcpy(CMSG_DATA(header), &claim, sizeof(claim));
	header = CMSG_NXTHDR(&message, header);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	return sendmsg(fd, &message, MSG_NOSIGNAL);
}

/* Until the peer has read everything, or is gone: the kernel then holds nothing of ours. */
static void
await_read(int fd)
{
	static const struct timespec pause = {0, 200000};
	int unread = 0;
	while (ioctl(fd, SIOCOUTQ, &unread) == 0 && unread > 0)
		(void)nanosleep(&pause, NULL);
}

/* false: the peer takes no more. */
static bool
send_octets(int fd, const uint8_t *data, size_t len)
{
	for (size_t sent = 0; sent < len;) {
		size_t want = piece > 0 && piece < len - sent ? piece : len - sent;
		ssize_t got = forge != 0 ? send_forged(fd, data + sent, want)
					 : send(fd, data + sent, want, MSG_NOSIGNAL);
		if (got < 0 && (errno == EPIPE || errno == ECONNRESET))
			return false;
		if (got < 0 && errno != EINTR)
			fail("send");
		sent += got > 0 ? (size_t)got : 0;
		if (piece > 0)
			await_read(fd);
	}
	return true;
}

static void
receive_all(int fd, struct buf *answers)
{
	for (;;) {
		uint8_t *room = buf_reserve(answers, 65536);
		if (room == NULL)
			fail("too many answers");
		ssize_t got = recv(fd, room, 65536, 0);
		if (got > 0)
			buf_add_len(answers, (size_t)got);
		else if (got == 0 || errno == ECONNRESET)
			return;
		else if (errno != EINTR)
			fail("receive");
	}
}

/* ---- answers as lines ---- */

/* The end of the head that starts at `text`, behind its empty line; NULL: not one. */
static char *
head_end(char *text)
{
	char *end = strstr(text, "\r\n\r\n");
	if (end == NULL || strncmp(text, "HTTP/1.1 ", 9) != 0)
		return NULL;
	*end = '\0';
	return end + 4;
}

static size_t
body_len(const char *head)
{
	const char *length = strstr(head, "\r\nContent-Length: ");
	return length != NULL ? strtoul(length + 18, NULL, 10) : 0;
}

static void
print_lines(struct buf *answers)
{
	char *at = (char *)answers->data;
	char *end = at + answers->len;
	while (at < end) {
		char *body = head_end(at);
		size_t len = body != NULL ? body_len(at) : 0;
		if (body == NULL || len > (size_t)(end - body)) {
			printf("rest %zu\n", (size_t)(end - at));
			return;
		}
		const char *close = strstr(at, "\r\nConnection: close") != NULL ? "close" : "keep";
		printf("%.3s %s %.*s\n", at + 9, close, (int)len, body);
		at = body + len;
	}
}

static void
ask(const struct buf *message)
{
	CLEAN(buf)
	struct buf answers;
	int fd = dial();
	buf_init(&answers, ANSWERS_MAX);
	(void)send_octets(fd, message->data, message->len);
	if (!open_half)
		(void)shutdown(fd, SHUT_WR);
	receive_all(fd, &answers);
	close(fd);
	if (lines)
		print_lines(&answers);
	else
		(void)fwrite(buf_peek(&answers), 1, answers.len, stdout);
}

static void
leave_after(const struct buf *message, size_t len)
{
	int fd = dial();
	(void)send_octets(fd, message->data, len);
	close(fd);
}

/* ---- many connections ---- */

struct client {
	char first[STATUS_LEN + 1];
	size_t len;
};

/* true: the connection ended. */
static bool
take(int fd, struct client *client)
{
	char scratch[4096];
	ssize_t got = recv(fd, scratch, sizeof(scratch), MSG_DONTWAIT);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (got <= 0)
		return true;
	size_t want = STATUS_LEN - client->len;
	size_t more = (size_t)got < want ? (size_t)got : want;
	memcpy(client->first + client->len, scratch, more);
	client->len += more;
	return false;
}

static void
drip_on(const struct pollfd *fds)
{
	for (size_t i = 0; i < clients; i++)
		if (fds[i].fd >= 0)
			(void)send(fds[i].fd, "a", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void
start_many(const struct buf *message, struct pollfd *fds)
{
	for (size_t i = 0; i < clients; i++) {
		fds[i] = (struct pollfd){.fd = dial(), .events = POLLIN};
		(void)send_octets(fds[i].fd, message->data, message->len);
		if (!open_half)
			(void)shutdown(fds[i].fd, SHUT_WR);
	}
	printf("sent %d\n", (int)getpid());
	(void)fflush(stdout);
}

static void
ask_many(const struct buf *message)
{
	struct pollfd *fds = calloc(clients, sizeof(*fds));
	struct client *states = calloc(clients, sizeof(*states));
	if (fds == NULL || states == NULL)
		fail("memory");
	start_many(message, fds);
	for (size_t left = clients; left > 0;) {
		if (poll(fds, clients, drip ? DRIP_MS : -1) < 0 && errno != EINTR)
			fail("poll");
		for (size_t i = 0; i < clients; i++) {
			if (fds[i].fd < 0 || fds[i].revents == 0 || !take(fds[i].fd, &states[i]))
				continue;
			puts(states[i].len == STATUS_LEN ? states[i].first + 9 : "none");
			(void)fflush(stdout);
			close(fds[i].fd);
			fds[i].fd = -1;
			left--;
		}
		if (drip)
			drip_on(fds);
	}
	free(fds);
	free(states);
}

/* ---- */

static void
parse_options(int argc, char **argv)
{
	int option;
	path = argc > 1 ? argv[1] : "";
	optind = 2;
	while ((option = getopt(argc, argv, "los:c:Cn:du:f:")) != -1) {
		size_t number = optarg != NULL ? strtoul(optarg, NULL, 10) : 0;
		lines |= option == 'l';
		open_half |= option == 'o';
		every_octet |= option == 'C';
		drip |= option == 'd';
		piece = option == 's' ? number : piece;
		leave = option == 'c' ? number : leave;
		clients = option == 'n' ? number : clients;
		become = option == 'u' ? (uid_t)number : become;
		forge = option == 'f' ? (uid_t)number : forge;
		if (option == '?')
			exit(1);
	}
	if (optind != argc || clients > CLIENTS_MAX) {
		errno = EINVAL;
		fail("arguments");
	}
}

static void
on_alarm(int number)
{
	(void)number;
	_exit(2);
}

int
main(int argc, char **argv)
{
	CLEAN(buf)
	struct buf message;
	const char *deadline = getenv("DEADLINE");

	parse_options(argc, argv);
	(void)signal(SIGALRM, on_alarm);
	(void)alarm(deadline != NULL ? (unsigned)strtoul(deadline, NULL, 10) : 60);
	buf_init(&message, MESSAGE_MAX);
	read_message(&message);
	if (leave > message.len) {
		errno = EINVAL;
		fail("-c");
	}
	if (leave > 0)
		leave_after(&message, leave);
	else if (every_octet)
		for (size_t len = 1; len <= message.len; len++)
			leave_after(&message, len);
	else if (clients > 0)
		ask_many(&message);
	else
		ask(&message);
	return 0;
}
