/* What is refused and what is served while the catalog is an old copy (threats D8, D9). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "custodyd/reconcile.h"
#include "custodyd/rollback.h"
#include "db_fixture.h"

struct fixture {
	struct db_fixture *catalog;
	struct custodyd daemon;
	struct audit_head then; /* when the copy was made */
	struct err err;
};

static const struct err why = {.code = ERR_CATALOG_ROLLED_BACK, .message = "an old copy"};

static int
setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	char path[96];
	void *catalog = NULL;
	if (fixture == NULL || db_fixture_setup(&catalog) != 0)
		return -1;
	fixture->catalog = catalog;
	struct custodyd *daemon = &fixture->daemon;
	(void)snprintf(path, sizeof(path), "%s/audit.jsonl", fixture->catalog->directory);
	daemon->db = fixture->catalog->db;
	daemon->audit = audit_open(path, "custodyd", &fixture->err);
	daemon->calendar = calendar_new(daemon->db, 86400);
	daemon->keys = keystore_new(daemon->db, "vault.test", 4);
	daemon->reconciler = reconciler_new(daemon);
	*state = fixture;
	return daemon->audit == NULL;
}

static int
teardown(void **state)
{
	struct fixture *fixture = *state;
	struct custodyd *daemon = &fixture->daemon;
	rollback_free(daemon->rollback);
	reconciler_free(daemon->reconciler);
	keystore_free(daemon->keys);
	calendar_free(daemon->calendar);
	audit_close(daemon->audit);
	void *catalog = fixture->catalog;
	free(fixture);
	return db_fixture_teardown(&catalog);
}

static void
record(struct fixture *fixture, const char *operation, const char *vault, const char *key,
	enum err_code code, int64_t ahead)
{
	const struct audit_record record = {.operation = operation,
		.vault = vault,
		.key = key,
		.code = code,
		.catalog = db_generation(fixture->daemon.db) + (uint64_t)ahead};
	assert_true(audit_append(fixture->daemon.audit, &record, false, &fixture->err));
}

static void
begin(struct fixture *fixture)
{
	assert_true(rollback_begin(&fixture->daemon, &fixture->then, &why, &fixture->err));
}

static bool
serves(struct fixture *fixture, const char *vault, const char *key)
{
	struct err err = {0};
	bool served = rollback_check(&fixture->daemon, vault, key, &err);
	assert_int_equal(err.code, served ? ERR_NONE : ERR_CATALOG_ROLLED_BACK);
	return served;
}

static void
no_copy_refuses_nothing(void **state)
{
	struct fixture *fixture = *state;
	assert_true(serves(fixture, "contoso", NULL));
	assert_null(rollback_why(&fixture->daemon));
}

static void
missed_change_refuses_what_it_names_d8(void **state)
{
	struct fixture *fixture = *state;
	record(fixture, "key.update", "contoso", "early", ERR_NONE, 0); /* in the copy */
	fixture->then = audit_head(fixture->daemon.audit);
	record(fixture, "key.update", "contoso", "early", ERR_NONE, 0); /* told late, but in it */
	record(fixture, "key.update", "contoso", "Key", ERR_NONE, 1);
	record(fixture, "policy.delete", "other", "", ERR_NONE, 2);
	begin(fixture);

	assert_true(db_held(fixture->daemon.db));
	assert_string_equal(rollback_why(&fixture->daemon), "an old copy");
	assert_false(serves(fixture, "contoso", "key"));
	assert_false(serves(fixture, "CONTOSO", "KEY"));
	assert_false(serves(fixture, "contoso", NULL));
	assert_true(serves(fixture, "contoso", "early"));
	assert_true(serves(fixture, "contoso", ""));
	assert_false(serves(fixture, "other", "early"));
	assert_false(serves(fixture, "other", ""));
	assert_true(serves(fixture, "third", NULL));
}

/* What was refused changed nothing; what failed may have. */
static void
missed_records_count_by_their_outcome_d8(void **state)
{
	static const struct {
		const char *operation;
		enum err_code code;
		bool missed;
	} rows[] = {
		{"key.delete",       ERR_NONE,                true },
		{"key.delete",       ERR_TIMEOUT,             true },
		{"key.delete",       ERR_CATALOG_INTEGRITY,   true },
		{"key.delete",       ERR_FORBIDDEN,           false},
		{"key.delete",       ERR_BAD_PARAMETER,       false},
		{"key.delete",       ERR_CATALOG_ROLLED_BACK, false},
		{"key.unwrap",       ERR_NONE,                false},
		{"key.purge.done",   ERR_NONE,                true },
		{"some.later.thing", ERR_NONE,                true },
	};
	struct fixture *fixture = *state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fixture->then = audit_head(fixture->daemon.audit);
		record(fixture, rows[i].operation, "contoso", "key", rows[i].code, 1);
		begin(fixture);
		if (serves(fixture, "contoso", "key") == rows[i].missed)
			fail_msg("row %zu: %s", i, rows[i].operation);
		assert_true(serves(fixture, "contoso", "another"));
		rollback_free(fixture->daemon.rollback);
		fixture->daemon.rollback = NULL;
	}
}

static void
record_of_an_unknown_kind_refuses_all_d8(void **state)
{
	struct fixture *fixture = *state;
	fixture->then = audit_head(fixture->daemon.audit);
	record(fixture, "clock.confirm", "", "", ERR_NONE, 1);
	record(fixture, "audit.cut", "", "", ERR_NONE, 1);
	begin(fixture);
	assert_true(serves(fixture, "contoso", "key"));
	assert_false(rollback_all(&fixture->daemon));
	rollback_free(fixture->daemon.rollback);
	fixture->daemon.rollback = NULL;

	record(fixture, "some.later.thing", "", "", ERR_NONE, 1);
	begin(fixture);
	assert_false(serves(fixture, "contoso", "key"));
	assert_true(rollback_all(&fixture->daemon));
}

static void
audit_of_another_past_refuses_all_d8(void **state)
{
	struct fixture *fixture = *state;
	record(fixture, "key.get", "contoso", "key", ERR_NONE, 1);
	fixture->then = audit_head(fixture->daemon.audit);
	fixture->then.hash[0] ^= 1;
	begin(fixture);
	assert_false(serves(fixture, "third", ""));
}

static void
found_otherwise_refuses_all_until_accepted_d9(void **state)
{
	struct fixture *fixture = *state;
	const struct err counter = {.code = ERR_CATALOG_ROLLED_BACK, .message = "the counter"};
	rollback_found(&fixture->daemon, &counter);
	rollback_found(&fixture->daemon, &why);
	assert_string_equal(rollback_why(&fixture->daemon), "the counter");
	assert_false(serves(fixture, "third", ""));

	assert_true(rollback_accept(&fixture->daemon, &fixture->err));
	assert_true(serves(fixture, "third", ""));
	assert_null(rollback_why(&fixture->daemon));
}

static void
found_after_the_audit_told_refuses_all_d9(void **state)
{
	struct fixture *fixture = *state;
	fixture->then = audit_head(fixture->daemon.audit);
	record(fixture, "key.delete", "contoso", "key", ERR_NONE, 1);
	begin(fixture);
	assert_true(serves(fixture, "third", ""));
	const struct err counter = {.code = ERR_CATALOG_ROLLED_BACK, .message = "the counter"};
	rollback_found(&fixture->daemon, &counter);
	assert_string_equal(rollback_why(&fixture->daemon), "an old copy");
	assert_false(serves(fixture, "third", ""));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(no_copy_refuses_nothing),
		TEST(missed_change_refuses_what_it_names_d8),
		TEST(missed_records_count_by_their_outcome_d8),
		TEST(record_of_an_unknown_kind_refuses_all_d8),
		TEST(audit_of_another_past_refuses_all_d8),
		TEST(found_otherwise_refuses_all_until_accepted_d9),
		TEST(found_after_the_audit_told_refuses_all_d9),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
