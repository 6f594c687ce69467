/*
 * The lock file decides who may touch the path; everything else happens under it. The directory is ours
 * and nobody else can write it, so what was looked at is still there when it is replaced.
 */
#include "http/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#define BACKLOG 1024

struct listener {
	char path[LISTENER_PATH_MAX + 1];
	int fd;
	int lock_fd; /* -1: the socket was passed to us */
	dev_t dev;   /* of the socket made here */
	ino_t ino;
};

static bool
refuse(struct err *err, const char *path, const char *why)
{
	return err_set(err, ERR_CONFIG, "Socket %s: %s.", path, why);
}

static bool
fail(struct err *err, const char *path, const char *call)
{
	int error = errno;
	refuse(err, path, strerror(error));
	return err_origin(err, "%s: %s", call, strerror(error));
}

static bool
check_path(const char *path, struct err *err)
{
	if (path[0] != '/')
		return refuse(err, path, "the path must be absolute");
	if (strlen(path) > LISTENER_PATH_MAX)
		return err_set(err, ERR_CONFIG,
			"The path of the socket has %zu octets; at most %d fit: %.40s...",
			strlen(path), LISTENER_PATH_MAX, path);
	if (path[strlen(path) - 1] == '/')
		return refuse(err, path, "the path must name a file");
	return true;
}

static bool
check_directory(const char *path, struct err *err)
{
	char directory[LISTENER_PATH_MAX + 1];
	struct stat status;

	size_t len = (size_t)(strrchr(path, '/') - path);
	memcpy(directory, path, len);
	directory[len] = '\0';
	int fd = open(len > 0 ? directory : "/", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ELOOP || errno == ENOTDIR
			       ? refuse(err, path,
					 "its directory is a symbolic link or no directory")
			       : fail(err, path, "open its directory");
	int rc = fstat(fd, &status);
	close(fd);
	if (rc < 0)
		return fail(err, path, "fstat");
	if (status.st_uid != geteuid())
		return refuse(err, path, "its directory belongs to another user");
	if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return refuse(err, path, "its directory is writable by others; chmod go-w it");
	return true;
}

static bool
take_lock(struct listener *listener, struct err *err)
{
	char path[LISTENER_PATH_MAX + sizeof(".lock")];
	size_t len = strlen(listener->path);
	memcpy(path, listener->path, len);
	memcpy(path + len, ".lock", sizeof(".lock"));
	listener->lock_fd =
		open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
	if (listener->lock_fd < 0)
		return fail(err, path, "open");
	struct stat status;
	if (fstat(listener->lock_fd, &status) < 0)
		return fail(err, path, "fstat");
	if (!S_ISREG(status.st_mode) || status.st_uid != geteuid() || status.st_nlink != 1)
		return refuse(err, path, "this is no lock file of ours");
	if (flock(listener->lock_fd, LOCK_EX | LOCK_NB) == 0)
		return true;
	if (errno == EWOULDBLOCK)
		return refuse(err, listener->path, "another daemon is serving it");
	return fail(err, path, "flock");
}

static struct sockaddr_un
address_of(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	memcpy(address.sun_path, path, strlen(path) + 1);
	return address;
}

/* true if somebody accepts connections there, or might. */
static bool
is_alive(const char *path)
{
	struct sockaddr_un address = address_of(path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return true;
	int rc = connect(fd, (const struct sockaddr *)&address, sizeof(address));
	bool dead = rc < 0 && errno == ECONNREFUSED;
	close(fd);
	return !dead;
}

/* Removes a dead socket of ours; leaves anything else where it is. */
static bool
clear_place(const char *path, struct err *err)
{
	struct stat status;
	if (lstat(path, &status) < 0)
		return errno == ENOENT || fail(err, path, "lstat");
	if (S_ISLNK(status.st_mode))
		return refuse(err, path, "a symbolic link is in its place");
	if (!S_ISSOCK(status.st_mode))
		return refuse(err, path, "a file that is no socket is in its place");
	if (status.st_uid != geteuid())
		return refuse(err, path, "a socket of another user is in its place");
	if (is_alive(path))
		return refuse(err, path, "another program is serving it");
	return unlink(path) == 0 || fail(err, path, "unlink");
}

static bool
bind_and_listen(struct listener *listener, mode_t mode, gid_t group, struct err *err)
{
	struct sockaddr_un address = address_of(listener->path);
	struct stat status;

	listener->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (listener->fd < 0)
		return fail(err, listener->path, "socket");
	mode_t saved = umask(
		~mode &
		0777); /* the socket is born with its mode: nobody connects before a chmod */
	int rc = bind(listener->fd, (const struct sockaddr *)&address, sizeof(address));
	int error = errno;
	umask(saved);
	errno = error;
	if (rc < 0)
		return fail(err, listener->path, "bind");
	if (lstat(listener->path, &status) < 0)
		return fail(err, listener->path, "lstat");
	listener->dev = status.st_dev;
	listener->ino = status.st_ino;
	/* Before listen(): until then nobody can connect. */
	if (group != (gid_t)-1 && lchown(listener->path, (uid_t)-1, group) < 0)
		return fail(err, listener->path, "lchown");
	return listen(listener->fd, BACKLOG) == 0 || fail(err, listener->path, "listen");
}

static struct listener *
listener_new(void)
{
	struct listener *listener = calloc(1, sizeof(*listener));
	if (listener == NULL)
		abort();
	listener->fd = -1;
	listener->lock_fd = -1;
	return listener;
}

struct listener *
listener_open(const char *path, mode_t mode, gid_t group, struct err *err)
{
	if (!check_path(path, err) || !check_directory(path, err))
		return NULL;
	struct listener *listener = listener_new();
	memcpy(listener->path, path, strlen(path) + 1);
	if (take_lock(listener, err) && clear_place(path, err) &&
		bind_and_listen(listener, mode, group, err))
		return listener;
	listener_free(listener);
	return NULL;
}

struct listener *
listener_from_systemd(struct err *err)
{
	int count = sd_listen_fds(1);
	if (count == 0)
		return NULL;
	if (count != 1 || sd_is_socket_unix(SD_LISTEN_FDS_START, SOCK_STREAM, 1, NULL, 0) <= 0) {
		err_set(err, ERR_CONFIG,
			"The service manager must pass exactly one listening Unix stream socket.");
		return NULL;
	}
	int flags = fcntl(SD_LISTEN_FDS_START, F_GETFL);
	if (flags < 0 || fcntl(SD_LISTEN_FDS_START, F_SETFL, flags | O_NONBLOCK) < 0) {
		err_errno(err, ERR_CONFIG, errno, "fcntl");
		return NULL;
	}
	struct listener *listener = listener_new();
	listener->fd = SD_LISTEN_FDS_START; /* sd_listen_fds() made it close-on-exec */
	return listener;
}

int
listener_fd(const struct listener *listener)
{
	return listener->fd;
}

const char *
listener_path(const struct listener *listener)
{
	return listener->path;
}

void
listener_free(struct listener *listener)
{
	if (listener == NULL)
		return;
	struct stat status;
	if (listener->ino != 0 && lstat(listener->path, &status) == 0 &&
		status.st_dev == listener->dev && status.st_ino == listener->ino)
		(void)unlink(
			listener->path); /* a dead socket that stays is replaced at the next start */
	if (listener->fd >= 0)
		close(listener->fd);
	if (listener->lock_fd >= 0)
		close(listener->lock_fd); /* releases the lock; the file stays, removing it would race */
	free(listener);
}
