/* The login socket's place in the file system; what is said on it is tested with a token (test_token_pin.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "custodyd/login.h"

struct fixture {
	struct loop *loop;
	char dir[64];
	char socket[80]; /* the daemon's */
	char path[96];   /* ours beside it */
};

static bool
take_nothing(void *ctx, int fd, struct err *err)
{
	(void)ctx;
	(void)fd;
	return err_set(err, ERR_CONFLICT, NULL);
}

static const struct login_owner owner = {NULL, take_nothing};

static int
setup(void **state)
{
	static struct fixture fixture;
	struct err err = {0};
	(void)snprintf(fixture.dir, sizeof(fixture.dir), "/tmp/test_login.XXXXXX");
	assert_non_null(mkdtemp(fixture.dir));
	(void)snprintf(fixture.socket, sizeof(fixture.socket), "%s/s", fixture.dir);
	(void)snprintf(fixture.path, sizeof(fixture.path), "%s.login-west", fixture.socket);
	fixture.loop = loop_new(&err);
	assert_non_null(fixture.loop);
	*state = &fixture;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *fixture = *state;
	loop_free(fixture->loop);
	(void)unlink(fixture->path);
	assert_int_equal(rmdir(fixture->dir), 0);
	return 0;
}

static void
socket_is_made_and_removed(void **state)
{
	struct fixture *fixture = *state;
	struct err err = {0};
	struct stat found;
	struct login *login = login_new(fixture->loop, fixture->socket, "west", &owner, &err);
	assert_non_null(login);
	assert_int_equal(lstat(fixture->path, &found), 0);
	assert_true(S_ISSOCK(found.st_mode));

	login_free(login);
	assert_int_equal(lstat(fixture->path, &found), -1);
	login_free(NULL);
}

static void
c09_dead_socket_is_replaced(void **state)
{
	struct fixture *fixture = *state;
	struct err err = {0};
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", fixture->path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(close(fd), 0);

	CLEAN(login)
	struct login *login = login_new(fixture->loop, fixture->socket, "west", &owner, &err);
	assert_non_null(login);
}

static void
c09_file_or_link_in_the_way_is_left_alone(void **state)
{
	struct fixture *fixture = *state;
	struct stat before, after;
	for (int i = 0; i < 2; i++) {
		struct err err = {0};
		if (i == 0)
			assert_int_equal(mkdir(fixture->path, 0700), 0);
		else
			assert_int_equal(symlink("/dev/null", fixture->path), 0);
		assert_int_equal(lstat(fixture->path, &before), 0);
		assert_null(login_new(fixture->loop, fixture->socket, "west", &owner, &err));
		assert_int_equal(err.code, ERR_CONFIG);
		assert_int_equal(lstat(fixture->path, &after), 0);
		assert_int_equal(before.st_ino, after.st_ino);
		assert_int_equal(i == 0 ? rmdir(fixture->path) : unlink(fixture->path), 0);
	}
}

/* sun_path holds 107 octets and its NUL. */
static void
c10_long_path_is_refused_not_cut(void **state)
{
	struct fixture *fixture = *state;
	struct err err = {0};
	char name[128];
	size_t room = 107 - strlen(fixture->socket) - strlen(".login-");
	memset(name, 'n', sizeof(name));
	name[room] = '\0';
	CLEAN(login)
	struct login *fits = login_new(fixture->loop, fixture->socket, name, &owner, &err);
	assert_non_null(fits);

	name[room] = 'n';
	name[room + 1] = '\0';
	assert_null(login_new(fixture->loop, fixture->socket, name, &owner, &err));
	assert_int_equal(err.code, ERR_CONFIG);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(socket_is_made_and_removed),
		TEST(c09_dead_socket_is_replaced),
		TEST(c09_file_or_link_in_the_way_is_left_alone),
		TEST(c10_long_path_is_refused_not_cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
