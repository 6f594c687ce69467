/* Trees: everything kept comes back, nothing leaves the target, nothing is left on failure. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <archive.h>
#include <archive_entry.h>

#include "seal/tree.h"

struct fixture {
	char top[64]; /* a directory of the test's own */
	struct secret *key;
};

static const uint8_t key_octets[32] = {9};

static const char *
path_in(const struct fixture *fixture, const char *name)
{
	static char paths[4][512];
	static unsigned next;
	char *path = paths[next++ % 4];
	(void)snprintf(path, sizeof(paths[0]), "%s/%s", fixture->top, name);
	return path;
}

/* Runs a program without a shell; its exit status. */
static int
run(const char *const argv[])
{
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		union {
			const char *const *in;
			char *const *out;
		} arguments = {argv};
		(void)execvp(argv[0], arguments.out);
		_exit(127);
	}
	int status = 0;
	(void)waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int
setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	assert_non_null(fixture);
	(void)snprintf(fixture->top, sizeof(fixture->top), "/tmp/custody-tree-XXXXXX");
	assert_non_null(mkdtemp(fixture->top));
	fixture->key = secret_from(key_octets, sizeof(key_octets));
	*state = fixture;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *fixture = *state;
	const char *chmod_all[] = {"chmod", "-R", "u+rwx", fixture->top, NULL};
	const char *remove_all[] = {"rm", "-rf", fixture->top, NULL};
	assert_int_equal(run(chmod_all), 0);
	assert_int_equal(run(remove_all), 0);
	secret_free(fixture->key);
	free(fixture);
	return 0;
}

static void
write_file(const char *path, const void *data, size_t len, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, len), len);
	assert_int_equal(fchmod(fd, mode), 0);
	(void)close(fd);
}

static void
set_time(const char *path, time_t seconds, long nanoseconds)
{
	const struct timespec times[2] = {
		{seconds, nanoseconds},
                {seconds, nanoseconds}
        };
	assert_int_equal(utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW), 0);
}

/* A tree of each thing that is kept, and of those that are not. */
static void
make_tree(const struct fixture *fixture)
{
	static uint8_t large[3000000];
	for (size_t i = 0; i < sizeof(large); i++)
		large[i] = (uint8_t)(i * 7 + (i >> 9));
	char longest[256];
	memset(longest, 'n', 255);
	longest[255] = '\0';
	char name[300];
	assert_int_equal(mkdir(path_in(fixture, "tree"), 0755), 0);
	assert_int_equal(mkdir(path_in(fixture, "tree/empty"), 0700), 0);
	assert_int_equal(mkdir(path_in(fixture, "tree/dir"), 0755), 0);
	(void)snprintf(name, sizeof(name), "tree/dir/%s", longest);
	assert_int_equal(mkdir(path_in(fixture, name), 0755), 0);
	write_file(path_in(fixture, "tree/empty file"), "", 0, 0644);
	write_file(path_in(fixture, "tree/dir/large"), large, sizeof(large), 0640);
	write_file(path_in(fixture, "tree/\xff\xfe not UTF-8 \n"), "octets", 6, 0600);
	write_file(path_in(fixture, "tree/Gr\xc3\xbc\xc3\x9f"), "UTF-8", 5, 0755);
	write_file(path_in(fixture, "tree/-rf"), "x", 1, 0400);
	assert_int_equal(symlink("dir/large", path_in(fixture, "tree/link")), 0);
	assert_int_equal(symlink("/nowhere/at/all", path_in(fixture, "tree/dangling")), 0);
	assert_int_equal(link(path_in(fixture, "tree/-rf"), path_in(fixture, "tree/dir/hard")), 0);
	int fd = open(path_in(fixture, "tree/sparse"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(pwrite(fd, "data", 4, 1000000), 4);
	assert_int_equal(ftruncate(fd, 2000000), 0);
	(void)close(fd);
	assert_int_equal(mkfifo(path_in(fixture, "tree/fifo"), 0600), 0);
	set_time(path_in(fixture, "tree/-rf"), 1000000000, 123456789);
	set_time(path_in(fixture, "tree/link"), 1100000000, 0);
	assert_int_equal(chmod(path_in(fixture, "tree/empty"), 0500), 0);
	set_time(path_in(fixture, "tree/empty"), 1200000000, 5);
	set_time(path_in(fixture, "tree"), 1300000000, 0);
}

static int
seal_tree(struct fixture *fixture, const char *name, struct tree_count *count)
{
	struct err err = {0};
	struct sealed_header header;
	int out = memfd_create("sealed", MFD_CLOEXEC);
	sealed_header_new(SEALED_TREE, &header);
	if (!tree_seal(path_in(fixture, name), out, &header, bytes_of_text("{}"), fixture->key,
		    NULL, NULL, count, &err))
		fail_msg("%s (%s)", err.message, err.origin);
	(void)lseek(out, 0, SEEK_SET);
	return out;
}

static bool
open_tree(struct fixture *fixture, int in, const char *target, struct tree_count *count,
	struct err *err)
{
	struct sealed_header header;
	CLEAN(buf)
	struct buf envelope;
	buf_init(&envelope, 100);
	return sealed_read_header(in, &header, &envelope, err) &&
	       tree_open(in, target, false, &header, fixture->key, NULL, NULL, count, err);
}

static size_t
entries_of(const char *path)
{
	size_t count = 0;
	DIR *directory = opendir(path);
	assert_non_null(directory);
	while (readdir(directory) != NULL)
		count++;
	(void)closedir(directory);
	return count - 2; /* . and .. */
}

static void
assert_same_status(const struct fixture *fixture, const char *a, const char *b)
{
	struct stat left;
	struct stat right;
	assert_int_equal(lstat(path_in(fixture, a), &left), 0);
	assert_int_equal(lstat(path_in(fixture, b), &right), 0);
	assert_int_equal(left.st_mode, right.st_mode);
	assert_int_equal(left.st_mtim.tv_sec, right.st_mtim.tv_sec);
	assert_int_equal(left.st_mtim.tv_nsec, right.st_mtim.tv_nsec);
}

static void
tree_comes_back_as_it_was(void **state)
{
	struct fixture *fixture = *state;
	struct err err = {0};
	struct tree_count sealed_count = {0};
	struct tree_count opened_count = {0};
	make_tree(fixture);
	int sealed = seal_tree(fixture, "tree", &sealed_count);
	assert_int_equal(sealed_count.skipped, 1);

	if (!open_tree(fixture, sealed, path_in(fixture, "again"), &opened_count, &err))
		fail_msg("%s (%s)", err.message, err.origin);
	(void)close(sealed);

	assert_int_equal(opened_count.files, sealed_count.files);
	assert_int_equal(opened_count.bytes, sealed_count.bytes);
	assert_int_equal(unlink(path_in(fixture, "tree/fifo")), 0);
	set_time(path_in(fixture, "tree"), 1300000000, 0);
	const char *compare[] = {"diff", "-r", "--no-dereference", path_in(fixture, "tree"),
		path_in(fixture, "again"), NULL};
	assert_int_equal(run(compare), 0);
	assert_same_status(fixture, "tree", "again");
	assert_same_status(fixture, "tree/empty", "again/empty");
	assert_same_status(fixture, "tree/-rf", "again/-rf");
	assert_same_status(fixture, "tree/link", "again/link");
	assert_same_status(fixture, "tree/dir/large", "again/dir/large");
	struct stat status;
	assert_int_equal(lstat(path_in(fixture, "again/dir/hard"), &status), 0);
	assert_int_equal(status.st_nlink, 2);
	assert_int_equal(entries_of(fixture->top), 2);
}

static void
tree_that_is_empty_comes_back(void **state)
{
	struct fixture *fixture = *state;
	struct err err = {0};
	struct tree_count count = {0};
	assert_int_equal(mkdir(path_in(fixture, "tree"), 0750), 0);
	int sealed = seal_tree(fixture, "tree", &count);
	char target[128];
	(void)snprintf(
		target, sizeof(target), "%s/again///", fixture->top); /* slashes are harmless */

	assert_true(open_tree(fixture, sealed, target, &count, &err));

	assert_int_equal(entries_of(path_in(fixture, "again")), 0);
	assert_same_status(fixture, "tree", "again");
	(void)close(sealed);
}

static void
tree_seal_leaves_its_own_output_out(void **state)
{
	struct fixture *fixture = *state;
	struct err err = {0};
	struct sealed_header header;
	struct tree_count count = {0};
	assert_int_equal(mkdir(path_in(fixture, "tree"), 0755), 0);
	write_file(path_in(fixture, "tree/file"), "text", 4, 0644);
	int out = open(path_in(fixture, "tree/out"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	sealed_header_new(SEALED_TREE, &header);

	assert_true(tree_seal(path_in(fixture, "tree"), out, &header, bytes_of_text("{}"),
		fixture->key, NULL, NULL, &count, &err));

	assert_int_equal(count.skipped, 0); /* that is for what would be missed */
	assert_int_equal(count.files, 2);   /* the directory and the file */
	(void)close(out);
}

struct changing {
	const char *path;
	const char *how;
	bool done;
};

/* A sealed_progress: somebody changes the file while it is read. */
static bool
change(void *data, uint64_t done)
{
	struct changing *changing = data;
	(void)done;
	if (changing->done)
		return true;
	changing->done = true;
	int fd = open(changing->path, O_WRONLY | O_APPEND | O_CLOEXEC);
	assert_true(fd >= 0);
	if (strcmp(changing->how, "grew") == 0)
		assert_int_equal(write(fd, "more", 4), 4);
	else if (strcmp(changing->how, "was cut") == 0)
		assert_int_equal(ftruncate(fd, 1), 0);
	else
		set_time(changing->path, 1000000000, 1);
	(void)close(fd);
	return true;
}

static void
tree_seal_of_a_file_that_changes_fails_with_its_name(void **state)
{
	struct fixture *fixture = *state;
	static const char *const hows[] = {"changed", "grew", "was cut"};
	static const char *const says[] = {
		"changed", "changed", "was cut"}; /* no more than announced is read */
	static const uint8_t content[1 << 20] = {1};
	struct sealed_header header;
	struct tree_count count = {0};
	assert_int_equal(mkdir(path_in(fixture, "tree"), 0755), 0);
	write_file(path_in(fixture, "tree/file"), content, sizeof(content), 0644);
	sealed_header_new(SEALED_TREE, &header);
	for (size_t i = 0; i < ARRAY_LEN(hows); i++) {
		struct changing changing = {path_in(fixture, "tree/file"), hows[i], false};
		struct err err = {0};
		char wanted[64];
		int out = memfd_create("sealed", MFD_CLOEXEC);
		print_message("%s\n", hows[i]);
		assert_int_equal(truncate(changing.path, sizeof(content)), 0);

		assert_false(tree_seal(path_in(fixture, "tree"), out, &header, bytes_of_text("{}"),
			fixture->key, change, &changing, &count, &err));

		assert_int_equal(err.code, ERR_CLIENT_FILE);
		(void)snprintf(wanted, sizeof(wanted), "file %s while it was sealed; seal again.",
			says[i]);
		assert_string_equal(err.message, wanted);
		(void)close(out);
	}
}

static void
tree_seal_of_no_directory_fails(void **state)
{
	struct fixture *fixture = *state;
	struct sealed_header header;
	struct tree_count count = {0};
	int out = memfd_create("sealed", MFD_CLOEXEC);
	write_file(path_in(fixture, "file"), "text", 4, 0644);
	sealed_header_new(SEALED_TREE, &header);
	assert_int_equal(symlink(".", path_in(fixture, "link")), 0);
	static const char *const names[] = {"file", "absent", "link"};
	static const char *const says[] = {"is no directory.", "No such file", "symbolic link"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct err err = {0};
		assert_false(tree_seal(path_in(fixture, names[i]), out, &header,
			bytes_of_text("{}"), fixture->key, NULL, NULL, &count, &err));
		assert_int_equal(err.code, ERR_CLIENT_FILE);
		assert_non_null(strstr(err.message, names[i]));
		assert_non_null(strstr(err.message, says[i]));
	}
	(void)close(out);
}

static void
tree_seal_to_a_full_disk_fails_as_such(void **state)
{
	struct fixture *fixture = *state;
	struct err err = {0};
	struct sealed_header header;
	struct tree_count count = {0};
	int out = open("/dev/full", O_WRONLY | O_CLOEXEC);
	make_tree(fixture);
	sealed_header_new(SEALED_TREE, &header);

	assert_false(tree_seal(path_in(fixture, "tree"), out, &header, bytes_of_text("{}"),
		fixture->key, NULL, NULL, &count, &err));
	assert_int_equal(err.code, ERR_STORAGE_FULL);

	/* in the middle of a file, of which nothing more is read */
	static const uint8_t text[] = "text";
	assert_int_equal(mkdir(path_in(fixture, "long"), 0755), 0);
	write_file(path_in(fixture, "long/file"), text, sizeof(text), 0644);
	assert_int_equal(truncate(path_in(fixture, "long/file"), (off_t)1 << 40), 0);
	err = (struct err){0};
	(void)close(out);
	out = open("/dev/full", O_WRONLY | O_CLOEXEC);
	assert_false(tree_seal(path_in(fixture, "long"), out, &header, bytes_of_text("{}"),
		fixture->key, NULL, NULL, &count, &err));
	assert_int_equal(err.code, ERR_STORAGE_FULL);
	(void)close(out);
}

static void
tree_open_to_what_exists_fails_and_leaves_it(void **state)
{
	struct fixture *fixture = *state;
	struct err err = {0};
	struct tree_count count = {0};
	make_tree(fixture);
	int sealed = seal_tree(fixture, "tree", &count);
	write_file(path_in(fixture, "again"), "mine", 4, 0644);

	assert_false(open_tree(fixture, sealed, path_in(fixture, "again"), &count, &err));

	assert_int_equal(err.code, ERR_CLIENT_FILE);
	assert_int_equal(entries_of(fixture->top), 2);
	(void)close(sealed);
}

static void
E22_tree_with_damage_leaves_nothing(void **state)
{
	struct fixture *fixture = *state;
	struct tree_count count = {0};
	make_tree(fixture);
	int sealed = seal_tree(fixture, "tree", &count);
	struct stat status;
	assert_int_equal(fstat(sealed, &status), 0);
	const off_t places[] = {100, 2000, 1500000, 3100000, status.st_size - 1};

	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		struct err err = {0};
		uint8_t octet = 0;
		assert_int_equal(pread(sealed, &octet, 1, places[i]), 1);
		octet ^= 1;
		assert_int_equal(pwrite(sealed, &octet, 1, places[i]), 1);
		(void)lseek(sealed, 0, SEEK_SET);
		assert_false(open_tree(fixture, sealed, path_in(fixture, "again"), &count, &err));
		assert_int_equal(err.code, ERR_SEALED_CORRUPT);
		assert_int_equal(entries_of(fixture->top), 1);
		octet ^= 1;
		assert_int_equal(pwrite(sealed, &octet, 1, places[i]), 1);
	}
	/* cut at a segment, where the tar stream is whole but its end was not sealed as the last */
	assert_int_equal(ftruncate(sealed, 50 + 2 * 1048576), 0);
	struct err err = {0};
	(void)lseek(sealed, 0, SEEK_SET);
	assert_false(open_tree(fixture, sealed, path_in(fixture, "again"), &count, &err));
	assert_int_equal(err.code, ERR_SEALED_CORRUPT);
	assert_int_equal(entries_of(fixture->top), 1);
	(void)close(sealed);
}

/* ---- hostile archives ---- */

struct hostile {
	const char *name;
	const char *path;
	mode_t type;
	const char *symlink;
	const char *hardlink;
	const char *data;
};

static const struct hostile safe_link = {"", "link", AE_IFLNK, "/tmp", NULL, NULL};

static la_ssize_t
push(struct archive *archive, void *writer, const void *data, size_t len)
{
	struct err err = {0};
	(void)archive;
	return sealed_writer_push(writer, data, len, &err) ? (la_ssize_t)len : -1;
}

static void
put(struct archive *tar, const struct hostile *hostile)
{
	struct archive_entry *entry = archive_entry_new();
	archive_entry_set_pathname(entry, hostile->path);
	archive_entry_set_filetype(entry, hostile->type);
	archive_entry_set_perm(entry, 04755);
	archive_entry_set_size(
		entry, hostile->data != NULL ? (la_int64_t)strlen(hostile->data) : 0);
	if (hostile->symlink != NULL)
		archive_entry_set_symlink(entry, hostile->symlink);
	if (hostile->hardlink != NULL)
		archive_entry_set_hardlink(entry, hostile->hardlink);
	(void)archive_write_header(tar, entry);
	if (hostile->data != NULL)
		(void)archive_write_data(tar, hostile->data, strlen(hostile->data));
	archive_entry_free(entry);
}

static int
seal_entries(struct fixture *fixture, const struct hostile *const *entries, size_t count)
{
	struct err err = {0};
	struct sealed_header header;
	int out = memfd_create("sealed", MFD_CLOEXEC);
	sealed_header_new(SEALED_TREE, &header);
	CLEAN(sealed_writer)
	struct sealed_writer *writer =
		sealed_writer_new(out, &header, bytes_of_text("{}"), fixture->key, &err);
	struct archive *tar = archive_write_new();
	(void)archive_write_set_format_pax(tar);
	(void)archive_write_open(tar, writer, NULL, push, NULL);
	for (size_t i = 0; i < count; i++)
		put(tar, entries[i]);
	(void)archive_write_close(tar);
	(void)archive_write_free(tar);
	assert_true(sealed_writer_finish(writer, &err));
	(void)lseek(out, 0, SEEK_SET);
	return out;
}

static int
seal_hostile(struct fixture *fixture, const struct hostile *hostile, bool link_first)
{
	const struct hostile *const entries[] = {&safe_link, hostile};
	return link_first ? seal_entries(fixture, entries, 2)
			  : seal_entries(fixture, entries + 1, 1);
}

static const struct hostile hostiles[] = {
	{"absolute",                 "/tmp/custody-escaped",    AE_IFREG, NULL, NULL,                  "x" },
	{"parent",		   "../custody-escaped",      AE_IFREG, NULL, NULL,                  "x" },
	{"parent inside",            "a/../../custody-escaped", AE_IFREG, NULL, NULL,                  "x" },
	{"parent at the end",        "a/..",                    AE_IFDIR, NULL, NULL,                  NULL},
	{"through a link",           "link/custody-escaped",    AE_IFREG, NULL, NULL,                  "x" },
	{"directory through a link", "link/custody-escaped/x",  AE_IFDIR, NULL, NULL,                  NULL},
	{"hard link to outside",     "hard",                    AE_IFREG, NULL, "/etc/hostname",       NULL},
	{"hard link to parent",      "hard",                    AE_IFREG, NULL, "../../etc/hostname",  NULL},
	{"hard link through a link", "hard",                    AE_IFREG, NULL, "link/custody-victim", NULL},
	{"device",		   "null",                    AE_IFCHR, NULL, NULL,                  NULL},
	{"block device",             "disk",                    AE_IFBLK, NULL, NULL,                  NULL},
	{"FIFO",		     "fifo",                    AE_IFIFO, NULL, NULL,                  NULL},
};

static void
tree_open_of_hostile_archives_stays_inside(void **state)
{
	struct fixture *fixture = *state;
	struct tree_count count = {0};
	write_file("/tmp/custody-victim", "victim", 6, 0600);
	for (size_t i = 0; i < ARRAY_LEN(hostiles); i++) {
		struct err err = {0};
		int sealed = seal_hostile(fixture, &hostiles[i], true);
		bool opened = open_tree(fixture, sealed, path_in(fixture, "again"), &count, &err);
		(void)close(sealed);
		struct stat status;
		if (opened || err_class(err.code) != ERR_CLASS_BAD)
			fail_msg("%s: opened, or %s", hostiles[i].name, err.message);
		if (lstat("/tmp/custody-escaped", &status) == 0)
			fail_msg("%s: left the tree", hostiles[i].name);
		assert_int_equal(entries_of(fixture->top), 0);
	}
	assert_int_equal(unlink("/tmp/custody-victim"), 0);
}

/* A new directory that is empty would give way to it: the target would be a link to anywhere, and get the top's mode through it. */
static void
tree_open_of_a_top_that_is_no_directory_is_corrupt(void **state)
{
	struct fixture *fixture = *state;
	static const struct hostile top = {"", "./", AE_IFDIR, NULL, NULL, NULL};
	static const char *const names[] = {".", "./.", "././", ".//."};
	assert_int_equal(mkdir(path_in(fixture, "victim"), 0700), 0);
	for (size_t i = 0; i < 2 * ARRAY_LEN(names); i++) {
		struct err err = {0};
		struct tree_count count = {0};
		struct stat status;
		bool link = i % 2 == 0;
		const struct hostile hostile = {"", names[i / 2], link ? AE_IFLNK : AE_IFREG,
			link ? "victim" : NULL, NULL, link ? NULL : "x"};
		const struct hostile *const entries[] = {&top, &hostile};
		int sealed = seal_entries(fixture, entries, 2);

		assert_false(open_tree(fixture, sealed, path_in(fixture, "again"), &count, &err));

		assert_int_equal(err.code, ERR_SEALED_CORRUPT);
		assert_int_equal(entries_of(fixture->top), 1);
		assert_int_equal(lstat(path_in(fixture, "victim"), &status), 0);
		assert_int_equal(status.st_mode, S_IFDIR | 0700);
		(void)close(sealed);
	}
}

static void
tree_open_takes_names_of_dots(void **state)
{
	struct fixture *fixture = *state;
	struct err err = {0};
	struct tree_count count = {0};
	struct stat status;
	static const struct hostile file = {"", "...", AE_IFREG, NULL, NULL, "x"};
	int sealed = seal_hostile(fixture, &file, false);

	assert_true(open_tree(fixture, sealed, path_in(fixture, "again"), &count, &err));

	assert_int_equal(lstat(path_in(fixture, "again/..."), &status), 0);
	assert_int_equal(status.st_size, 1);
	(void)close(sealed);
}

static void
tree_open_gives_no_set_id_bits(void **state)
{
	struct fixture *fixture = *state;
	static const struct hostile program = {"", "program", AE_IFREG, NULL, NULL, "x"};
	struct err err = {0};
	struct tree_count count = {0};
	int sealed = seal_hostile(fixture, &program, false);
	struct stat status;

	assert_true(open_tree(fixture, sealed, path_in(fixture, "again"), &count, &err));

	assert_int_equal(lstat(path_in(fixture, "again/program"), &status), 0);
	assert_int_equal(status.st_mode & 07777, 0755);
	(void)close(sealed);
}

static void
tree_open_of_no_archive_is_corrupt(void **state)
{
	struct fixture *fixture = *state;
	static const char *const contents[] = {"", "this is no tar archive"};
	for (size_t i = 0; i < ARRAY_LEN(contents); i++) {
		struct err err = {0};
		struct sealed_header header;
		struct tree_count count = {0};
		int out = memfd_create("sealed", MFD_CLOEXEC);
		sealed_header_new(SEALED_TREE, &header);
		CLEAN(sealed_writer)
		struct sealed_writer *writer =
			sealed_writer_new(out, &header, bytes_of_text("{}"), fixture->key, &err);
		assert_true(sealed_writer_push(writer, contents[i], strlen(contents[i]), &err));
		assert_true(sealed_writer_finish(writer, &err));
		(void)lseek(out, 0, SEEK_SET);
		assert_false(open_tree(fixture, out, path_in(fixture, "again"), &count, &err));
		assert_int_equal(err.code, ERR_SEALED_CORRUPT);
		assert_int_equal(entries_of(fixture->top), 0);
		(void)close(out);
	}
}

int
main(void)
{
#define TREE_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		TREE_TEST(tree_comes_back_as_it_was),
		TREE_TEST(tree_that_is_empty_comes_back),
		TREE_TEST(tree_seal_leaves_its_own_output_out),
		TREE_TEST(tree_seal_of_a_file_that_changes_fails_with_its_name),
		TREE_TEST(tree_seal_of_no_directory_fails),
		TREE_TEST(tree_seal_to_a_full_disk_fails_as_such),
		TREE_TEST(tree_open_to_what_exists_fails_and_leaves_it),
		TREE_TEST(E22_tree_with_damage_leaves_nothing),
		TREE_TEST(tree_open_of_hostile_archives_stays_inside),
		TREE_TEST(tree_open_of_a_top_that_is_no_directory_is_corrupt),
		TREE_TEST(tree_open_takes_names_of_dots),
		TREE_TEST(tree_open_gives_no_set_id_bits),
		TREE_TEST(tree_open_of_no_archive_is_corrupt),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
