/*
 * The catalog under kill -9 and power loss (threats D4, D5, D7, D17): a child makes its changes one after the other and is
 * stopped at its n-th call that touches the disk; then what was not synced is kept, dropped, kept in
 * part or torn. The catalog must open and hold every change that was answered, and at most the one that was not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "db/db_intent.h"
#include "db_fixture.h"

#define WRITES_MAX 4096
#define EXIT_CUT   9

/* What becomes of writes since the last sync of their file. */
enum loss {
	LOSS_NONE, /* kill -9: the kernel has them all */
	LOSS_ALL,
	LOSS_EVERY_SECOND,
	LOSS_TORN, /* half of the last one */
	LOSS_COUNT
};

static struct change {
	int fd;
	off_t offset, old_size;
	size_t len, old_len;
	uint8_t *data, *old; /* data NULL: a truncation to `offset` */
} changes[WRITES_MAX];
static size_t change_count;
static long countdown; /* 0: not armed */
static enum loss loss;

static off_t
size_of(int fd)
{
	struct stat status;
	return fstat(fd, &status) == 0 ? status.st_size : 0;
}

static bool
same_file(int a, int b)
{
	struct stat one, two;
	return fstat(a, &one) == 0 && fstat(b, &two) == 0 && one.st_ino == two.st_ino &&
	       one.st_dev == two.st_dev;
}

static ssize_t
raw_pwrite(int fd, const void *data, size_t len, off_t offset)
{
	return syscall(SYS_pwrite64, fd, data, len, offset);
}

static void
roll_back(const struct change *change)
{
	(void)syscall(SYS_ftruncate, change->fd, change->old_size);
	if (change->old_len > 0)
		(void)raw_pwrite(change->fd, change->old, change->old_len, change->offset);
}

static void
apply(const struct change *change, size_t len)
{
	if (change->data == NULL)
		(void)syscall(SYS_ftruncate, change->fd, change->offset);
	else
		(void)raw_pwrite(change->fd, change->data, len, change->offset);
}

/* The machine stops here. */
static void
cut(void)
{
	for (size_t i = change_count; loss != LOSS_NONE && i-- > 0;)
		roll_back(&changes[i]);
	for (size_t i = 0; i < change_count; i++) {
		bool last = i + 1 == change_count;
		if (loss == LOSS_EVERY_SECOND && i % 2 == 0)
			apply(&changes[i], changes[i].len);
		else if (loss == LOSS_TORN)
			apply(&changes[i], last ? changes[i].len / 2 : changes[i].len);
	}
	_exit(EXIT_CUT);
}

static void
step(void)
{
	if (countdown > 0 && --countdown == 0)
		cut();
}

static void
note(int fd, const void *data, size_t len, off_t offset)
{
	if (countdown == 0 || change_count == WRITES_MAX)
		return;
	struct change *change = &changes[change_count++];
	*change = (struct change){.fd = fd, .offset = offset, .old_size = size_of(fd), .len = len};
	size_t room = data == NULL ? (size_t)change->old_size : len;
	change->old = malloc(room + 1);
	ssize_t got = pread(fd, change->old, room, offset);
	change->old_len = got > 0 ? (size_t)got : 0;
	if (data == NULL)
		return;
	change->data = malloc(len + 1);
	memcpy(change->data, data, len);
}

/* These stand before libc's for libsqlite3 too: the executable's symbols come first. */
ssize_t pwrite64(int fd, const void *data, size_t len, off_t offset);
int ftruncate64(int fd, off_t size);

ssize_t
pwrite64(int fd, const void *data, size_t len, off_t offset)
{
	step();
	note(fd, data, len, offset);
	return raw_pwrite(fd, data, len, offset);
}

int
ftruncate64(int fd, off_t size)
{
	step();
	note(fd, NULL, 0, size);
	return (int)syscall(SYS_ftruncate, fd, size);
}

int
fdatasync(int fd)
{
	step();
	size_t kept = 0;
	for (size_t i = 0; i < change_count; i++) {
		if (!same_file(changes[i].fd, fd))
			changes[kept++] = changes[i];
	}
	change_count = kept;
	return 0; /* what the tests' machine really does with it is not the question */
}

int
fsync(int fd)
{
	return fdatasync(fd);
}

/* The changes, each one transaction. Numbers are those that a new catalog gives out. */
#define VAULT      1
#define KEY        1
#define STEP_COUNT 10

static bool
run_step(struct db *db, int number, struct err *err)
{
	struct db_version version = db_fixture_version(1), second = db_fixture_version(2);
	struct db_version_change change = {
		.has_enabled = true, .tags = "{\"a\":\"b\"}", .updated = 1100};
	struct db_policy policy = {.vault = VAULT,
		.kind = DB_PRINCIPAL_USER,
		.number = 5,
		.name = "five",
		.permissions = 3};
	struct db_key_item item;
	struct db_key key;
	int64_t intent;
	switch (number) {
	case 0:
		return db_create_begin(db, VAULT, "key", version.id, 1000, "", &intent, err);
	case 1:
		return db_create_commit(db, 1, &version, &item, err);
	case 2:
		return db_create_begin(db, VAULT, "key", second.id, 1000, "", &intent, err);
	case 3:
		return db_create_commit(db, 2, &second, &item, err);
	case 4:
		return db_version_update(db, version.id, &change, err);
	case 5:
		return db_policy_set(db, &policy, 1200, err);
	case 6:
		return db_key_delete(db, KEY, 1300, &key, err);
	case 7:
		return db_key_recover(db, KEY, err);
	case 8:
		return db_key_delete(db, KEY, 1400, &key, err);
	default:
		break;
	}
	CLEAN(arena)
	struct arena *arena = arena_new();
	struct db_intent purge;
	if (number == 9)
		return db_key_purge_begin(db, KEY, DB_PURGE_REQUESTED, 1500, arena, &purge, err);
	return db_key_purge_commit(db, 3, 1600, err);
}

/* All that can be seen of the catalog in one line. */
static void
describe(struct db *db, char text[static 512])
{
	CLEAN(arena)
	struct arena *arena = arena_new();
	struct err err;
	struct db_counts counts;
	struct db_key key = {.id = 0};
	struct db_version version = db_fixture_version(1);
	struct db_policy *policies;
	size_t policy_count;
	assert_true(db_counts(db, &counts, &err));
	assert_true(db_policy_list(db, 0, arena, &policies, &policy_count, &err));
	bool found = db_version_find_by_id(db, version.id, arena, &key, &version, &err);
	(void)snprintf(text, 512, "%lld %lld %lld %lld %lld %lld %zu %s %d %lld %s",
		(long long)counts.vaults, (long long)counts.keys, (long long)counts.deleted_keys,
		(long long)counts.versions, (long long)counts.intents, (long long)counts.tombstones,
		policy_count, found ? version.tags : err_name(err.code), (int)key.state,
		(long long)key.deleted_at, found && version.enabled ? "enabled" : "");
}

static char expected[STEP_COUNT + 2][512]; /* after so many steps */
static uint64_t base_generation;

static void
dry_run(struct db_fixture *fixture)
{
	base_generation = db_generation(fixture->db);
	describe(fixture->db, expected[0]);
	for (int i = 0; i <= STEP_COUNT; i++) {
		if (!run_step(fixture->db, i, &fixture->err))
			fail_msg("step %d: %s", i, fixture->err.message);
		describe(fixture->db, expected[i + 1]);
	}
}

static void
remove_catalog(struct db_fixture *fixture)
{
	static const char *const suffixes[] = {"", "-wal", "-shm", ".reserve"};
	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
		char name[100];
		(void)snprintf(name, sizeof name, "%s%s", fixture->path, suffixes[i]);
		(void)unlink(name);
	}
}

/* In the child: open, then each step, one octet into the pipe for each answer. */
static void
child(struct db_fixture *fixture, int answers, long n, enum loss kind, bool armed_at_open)
{
	loss = kind;
	countdown = armed_at_open ? n : 0;
	fixture->db = db_fixture_open(fixture);
	if (fixture->db == NULL)
		_exit(1);
	if (armed_at_open)
		_exit(0);
	countdown = n;
	for (int i = 0; i <= STEP_COUNT; i++) {
		if (!run_step(fixture->db, i, &fixture->err) || write(answers, "", 1) != 1)
			_exit(2);
	}
	_exit(0);
}

/* true: the child came to its end, nothing was cut. */
static bool
run_child(struct db_fixture *fixture, long n, enum loss kind, bool armed_at_open, int *ret_answers)
{
	int ends[2], status, answers = 0;
	assert_int_equal(pipe(ends), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		child(fixture, ends[1], n, kind, armed_at_open);
	assert_int_equal(close(ends[1]), 0);
	for (char octet; read(ends[0], &octet, 1) == 1;)
		answers++;
	assert_int_equal(close(ends[0]), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!WIFEXITED(status) || (WEXITSTATUS(status) != 0 && WEXITSTATUS(status) != EXIT_CUT))
		fail_msg("n=%ld loss=%d: status %d", n, (int)kind, status);
	*ret_answers = answers;
	return WEXITSTATUS(status) == 0;
}

static void
check(struct db_fixture *fixture, long n, enum loss kind, int answers)
{
	fixture->db = db_fixture_open(fixture);
	if (fixture->db == NULL)
		fail_msg("n=%ld loss=%d: %s (%s)", n, (int)kind, fixture->err.message,
			fixture->err.origin);
	uint64_t done = db_generation(fixture->db) - base_generation;
	if (done != (uint64_t)answers && done != (uint64_t)answers + 1)
		fail_msg("n=%ld loss=%d: %d answered, %llu there", n, (int)kind, answers,
			(unsigned long long)done);
	char text[512];
	describe(fixture->db, text);
	assert_string_equal(text, expected[done]);
	db_close(fixture->db);
	fixture->db = NULL;
}

static void
every_answered_change_is_there(void **state)
{
	struct db_fixture *fixture = *state;
	db_close(fixture->db);
	fixture->db = NULL;
	CLEAN(buf)
	struct buf image;
	buf_init(&image, 1 << 20);
	assert_true(file_read(fixture->path, &image, ERR_STORAGE, &fixture->err));
	fixture->db = db_fixture_open(fixture);
	dry_run(fixture);
	db_close(fixture->db);
	fixture->db = NULL;

	for (int kind = 0; kind < LOSS_COUNT; kind++) {
		/* each has points of its own, so that the whole stays near a second */
		long stride = kind == LOSS_NONE ? 1 : 4;
		bool whole = false;
		for (long n = 1 + kind; !whole; n += stride) {
			int answers;
			remove_catalog(fixture);
			assert_true(file_write_atomic(
				fixture->path, image.data, image.len, 0600, &fixture->err));
			whole = run_child(fixture, n, (enum loss)kind, false, &answers);
			check(fixture, n, (enum loss)kind, answers);
		}
	}
	remove_catalog(fixture);
}

/* threats D17: a new catalog, which is its migration from nothing */
static void
interrupted_birth_goes_on_d17(void **state)
{
	struct db_fixture *fixture = *state;
	db_close(fixture->db);
	fixture->db = NULL;
	for (int kind = 0; kind < LOSS_COUNT; kind++) {
		bool whole = false;
		for (long n = 1 + kind; !whole; n += 11) {
			int answers;
			remove_catalog(fixture);
			whole = run_child(fixture, n, (enum loss)kind, true, &answers);
			fixture->db = db_fixture_open(fixture);
			if (fixture->db == NULL)
				fail_msg("n=%ld loss=%d: %s (%s)", n, kind, fixture->err.message,
					fixture->err.origin);
			fixture->vault = db_fixture_vault(fixture, "Contoso", "west", false);
			(void)db_fixture_create(fixture, "key", 1);
			db_close(fixture->db);
			fixture->db = NULL;
		}
	}
	remove_catalog(fixture);
}

int
main(void)
{
#define TEST(function)                                                                             \
	cmocka_unit_test_setup_teardown(function, db_fixture_setup, db_fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(every_answered_change_is_there),
		TEST(interrupted_birth_goes_on_d17),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
