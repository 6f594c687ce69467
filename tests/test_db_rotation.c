/* Rotation policies in the catalog. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "db/db_rotation.h"
#include "db_fixture.h"

static const struct db_rotation policy = {
	.expiry = "P90D", .rotate_after = "P30D", .notify_before = "P7D", .updated = 1000};

static void
set_is_found_and_replaced(void **state)
{
	struct db_fixture *fixture = *state;
	struct db_key_item item = db_fixture_create(fixture, "key", 1);
	struct db_rotation found;
	bool there = true;
	assert_true(db_rotation_find(fixture->db, item.key.id, &found, &there, &fixture->err));
	assert_false(there);

	assert_true(db_rotation_set(fixture->db, item.key.id, &policy, &fixture->err));
	assert_true(db_rotation_told(fixture->db, item.key.id, item.newest.id, &fixture->err));
	db_fixture_restart(fixture);
	assert_true(db_rotation_find(fixture->db, item.key.id, &found, &there, &fixture->err));
	assert_true(there);
	assert_string_equal(found.expiry, "P90D");
	assert_string_equal(found.rotate_after, "P30D");
	assert_string_equal(found.rotate_before, "");
	assert_string_equal(found.notify_before, "P7D");
	assert_int_equal(found.created, 1000);
	assert_memory_equal(found.notified, item.newest.id, sizeof found.notified);

	struct db_rotation next = {.rotate_after = "P10D", .updated = 2000};
	assert_true(db_rotation_set(fixture->db, item.key.id, &next, &fixture->err));
	assert_true(db_rotation_find(fixture->db, item.key.id, &found, &there, &fixture->err));
	assert_string_equal(found.expiry, "");
	assert_string_equal(found.rotate_after, "P10D");
	assert_int_equal(found.created, 1000);
	assert_int_equal(found.updated, 2000);
	static const uint8_t nobody[ID_VERSION_BYTES];
	assert_memory_equal(found.notified, nobody, sizeof nobody);
}

static void
list_has_live_keys_with_their_newest_versions(void **state)
{
	struct db_fixture *fixture = *state;
	struct db_key_item one = db_fixture_create(fixture, "one", 1);
	(void)db_fixture_create(fixture, "without", 2);
	struct db_key_item gone = db_fixture_create(fixture, "gone", 3);
	struct db_key_item two = db_fixture_create(fixture, "two", 4);
	struct db_key_item newer = db_fixture_create(fixture, "two", 5);
	struct db_rotation_item *items;
	size_t count;
	assert_true(db_rotation_set(fixture->db, one.key.id, &policy, &fixture->err));
	assert_true(db_rotation_set(fixture->db, gone.key.id, &policy, &fixture->err));
	assert_true(db_rotation_set(fixture->db, two.key.id, &policy, &fixture->err));
	assert_true(db_key_delete(fixture->db, gone.key.id, 5000, &gone.key, &fixture->err));

	assert_true(
		db_rotation_list(fixture->db, 0, 1, fixture->arena, &items, &count, &fixture->err));
	assert_int_equal(count, 1);
	assert_string_equal(items[0].key.key.name, "one");
	assert_true(db_rotation_list(fixture->db, items[0].key.key.id, 10, fixture->arena, &items,
		&count, &fixture->err));
	assert_int_equal(count, 1);
	assert_string_equal(items[0].key.key.name, "two");
	assert_memory_equal(items[0].key.newest.id, newer.newest.id, ID_VERSION_BYTES);
	assert_string_equal(items[0].rotation.rotate_after, "P30D");
}

static void
a_key_that_is_not_there_has_no_policy(void **state)
{
	struct db_fixture *fixture = *state;
	assert_false(db_rotation_set(fixture->db, 99, &policy, &fixture->err));
	assert_false(db_rotation_told(
		fixture->db, 99, (const uint8_t[ID_VERSION_BYTES]){1}, &fixture->err));
}

int
main(void)
{
#define TEST(function)                                                                             \
	cmocka_unit_test_setup_teardown(function, db_fixture_setup, db_fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(set_is_found_and_replaced),
		TEST(list_has_live_keys_with_their_newest_versions),
		TEST(a_key_that_is_not_there_has_no_policy),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
