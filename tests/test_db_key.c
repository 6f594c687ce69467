/* Keys and versions: states, finding, paging. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db_fixture.h"

#define DAY 86400

#define assert_fails(call, wanted)                                                                 \
	do {                                                                                       \
		assert_false(call);                                                                \
		assert_string_equal(err_name(fixture->err.code), err_name(wanted));                \
	} while (0)

static void
find_is_blind_to_case_and_keeps_spelling(void **state)
{
	struct db_fixture *fixture = *state;
	(void)db_fixture_create(fixture, "My-Key", 1);
	struct db_key_item item;

	assert_true(db_key_find(
		fixture->db, fixture->vault, "mY-kEY", fixture->arena, &item, &fixture->err));

	assert_string_equal(item.key.name, "My-Key");
	assert_int_equal(item.key.versions, 1);
	assert_int_equal(item.newest.sequence, 1);
	struct db_version wanted = db_fixture_version(1);
	assert_memory_equal(item.newest.id, wanted.id, sizeof wanted.id);
	assert_int_equal(item.newest.spki.len, wanted.spki.len);
	assert_memory_equal(item.newest.spki.data, wanted.spki.data, wanted.spki.len);
	assert_int_equal(item.newest.nbf, DB_NO_TIME);
	assert_int_equal(item.newest.ops, 0x3f);
	assert_string_equal(item.newest.tags, "{}");
	struct db_vault vault;
	assert_true(db_vault_find(fixture->db, "CONTOSO", fixture->arena, &vault, &fixture->err));
	assert_int_equal(vault.live_keys, 1);
}

static void
second_create_makes_the_newest_version(void **state)
{
	struct db_fixture *fixture = *state;
	(void)db_fixture_create(fixture, "key", 1);

	struct db_key_item second = db_fixture_create(fixture, "KEY", 2);

	assert_string_equal(second.key.name, "key");
	assert_int_equal(second.key.versions, 2);
	struct db_key key;
	struct db_version version;
	assert_true(db_version_find(fixture->db, fixture->vault, "key", NULL, fixture->arena, &key,
		&version, &fixture->err));
	assert_int_equal(version.sequence, 2);
	struct db_version first = db_fixture_version(1);
	assert_true(db_version_find(fixture->db, fixture->vault, "key", first.id, fixture->arena,
		&key, &version, &fixture->err));
	assert_int_equal(version.sequence, 1);
}

static void
version_of_another_key_or_vault_is_not_found(void **state)
{
	struct db_fixture *fixture = *state;
	(void)db_fixture_create(fixture, "one", 1);
	(void)db_fixture_create(fixture, "two", 2);
	int64_t other = db_fixture_vault(fixture, "other", "east", false);
	struct db_version first = db_fixture_version(1);
	struct db_key key = {.id = -5};
	struct db_version version;

	assert_fails(db_version_find(fixture->db, fixture->vault, "two", first.id, fixture->arena,
			     &key, &version, &fixture->err),
		ERR_KEY_NOT_FOUND);
	assert_fails(db_version_find(fixture->db, other, "one", first.id, fixture->arena, &key,
			     &version, &fixture->err),
		ERR_KEY_NOT_FOUND);
	assert_int_equal(key.id, -5);
}

static void
delete_recover_round_trip(void **state)
{
	struct db_fixture *fixture = *state;
	struct db_key_item item = db_fixture_create(fixture, "key", 1);
	struct db_key key;

	assert_true(db_key_delete(fixture->db, item.key.id, 5000, &key, &fixture->err));
	assert_int_equal(key.state, DB_KEY_DELETED);
	assert_int_equal(key.scheduled_purge, 5000 + 7 * DAY);
	assert_fails(db_key_delete(fixture->db, item.key.id, 6000, &key, &fixture->err),
		ERR_KEY_DELETED);
	assert_fails(db_key_find(fixture->db, fixture->vault, "key", fixture->arena, &item,
			     &fixture->err),
		ERR_KEY_DELETED);
	struct db_version version = db_fixture_version(1);
	assert_fails(db_version_find(fixture->db, fixture->vault, "key", version.id, fixture->arena,
			     &key, &version, &fixture->err),
		ERR_KEY_DELETED);
	assert_true(db_key_find_deleted(
		fixture->db, fixture->vault, "KEY", fixture->arena, &item, &fixture->err));

	assert_true(db_key_recover(fixture->db, item.key.id, &fixture->err));
	assert_fails(db_key_recover(fixture->db, item.key.id, &fixture->err), ERR_KEY_NOT_FOUND);
	assert_fails(db_key_find_deleted(fixture->db, fixture->vault, "key", fixture->arena, &item,
			     &fixture->err),
		ERR_KEY_NOT_FOUND);
	assert_true(db_key_find(
		fixture->db, fixture->vault, "key", fixture->arena, &item, &fixture->err));
	assert_int_equal(item.key.deleted_at, 0);
}

static void
update_changes_what_it_names_only(void **state)
{
	struct db_fixture *fixture = *state;
	(void)db_fixture_create(fixture, "key", 1);
	struct db_version version = db_fixture_version(1);
	struct db_key key;
	struct db_version_change change = {
		.has_exp = true, .exp = 9000, .tags = "{\"a\":\"b\"}", .updated = 2000};
	assert_true(db_version_update(fixture->db, version.id, &change, &fixture->err));
	change = (struct db_version_change){.has_enabled = true,
		.has_ops = true,
		.ops = 0x21,
		.has_nbf = true,
		.nbf = 100,
		.updated = 3000};
	assert_true(db_version_update(fixture->db, version.id, &change, &fixture->err));

	assert_true(db_version_find(fixture->db, fixture->vault, "key", NULL, fixture->arena, &key,
		&version, &fixture->err));
	assert_false(version.enabled);
	assert_int_equal(version.exp, 9000);
	assert_int_equal(version.nbf, 100);
	assert_int_equal(version.ops, 0x21);
	assert_int_equal(version.ops_born, 0x3f);
	assert_string_equal(version.tags, "{\"a\":\"b\"}");
	assert_int_equal(version.updated, 3000);
	assert_int_equal(version.created, 1000);

	change = (struct db_version_change){
		.has_exp = true, .exp = DB_NO_TIME, .has_ops = true, .ops = 0x3f, .updated = 4000};
	assert_true(db_version_update(fixture->db, version.id, &change, &fixture->err));
	assert_true(db_version_find(fixture->db, fixture->vault, "key", NULL, fixture->arena, &key,
		&version, &fixture->err));
	assert_int_equal(version.exp, DB_NO_TIME);
	assert_int_equal(version.ops, 0x3f);
}

static void
update_wrong_is_refused_and_changes_nothing(void **state)
{
	struct db_fixture *fixture = *state;
	(void)db_fixture_create(fixture, "key", 1);
	struct db_version version = db_fixture_version(1);
	uint64_t generation = db_generation(fixture->db);
	struct db_version_change wider = {.has_ops = true, .ops = 0x7f, .updated = 2000};
	struct db_version_change inverted = {
		.has_nbf = true, .nbf = 20, .has_exp = true, .exp = 10, .updated = 2000};
	uint8_t unknown[ID_VERSION_BYTES] = {9};

	assert_fails(db_version_update(fixture->db, version.id, &wider, &fixture->err),
		ERR_BAD_PARAMETER);
	assert_fails(db_version_update(fixture->db, version.id, &inverted, &fixture->err),
		ERR_BAD_PARAMETER);
	assert_fails(
		db_version_update(fixture->db, unknown, &wider, &fixture->err), ERR_KEY_NOT_FOUND);
	assert_fails(db_version_set_state(fixture->db, unknown, DB_VERSION_MISSING, &fixture->err),
		ERR_KEY_NOT_FOUND);
	assert_int_equal(db_generation(fixture->db), generation);
}

static void
state_and_attestation_are_stored(void **state)
{
	struct db_fixture *fixture = *state;
	(void)db_fixture_create(fixture, "key", 1);
	struct db_version version = db_fixture_version(1);
	struct bytes proof = bytes_of_text("signed by the token");
	struct db_key key;

	assert_true(
		db_version_set_state(fixture->db, version.id, DB_VERSION_MISSING, &fixture->err));
	assert_true(db_version_set_attestation(fixture->db, version.id, proof, &fixture->err));

	assert_true(db_version_find_by_id(
		fixture->db, version.id, fixture->arena, &key, &version, &fixture->err));
	assert_int_equal(version.state, DB_VERSION_MISSING);
	assert_true(bytes_equal(version.attestation, proof));
}

static void
due_are_deleted_keys_in_order(void **state)
{
	struct db_fixture *fixture = *state;
	struct db_key key, *due;
	size_t count;
	static const char *const names[] = {"a", "b", "c", "d"};
	for (uint32_t i = 0; i < ARRAY_LEN(names); i++) {
		struct db_key_item item = db_fixture_create(fixture, names[i], i);
		if (i != 1)
			assert_true(db_key_delete(fixture->db, item.key.id,
				10000 - 1000 * (int64_t)i, &key, &fixture->err));
	}

	assert_true(db_key_list_due(
		fixture->db, 8000 + 7 * DAY, 10, fixture->arena, &due, &count, &fixture->err));

	assert_int_equal(count, 2);
	assert_string_equal(due[0].name, "d");
	assert_string_equal(due[1].name, "c");
}

static void
token_list_pages_by_id(void **state)
{
	struct db_fixture *fixture = *state;
	int64_t west = fixture->vault;
	for (uint32_t i = 0; i < 7; i++)
		(void)db_fixture_create(fixture, "west-key", i);
	fixture->vault = db_fixture_vault(fixture, "other", "east", false);
	(void)db_fixture_create(fixture, "east-key", 100);
	fixture->vault = west;
	uint8_t after[ID_VERSION_BYTES];
	struct db_version *versions;
	size_t count, total = 0;
	const uint8_t *position = NULL;
	do {
		assert_true(db_version_list_token(fixture->db, "west", position, 3, fixture->arena,
			&versions, &count, &fixture->err));
		for (size_t i = 0; i < count; i++) {
			if (position != NULL)
				assert_true(memcmp(versions[i].id, after, sizeof after) > 0);
			memcpy(after, versions[i].id, sizeof after);
			position = after;
		}
		total += count;
	} while (count == 3);

	assert_int_equal(total, 7);
}

/*
 * Property: while keys come and go between pages, every key that is there from first to last page is listed exactly
 * once, in order, and none twice.
 */
#define POOL 120

/* Below `bound`, the same in every run. */
static size_t
pick(size_t bound)
{
	static uint32_t state = 42;
	state = state * 1664525 + 1013904223; /* Numerical Recipes' generator */
	return (state >> 8) % bound;
}

static void
page_while_changing(struct db_fixture *fixture, bool present[POOL], uint32_t *seed)
{
	int seen[POOL] = {0};
	bool steady[POOL];
	memcpy(steady, present, sizeof steady);
	char after[ID_KEY_NAME_MAX + 1] = "";
	for (bool more = true; more;) {
		struct db_key_item *items;
		size_t count;
		size_t limit = 1 + pick(25);
		CLEAN(arena)
		struct arena *arena = arena_new();
		assert_true(db_key_list(fixture->db, fixture->vault, after, limit, arena, &items,
			&count, &more, &fixture->err));
		assert_true(count == limit || !more);
		for (size_t i = 0; i < count; i++) {
			int number = (int)strtoul(items[i].key.name + 3, NULL, 10);
			assert_int_equal(seen[number]++, 0);
			(void)snprintf(after, sizeof after, "%s", items[i].key.name);
		}
		int change = (int)pick(POOL);
		char name[16];
		(void)snprintf(
			name, sizeof name, "%s%03d", change % 2 == 0 ? "Key" : "key", change);
		struct db_key_item item;
		struct db_key key;
		steady[change] = false;
		if (present[change]) {
			assert_true(db_key_find(
				fixture->db, fixture->vault, name, arena, &item, &fixture->err));
			assert_true(
				db_key_delete(fixture->db, item.key.id, 1, &key, &fixture->err));
		} else if (db_key_find_deleted(fixture->db, fixture->vault, name, arena, &item,
				   &fixture->err)) {
			assert_true(db_key_recover(fixture->db, item.key.id, &fixture->err));
		} else {
			(void)db_fixture_create(fixture, name, (*seed)++);
		}
		present[change] = !present[change];
	}
	for (int i = 0; i < POOL; i++)
		if (steady[i])
			assert_int_equal(seen[i], 1);
}

static void
lists_never_skip_or_repeat(void **state)
{
	struct db_fixture *fixture = *state;
	bool present[POOL] = {false};
	uint32_t seed = 1;
	for (int i = 0; i < POOL; i += 2) {
		char name[16];
		(void)snprintf(name, sizeof name, "%s%03d", i % 4 == 0 ? "Key" : "key", i);
		(void)db_fixture_create(fixture, name, seed++);
		present[i] = true;
	}

	for (int round = 0; round < 20; round++)
		page_while_changing(fixture, present, &seed);
}

static void
lists_page_exactly_at_limits(void **state)
{
	struct db_fixture *fixture = *state;
	for (uint32_t i = 0; i < 5; i++) {
		char name[8];
		(void)snprintf(name, sizeof name, "k%u", i);
		(void)db_fixture_create(fixture, name, i);
	}
	struct db_key_item *items;
	size_t count;
	bool more;
	assert_true(db_key_list(fixture->db, fixture->vault, "", 5, fixture->arena, &items, &count,
		&more, &fixture->err));
	assert_int_equal(count, 5);
	assert_false(more);
	assert_true(db_key_list(fixture->db, fixture->vault, "", 4, fixture->arena, &items, &count,
		&more, &fixture->err));
	assert_int_equal(count, 4);
	assert_true(more);
	assert_true(db_key_list(fixture->db, fixture->vault, "K3", 4, fixture->arena, &items,
		&count, &more, &fixture->err));
	assert_int_equal(count, 1);
	assert_string_equal(items[0].key.name, "k4");
	assert_true(db_key_list(fixture->db, fixture->vault, "k4", 4, fixture->arena, &items,
		&count, &more, &fixture->err));
	assert_int_equal(count, 0);
	assert_false(more);
	assert_true(db_key_list_deleted(fixture->db, fixture->vault, "", 4, fixture->arena, &items,
		&count, &more, &fixture->err));
	assert_int_equal(count, 0);
}

static void
deleted_list_shows_what_is_being_purged(void **state)
{
	struct db_fixture *fixture = *state;
	struct db_key_item item = db_fixture_create(fixture, "key", 1), *items;
	struct db_key key;
	struct db_intent intent;
	size_t count;
	bool more;
	assert_true(db_key_delete(fixture->db, item.key.id, 1000, &key, &fixture->err));
	assert_true(db_key_purge_begin(fixture->db, item.key.id, DB_PURGE_REQUESTED, 1000,
		fixture->arena, &intent, &fixture->err));

	assert_true(db_key_list_deleted(fixture->db, fixture->vault, "", 4, fixture->arena, &items,
		&count, &more, &fixture->err));

	assert_int_equal(count, 1);
	assert_int_equal(items[0].key.state, DB_KEY_PURGING);
}

static void
versions_page_by_sequence(void **state)
{
	struct db_fixture *fixture = *state;
	for (uint32_t i = 0; i < 5; i++)
		(void)db_fixture_create(fixture, "key", i);
	struct db_key key;
	struct db_version *versions;
	size_t count;
	bool more;

	assert_true(db_version_list(fixture->db, fixture->vault, "key", 2, 2, fixture->arena, &key,
		&versions, &count, &more, &fixture->err));

	assert_int_equal(count, 2);
	assert_int_equal(versions[0].sequence, 3);
	assert_int_equal(versions[1].sequence, 4);
	assert_true(more);
	assert_fails(db_version_list(fixture->db, fixture->vault, "none", 0, 2, fixture->arena,
			     &key, &versions, &count, &more, &fixture->err),
		ERR_KEY_NOT_FOUND);
}

int
main(void)
{
#define TEST(function)                                                                             \
	cmocka_unit_test_setup_teardown(function, db_fixture_setup, db_fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(find_is_blind_to_case_and_keeps_spelling),
		TEST(second_create_makes_the_newest_version),
		TEST(version_of_another_key_or_vault_is_not_found),
		TEST(delete_recover_round_trip),
		TEST(update_changes_what_it_names_only),
		TEST(update_wrong_is_refused_and_changes_nothing),
		TEST(state_and_attestation_are_stored),
		TEST(due_are_deleted_keys_in_order),
		TEST(token_list_pages_by_id),
		TEST(lists_never_skip_or_repeat),
		TEST(lists_page_exactly_at_limits),
		TEST(deleted_list_shows_what_is_being_purged),
		TEST(versions_page_by_sequence),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
