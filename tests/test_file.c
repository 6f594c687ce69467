#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
	char directory[64];
	char path[128];
};

static int
setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	if (fixture == NULL)
		return -1;
	(void)snprintf(fixture->directory, sizeof(fixture->directory), "/tmp/custody-file.XXXXXX");
	if (mkdtemp(fixture->directory) == NULL)
		return -1;
	(void)snprintf(fixture->path, sizeof(fixture->path), "%s/f", fixture->directory);
	*state = fixture;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *fixture = *state;
	(void)unlink(fixture->path);
	int removed =
		rmdir(fixture->directory); /* fails if a test, or the module, left something */
	free(fixture);
	return removed;
}

static void
put(const char *path, const char *text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	assert_int_equal(close(fd), 0);
}

static void
file_read_of_max_octets_fits(void **state)
{
	struct fixture *fixture = *state;
	put(fixture->path, "12345", 0600);
	struct err err = {0};
	CLEAN(buf)
	struct buf buf;
	buf_init(&buf, 5);

	assert_true(file_read(fixture->path, &buf, ERR_CONFIG, &err));

	assert_string_equal(buf_peek(&buf), "12345");
}

static void
file_read_of_more_than_max_is_refused(void **state)
{
	struct fixture *fixture = *state;
	put(fixture->path, "123456", 0600);
	struct err err = {0};
	CLEAN(buf)
	struct buf buf;
	buf_init(&buf, 5);

	assert_false(file_read(fixture->path, &buf, ERR_CLIENT_FILE, &err));

	assert_int_equal(err.code, ERR_CLIENT_FILE);
	assert_non_null(strstr(err.message, "larger than 5 octets"));
	assert_int_equal(buf.len, 0);
}

static void
file_read_of_many_blocks_is_whole(void **state)
{
	struct fixture *fixture = *state;
	char text[20001];
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	put(fixture->path, text, 0600);
	struct err err = {0};
	CLEAN(buf)
	struct buf buf;
	buf_init(&buf, 1 << 20);

	assert_true(file_read(fixture->path, &buf, ERR_CONFIG, &err));

	assert_string_equal(buf_peek(&buf), text);
}

static void
file_read_of_a_missing_file_names_it(void **state)
{
	struct fixture *fixture = *state;
	struct err err = {0};
	CLEAN(buf)
	struct buf buf;
	buf_init(&buf, 5);

	assert_false(file_read(fixture->path, &buf, ERR_CONFIG, &err));

	assert_int_equal(err.code, ERR_CONFIG);
	assert_non_null(strstr(err.message, fixture->path));
	assert_non_null(strstr(err.message, strerror(ENOENT)));
}

static void
file_read_of_a_fifo_or_directory_is_refused_at_once(void **state)
{
	struct fixture *fixture = *state;
	struct err err = {0};
	CLEAN(buf)
	struct buf buf;
	buf_init(&buf, 5);
	assert_int_equal(mkfifo(fixture->path, 0600), 0);

	assert_false(file_read(fixture->path, &buf, ERR_CONFIG, &err));
	assert_non_null(strstr(err.message, "not a regular file"));
	assert_false(file_read(fixture->directory, &buf, ERR_CONFIG, &err));
	assert_non_null(strstr(err.message, "not a regular file"));
}

static void
file_read_fd_reads_a_pipe_to_its_end(void **state)
{
	(void)state;
	int fds[2];
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	struct err err = {0};
	CLEAN(buf)
	struct buf buf;
	buf_init(&buf, 5);

	assert_true(file_write_all(fds[1], "12345", 5, &err));
	assert_int_equal(close(fds[1]), 0);
	assert_true(file_read_fd(fds[0], &buf, ERR_CLIENT_FILE, &err));

	assert_string_equal(buf_peek(&buf), "12345");
	assert_int_equal(close(fds[0]), 0);
	assert_false(file_read_fd(fds[0], &buf, ERR_CLIENT_FILE, &err));
	assert_int_equal(err.code, ERR_CLIENT_FILE);
}

static void
file_write_all_to_a_full_disk_says_so(void **state)
{
	(void)state;
	struct err err = {0};
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);

	assert_false(file_write_all(fd, "x", 1, &err));

	assert_int_equal(err.code, ERR_STORAGE_FULL);
	assert_int_equal(close(fd), 0);
}

static void
file_write_all_to_a_closed_pipe_is_an_error(void **state)
{
	(void)state;
	struct err err = {0};
	int fds[2];
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_int_equal(close(fds[0]), 0);
	(void)signal(SIGPIPE, SIG_IGN);

	assert_false(file_write_all(fds[1], "x", 1, &err));

	assert_int_equal(err.code, ERR_STORAGE);
	assert_int_equal(close(fds[1]), 0);
}

static void
file_write_atomic_makes_and_replaces(void **state)
{
	struct fixture *fixture = *state;
	struct err err = {0};
	struct stat status;
	CLEAN(buf)
	struct buf buf;
	buf_init(&buf, 100);

	assert_true(file_write_atomic(fixture->path, "old old old", 11, 0600, &err));
	assert_true(file_write_atomic(fixture->path, "new", 3, 0640, &err));

	assert_true(file_read(fixture->path, &buf, ERR_STORAGE, &err));
	assert_string_equal(buf_peek(&buf), "new");
	assert_int_equal(stat(fixture->path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0640);
}

static void
file_write_atomic_over_a_directory_leaves_nothing(void **state)
{
	struct fixture *fixture = *state;
	struct err err = {0};
	assert_int_equal(mkdir(fixture->path, 0700), 0);

	assert_false(file_write_atomic(fixture->path, "new", 3, 0600, &err));

	assert_int_equal(err.code, ERR_STORAGE);
	assert_int_equal(rmdir(fixture->path), 0);
}

static void
file_write_atomic_without_directory_is_an_error(void **state)
{
	(void)state;
	struct err err = {0};

	assert_false(file_write_atomic("/nonexistent/f", "new", 3, 0600, &err));

	assert_int_equal(err.code, ERR_STORAGE);
	assert_non_null(strstr(err.origin, "/nonexistent/f"));
}

static void
file_sync_directory_finds_the_directory(void **state)
{
	struct fixture *fixture = *state;
	struct err err = {0};

	assert_true(file_sync_directory(fixture->path, &err));
	assert_true(file_sync_directory("name-without-slash", &err));
	assert_true(file_sync_directory("/name-in-root", &err));
	assert_false(file_sync_directory("/nonexistent/f", &err));
	assert_int_equal(err.code, ERR_STORAGE);
}

static void
file_check_private_judges_mode_kind_and_links(void **state)
{
	struct fixture *fixture = *state;
	struct err err = {0};
	char other[160];
	(void)snprintf(other, sizeof(other), "%s2", fixture->path);

	assert_true(file_check_private(fixture->path, 0077, &err)); /* missing */
	put(fixture->path, "x", 0600);
	assert_true(file_check_private(fixture->path, 0077, &err));
	put(fixture->path, "x", 0640);
	assert_true(file_check_private(fixture->path, 0022, &err));
	assert_false(file_check_private(fixture->path, 0077, &err));
	assert_int_equal(err.code, ERR_CONFIG);
	assert_non_null(strstr(err.message, "mode 0640; take away 0040"));
	put(fixture->path, "x", 0600);
	assert_int_equal(link(fixture->path, other), 0);
	assert_false(file_check_private(fixture->path, 0077, &err));
	assert_int_equal(unlink(other), 0);
	assert_int_equal(symlink(fixture->path, other), 0);
	assert_false(file_check_private(other, 0077, &err));
	assert_int_equal(unlink(other), 0);
	assert_false(file_check_private(fixture->directory, 0077, &err));
	assert_non_null(strstr(err.message, "regular file"));
}

static void
file_check_private_of_another_owner_is_refused(void **state)
{
	struct fixture *fixture = *state;
	struct err err = {0};
	put(fixture->path, "x", 0600);
	if (chown(fixture->path, 12345, (gid_t)-1) != 0)
		skip(); /* only root can give a file away */

	assert_false(file_check_private(fixture->path, 0077, &err));

	assert_non_null(strstr(err.message, "must belong to"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(file_read_of_max_octets_fits, setup, teardown),
		cmocka_unit_test_setup_teardown(
			file_read_of_more_than_max_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(file_read_of_many_blocks_is_whole, setup, teardown),
		cmocka_unit_test_setup_teardown(
			file_read_of_a_missing_file_names_it, setup, teardown),
		cmocka_unit_test_setup_teardown(
			file_read_of_a_fifo_or_directory_is_refused_at_once, setup, teardown),
		cmocka_unit_test(file_read_fd_reads_a_pipe_to_its_end),
		cmocka_unit_test(file_write_all_to_a_full_disk_says_so),
		cmocka_unit_test(file_write_all_to_a_closed_pipe_is_an_error),
		cmocka_unit_test_setup_teardown(
			file_write_atomic_makes_and_replaces, setup, teardown),
		cmocka_unit_test_setup_teardown(
			file_write_atomic_over_a_directory_leaves_nothing, setup, teardown),
		cmocka_unit_test(file_write_atomic_without_directory_is_an_error),
		cmocka_unit_test_setup_teardown(
			file_sync_directory_finds_the_directory, setup, teardown),
		cmocka_unit_test_setup_teardown(
			file_check_private_judges_mode_kind_and_links, setup, teardown),
		cmocka_unit_test_setup_teardown(
			file_check_private_of_another_owner_is_refused, setup, teardown),
	};
	return cmocka_run_group_tests_name("file", tests, NULL, NULL);
}
