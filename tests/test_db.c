/* The catalog as a whole: opening, locking, checking, failing storage. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "db_fixture.h"

int __real_fstatfs(int fd, struct statfs *status);
int __wrap_fstatfs(int fd, struct statfs *status);

static long fake_filesystem;
static bool failing_syncs;

int
__wrap_fstatfs(int fd, struct statfs *status)
{
	int result = __real_fstatfs(fd, status);
	if (fake_filesystem != 0)
		status->f_type = fake_filesystem;
	return result;
}

static void
assert_reopens(struct db_fixture *fixture)
{
	db_close(fixture->db);
	fixture->db = db_fixture_open(fixture);
	if (fixture->db == NULL)
		fail_msg("%s (%s)", fixture->err.message, fixture->err.origin);
}

static void
open_again_keeps_everything(void **state)
{
	struct db_fixture *fixture = *state;
	char instance[33];
	uint8_t key[DB_SECRET_BYTES];
	(void)snprintf(instance, sizeof instance, "%s", db_instance(fixture->db));
	memcpy(key, db_paging_key(fixture->db), sizeof key);
	uint64_t generation = db_generation(fixture->db);
	struct db_audit_head head = {
		.records = 7, .offset = 900, .hash = {1, 2, 3}
        };
	db_set_audit_head(fixture->db, &head);
	assert_true(db_set_time_mark(fixture->db, 5000, &fixture->err));

	assert_reopens(fixture);

	assert_string_equal(db_instance(fixture->db), instance);
	assert_memory_equal(db_paging_key(fixture->db), key, sizeof key);
	assert_memory_not_equal(db_pin_key(fixture->db), key, sizeof key);
	assert_int_equal(db_generation(fixture->db), generation + 1);
	assert_int_equal(db_time_mark(fixture->db), 5000);
	struct db_audit_head stored = db_audit_head(fixture->db);
	assert_memory_equal(&stored, &head, sizeof head);
}

static void
time_mark_lower_is_ignored(void **state)
{
	struct db_fixture *fixture = *state;
	assert_true(db_set_time_mark(fixture->db, 5000, &fixture->err));

	assert_true(db_set_time_mark(fixture->db, 4000, &fixture->err));

	assert_int_equal(db_time_mark(fixture->db), 5000);
}

/* threats D11 */
static void
open_twice_is_refused_d11(void **state)
{
	struct db_fixture *fixture = *state;

	struct db *second = db_fixture_open(fixture);

	assert_null(second);
	assert_int_equal(fixture->err.code, ERR_CATALOG_LOCKED);
}

/* threats D18 */
static void
open_with_loose_mode_is_refused_d18(void **state)
{
	struct db_fixture *fixture = *state;
	static const char *const suffixes[] = {"", ".reserve"};
	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
		char name[100];
		(void)snprintf(name, sizeof name, "%s%s", fixture->path, suffixes[i]);
		db_close(fixture->db);
		assert_int_equal(chmod(name, 0640), 0);

		fixture->db = db_fixture_open(fixture);

		assert_null(fixture->db);
		assert_int_equal(fixture->err.code, ERR_CONFIG);
		assert_int_equal(chmod(name, 0600), 0);
		assert_reopens(fixture);
	}
}

static void
open_hard_or_symbolic_link_is_refused_d18(void **state)
{
	struct db_fixture *fixture = *state;
	char other[100];
	(void)snprintf(other, sizeof other, "%s.other", fixture->path);
	db_close(fixture->db);
	assert_int_equal(link(fixture->path, other), 0);
	fixture->db = db_fixture_open(fixture);
	assert_null(fixture->db);
	assert_int_equal(fixture->err.code, ERR_CONFIG);

	assert_int_equal(unlink(fixture->path), 0);
	assert_int_equal(symlink(other, fixture->path), 0);
	fixture->db = db_fixture_open(fixture);
	assert_null(fixture->db);
	assert_int_equal(fixture->err.code, ERR_CONFIG);
}

/* threats D21 */
static void
open_on_network_filesystem_is_refused_d21(void **state)
{
	struct db_fixture *fixture = *state;
	db_close(fixture->db);

	fake_filesystem = NFS_SUPER_MAGIC;
	fixture->db = db_fixture_open(fixture);
	assert_null(fixture->db);
	assert_int_equal(fixture->err.code, ERR_CONFIG);
	assert_non_null(strstr(fixture->err.message, "NFS"));

	struct db_settings settings = {
		.kind = &custody_catalog, .path = fixture->path, .allow_network_filesystem = true};
	fixture->db = db_open(&settings, &fixture->err);
	fake_filesystem = 0;
	assert_non_null(fixture->db);
}

/* Runs SQL of the test on the closed catalog, by the shell that an intruder would use. */
static void
edit(struct db_fixture *fixture, const char *sql)
{
	db_close(fixture->db);
	fixture->db = NULL;
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		(void)execlp("sqlite3", "sqlite3", fixture->path, sql, (char *)NULL);
		_exit(127);
	}
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

/* threats D17 */
static void
open_newer_schema_is_refused_d17(void **state)
{
	struct db_fixture *fixture = *state;
	edit(fixture, "PRAGMA user_version = 2");

	fixture->db = db_fixture_open(fixture);

	assert_null(fixture->db);
	assert_int_equal(fixture->err.code, ERR_CONFIG);
	assert_non_null(strstr(fixture->err.message, "version 2"));
}

static void
open_foreign_database_is_refused_untouched(void **state)
{
	struct db_fixture *fixture = *state;
	edit(fixture, "PRAGMA application_id = 5; PRAGMA journal_mode = DELETE");

	fixture->db = db_fixture_open(fixture);

	assert_null(fixture->db);
	assert_int_equal(fixture->err.code, ERR_CONFIG);
	uint8_t header[20];
	int fd = open(fixture->path, O_RDONLY);
	assert_int_equal(read(fd, header, sizeof header), sizeof header);
	assert_int_equal(close(fd), 0);
	assert_int_equal(header[18], 1); /* not turned to WAL */
}

static void
open_dangling_row_is_integrity_d6(void **state)
{
	struct db_fixture *fixture = *state;
	edit(fixture, "PRAGMA foreign_keys = OFF; INSERT INTO policy VALUES (99, 1, 5, 'x', 1)");

	fixture->db = db_fixture_open(fixture);

	assert_null(fixture->db);
	assert_int_equal(fixture->err.code, ERR_CATALOG_INTEGRITY);
}

static void
open_text_file_is_integrity(void **state)
{
	struct db_fixture *fixture = *state;
	db_close(fixture->db);
	FILE *file = fopen(fixture->path, "w");
	assert_non_null(file);
	for (int i = 0; i < 1000; i++)
		(void)fputs("this is no catalog ", file);
	assert_int_equal(fclose(file), 0);

	fixture->db = db_fixture_open(fixture);

	assert_null(fixture->db);
	assert_int_equal(fixture->err.code, ERR_CATALOG_INTEGRITY);
}

static void
read_all(struct db_fixture *fixture, const struct db_version *right)
{
	struct db_key_item *items;
	size_t count;
	bool more;
	if (!db_key_list(fixture->db, fixture->vault, "", 100, fixture->arena, &items, &count,
		    &more, &fixture->err))
		return;
	for (size_t i = 0; i < count; i++) {
		uint32_t seed;
		memcpy(&seed, items[i].newest.id + 8, sizeof seed);
		assert_true(seed < 40);
		if (memcmp(items[i].newest.id, right[seed].id, ID_VERSION_BYTES) == 0)
			assert_memory_equal(
				items[i].newest.kty, right[seed].kty, sizeof right[seed].kty);
	}
}

/* threats D6: bytes flipped in every page; an error or an answer, never a crash and never a changed schema. */
static void
flipped_bytes_never_crash_d6(void **state)
{
	struct db_fixture *fixture = *state;
	struct db_version right[40];
	for (uint32_t seed = 0; seed < 40; seed++) {
		char name[16];
		(void)snprintf(name, sizeof name, "key%u", seed);
		(void)db_fixture_create(fixture, name, seed);
		right[seed] = db_fixture_version(seed);
	}
	db_close(fixture->db);
	int fd = open(fixture->path, O_RDWR);
	struct stat status;
	assert_int_equal(fstat(fd, &status), 0);
	for (off_t page = 0; page < status.st_size; page += 4096) {
		static const off_t places[] = {0, 3, 5, 8, 60, 100, 2000, 4000, 4090};
		for (size_t i = 0; i < ARRAY_LEN(places); i++) {
			uint8_t octet, flipped;
			assert_int_equal(pread(fd, &octet, 1, page + places[i]), 1);
			flipped = (uint8_t)(octet ^ 0xff);
			assert_int_equal(pwrite(fd, &flipped, 1, page + places[i]), 1);
			fixture->db = db_fixture_open(fixture);
			if (fixture->db != NULL)
				read_all(fixture, right);
			db_close(fixture->db);
			assert_int_equal(pwrite(fd, &octet, 1, page + places[i]), 1);
		}
	}
	fixture->db = NULL;
	assert_int_equal(close(fd), 0);
}

/* threats D1: a full disk refuses changes, keeps answering reads, and heals without a restart. */
static void
disk_full_refuses_changes_and_heals_d1(void **state)
{
	struct db_fixture *fixture = *state;
	(void)db_fixture_create(fixture, "before", 1);
	(void)signal(SIGXFSZ, SIG_IGN);
	struct rlimit old, tight = {32768, RLIM_INFINITY};
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	tight.rlim_max = old.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);

	uint64_t generation = 0;
	bool refused = false;
	for (uint32_t seed = 2; seed < 100 && !refused; seed++) {
		struct db_version version = db_fixture_version(seed);
		int64_t intent;
		generation = db_generation(fixture->db);
		refused = !db_create_begin(fixture->db, fixture->vault, "during", version.id, 1000,
			"", &intent, &fixture->err);
	}
	assert_true(refused);
	assert_int_equal(fixture->err.code, ERR_STORAGE_FULL);
	assert_false(db_read_only(fixture->db));
	assert_int_equal(db_generation(fixture->db), generation);
	struct db_key_item item;
	assert_true(db_key_find(
		fixture->db, fixture->vault, "before", fixture->arena, &item, &fixture->err));

	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	(void)db_fixture_create(fixture, "after", 101);
	assert_true(db_check(fixture->db, &fixture->err));
}

static void
reserve_is_given_and_made_again_d1(void **state)
{
	struct db_fixture *fixture = *state;
	char name[100];
	struct stat status;
	(void)snprintf(name, sizeof name, "%s.reserve", fixture->path);
	assert_int_equal(stat(name, &status), 0);
	assert_true(status.st_blocks * 512 >= 65536);

	db_release_reserve(fixture->db);
	assert_int_equal(stat(name, &status), -1);

	assert_true(db_restore_reserve(fixture->db, &fixture->err));
	assert_int_equal(stat(name, &status), 0);
	assert_int_equal(status.st_size, 65536);
}

/* These stand before libc's for libsqlite3 too: the executable's symbols come first. */
int
fdatasync(int fd)
{
	if (failing_syncs) {
		errno = EIO;
		return -1;
	}
	return (int)syscall(SYS_fdatasync, fd);
}

int
fsync(int fd)
{
	return fdatasync(fd);
}

/* threats D3: after a failed sync nothing is written until the file was opened and checked again. */
static void
failed_sync_latches_until_reopened_d3(void **state)
{
	struct db_fixture *fixture = *state;
	(void)db_fixture_create(fixture, "before", 1);

	failing_syncs = true;
	assert_false(db_set_time_mark(fixture->db, 8000, &fixture->err));
	failing_syncs = false;

	assert_int_equal(fixture->err.code, ERR_OUTCOME_UNKNOWN);
	assert_true(db_read_only(fixture->db));
	assert_false(db_set_time_mark(fixture->db, 9000, &fixture->err));
	assert_int_equal(fixture->err.code, ERR_STORAGE);
	assert_true(db_reopen(fixture->db, &fixture->err));
	int64_t mark = db_time_mark(fixture->db);
	assert_true(mark == 0 || mark == 8000);
	assert_true(db_set_time_mark(fixture->db, 9000, &fixture->err));
	struct db_key_item item;
	assert_true(db_key_find(
		fixture->db, fixture->vault, "before", fixture->arena, &item, &fixture->err));
}

/* threats D3, by latch: what a failed sync sets. */
static void
latched_refuses_changes_until_reopened_d3(void **state)
{
	struct db_fixture *fixture = *state;
	(void)db_fixture_create(fixture, "before", 1);
	db_latch(fixture->db);
	assert_true(db_read_only(fixture->db));

	assert_false(db_set_time_mark(fixture->db, 9000, &fixture->err));
	assert_int_equal(fixture->err.code, ERR_STORAGE);
	struct db_key_item item;
	assert_true(db_key_find(
		fixture->db, fixture->vault, "before", fixture->arena, &item, &fixture->err));

	assert_true(db_reopen(fixture->db, &fixture->err));
	assert_false(db_read_only(fixture->db));
	assert_true(db_set_time_mark(fixture->db, 9000, &fixture->err));
	struct db *second = db_fixture_open(fixture);
	assert_null(second); /* the lock was held throughout */
}

static int64_t
intents(struct db_fixture *fixture)
{
	struct db_counts counts;
	assert_true(db_counts(fixture->db, &counts, &fixture->err));
	return counts.intents;
}

/* threats D8: what an old copy must not destroy by its own word; its number goes beyond what was seen. */
static void
held_refuses_changes_until_accepted_d8(void **state)
{
	struct db_fixture *fixture = *state;
	struct db_key_item item = db_fixture_create(fixture, "gone", 1);
	assert_true(db_key_delete(fixture->db, item.key.id, 1000, &item.key, &fixture->err));
	struct db_version version = db_fixture_version(2);
	int64_t intent;
	assert_true(db_create_begin(fixture->db, fixture->vault, "unfinished", version.id, 1000, "",
		&intent, &fixture->err));
	uint64_t generation = db_generation(fixture->db);
	db_hold(fixture->db);

	assert_false(db_set_time_mark(fixture->db, 9000, &fixture->err));
	assert_int_equal(fixture->err.code, ERR_CATALOG_ROLLED_BACK);
	assert_false(db_read_only(fixture->db));
	assert_true(db_reopen(fixture->db, &fixture->err));
	assert_true(db_held(fixture->db));
	assert_int_equal(db_generation(fixture->db), generation);

	assert_true(db_accept(fixture->db, generation + 70, 500000, &fixture->err));
	assert_false(db_held(fixture->db));
	assert_int_equal(db_generation(fixture->db), generation + 71);
	assert_int_equal(intents(fixture), 0);
	assert_true(db_key_find_deleted(
		fixture->db, fixture->vault, "gone", fixture->arena, &item, &fixture->err));
	assert_int_equal(item.key.scheduled_purge, 500000 + 7 * 86400);
	assert_true(db_set_time_mark(fixture->db, 9000, &fixture->err));
	db_fixture_restart(fixture);
	assert_int_equal(db_generation(fixture->db), generation + 72);
}

static void
accepting_that_fails_leaves_it_held_d8(void **state)
{
	struct db_fixture *fixture = *state;
	uint64_t generation = db_generation(fixture->db);
	db_hold(fixture->db);
	failing_syncs = true;
	assert_false(db_accept(fixture->db, generation + 70, 500000, &fixture->err));
	failing_syncs = false;
	assert_true(db_held(fixture->db));
	assert_int_equal(db_generation(fixture->db), generation);
}

/* A disk that confirmed a change and has it no more. */
static void
reopen_without_confirmed_changes_is_integrity_d3(void **state)
{
	struct db_fixture *fixture = *state;
	assert_reopens(fixture); /* a clean end leaves no WAL */
	CLEAN(buf)
	struct buf before;
	buf_init(&before, 1 << 20);
	assert_true(file_read(fixture->path, &before, ERR_STORAGE, &fixture->err));
	(void)db_fixture_create(fixture, "lost", 1);
	static const char *const suffixes[] = {"-wal", "-shm"};
	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
		char name[100];
		(void)snprintf(name, sizeof name, "%s%s", fixture->path, suffixes[i]);
		assert_int_equal(unlink(name), 0);
	}
	int fd = open(fixture->path, O_WRONLY);
	assert_int_equal(pwrite(fd, before.data, before.len, 0), before.len);
	assert_int_equal(close(fd), 0);
	db_latch(fixture->db);

	assert_false(db_reopen(fixture->db, &fixture->err));

	assert_int_equal(fixture->err.code, ERR_CATALOG_INTEGRITY);
	assert_true(db_read_only(fixture->db));
}

static void
reopen_of_damaged_file_stays_closed_d3(void **state)
{
	struct db_fixture *fixture = *state;
	assert_reopens(fixture); /* a clean end leaves no WAL to read pages from */
	db_latch(fixture->db);
	int fd = open(fixture->path, O_RDWR);
	uint8_t saved[4096], noise[4096];
	assert_int_equal(pread(fd, saved, sizeof saved, 0), sizeof saved);
	memset(noise, 0x5a, sizeof noise);
	assert_int_equal(pwrite(fd, noise, sizeof noise, 0), sizeof noise);
	assert_false(db_reopen(fixture->db, &fixture->err));
	struct db_counts counts;
	assert_false(db_counts(fixture->db, &counts, &fixture->err));
	assert_int_equal(fixture->err.code, ERR_STORAGE);
	assert_false(db_set_time_mark(fixture->db, 9000, &fixture->err));

	assert_int_equal(pwrite(fd, saved, sizeof saved, 0), sizeof saved);
	assert_int_equal(close(fd), 0);
	assert_true(db_reopen(fixture->db, &fixture->err));
	assert_true(db_counts(fixture->db, &counts, &fixture->err));
	assert_int_equal(counts.vaults, 1);
}

int
main(void)
{
#define TEST(function)                                                                             \
	cmocka_unit_test_setup_teardown(function, db_fixture_setup, db_fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(open_again_keeps_everything),
		TEST(time_mark_lower_is_ignored),
		TEST(open_twice_is_refused_d11),
		TEST(open_with_loose_mode_is_refused_d18),
		TEST(open_hard_or_symbolic_link_is_refused_d18),
		TEST(open_on_network_filesystem_is_refused_d21),
		TEST(open_newer_schema_is_refused_d17),
		TEST(open_foreign_database_is_refused_untouched),
		TEST(open_dangling_row_is_integrity_d6),
		TEST(open_text_file_is_integrity),
		TEST(flipped_bytes_never_crash_d6),
		TEST(disk_full_refuses_changes_and_heals_d1),
		TEST(reserve_is_given_and_made_again_d1),
		TEST(failed_sync_latches_until_reopened_d3),
		TEST(latched_refuses_changes_until_reopened_d3),
		TEST(held_refuses_changes_until_accepted_d8),
		TEST(accepting_that_fails_leaves_it_held_d8),
		TEST(reopen_without_confirmed_changes_is_integrity_d3),
		TEST(reopen_of_damaged_file_stays_closed_d3),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
