/* The socket's place in the file system (threats C9, C10). */
#include "http/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

struct place {
	char directory[64];
	char socket[96];
	char lock[104];
	struct err err;
};

static int
setup(void **state)
{
	static struct place place;
	memset(&place, 0, sizeof(place));
	(void)snprintf(place.directory, sizeof(place.directory), "/tmp/listener.XXXXXX");
	assert_non_null(mkdtemp(place.directory));
	(void)snprintf(place.socket, sizeof(place.socket), "%s/a socket", place.directory);
	(void)snprintf(place.lock, sizeof(place.lock), "%s.lock", place.socket);
	*state = &place;
	return 0;
}

static int
teardown(void **state)
{
	struct place *place = *state;
	(void)unlink(place->socket);
	(void)unlink(place->lock);
	return rmdir(place->directory);
}

static bool
connects(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	int rc = connect(fd, (const struct sockaddr *)&address, sizeof(address));
	close(fd);
	return rc == 0;
}

static void
refused(struct place *place, const char *why)
{
	struct listener *listener = listener_open(place->socket, 0660, (gid_t)-1, &place->err);
	assert_null(listener);
	assert_int_equal(place->err.code, ERR_CONFIG);
	if (strstr(place->err.message, why) == NULL)
		fail_msg("message: %s", place->err.message);
}

static void
listener_opens_with_its_mode_and_goes_away(void **state)
{
	struct place *place = *state;
	struct stat status;
	mode_t before = umask(022);

	struct listener *listener = listener_open(place->socket, 0660, (gid_t)-1, &place->err);

	assert_non_null(listener);
	assert_int_equal(umask(before), 022); /* as it was */
	assert_int_equal(lstat(place->socket, &status), 0);
	assert_true(S_ISSOCK(status.st_mode));
	assert_int_equal(status.st_mode & 0777, 0660);
	assert_int_equal(fcntl(listener_fd(listener), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	assert_string_equal(listener_path(listener), place->socket);
	assert_true(connects(place->socket));
	listener_free(listener);
	assert_int_equal(lstat(place->socket, &status), -1);
	assert_int_equal(
		lstat(place->lock, &status), 0); /* the lock file stays: removing it would race */
}

static void
listener_gives_the_socket_to_a_group(void **state)
{
	struct place *place = *state;
	struct stat status;
	if (geteuid() != 0)
		skip(); /* needs the right to give a file away */

	struct listener *listener = listener_open(place->socket, 0660, 4711, &place->err);

	assert_non_null(listener);
	assert_int_equal(lstat(place->socket, &status), 0);
	assert_int_equal(status.st_gid, 4711);
	assert_int_equal(status.st_mode & 0777, 0660);
	listener_free(listener);
}

static void
listener_replaces_a_dead_socket_of_ours(void **state)
{
	struct place *place = *state;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", place->socket);
	int dead = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(dead, (const struct sockaddr *)&address, sizeof(address)), 0);
	close(dead);
	assert_false(connects(place->socket));

	struct listener *listener = listener_open(place->socket, 0600, (gid_t)-1, &place->err);

	assert_non_null(listener);
	assert_true(connects(place->socket));
	listener_free(listener);
}

static void
listener_never_replaces_what_is_not_its_dead_socket(void **state)
{
	struct place *place = *state;
	struct stat status;

	int fd = open(place->socket, O_WRONLY | O_CREAT, 0600);
	assert_int_equal(write(fd, "x", 1), 1);
	close(fd);
	refused(place, "no socket");
	assert_int_equal(lstat(place->socket, &status), 0);
	assert_int_equal(status.st_size, 1);
	assert_int_equal(unlink(place->socket), 0);

	assert_int_equal(symlink("/nonexistent", place->socket), 0);
	refused(place, "symbolic link");
	assert_int_equal(lstat(place->socket, &status), 0);
	assert_int_equal(unlink(place->socket), 0);

	assert_int_equal(mkdir(place->socket, 0700), 0);
	refused(place, "no socket");
	assert_int_equal(rmdir(place->socket), 0);
}

static void
listener_of_a_living_daemon_is_left_alone(void **state)
{
	struct place *place = *state;
	struct listener *first = listener_open(place->socket, 0600, (gid_t)-1, &place->err);
	assert_non_null(first);

	refused(place, "another daemon is serving it");
	assert_true(connects(place->socket));

	/* and of one that knows nothing of the lock file */
	assert_int_equal(unlink(place->lock), 0);
	refused(place, "another program is serving it");
	assert_true(connects(place->socket));
	listener_free(first);
}

static void
listener_starts_at_once_one_wins(void **state)
{
	struct place *place = *state;
	int go[2];
	int tried[2];
	int won = 0;
	pid_t pids[6];
	char octet;
	assert_int_equal(pipe(go), 0);
	assert_int_equal(pipe(tried), 0);

	for (size_t i = 0; i < 6; i++) {
		pids[i] = fork();
		if (pids[i] != 0)
			continue;
		close(go[1]);
		struct listener *listener =
			listener_open(place->socket, 0600, (gid_t)-1, &place->err);
		(void)!write(tried[1], "x", 1);
		(void)!read(go[0], &octet, 1); /* holds it until all have tried */
		_exit(listener != NULL ? 42 : 0);
	}
	close(go[0]);
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(read(tried[0], &octet, 1), 1);
	close(tried[0]);
	close(tried[1]);
	close(go[1]);
	for (size_t i = 0; i < 6; i++) {
		int status = 0;
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		won += WEXITSTATUS(status) == 42;
	}
	assert_int_equal(won, 1);
}

static void
listener_freed_leaves_a_socket_that_took_its_place(void **state)
{
	struct place *place = *state;
	struct stat status;
	struct listener *listener = listener_open(place->socket, 0600, (gid_t)-1, &place->err);
	assert_non_null(listener);
	assert_int_equal(unlink(place->socket), 0);
	int fd = open(place->socket, O_WRONLY | O_CREAT, 0600);
	close(fd);

	listener_free(listener);

	assert_int_equal(lstat(place->socket, &status), 0);
}

static void
listener_directory_must_be_ours_alone(void **state)
{
	struct place *place = *state;

	assert_int_equal(chmod(place->directory, 0770), 0);
	refused(place, "writable by others");
	assert_int_equal(chmod(place->directory, 01777), 0);
	refused(place, "writable by others");
	assert_int_equal(chmod(place->directory, 0755), 0);
	struct listener *listener = listener_open(place->socket, 0600, (gid_t)-1, &place->err);
	assert_non_null(listener);
	listener_free(listener);
	if (geteuid() == 0) {
		assert_int_equal(chown(place->directory, 12345, (gid_t)-1), 0);
		refused(place, "belongs to another user");
		assert_int_equal(chown(place->directory, 0, (gid_t)-1), 0);
	}
}

static void
listener_directory_may_not_be_a_symlink(void **state)
{
	struct place *place = *state;
	char link[80];
	(void)snprintf(link, sizeof(link), "%s.link", place->directory);
	assert_int_equal(symlink(place->directory, link), 0);
	(void)snprintf(place->socket, sizeof(place->socket), "%s/s", link);

	refused(place, "symbolic link");

	assert_int_equal(unlink(link), 0);
}

static void
listener_lock_may_not_be_a_foreign_file(void **state)
{
	struct place *place = *state;

	assert_int_equal(symlink("/nonexistent/x", place->lock), 0);
	refused(place, "Too many levels of symbolic links");
	assert_int_equal(unlink(place->lock), 0);
	assert_int_equal(mkfifo(place->lock, 0600), 0);
	refused(place, "no lock file of ours");
}

static void
listener_path_is_checked_c10(void **state)
{
	struct place *place = *state;
	char path[200];

	struct listener *listener = listener_open("relative/socket", 0600, (gid_t)-1, &place->err);
	assert_null(listener);
	assert_non_null(strstr(place->err.message, "must be absolute"));
	listener = listener_open("/tmp/", 0600, (gid_t)-1, &place->err);
	assert_null(listener);
	assert_non_null(strstr(place->err.message, "must name a file"));
	for (size_t len = 107; len <= 109; len++) {
		size_t start = (size_t)snprintf(path, sizeof(path), "%s/", place->directory);
		memset(path + start, 's', len - start);
		path[len] = '\0';
		listener = listener_open(path, 0600, (gid_t)-1, &place->err);
		assert_int_equal(listener != NULL, len == 107);
		if (listener == NULL)
			assert_non_null(strstr(place->err.message,
				len == 108 ? "has 108 octets; at most 107" : "has 109 octets"));
		listener_free(listener);
		if (len == 107) {
			memcpy(path + len, ".lock", 6);
			assert_int_equal(unlink(path), 0);
		}
	}
}

static void
listener_directory_missing_says_so(void **state)
{
	struct place *place = *state;
	(void)snprintf(place->socket, sizeof(place->socket), "%s/none/socket", place->directory);
	refused(place, "No such file or directory");
}

/* In a child, because the descriptors passed begin at 3. */
static int
passed(int fd, int count, struct err *err)
{
	pid_t pid = fork();
	if (pid == 0) {
		char text[16];
		if (fd == 3)
			fd = fcntl(fd, F_DUPFD, 10);
		if (fd >= 0)
			(void)dup2(fd, 3);
		(void)snprintf(text, sizeof(text), "%d", getpid());
		setenv("LISTEN_PID", text, 1);
		(void)snprintf(text, sizeof(text), "%d", count);
		if (count > 0)
			setenv("LISTEN_FDS", text, 1);
		*err = (struct err){.code = ERR_NONE};
		struct listener *listener = listener_from_systemd(err);
		int flags = fcntl(3, F_GETFL);
		bool good = listener != NULL && listener_fd(listener) == 3 &&
			    (flags & O_NONBLOCK) != 0 && *listener_path(listener) == '\0' &&
			    getenv("LISTEN_FDS") == NULL;
		listener_free(listener);
		_exit(good ? 1 : err->code == ERR_CONFIG ? 2 : err->code == ERR_NONE ? 3 : 4);
	}
	int status = 0;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WEXITSTATUS(status);
}

static void
listener_of_the_service_manager_is_taken_if_right(void **state)
{
	struct place *place = *state;
	int pair[2];
	struct listener *listener = listener_open(place->socket, 0600, (gid_t)-1, &place->err);
	assert_non_null(listener);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);

	assert_int_equal(passed(listener_fd(listener), 1, &place->err), 1);
	assert_int_equal(passed(listener_fd(listener), 2, &place->err), 2); /* one too many */
	assert_int_equal(passed(pair[0], 1, &place->err), 2);               /* does not listen */
	assert_int_equal(passed(-1, 0, &place->err), 3);                    /* nothing passed */

	close(pair[0]);
	close(pair[1]);
	listener_free(listener);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(listener_opens_with_its_mode_and_goes_away),
		TEST(listener_gives_the_socket_to_a_group),
		TEST(listener_replaces_a_dead_socket_of_ours),
		TEST(listener_never_replaces_what_is_not_its_dead_socket),
		TEST(listener_of_a_living_daemon_is_left_alone),
		TEST(listener_starts_at_once_one_wins),
		TEST(listener_freed_leaves_a_socket_that_took_its_place),
		TEST(listener_directory_must_be_ours_alone),
		TEST(listener_directory_may_not_be_a_symlink),
		TEST(listener_lock_may_not_be_a_foreign_file),
		TEST(listener_path_is_checked_c10),
		TEST(listener_directory_missing_says_so),
		TEST(listener_of_the_service_manager_is_taken_if_right),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
