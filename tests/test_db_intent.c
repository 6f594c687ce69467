/* Intents, purging, vaults, policies, tokens, GCM counters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "db/db_gcm.h"
#include "db/db_sql.h"
#include "db_fixture.h"

#define DAY 86400

#define assert_fails(call, wanted)                                                                 \
	do {                                                                                       \
		assert_false(call);                                                                \
		assert_string_equal(err_name(fixture->err.code), err_name(wanted));                \
	} while (0)

static size_t
count_intents(struct db_fixture *fixture, const char *token)
{
	struct db_intent *intents;
	size_t count;
	assert_true(db_intent_list(
		fixture->db, token, fixture->arena, &intents, &count, &fixture->err));
	return count;
}

static void
create_intent_survives_and_is_aborted(void **state)
{
	struct db_fixture *fixture = *state;
	struct db_version version = db_fixture_version(1);
	int64_t intent;
	assert_true(db_create_begin(fixture->db, fixture->vault, "Key", version.id, 1234,
		"rsa 3072", &intent, &fixture->err));

	db_fixture_restart(fixture);

	struct db_intent *intents;
	size_t count;
	assert_int_equal(count_intents(fixture, "east"), 0);
	assert_true(db_intent_list(
		fixture->db, "west", fixture->arena, &intents, &count, &fixture->err));
	assert_int_equal(count, 1);
	assert_int_equal(intents[0].id, intent);
	assert_int_equal(intents[0].kind, DB_INTENT_CREATE);
	assert_string_equal(intents[0].vault_name, "Contoso");
	assert_string_equal(intents[0].key_name, "Key");
	assert_string_equal(intents[0].detail, "rsa 3072");
	assert_int_equal(intents[0].version_count, 1);
	assert_memory_equal(intents[0].versions[0], version.id, sizeof version.id);
	assert_fails(db_vault_delete(fixture->db, fixture->vault, &fixture->err), ERR_NOT_EMPTY);

	assert_true(db_intent_abort(fixture->db, intent, &fixture->err));
	assert_int_equal(count_intents(fixture, NULL), 0);
	struct db_key_item item;
	assert_fails(db_key_find(fixture->db, fixture->vault, "Key", fixture->arena, &item,
			     &fixture->err),
		ERR_KEY_NOT_FOUND);
	assert_true(db_vault_delete(fixture->db, fixture->vault, &fixture->err));
}

static void
create_under_deleted_name_is_conflict(void **state)
{
	struct db_fixture *fixture = *state;
	struct db_key_item item = db_fixture_create(fixture, "key", 1);
	struct db_version version = db_fixture_version(2);
	struct db_key key;
	int64_t intent = -1;
	assert_true(db_key_delete(fixture->db, item.key.id, 1000, &key, &fixture->err));

	assert_fails(db_create_begin(fixture->db, fixture->vault, "KEY", version.id, 1, "", &intent,
			     &fixture->err),
		ERR_DELETED_BUT_RECOVERABLE);

	struct db_intent purge;
	assert_true(db_key_purge_begin(fixture->db, item.key.id, DB_PURGE_REQUESTED, 1000,
		fixture->arena, &purge, &fixture->err));
	assert_fails(db_create_begin(fixture->db, fixture->vault, "KEY", version.id, 1, "", &intent,
			     &fixture->err),
		ERR_BEING_DELETED);
	assert_int_equal(intent, -1);
	assert_fails(
		db_create_begin(fixture->db, 77, "x", version.id, 1, "", &intent, &fixture->err),
		ERR_VAULT_NOT_FOUND);
	assert_fails(db_create_begin(fixture->db, fixture->vault, "a_b", version.id, 1, "", &intent,
			     &fixture->err),
		ERR_BAD_PARAMETER);
}

static void
create_of_a_known_id_is_integrity(void **state)
{
	struct db_fixture *fixture = *state;
	(void)db_fixture_create(fixture, "key", 1);
	struct db_version version = db_fixture_version(1), fresh = db_fixture_version(2);
	int64_t intent;

	assert_fails(db_create_begin(fixture->db, fixture->vault, "other", version.id, 1, "",
			     &intent, &fixture->err),
		ERR_CATALOG_INTEGRITY);
	assert_true(db_create_begin(
		fixture->db, fixture->vault, "other", fresh.id, 1, "", &intent, &fixture->err));
	assert_fails(db_create_begin(fixture->db, fixture->vault, "third", fresh.id, 1, "", &intent,
			     &fixture->err),
		ERR_CATALOG_INTEGRITY);
}

static void
commit_after_the_key_was_deleted_is_conflict(void **state)
{
	struct db_fixture *fixture = *state;
	struct db_key_item item = db_fixture_create(fixture, "key", 1);
	struct db_version version = db_fixture_version(2);
	struct db_key key;
	int64_t intent;
	assert_true(db_create_begin(
		fixture->db, fixture->vault, "key", version.id, 1, "", &intent, &fixture->err));
	assert_true(db_key_delete(fixture->db, item.key.id, 1000, &key, &fixture->err));

	assert_fails(db_create_commit(fixture->db, intent, &version, &item, &fixture->err),
		ERR_DELETED_BUT_RECOVERABLE);

	assert_int_equal(count_intents(fixture, "west"), 1);
	assert_true(db_intent_abort(fixture->db, intent, &fixture->err));
}

static void
commit_of_another_id_or_twice_is_integrity(void **state)
{
	struct db_fixture *fixture = *state;
	struct db_version version = db_fixture_version(1), other = db_fixture_version(2);
	struct db_key_item item;
	int64_t intent;
	assert_true(db_create_begin(
		fixture->db, fixture->vault, "key", version.id, 1, "", &intent, &fixture->err));

	assert_fails(db_create_commit(fixture->db, intent, &other, &item, &fixture->err),
		ERR_CATALOG_INTEGRITY);
	assert_true(db_create_commit(fixture->db, intent, &version, &item, &fixture->err));
	assert_fails(db_create_commit(fixture->db, intent, &version, &item, &fixture->err),
		ERR_CATALOG_INTEGRITY);
}

static void
two_creates_at_once_make_two_versions(void **state)
{
	struct db_fixture *fixture = *state;
	struct db_version first = db_fixture_version(1), second = db_fixture_version(2);
	struct db_key_item item;
	int64_t intents[2];
	assert_true(db_create_begin(
		fixture->db, fixture->vault, "key", first.id, 1, "", &intents[0], &fixture->err));
	assert_true(db_create_begin(
		fixture->db, fixture->vault, "KEY", second.id, 1, "", &intents[1], &fixture->err));

	assert_true(db_create_commit(fixture->db, intents[1], &second, &item, &fixture->err));
	assert_int_equal(item.newest.sequence, 1);
	assert_true(db_create_commit(fixture->db, intents[0], &first, &item, &fixture->err));

	assert_int_equal(item.newest.sequence, 2);
	assert_string_equal(item.key.name, "KEY");
	assert_int_equal(item.key.versions, 2);
}

static void
purge_leaves_tombstones_and_frees_the_name(void **state)
{
	struct db_fixture *fixture = *state;
	(void)db_fixture_create(fixture, "key", 1);
	struct db_key_item item = db_fixture_create(fixture, "key", 2);
	struct db_version version = db_fixture_version(1);
	struct db_intent intent;
	struct db_key key;
	assert_fails(db_key_purge_begin(fixture->db, item.key.id, DB_PURGE_REQUESTED, 1,
			     fixture->arena, &intent, &fixture->err),
		ERR_KEY_NOT_FOUND);
	assert_true(db_key_delete(fixture->db, item.key.id, 1000, &key, &fixture->err));

	assert_true(db_key_purge_begin(fixture->db, item.key.id, DB_PURGE_REQUESTED, 1000,
		fixture->arena, &intent, &fixture->err));
	assert_int_equal(intent.version_count, 2);
	assert_int_equal(intent.key, item.key.id);
	assert_fails(db_key_purge_begin(fixture->db, item.key.id, DB_PURGE_REQUESTED, 1000,
			     fixture->arena, &intent, &fixture->err),
		ERR_BEING_DELETED);
	assert_fails(db_key_recover(fixture->db, item.key.id, &fixture->err), ERR_BEING_DELETED);
	assert_fails(db_intent_abort(fixture->db, intent.id, &fixture->err), ERR_CATALOG_INTEGRITY);
	db_fixture_restart(fixture);
	assert_int_equal(count_intents(fixture, "west"), 1);

	assert_true(db_key_purge_commit(fixture->db, intent.id, 2000, &fixture->err));
	assert_int_equal(count_intents(fixture, NULL), 0);
	assert_fails(db_key_find(fixture->db, fixture->vault, "key", fixture->arena, &item,
			     &fixture->err),
		ERR_KEY_NOT_FOUND);
	(void)db_fixture_create(fixture, "key", 3);
	assert_fails(db_version_find(fixture->db, fixture->vault, "key", version.id, fixture->arena,
			     &key, &version, &fixture->err),
		ERR_KEY_PURGED);
	struct db_tombstone tombstone;
	bool found;
	assert_true(db_tombstone_find(fixture->db, version.id, &tombstone, &found, &fixture->err));
	assert_true(found);
	assert_string_equal(tombstone.key, "key");
	assert_int_equal(tombstone.purged, 2000);
	int64_t number;
	assert_fails(db_create_begin(fixture->db, fixture->vault, "again", version.id, 1, "",
			     &number, &fixture->err),
		ERR_CATALOG_INTEGRITY);
}

static void
purge_protection_holds_until_the_date(void **state)
{
	struct db_fixture *fixture = *state;
	fixture->vault = db_fixture_vault(fixture, "guarded", "west", true);
	struct db_key_item item = db_fixture_create(fixture, "key", 1);
	struct db_intent intent;
	struct db_key key;
	assert_true(db_key_delete(fixture->db, item.key.id, 1000, &key, &fixture->err));
	int64_t due = key.scheduled_purge;

	assert_fails(db_key_purge_begin(fixture->db, key.id, DB_PURGE_REQUESTED, due + 1,
			     fixture->arena, &intent, &fixture->err),
		ERR_PURGE_PROTECTED);
	assert_fails(db_key_purge_begin(fixture->db, key.id, DB_PURGE_SCHEDULED, due - 1,
			     fixture->arena, &intent, &fixture->err),
		ERR_PURGE_PROTECTED);
	assert_true(db_key_purge_begin(fixture->db, key.id, DB_PURGE_SCHEDULED, due, fixture->arena,
		&intent, &fixture->err));
}

static void
vault_counts_follow_every_change(void **state)
{
	struct db_fixture *fixture = *state;
	struct db_key_item one = db_fixture_create(fixture, "one", 1);
	struct db_key_item two = db_fixture_create(fixture, "two", 2);
	(void)db_fixture_create(fixture, "two", 3);
	struct db_intent intent;
	struct db_key key;
	struct db_vault vault;
	struct db_counts counts;
	assert_true(db_key_delete(fixture->db, one.key.id, 1000, &key, &fixture->err));
	assert_true(db_key_delete(fixture->db, two.key.id, 1000, &key, &fixture->err));
	assert_true(db_key_recover(fixture->db, two.key.id, &fixture->err));
	assert_true(db_vault_find(fixture->db, "contoso", fixture->arena, &vault, &fixture->err));
	assert_int_equal(vault.live_keys, 1);
	assert_int_equal(vault.deleted_keys, 1);

	assert_true(db_key_purge_begin(fixture->db, one.key.id, DB_PURGE_REQUESTED, 1000,
		fixture->arena, &intent, &fixture->err));
	assert_true(db_counts(fixture->db, &counts, &fixture->err));
	assert_int_equal(counts.deleted_keys, 1);
	assert_int_equal(counts.intents, 1);
	assert_true(db_key_purge_commit(fixture->db, intent.id, 2000, &fixture->err));
	assert_true(db_counts(fixture->db, &counts, &fixture->err));
	assert_int_equal(counts.keys, 1);
	assert_int_equal(counts.deleted_keys, 0);
	assert_int_equal(counts.versions, 2);
	assert_int_equal(counts.tombstones, 1);
}

/* Rules that stand in the schema hold for any SQL that we might get wrong. */
static void
schema_refuses_what_must_never_be(void **state)
{
	struct db_fixture *fixture = *state;
	struct db_key_item item = db_fixture_create(fixture, "key", 1);
	struct db_key key;
	assert_true(db_key_delete(fixture->db, item.key.id, 1000, &key, &fixture->err));
	struct db_intent intent;
	assert_true(db_key_purge_begin(fixture->db, key.id, DB_PURGE_REQUESTED, 1000,
		fixture->arena, &intent, &fixture->err));
	assert_true(db_key_purge_commit(fixture->db, intent.id, 1000, &fixture->err));
	(void)db_fixture_create(fixture, "live", 2);
	(void)db_fixture_vault(fixture, "guarded", "west", true);
	static const char *const attempts[] = {
		"UPDATE vault SET purge_protection = 0 WHERE name = 'guarded'",
		"UPDATE vault SET token = 'east'",
		"UPDATE vault SET retention_days = 6",
		"DELETE FROM vault WHERE name = 'contoso'",
		"DELETE FROM tombstone",
		"UPDATE tombstone SET purged_at = 0",
		"DELETE FROM key",
		"UPDATE key SET state = 3",
		"UPDATE key SET vault = 2",
		"UPDATE version SET spki = x'00'",
		"UPDATE version SET ops_born = 255",
		"UPDATE version SET ops = 255",
		"UPDATE version SET gcm_count = -1",
		"UPDATE meta SET time_mark = -1",
		"UPDATE meta SET generation = 0",
		"INSERT INTO vault (name, token, retention_days, purge_protection, backup, "
		"created, updated, tags)"
		" VALUES ('CONTOSO', 'east', 7, 0, 0, 1, 1, '{}')",
	};

	for (size_t i = 0; i < ARRAY_LEN(attempts); i++)
		if (sqlite3_exec(fixture->db->handle, attempts[i], NULL, NULL, NULL) == SQLITE_OK)
			fail_msg("%s", attempts[i]);
}

static void
vault_update_and_limits(void **state)
{
	struct db_fixture *fixture = *state;
	struct db_vault vault;
	struct db_vault_change change = {
		.retention_days = 30, .protect = true, .tags = "{\"x\":\"y\"}", .updated = 2000};
	assert_true(db_vault_update(fixture->db, fixture->vault, &change, &fixture->err));
	change = (struct db_vault_change){.updated = 3000};
	assert_true(db_vault_update(fixture->db, fixture->vault, &change, &fixture->err));

	assert_true(db_vault_find(fixture->db, "contoso", fixture->arena, &vault, &fixture->err));
	assert_int_equal(vault.retention_days, 30);
	assert_true(vault.purge_protection);
	assert_string_equal(vault.tags, "{\"x\":\"y\"}");
	assert_int_equal(vault.updated, 3000);

	(void)db_fixture_create(fixture, "key", 1);
	change = (struct db_vault_change){.retention_days = 7, .updated = 4000};
	assert_fails(
		db_vault_update(fixture->db, fixture->vault, &change, &fixture->err), ERR_CONFLICT);
	assert_fails(db_vault_delete(fixture->db, fixture->vault, &fixture->err), ERR_NOT_EMPTY);
	assert_fails(db_vault_delete(fixture->db, 999, &fixture->err), ERR_VAULT_NOT_FOUND);
	assert_fails(
		db_vault_update(fixture->db, 999, &change, &fixture->err), ERR_VAULT_NOT_FOUND);
	int64_t id;
	(void)snprintf(vault.name, sizeof vault.name, "%s", "CONTOSO");
	assert_fails(db_vault_insert(fixture->db, &vault, &id, &fixture->err), ERR_CONFLICT);
}

static void
vault_list_is_by_folded_name(void **state)
{
	struct db_fixture *fixture = *state;
	(void)db_fixture_vault(fixture, "alpha", "west", false);
	(void)db_fixture_vault(fixture, "Beta", "east", false);
	(void)db_fixture_vault(fixture, "delta", "east", false);
	struct db_vault *vaults;
	size_t count;

	assert_true(db_vault_list(
		fixture->db, "ALPHA", 2, fixture->arena, &vaults, &count, &fixture->err));

	assert_int_equal(count, 2);
	assert_string_equal(vaults[0].name, "Beta");
	assert_string_equal(vaults[1].name, "Contoso");
}

static void
policies_are_set_replaced_and_removed(void **state)
{
	struct db_fixture *fixture = *state;
	struct db_policy policy = {.vault = fixture->vault,
		.kind = DB_PRINCIPAL_USER,
		.number = 1000,
		.name = "alice",
		.permissions = 5};
	struct db_policy *policies;
	size_t count;
	assert_true(db_policy_set(fixture->db, &policy, 2000, &fixture->err));
	policy.permissions = 6;
	assert_true(db_policy_set(fixture->db, &policy, 2001, &fixture->err));
	struct db_policy application = {.vault = fixture->vault,
		.kind = DB_PRINCIPAL_APPLICATION,
		.number = -1,
		.name = "6f9619ff-8b86-d011-b42d-00cf4fc964ff",
		.permissions = 1};
	assert_true(db_policy_set(fixture->db, &application, 2002, &fixture->err));

	assert_true(db_policy_list(
		fixture->db, fixture->vault, fixture->arena, &policies, &count, &fixture->err));
	assert_int_equal(count, 2);
	assert_int_equal(policies[0].permissions, 6);
	assert_string_equal(policies[1].name, application.name);

	assert_true(db_policy_delete(fixture->db, &policy, 2003, &fixture->err));
	assert_fails(db_policy_delete(fixture->db, &policy, 2004, &fixture->err), ERR_NOT_FOUND);
	policy.vault = 999;
	assert_fails(db_policy_set(fixture->db, &policy, 2004, &fixture->err), ERR_VAULT_NOT_FOUND);
	assert_true(db_vault_delete(fixture->db, fixture->vault, &fixture->err));
	assert_true(
		db_policy_list(fixture->db, 0, fixture->arena, &policies, &count, &fixture->err));
	assert_int_equal(count, 0);
}

static void
enroll_once_and_never_a_clone_b24(void **state)
{
	struct db_fixture *fixture = *state;
	struct db_token token = {.name = "west",
		.label = "Token",
		.identity_id = {1},
		.identity = bytes_of_text("identity"),
		.enrolled_at = 1000};
	int64_t intent;
	uint8_t salt[16] = {4}, digest[DB_HASH_BYTES] = {5};
	bool found;
	assert_true(
		db_token_find(fixture->db, "west", fixture->arena, &token, &found, &fixture->err));
	assert_false(found);
	assert_true(db_token_set_pin_refused(fixture->db, "west", salt, digest, &fixture->err));
	assert_true(db_enroll_begin(
		fixture->db, "west", token.identity_id, 1000, &intent, &fixture->err));
	assert_true(db_token_enroll(fixture->db, &token, intent, &fixture->err));
	assert_int_equal(count_intents(fixture, NULL), 0);

	struct db_token stored;
	assert_true(
		db_token_find(fixture->db, "west", fixture->arena, &stored, &found, &fixture->err));
	assert_true(found);
	assert_true(bytes_equal(stored.identity, token.identity));
	assert_true(stored.pin_refused);
	assert_memory_equal(stored.pin_digest, digest, sizeof digest);
	assert_true(db_token_clear_pin_refused(fixture->db, "west", &fixture->err));
	assert_fails(db_token_enroll(fixture->db, &token, 0, &fixture->err), ERR_TOKEN_IMPOSTOR);
	(void)snprintf(token.name, sizeof token.name, "%s", "east");
	assert_fails(db_token_enroll(fixture->db, &token, 0, &fixture->err), ERR_TOKEN_IMPOSTOR);
	assert_non_null(strstr(fixture->err.message, "west"));

	struct db_token *tokens;
	size_t count;
	assert_true(db_token_list(fixture->db, fixture->arena, &tokens, &count, &fixture->err));
	assert_int_equal(count, 1);
	assert_false(tokens[0].pin_refused);
}

static int64_t
counter_of(struct db_fixture *fixture, const char *name)
{
	struct db_token token = {0};
	bool found;
	assert_true(
		db_token_find(fixture->db, name, fixture->arena, &token, &found, &fixture->err));
	assert_true(found);
	return token.counter;
}

static void
D9_what_takes_something_away_counts_up_with_it(void **state)
{
	struct db_fixture *fixture = *state;
	struct db_token token = {
		.name = "west", .identity = bytes_of_text("identity"), .counter = 5};
	assert_true(db_token_enroll(fixture->db, &token, 0, &fixture->err));
	int64_t vault = db_fixture_vault(fixture, "v", "west", false);
	struct db_policy policy = {vault, DB_PRINCIPAL_USER, 1, "u", 7};
	assert_true(db_policy_set(fixture->db, &policy, 1000, &fixture->err));
	assert_int_equal(counter_of(fixture, "west"), 5);
	policy.permissions = 15;
	assert_true(db_policy_set(fixture->db, &policy, 1000, &fixture->err));
	assert_int_equal(counter_of(fixture, "west"), 5); /* more is allowed */
	policy.permissions = 27;
	assert_true(db_policy_set(fixture->db, &policy, 1000, &fixture->err));
	assert_int_equal(counter_of(fixture, "west"), 6); /* more, and less */
	assert_true(db_policy_delete(fixture->db, &policy, 1000, &fixture->err));
	assert_int_equal(counter_of(fixture, "west"), 7);
	assert_true(db_vault_delete(fixture->db, vault, &fixture->err));
	assert_int_equal(counter_of(fixture, "west"), 8);
	assert_true(db_token_count_up(fixture->db, &fixture->err));
	assert_int_equal(counter_of(fixture, "west"), 9);
}

static void
D9_key_that_may_do_less_counts_up(void **state)
{
	struct db_fixture *fixture = *state;
	struct db_token token = {.name = "west", .identity = bytes_of_text("identity")};
	assert_true(db_token_enroll(fixture->db, &token, 0, &fixture->err));
	struct db_key_item item = db_fixture_create(fixture, "k", 1);
	static const struct {
		struct db_version_change change;
		int64_t counter;
	} rows[] = {
		{{.has_enabled = true, .enabled = true},  0},
		{{.has_enabled = true, .enabled = false}, 1},
		{{.has_enabled = true, .enabled = true},  1},
		{{.has_exp = true, .exp = 5000},          2},
		{{.has_exp = true, .exp = 6000},          2},
		{{.has_exp = true, .exp = DB_NO_TIME},    2},
		{{.has_nbf = true, .nbf = 100},           3},
		{{.has_nbf = true, .nbf = DB_NO_TIME},    3},
		{{.has_ops = true, .ops = 0},             4},
		{{.tags = "{}"},                          4},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_true(db_version_update(
			fixture->db, item.newest.id, &rows[i].change, &fixture->err));
		assert_int_equal(counter_of(fixture, "west"), rows[i].counter);
	}
	struct db_key key;
	assert_true(db_key_delete(fixture->db, item.key.id, 7000, &key, &fixture->err));
	assert_int_equal(counter_of(fixture, "west"), 5);
	assert_true(db_key_recover(fixture->db, item.key.id, &fixture->err));
	assert_int_equal(counter_of(fixture, "west"), 5);
}

static void
counter_never_goes_back(void **state)
{
	struct db_fixture *fixture = *state;
	assert_true(db_token_set_counter(fixture->db, "west", 10, &fixture->err));
	assert_true(db_token_set_counter(fixture->db, "west", 10, &fixture->err));
	assert_true(
		db_token_set_capability(fixture->db, "west", bytes_of_text("can"), &fixture->err));

	assert_fails(
		db_token_set_counter(fixture->db, "west", 9, &fixture->err), ERR_TOKEN_IMPOSTOR);
}

/* threats E15 */
static void
gcm_is_counted_in_blocks_and_ends_e15(void **state)
{
	struct db_fixture *fixture = *state;
	struct db_key_item item = db_fixture_create(fixture, "key", 1);
	bool warn = true;
	uint64_t generation = db_generation(fixture->db);
	for (int i = 0; i < DB_GCM_BLOCK; i++)
		assert_true(db_gcm_use(fixture->db, item.newest.id, &warn, &fixture->err));
	assert_false(warn);
	assert_int_equal(db_generation(fixture->db), generation + 1);
	db_fixture_restart(fixture);
	assert_true(db_gcm_use(fixture->db, item.newest.id, &warn, &fixture->err));
	struct db_key key;
	struct db_version version;
	assert_true(db_version_find_by_id(
		fixture->db, item.newest.id, fixture->arena, &key, &version, &fixture->err));
	assert_int_equal(version.gcm_count, 2 * DB_GCM_BLOCK);

	db_fixture_restart(fixture);
	assert_int_equal(sqlite3_exec(fixture->db->handle,
				 "UPDATE version SET gcm_count = 4294967295", NULL, NULL, NULL),
		SQLITE_OK);
	assert_true(db_gcm_use(fixture->db, item.newest.id, &warn, &fixture->err));
	assert_true(warn);
	assert_fails(
		db_gcm_use(fixture->db, item.newest.id, &warn, &fixture->err), ERR_KEY_EXHAUSTED);
	uint8_t unknown[ID_VERSION_BYTES] = {1};
	assert_fails(db_gcm_use(fixture->db, unknown, &warn, &fixture->err), ERR_KEY_NOT_FOUND);
}

int
main(void)
{
#define TEST(function)                                                                             \
	cmocka_unit_test_setup_teardown(function, db_fixture_setup, db_fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(create_intent_survives_and_is_aborted),
		TEST(create_under_deleted_name_is_conflict),
		TEST(create_of_a_known_id_is_integrity),
		TEST(commit_after_the_key_was_deleted_is_conflict),
		TEST(commit_of_another_id_or_twice_is_integrity),
		TEST(two_creates_at_once_make_two_versions),
		TEST(purge_leaves_tombstones_and_frees_the_name),
		TEST(purge_protection_holds_until_the_date),
		TEST(vault_counts_follow_every_change),
		TEST(schema_refuses_what_must_never_be),
		TEST(vault_update_and_limits),
		TEST(vault_list_is_by_folded_name),
		TEST(policies_are_set_replaced_and_removed),
		TEST(enroll_once_and_never_a_clone_b24),
		TEST(D9_what_takes_something_away_counts_up_with_it),
		TEST(D9_key_that_may_do_less_counts_up),
		TEST(counter_never_goes_back),
		TEST(gcm_is_counted_in_blocks_and_ends_e15),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
