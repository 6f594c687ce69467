/*
 * Load on custodyd: whole requests from a file, sent as they are over some kept-alive connections, one thread.
 *
 *   bench-load SOCKET CONNECTIONS MILLISECONDS REQUESTS-FILE
 *
 * The file holds one or more HTTP requests, each with its Content-Length if it has a body; they are sent in turn. Each answer
 * must have status 200. Prints requests a second and their p50 and p99 in microseconds, without those of the first eighth of
 * the time. With 0 milliseconds each request is sent once and all are counted.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "bench/samples.h"

#define FILE_MAX        (16 * 1024 * 1024)
#define ANSWER_MAX      (512 * 1024)
#define CONNECTIONS_MAX 1024
#define EVENTS          64

struct request {
	const char *text;
	size_t len;
};

struct peer {
	int fd;
	int64_t sent_us;
	size_t have, wanted; /* of the answer; wanted is 0 until its head is whole */
	char answer[ANSWER_MAX + 1];
};

struct load {
	struct request *requests;
	size_t count;
	size_t next;
	int epoll;
	struct peer *peers;
	size_t waiting; /* peers that were sent something */
	int64_t start_us, from_us, until_us;
	struct samples samples;
};

/* --- requests --- */

static size_t
body_len(const char *head)
{
	static const char name[] = "\r\nContent-Length: ";
	const char *found = strcasestr(head, name);
	const char *end = strstr(head, "\r\n\r\n");
	if (found == NULL || (end != NULL && found > end))
		return 0;
	return strtoul(found + sizeof(name) - 1, NULL, 10);
}

/* `text` ends with a NUL. */
static void
split(struct load *load, const char *text)
{
	size_t room = 0;
	while (*text != '\0') {
		const char *end = strstr(text, "\r\n\r\n");
		if (end == NULL)
			samples_die("requests", "the last one is not whole");
		size_t len = (size_t)(end + 4 - text) + body_len(text);
		if (load->count == room) {
			room = room > 0 ? room * 2 : 16;
			load->requests =
				reallocarray(load->requests, room, sizeof(*load->requests));
			if (load->requests == NULL)
				abort();
		}
		load->requests[load->count++] = (struct request){text, len};
		text += len;
	}
	if (load->count == 0)
		samples_die("requests", "there are none");
}

static char *
read_requests(const char *path)
{
	char *text = calloc(1, FILE_MAX);
	FILE *file = fopen(path, "r");
	if (text == NULL || file == NULL)
		samples_die(path, "cannot be read");
	if (fread(text, 1, FILE_MAX, file) == FILE_MAX)
		samples_die(path, "is too large");
	(void)fclose(file);
	return text;
}

/* --- connections --- */

static void
connect_peer(struct load *load, struct peer *peer, const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof(address.sun_path))
		samples_die(path, "is too long");
	memcpy(address.sun_path, path, strlen(path));
	peer->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (peer->fd < 0 || connect(peer->fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		samples_die(path, strerror(errno));
	struct epoll_event event = {.events = EPOLLIN, .data = {.ptr = peer}};
	if (epoll_ctl(load->epoll, EPOLL_CTL_ADD, peer->fd, &event) != 0)
		samples_die("epoll_ctl", strerror(errno));
}

static bool
is_over(const struct load *load, int64_t now_us)
{
	return load->until_us > 0 ? now_us >= load->until_us : load->next >= load->count;
}

static void
send_next(struct load *load, struct peer *peer, int64_t now_us)
{
	if (is_over(load, now_us))
		return;
	const struct request *request = &load->requests[load->next++ % load->count];
	peer->sent_us = now_us;
	peer->have = peer->wanted = 0;
	load->waiting++;
	/* Blocks if it must: a request is smaller than a socket's buffer. */
	if (send(peer->fd, request->text, request->len, MSG_NOSIGNAL) != (ssize_t)request->len)
		samples_die("send", strerror(errno));
}

/* Looks at the head once it is whole. */
static void
look(struct peer *peer)
{
	static const char good[] = "HTTP/1.1 200 ";
	peer->answer[peer->have] = '\0';
	const char *end = strstr(peer->answer, "\r\n\r\n");
	if (end == NULL)
		return;
	if (strncmp(peer->answer, good, sizeof(good) - 1) != 0)
		samples_die("not 200", peer->answer);
	peer->wanted = (size_t)(end + 4 - peer->answer) + body_len(peer->answer);
	if (peer->wanted > ANSWER_MAX)
		samples_die("answer", "is too long");
}

static void
receive(struct load *load, struct peer *peer)
{
	ssize_t got = recv(peer->fd, peer->answer + peer->have, ANSWER_MAX - peer->have, 0);
	if (got <= 0)
		samples_die("recv", got == 0 ? "the server closed" : strerror(errno));
	peer->have += (size_t)got;
	if (peer->wanted == 0)
		look(peer);
	if (peer->wanted == 0 || peer->have < peer->wanted)
		return;
	int64_t now_us = samples_now_us();
	load->waiting--;
	/* What is answered within the time: requests under way at its beginning and at its end weigh the same. */
	bool within = now_us >= load->from_us && (load->until_us == 0 || now_us < load->until_us);
	if (within)
		samples_add(&load->samples, now_us - peer->sent_us);
	send_next(load, peer, now_us);
}

static void
run(struct load *load, size_t connections, int64_t time_us)
{
	load->start_us = samples_now_us();
	load->from_us = load->start_us + time_us / 8;
	load->until_us = time_us > 0 ? load->start_us + time_us : 0;
	for (size_t i = 0; i < connections; i++)
		send_next(load, &load->peers[i], samples_now_us());
	while (load->waiting > 0) {
		struct epoll_event events[EVENTS];
		int count = epoll_wait(load->epoll, events, EVENTS, -1);
		if (count < 0 && errno != EINTR)
			samples_die("epoll_wait", strerror(errno));
		for (int i = 0; i < count; i++)
			receive(load, events[i].data.ptr);
	}
	int64_t end_us = load->until_us > 0 ? load->until_us : samples_now_us();
	samples_report(&load->samples, end_us - load->from_us);
}

int
main(int argc, char **argv)
{
	if (argc != 5)
		samples_die("usage", "see the head of load.c");
	struct load load = {.epoll = epoll_create1(EPOLL_CLOEXEC)};
	size_t connections = strtoul(argv[2], NULL, 10);
	if (load.epoll < 0 || connections == 0 || connections > CONNECTIONS_MAX)
		samples_die(argv[2], "no number of connections");
	char *text = read_requests(argv[4]);
	split(&load, text);
	load.peers = calloc(connections, sizeof(*load.peers));
	if (load.peers == NULL)
		abort();
	for (size_t i = 0; i < connections; i++)
		connect_peer(&load, &load.peers[i], argv[1]);
	run(&load, connections, (int64_t)strtoul(argv[3], NULL, 10) * 1000);
	for (size_t i = 0; i < connections; i++)
		(void)close(load.peers[i].fd);
	samples_clear(&load.samples);
	free(load.peers);
	free(load.requests);
	free(text);
	return 0;
}
