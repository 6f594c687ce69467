/* The audit file: chain, durability, failing storage, damage. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "service/audit.h"
#include "service/audit_line.h"
#include "json/json.h"

struct fixture {
	char directory[64];
	char path[96], copy[96];
	struct audit *audit;
	struct err err;
};

static int syncs;
static bool failing_syncs;

int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);

int
__wrap_fdatasync(int fd)
{
	syncs++;
	if (failing_syncs) {
		errno = EIO;
		return -1;
	}
	return __real_fdatasync(fd);
}

static const struct audit_record unwrap = {.request = "11111111-1111-4111-8111-111111111111",
	.uid = 1000,
	.gid = 100,
	.user = "alice",
	.pid = 4242,
	.pid_start = 99,
	.application = "6f9619ff-8b86-d011-b42d-00cf4fc964ff",
	.operation = "key.unwrap",
	.vault = "contoso",
	.key = "k1",
	.version = "0123456789abcdef0123456789abcdef",
	.status = 200,
	.catalog = 7};

#define assert_fails(call, wanted)                                                                 \
	do {                                                                                       \
		assert_false(call);                                                                \
		assert_string_equal(err_name(fixture->err.code), err_name(wanted));                \
	} while (0)

static void
must(struct fixture *fixture, bool done)
{
	if (!done)
		fail_msg("%s (%s)", fixture->err.message, fixture->err.origin);
}

static int
setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof *fixture);
	assert_non_null(fixture);
	log_set_level(LOG_LEVEL_ERROR);
	(void)snprintf(
		fixture->directory, sizeof fixture->directory, "%s", "/tmp/test-audit.XXXXXX");
	assert_non_null(mkdtemp(fixture->directory));
	(void)snprintf(fixture->path, sizeof fixture->path, "%s/audit.jsonl", fixture->directory);
	(void)snprintf(fixture->copy, sizeof fixture->copy, "%s/copy", fixture->directory);
	fixture->audit = audit_open(fixture->path, "custodyd", &fixture->err);
	must(fixture, fixture->audit != NULL);
	*state = fixture;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *fixture = *state;
	failing_syncs = false;
	clock_override(NULL, NULL);
	audit_close(fixture->audit);
	(void)unlink(fixture->path);
	(void)unlink(fixture->copy);
	int removed = rmdir(fixture->directory);
	free(fixture);
	return removed;
}

static void
append(struct fixture *fixture, size_t count)
{
	for (size_t i = 0; i < count; i++)
		must(fixture, audit_append(fixture->audit, &unwrap, false, &fixture->err));
}

static bool
reopen(struct fixture *fixture)
{
	audit_close(fixture->audit);
	fixture->audit = audit_open(fixture->path, "custodyd", &fixture->err);
	return fixture->audit != NULL;
}

static void
read_whole(struct fixture *fixture, const char *path, struct buf *buf)
{
	buf_init(buf, 1 << 24);
	must(fixture, file_read(path, buf, ERR_STORAGE, &fixture->err));
}

static void
line_is_json_with_all_members(void **state)
{
	struct fixture *fixture = *state;
	struct audit_record record = unwrap;
	record.code = ERR_KEY_DISABLED;
	record.status = 403;
	record.detail = "two\nlines \033[31m \" \\ \xff";
	must(fixture, audit_append(fixture->audit, &record, false, &fixture->err));

	CLEAN(buf)
	struct buf text;
	read_whole(fixture, fixture->path, &text);
	assert_int_equal(text.data[text.len - 1], '\n');
	assert_null(memchr(text.data, '\n', text.len - 1));
	struct json_value *line = json_parse(text.data, text.len - 1, text.len, &fixture->err);
	must(fixture, line != NULL);
	int64_t number;
	assert_true(json_int(json_member(line, "seq"), &number));
	assert_int_equal(number, 1);
	assert_true(json_int(json_member(line, "uid"), &number));
	assert_int_equal(number, 1000);
	assert_true(json_int(json_member(line, "catalog"), &number));
	assert_int_equal(number, 7);
	assert_string_equal(json_text(json_member(line, "request")), record.request);
	assert_string_equal(json_text(json_member(line, "user")), "alice");
	assert_string_equal(json_text(json_member(line, "application")), record.application);
	assert_string_equal(json_text(json_member(line, "operation")), "key.unwrap");
	assert_string_equal(json_text(json_member(line, "version")), record.version);
	assert_string_equal(json_text(json_member(line, "outcome")), "denied");
	assert_string_equal(json_text(json_member(line, "code")), "KeyDisabled");
	assert_memory_equal(json_text(json_member(line, "detail")),
		"two\nlines \033[31m \" \\ \xef\xbf\xbd", 24);
	json_free(line);
}

static void
longest_record_fits_and_is_cut(void **state)
{
	struct fixture *fixture = *state;
	char text[3000];
	memset(text, '\001', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	struct audit_record record = {.request = text,
		.user = text,
		.application = text,
		.operation = text,
		.vault = text,
		.key = text,
		.version = text,
		.detail = text,
		.code = ERR_AUDIT_INTEGRITY,
		.uid = UINT32_MAX,
		.gid = UINT32_MAX,
		.pid_start = INT64_MAX,
		.catalog = INT32_MAX};

	must(fixture, audit_append(fixture->audit, &record, false, &fixture->err));

	assert_true(audit_head(fixture->audit).offset <= AUDIT_LINE_MAX);
	struct audit_head head;
	must(fixture, audit_verify(fixture->path, &head, &fixture->err));
	must(fixture, reopen(fixture));
}

static void
chain_goes_on_over_restarts(void **state)
{
	struct fixture *fixture = *state;
	append(fixture, 3);
	struct audit_head before = audit_head(fixture->audit);

	must(fixture, reopen(fixture));

	struct audit_head after = audit_head(fixture->audit), verified;
	assert_memory_equal(&after, &before, sizeof after);
	append(fixture, 2);
	must(fixture, audit_verify(fixture->path, &verified, &fixture->err));
	after = audit_head(fixture->audit);
	assert_memory_equal(&after, &verified, sizeof after);
	assert_int_equal(verified.records, 5);
	assert_int_equal(verified.catalog, 7);
}

static int64_t fake_us;

static int64_t
fake_clock(void)
{
	return fake_us;
}

/* threats D15 */
static void
times_never_decrease_d15(void **state)
{
	struct fixture *fixture = *state;
	fake_us = INT64_C(1700000000123456);
	clock_override(fake_clock, fake_clock);
	append(fixture, 1);
	fake_us -= INT64_C(86400000000);
	append(fixture, 1);
	must(fixture, reopen(fixture));
	append(fixture, 1);

	CLEAN(buf)
	struct buf text;
	read_whole(fixture, fixture->path, &text);
	int found = 0;
	for (const char *at = buf_peek(&text); (at = strstr(at, "2023-11-14T22:13:20.123456Z"));
		at++)
		found++;
	assert_int_equal(found, 3);
}

static void
durable_syncs_before_it_returns_and_reads_in_groups(void **state)
{
	struct fixture *fixture = *state;
	syncs = 0;
	append(fixture, 10);
	assert_int_equal(syncs, 0);
	must(fixture, audit_append(fixture->audit, &unwrap, true, &fixture->err));
	assert_int_equal(syncs, 1);
	must(fixture, audit_sync(fixture->audit, &fixture->err));
	assert_int_equal(syncs, 1); /* nothing new */
	append(fixture, 10);
	must(fixture, audit_sync(fixture->audit, &fixture->err));
	assert_int_equal(syncs, 2);
}

/* threats D2, D1 */
static void
full_disk_fails_closed_and_heals_d2(void **state)
{
	struct fixture *fixture = *state;
	append(fixture, 3);
	struct audit_head before = audit_head(fixture->audit);
	struct rlimit old, tight;
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	tight = old;
	tight.rlim_cur = before.offset + 100; /* part of a line fits */
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);

	bool appended = audit_append(fixture->audit, &unwrap, false, &fixture->err);
	bool again = audit_append(fixture->audit, &unwrap, false, &fixture->err);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);

	assert_false(appended);
	assert_false(again);
	assert_false(audit_failed(fixture->audit));
	struct audit_head after = audit_head(fixture->audit), verified;
	assert_memory_equal(&after, &before, sizeof after);
	append(fixture, 1);
	must(fixture, audit_verify(fixture->path, &verified, &fixture->err));
	assert_int_equal(verified.records, 4);
}

/* threats D3 */
static void
failed_sync_latches_until_reopened_d3(void **state)
{
	struct fixture *fixture = *state;
	must(fixture, audit_append(fixture->audit, &unwrap, true, &fixture->err));
	failing_syncs = true;
	assert_fails(audit_append(fixture->audit, &unwrap, true, &fixture->err), ERR_STORAGE);
	failing_syncs = false;

	assert_true(audit_failed(fixture->audit));
	assert_fails(audit_append(fixture->audit, &unwrap, false, &fixture->err), ERR_STORAGE);
	assert_fails(audit_sync(fixture->audit, &fixture->err), ERR_STORAGE);
	must(fixture, audit_reopen(fixture->audit, &fixture->err));
	assert_false(audit_failed(fixture->audit));
	append(fixture, 1);
	struct audit_head verified;
	must(fixture, audit_verify(fixture->path, &verified, &fixture->err));
}

static void
reopen_tells_of_lost_reads_and_refuses_lost_syncs_d3(void **state)
{
	struct fixture *fixture = *state;
	must(fixture, audit_append(fixture->audit, &unwrap, true, &fixture->err));
	struct audit_head synced = audit_head(fixture->audit);
	append(fixture, 3);
	failing_syncs = true;
	assert_fails(audit_sync(fixture->audit, &fixture->err), ERR_STORAGE);
	failing_syncs = false;
	assert_int_equal(truncate(fixture->path, (off_t)synced.offset), 0); /* what the disk kept */

	must(fixture, audit_reopen(fixture->audit, &fixture->err));
	CLEAN(buf)
	struct buf text;
	read_whole(fixture, fixture->path, &text);
	assert_non_null(strstr(buf_peek(&text), "3 records of reads lost"));

	failing_syncs = true;
	assert_fails(audit_append(fixture->audit, &unwrap, true, &fixture->err), ERR_STORAGE);
	failing_syncs = false;
	assert_int_equal(truncate(fixture->path, (off_t)synced.offset), 0);
	assert_fails(audit_reopen(fixture->audit, &fixture->err), ERR_AUDIT_INTEGRITY);
	assert_true(audit_failed(fixture->audit));
	assert_fails(audit_append(fixture->audit, &unwrap, false, &fixture->err), ERR_STORAGE);
}

/* threats D4: cut at each octet of the last line */
static void
partial_last_line_is_cut_and_told_d4(void **state)
{
	struct fixture *fixture = *state;
	append(fixture, 2);
	uint64_t first = audit_head(fixture->audit).offset / 2;
	CLEAN(buf)
	struct buf whole;
	read_whole(fixture, fixture->path, &whole);
	for (size_t len = first + 1; len < whole.len; len += 37) {
		audit_close(fixture->audit);
		must(fixture,
			file_write_atomic(fixture->path, whole.data, len, 0600, &fixture->err));
		fixture->audit = audit_open(fixture->path, "custodyd", &fixture->err);
		must(fixture, fixture->audit != NULL);
		assert_int_equal(audit_head(fixture->audit).records, 2);
		CLEAN(buf)
		struct buf text;
		read_whole(fixture, fixture->path, &text);
		assert_non_null(strstr(buf_peek(&text), "audit.cut"));
		struct audit_head verified;
		must(fixture, audit_verify(fixture->path, &verified, &fixture->err));
	}
}

static void
hole_at_the_end_is_cut_and_kept_d4(void **state)
{
	struct fixture *fixture = *state;
	append(fixture, 100);
	uint64_t size = audit_head(fixture->audit).offset;
	audit_close(fixture->audit);
	fixture->audit = NULL;
	static const uint8_t hole[4096];
	int fd = open(fixture->path, O_WRONLY);
	assert_int_equal(pwrite(fd, hole, sizeof hole, 8192), sizeof hole);
	assert_int_equal(close(fd), 0);

	fixture->audit = audit_open(fixture->path, "custodyd", &fixture->err);
	must(fixture, fixture->audit != NULL);

	struct audit_head head = audit_head(fixture->audit);
	assert_true(head.records > 10 && head.records < 25);
	CLEAN(buf)
	struct buf text, kept;
	read_whole(fixture, fixture->path, &text);
	const char *at = strstr(buf_peek(&text), "audit.cut");
	assert_non_null(at);
	char name[128];
	const uint8_t *last = memrchr(text.data, '\n', text.len - 1);
	size_t cut = (size_t)(last + 1 - text.data);
	(void)snprintf(name, sizeof name, "%s.cut-%zu", fixture->path, cut);
	read_whole(fixture, name, &kept);
	assert_int_equal(kept.len, size - cut);
	assert_int_equal(unlink(name), 0);
}

/* threats F10, D4: any changed octet of a written line is found, by verifying and by opening */
static void
changed_octet_is_found(void **state)
{
	struct fixture *fixture = *state;
	append(fixture, 3);
	CLEAN(buf)
	struct buf whole;
	read_whole(fixture, fixture->path, &whole);
	struct audit_head head = {.records = 77};
	for (size_t i = 0; i + 1 < whole.len; i += 5) {
		whole.data[i] ^= 1;
		must(fixture, file_write_atomic(
				      fixture->copy, whole.data, whole.len, 0600, &fixture->err));
		if (audit_verify(fixture->copy, &head, &fixture->err))
			fail_msg("octet %zu", i);
		assert_int_equal(fixture->err.code, ERR_AUDIT_INTEGRITY);
		assert_int_equal(head.records, 77);
		struct audit *opened = audit_open(fixture->copy, "custodyd", &fixture->err);
		assert_null(opened);
		assert_int_equal(fixture->err.code, ERR_AUDIT_INTEGRITY);
		whole.data[i] ^= 1;
	}
}

static void
removed_swapped_or_repeated_line_is_found(void **state)
{
	struct fixture *fixture = *state;
	append(fixture, 3);
	CLEAN(buf)
	struct buf whole;
	read_whole(fixture, fixture->path, &whole);
	size_t len = whole.len / 3;
	static const char *const orders[] = {"02", "12", "021", "102", "0012", "0122"};
	assert_int_equal(whole.len % 3, 0);
	for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
		CLEAN(buf)
		struct buf text;
		buf_init(&text, 1 << 16);
		for (const char *c = orders[i]; *c != '\0'; c++)
			assert_true(buf_append(&text, whole.data + (size_t)(*c - '0') * len, len));
		must(fixture,
			file_write_atomic(fixture->copy, text.data, text.len, 0600, &fixture->err));
		struct audit_head head;
		if (audit_verify(fixture->copy, &head, &fixture->err))
			fail_msg("%s", orders[i]);
	}
}

/* A line that continues the chain rightly but goes back in time, or in the catalog's generation. */
static void
line_that_goes_back_is_found(void **state)
{
	struct fixture *fixture = *state;
	append(fixture, 1);
	CLEAN(buf)
	struct buf whole;
	read_whole(fixture, fixture->path, &whole);
	struct audit_line first;
	assert_true(audit_line_read(buf_peek(&whole), whole.len - 1, &first));
	for (int kind = 0; kind < 3; kind++) {
		struct audit_line next = {.seq = 2, .catalog = 7, .time_us = first.time_us};
		memcpy(next.prev, first.hash, sizeof next.prev);
		next.time_us -= kind == 1;
		next.catalog -= kind == 2;
		CLEAN(buf)
		struct buf text;
		buf_init(&text, 1 << 16);
		assert_true(buf_append(&text, whole.data, whole.len));
		audit_line_write(&text, &unwrap, &next);
		must(fixture,
			file_write_atomic(fixture->copy, text.data, text.len, 0600, &fixture->err));
		struct audit_head head;
		assert_int_equal(audit_verify(fixture->copy, &head, &fixture->err), kind == 0);
	}
}

/* threats D19 */
static void
truncated_while_running_is_integrity_d19(void **state)
{
	struct fixture *fixture = *state;
	append(fixture, 3);
	assert_int_equal(truncate(fixture->path, 0), 0);

	assert_fails(
		audit_append(fixture->audit, &unwrap, false, &fixture->err), ERR_AUDIT_INTEGRITY);
	assert_true(audit_failed(fixture->audit));
}

static void
rotated_while_running_is_integrity_d19(void **state)
{
	struct fixture *fixture = *state;
	append(fixture, 3);
	assert_int_equal(rename(fixture->path, fixture->copy), 0);
	must(fixture, file_write_atomic(fixture->path, "", 0, 0600, &fixture->err));

	assert_fails(audit_sync(fixture->audit, &fixture->err), ERR_AUDIT_INTEGRITY);
	assert_true(audit_failed(fixture->audit));
	assert_fails(audit_append(fixture->audit, &unwrap, false, &fixture->err), ERR_STORAGE);

	assert_int_equal(rename(fixture->copy, fixture->path), 0); /* a person put it back */
	must(fixture, audit_reopen(fixture->audit, &fixture->err));
	append(fixture, 1);
}

/* threats D19: an octet that was never synced is not lost by accident either, and a copy is not the file */
static void
changed_while_running_stays_closed_d19(void **state)
{
	struct fixture *fixture = *state;
	append(fixture, 3);
	must(fixture, audit_sync(fixture->audit, &fixture->err));
	append(fixture, 1);
	CLEAN(buf)
	struct buf whole;
	buf_init(&whole, 1 << 20);
	must(fixture, file_read(fixture->path, &whole, ERR_STORAGE, &fixture->err));
	const uint8_t *data = buf_bytes(&whole).data;
	assert_int_equal(truncate(fixture->path, (off_t)whole.len - 1), 0);
	assert_fails(audit_sync(fixture->audit, &fixture->err), ERR_AUDIT_INTEGRITY);
	assert_fails(audit_reopen(fixture->audit, &fixture->err), ERR_AUDIT_INTEGRITY);
	must(fixture, file_write_atomic(fixture->path, data, whole.len, 0600, &fixture->err));
	assert_fails(audit_reopen(fixture->audit, &fixture->err), ERR_AUDIT_INTEGRITY);
	assert_fails(audit_reopen(fixture->audit, &fixture->err), ERR_AUDIT_INTEGRITY);
	assert_true(audit_failed(fixture->audit));
}

/* threats D1, D2: what was promised fits, whatever else is written meanwhile */
static void
promised_record_fits_on_a_full_disk_d2(void **state)
{
	struct fixture *fixture = *state;
	must(fixture, audit_promise(fixture->audit, &fixture->err));
	must(fixture, audit_promise(fixture->audit, &fixture->err));
	struct stat before, after;
	assert_int_equal(stat(fixture->path, &before), 0);
	append(fixture, 200);

	assert_int_equal(stat(fixture->path, &after), 0);
	assert_true(before.st_blocks * 512 >= 2 * AUDIT_LINE_MAX);
	assert_true(after.st_blocks * 512 - after.st_size >= 2 * AUDIT_LINE_MAX);
	audit_release(fixture->audit);
	audit_release(fixture->audit);
	must(fixture, reopen(fixture));
	assert_int_equal(stat(fixture->path, &after), 0);
	assert_true(after.st_blocks * 512 - after.st_size < AUDIT_LINE_MAX);
}

static void
removed_while_running_is_integrity_d19(void **state)
{
	struct fixture *fixture = *state;
	append(fixture, 1);
	assert_int_equal(unlink(fixture->path), 0);

	assert_fails(
		audit_append(fixture->audit, &unwrap, false, &fixture->err), ERR_AUDIT_INTEGRITY);
}

/* threats D18 */
static void
loose_mode_or_second_daemon_is_refused_d18(void **state)
{
	struct fixture *fixture = *state;
	struct audit *second = audit_open(fixture->path, "custodyd", &fixture->err);
	assert_null(second);
	assert_int_equal(fixture->err.code, ERR_CATALOG_LOCKED);
	assert_int_equal(chmod(fixture->path, 0644), 0);
	assert_false(reopen(fixture));
	assert_int_equal(fixture->err.code, ERR_CONFIG);
	assert_int_equal(chmod(fixture->path, 0600), 0);
	must(fixture, reopen(fixture));
}

static void
note_entry(void *ctx, const struct audit_entry *entry)
{
	char *seen = ctx;
	size_t len = strlen(seen);
	(void)snprintf(seen + len, 512 - len, "%llu/%llu %s %s %s %s %s;",
		(unsigned long long)entry->seq, (unsigned long long)entry->catalog,
		entry->operation, entry->vault, entry->key, entry->outcome, entry->code);
}

/* threats D8: what an old copy of the catalog lacks is read from the records behind the one that it remembers. */
static void
since_tells_what_came_after_d8(void **state)
{
	struct fixture *fixture = *state;
	const struct audit_record refused = {.operation = "policy.set",
		.vault = "con\"toso",
		.code = ERR_FORBIDDEN,
		.catalog = 9};
	char seen[512] = "";
	bool known = false;
	append(fixture, 2);
	struct audit_head then = audit_head(fixture->audit);
	append(fixture, 1);
	must(fixture, audit_append(fixture->audit, &refused, false, &fixture->err));

	must(fixture, audit_since(fixture->audit, &then, note_entry, seen, &known, &fixture->err));
	assert_true(known);
	assert_string_equal(seen,
		"3/7 key.unwrap contoso k1 done ;4/9 policy.set con\"toso  denied Forbidden;");

	struct audit_head other = then;
	other.hash[0] ^= 1;
	must(fixture, audit_since(fixture->audit, &other, note_entry, seen, &known, &fixture->err));
	assert_false(known);
}

/* threats D8, D16 */
static void
check_finds_rolled_back_catalog_or_audit_d8(void **state)
{
	struct fixture *fixture = *state;
	struct audit_head nothing = {.catalog = 7};
	append(fixture, 2);
	struct audit_head remembered = audit_head(fixture->audit);
	append(fixture, 5);
	must(fixture, audit_check(fixture->audit, &remembered, &fixture->err));
	must(fixture, audit_check(fixture->audit, &nothing, &fixture->err));
	remembered.catalog = 9; /* changes that no record tells of yet */
	must(fixture, audit_check(fixture->audit, &remembered, &fixture->err));

	remembered.catalog = 6;
	assert_fails(
		audit_check(fixture->audit, &remembered, &fixture->err), ERR_CATALOG_ROLLED_BACK);
	remembered.catalog = 7;
	struct audit_head other = remembered;
	other.hash[0] ^= 1;
	assert_fails(audit_check(fixture->audit, &other, &fixture->err), ERR_AUDIT_INTEGRITY);
	other = remembered;
	other.records++;
	assert_fails(audit_check(fixture->audit, &other, &fixture->err), ERR_AUDIT_INTEGRITY);
	other = remembered;
	other.offset++;
	assert_fails(audit_check(fixture->audit, &other, &fixture->err), ERR_AUDIT_INTEGRITY);
	other.offset += 1 << 20;
	assert_fails(audit_check(fixture->audit, &other, &fixture->err), ERR_AUDIT_INTEGRITY);

	uint64_t kept = remembered.offset / 2;
	audit_close(fixture->audit);
	assert_int_equal(truncate(fixture->path, (off_t)kept), 0);
	fixture->audit = audit_open(fixture->path, "custodyd", &fixture->err);
	must(fixture, fixture->audit != NULL);
	assert_fails(audit_check(fixture->audit, &remembered, &fixture->err), ERR_AUDIT_INTEGRITY);
}

/* A record of a catalog that was put back does not hide it at the next start. */
static void
generation_never_goes_back_d8(void **state)
{
	struct fixture *fixture = *state;
	struct audit_record record = unwrap;
	append(fixture, 1);
	record.catalog = 3;
	must(fixture, audit_append(fixture->audit, &record, false, &fixture->err));
	must(fixture, reopen(fixture));

	assert_int_equal(audit_head(fixture->audit).catalog, 7);
}

/* More than the window that is verified at start. */
static void
large_file_opens_at_its_tail(void **state)
{
	struct fixture *fixture = *state;
	while (audit_head(fixture->audit).offset < AUDIT_TAIL_BYTES + 200000)
		append(fixture, 100);
	struct audit_head before = audit_head(fixture->audit), verified;

	must(fixture, reopen(fixture));

	struct audit_head after = audit_head(fixture->audit);
	assert_memory_equal(&after, &before, sizeof after);
	must(fixture, audit_verify(fixture->path, &verified, &fixture->err));
	assert_memory_equal(&verified, &before, sizeof verified);
}

int
main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(line_is_json_with_all_members),
		TEST(longest_record_fits_and_is_cut),
		TEST(chain_goes_on_over_restarts),
		TEST(times_never_decrease_d15),
		TEST(durable_syncs_before_it_returns_and_reads_in_groups),
		TEST(full_disk_fails_closed_and_heals_d2),
		TEST(failed_sync_latches_until_reopened_d3),
		TEST(reopen_tells_of_lost_reads_and_refuses_lost_syncs_d3),
		TEST(partial_last_line_is_cut_and_told_d4),
		TEST(hole_at_the_end_is_cut_and_kept_d4),
		TEST(changed_octet_is_found),
		TEST(removed_swapped_or_repeated_line_is_found),
		TEST(line_that_goes_back_is_found),
		TEST(truncated_while_running_is_integrity_d19),
		TEST(rotated_while_running_is_integrity_d19),
		TEST(changed_while_running_stays_closed_d19),
		TEST(promised_record_fits_on_a_full_disk_d2),
		TEST(removed_while_running_is_integrity_d19),
		TEST(loose_mode_or_second_daemon_is_refused_d18),
		TEST(since_tells_what_came_after_d8),
		TEST(check_finds_rolled_back_catalog_or_audit_d8),
		TEST(generation_never_goes_back_d8),
		TEST(large_file_opens_at_its_tail),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
