#include "custodyd/login.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"

#define BACKLOG     4
#define REFUSAL_MAX 512 /* of a refusal */

struct login {
	struct login_owner owner;
	struct sockaddr_un address;
	int fd;
	bool bound;
	struct watch *watch;
};

/* One line to a peer that gets nothing else; one that does not read loses it. */
static void
refuse(int fd, const struct err *err)
{
	char line[REFUSAL_MAX];
	int len = snprintf(line, sizeof(line), "error %s %s\n", err_name(err->code), err->message);
	if (len > 0)
		(void)send(fd, line, (size_t)len < sizeof(line) ? (size_t)len : sizeof(line) - 1,
			MSG_DONTWAIT | MSG_NOSIGNAL);
	(void)close(fd);
}

static void
connected(unsigned events, void *ctx)
{
	(void)events;
	struct login *login = ctx;
	/* Blocking on purpose: the flag would be the worker's too, which reads the PIN from it. */
	int fd = accept4(login->fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd < 0)
		return;
	struct err err = {0};
	if (!login->owner.take(login->owner.ctx, fd, &err))
		refuse(fd, &err);
}

/* Removes a socket left behind by a daemon that was killed; the daemon's own lock says that none lives. */
static bool
clear_place(const char *path, struct err *err)
{
	struct stat found;
	if (lstat(path, &found) != 0)
		return true;
	if (!S_ISSOCK(found.st_mode))
		return err_set(err, ERR_CONFIG,
			"%s is in the way of a login socket and is no socket.", path);
	if (unlink(path) != 0)
		return err_errno(err, ERR_CONFIG, errno, "unlink");
	return true;
}

static bool
listen_at(struct login *login, struct err *err)
{
	const char *path = login->address.sun_path;
	login->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (login->fd < 0)
		return err_errno(err, ERR_CONFIG, errno, "socket");
	if (!clear_place(path, err))
		return false;
	if (bind(login->fd, (const struct sockaddr *)&login->address, sizeof(login->address)) != 0)
		return err_errno(err, ERR_CONFIG, errno, "bind");
	login->bound = true;
	/* Who may log in is decided by the peer's credentials; the directory is the daemon's own (threats C9). */
	if (chmod(path, 0666) != 0)
		return err_errno(err, ERR_CONFIG, errno, "chmod");
	if (listen(login->fd, BACKLOG) != 0)
		return err_errno(err, ERR_CONFIG, errno, "listen");
	return true;
}

struct login *
login_new(struct loop *loop, const char *socket, const char *token, const struct login_owner *owner,
	struct err *err)
{
	CLEAN(login)
	struct login *login = calloc(1, sizeof(*login));
	if (login == NULL)
		abort();
	login->owner = *owner;
	login->fd = -1;
	login->address.sun_family = AF_UNIX;
	int len = snprintf(login->address.sun_path, sizeof(login->address.sun_path), "%s.login-%s",
		socket, token);
	if (len < 0 || (size_t)len >= sizeof(login->address.sun_path)) {
		(void)err_set(err, ERR_CONFIG, "The path %s.login-%s is too long for a socket.",
			socket, token);
		return NULL;
	}
	if (!listen_at(login, err))
		return NULL;
	login->watch = watch_new(loop, "login", login->fd, WATCH_READ, connected, login);
	struct login *made = login;
	login = NULL;
	return made;
}

void
login_free(struct login *login)
{
	if (login == NULL)
		return;
	watch_free(login->watch);
	if (login->bound)
		(void)unlink(login->address.sun_path);
	if (login->fd >= 0)
		(void)close(login->fd);
	free(login);
}
