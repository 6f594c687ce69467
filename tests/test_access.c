#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "custodyd/access.h"
#include "db_fixture.h"
#include "users_fixture.h"

#define GUID  "6f9619ff-8b86-d011-b42d-00cf4fc964ff"
#define OTHER "00000000-0000-4000-8000-000000000001"

static struct access *access_under_test; /* beside the catalog's fixture */

static int
setup(void **state)
{
	users_fixture_reset();
	log_set_level(LOG_LEVEL_ERROR);
	if (db_fixture_setup(state) != 0)
		return -1;
	struct db_fixture *fixture = *state;
	access_under_test = access_new(fixture->db, &fixture->err);
	return access_under_test == NULL ? -1 : 0;
}

static int
teardown(void **state)
{
	access_free(access_under_test);
	access_under_test = NULL;
	return db_fixture_teardown(state);
}

static struct principal
principal(const char *text)
{
	struct principal parsed;
	struct err err;
	if (!principal_parse(text, &parsed, &err))
		fail_msg("%s", err.message);
	return parsed;
}

static void
grant(struct db_fixture *fixture, const char *text, uint32_t bits)
{
	struct principal who = principal(text);
	bool reduced;
	if (!access_set(
		    access_under_test, fixture->vault, &who, bits, 2000, &reduced, &fixture->err))
		fail_msg("%s", fixture->err.message);
}

static void
configure(struct db_fixture *fixture, const char *administrators)
{
	struct access_application applications[] = {
		{GUID,  "mail",  principal("user:alice")},
		{OTHER, "files", principal("user:bob")  },
	};
	if (!access_configure(access_under_test, administrators, applications, 2, &fixture->err))
		fail_msg("%s", fixture->err.message);
}

static void
permission_words_round_trip(void **state)
{
	(void)state;
	uint32_t bits;
	for (unsigned i = 0; i < PERMISSION_COUNT; i++) {
		assert_true(permission_parse(permission_word((enum permission)i), &bits));
		assert_int_equal(bits, 1U << i);
	}
	assert_true(permission_parse("UNWRAPKEY", &bits));
	assert_int_equal(bits, PERMISSION_BIT(PERMISSION_UNWRAP_KEY));
	assert_true(permission_parse("all", &bits));
	assert_int_equal(bits, PERMISSION_ALL);
	assert_false(permission_parse("", &bits));
	assert_false(permission_parse("release", &bits));
	/* these numbers are in catalogs */
	assert_int_equal(PERMISSION_GET, 0);
	assert_int_equal(PERMISSION_VERIFY, 15);
	assert_int_equal(PERMISSION_SET_ROTATION, 18);
}

static void
nobody_is_allowed_by_default(void **state)
{
	struct db_fixture *fixture = *state;
	struct caller root = {.uid = 0, .gid = 0};

	assert_int_equal(access_permissions(access_under_test, &root, fixture->vault), 0);
	assert_false(access_is_administrator(access_under_test, &root));
	assert_false(access_check(
		access_under_test, &root, fixture->vault, PERMISSION_GET, &fixture->err));
	assert_int_equal(fixture->err.code, ERR_FORBIDDEN);
	assert_int_equal(access_permissions(access_under_test, &root, 999), 0);
}

/* threats C21: the refusal tells nothing of what is there */
static void
refusal_is_one_for_any_vault_c21(void **state)
{
	struct db_fixture *fixture = *state;
	struct caller alice = {.uid = 1000, .gid = 1000};
	struct err other;
	grant(fixture, "user:bob", PERMISSION_ALL);

	assert_false(access_check(
		access_under_test, &alice, fixture->vault, PERMISSION_SIGN, &fixture->err));
	assert_false(access_check(access_under_test, &alice, 999, PERMISSION_SIGN, &other));

	assert_string_equal(fixture->err.message, other.message);
}

static void
user_has_the_union_of_user_and_groups(void **state)
{
	struct db_fixture *fixture = *state;
	gid_t groups[] = {54321, 54322};
	struct caller alice = {.uid = 1000, .gid = 1000, .groups = groups, .group_count = 2};
	grant(fixture, "user:alice", PERMISSION_BIT(PERMISSION_GET));
	grant(fixture, "group:54322", PERMISSION_BIT(PERMISSION_SIGN));
	grant(fixture, "group:1000", PERMISSION_BIT(PERMISSION_LIST));
	grant(fixture, "group:54399", PERMISSION_BIT(PERMISSION_PURGE));
	grant(fixture, "app:" GUID, PERMISSION_BIT(PERMISSION_WRAP_KEY));

	assert_int_equal(access_permissions(access_under_test, &alice, fixture->vault),
		PERMISSION_BIT(PERMISSION_GET) | PERMISSION_BIT(PERMISSION_SIGN) |
			PERMISSION_BIT(PERMISSION_LIST));
}

static void
application_has_its_own_and_nothing_else(void **state)
{
	struct db_fixture *fixture = *state;
	struct caller alice = {.uid = 1000, .gid = 1000};
	configure(fixture, "user:alice group:root");
	grant(fixture, "user:alice", PERMISSION_BIT(PERMISSION_GET));
	grant(fixture, "app:" GUID, PERMISSION_BIT(PERMISSION_WRAP_KEY));
	assert_true(access_is_administrator(access_under_test, &alice));

	assert_true(access_choose_application(
		access_under_test, "6F9619FF-8B86-D011-B42D-00CF4FC964FF", &alice, &fixture->err));

	assert_string_equal(alice.application, GUID);
	assert_string_equal(access_application_name(access_under_test, GUID), "mail");
	assert_int_equal(access_permissions(access_under_test, &alice, fixture->vault),
		PERMISSION_BIT(PERMISSION_WRAP_KEY));
	assert_false(access_is_administrator(access_under_test, &alice));
	assert_true(access_choose_application(access_under_test, NULL, &alice, &fixture->err));
	assert_true(access_is_administrator(access_under_test, &alice));
}

/* threats C1 */
static void
application_of_another_uid_is_refused_c1(void **state)
{
	struct db_fixture *fixture = *state;
	struct caller alice = {.uid = 1000, .gid = 1000};
	configure(fixture, "user:alice");
	static const char *const headers[] = {OTHER, "00000000-0000-4000-8000-000000000002", "x",
		GUID " ", "6f9619ff8b86d011b42d00cf4fc964ff"};
	char first[sizeof fixture->err.message] = "";

	for (size_t i = 0; i < ARRAY_LEN(headers); i++) {
		assert_false(access_choose_application(
			access_under_test, headers[i], &alice, &fixture->err));
		assert_int_equal(fixture->err.code, ERR_ACCESS_DENIED);
		assert_string_equal(alice.application, "");
		if (i == 0)
			(void)snprintf(first, sizeof first, "%s", fixture->err.message);
		assert_string_equal(fixture->err.message, first);
	}
}

/* threats C28 */
static void
renamed_user_loses_everything_until_back_c28(void **state)
{
	struct db_fixture *fixture = *state;
	struct caller alice = {.uid = 1000, .gid = 1000};
	configure(fixture, "user:alice");
	grant(fixture, "user:alice", PERMISSION_ALL);

	users_fixture_set(1000, "mallory");
	assert_true(access_refresh(access_under_test));
	assert_false(access_refresh(access_under_test));

	assert_int_equal(access_permissions(access_under_test, &alice, fixture->vault), 0);
	assert_false(access_is_administrator(access_under_test, &alice));
	assert_false(access_choose_application(access_under_test, GUID, &alice, &fixture->err));
	size_t count;
	const struct access_entry *entries =
		access_entries(access_under_test, fixture->vault, &count);
	assert_int_equal(count, 1);
	assert_int_equal(entries[0].state, PRINCIPAL_CHANGED);
	assert_non_null(access_find(access_under_test, fixture->vault, "user:alice"));

	users_fixture_fail(true); /* not knowing changes nothing */
	assert_false(access_refresh(access_under_test));
	users_fixture_fail(false);
	users_fixture_set(1000, "alice");
	assert_true(access_refresh(access_under_test));
	assert_true(access_is_administrator(access_under_test, &alice));
	assert_true(access_allows(access_under_test, &alice, fixture->vault, PERMISSION_PURGE));
}

/* threats C7: a catalog that names the overflow ids, however that came, grants them nothing */
static void
overflow_ids_never_match_c7(void **state)
{
	struct db_fixture *fixture = *state;
	gid_t groups[] = {65534};
	struct caller unmapped = {.uid = 65534, .gid = 65534, .groups = groups, .group_count = 1};
	struct principal user = {DB_PRINCIPAL_USER, 65534, "nobody"};
	struct principal group = {DB_PRINCIPAL_GROUP, 65534, "nogroup"};
	bool reduced;
	assert_true(access_set(access_under_test, fixture->vault, &user, PERMISSION_ALL, 1,
		&reduced, &fixture->err));
	assert_true(access_set(access_under_test, fixture->vault, &group, PERMISSION_ALL, 1,
		&reduced, &fixture->err));

	assert_int_equal(access_permissions(access_under_test, &unmapped, fixture->vault), 0);
	assert_false(access_configure(access_under_test, "user:nobody", NULL, 0, &fixture->err));
	assert_int_equal(fixture->err.code, ERR_CONFIG);
}

static void
changes_act_at_once_and_survive(void **state)
{
	struct db_fixture *fixture = *state;
	struct caller alice = {.uid = 1000, .gid = 1000};
	struct principal who = principal("user:alice");
	bool reduced = true;
	uint32_t two = PERMISSION_BIT(PERMISSION_GET) | PERMISSION_BIT(PERMISSION_SIGN);
	assert_true(access_set(
		access_under_test, fixture->vault, &who, two, 1, &reduced, &fixture->err));
	assert_false(reduced);
	assert_true(access_set(access_under_test, fixture->vault, &who,
		PERMISSION_BIT(PERMISSION_GET), 1, &reduced, &fixture->err));
	assert_true(reduced);
	assert_false(access_allows(access_under_test, &alice, fixture->vault, PERMISSION_SIGN));

	assert_true(access_reload(access_under_test, &fixture->err));
	assert_int_equal(access_permissions(access_under_test, &alice, fixture->vault),
		PERMISSION_BIT(PERMISSION_GET));

	const struct principal *stored =
		access_find(access_under_test, fixture->vault, "user:alice");
	assert_non_null(stored);
	assert_true(access_set(
		access_under_test, fixture->vault, stored, 0, 1, &reduced, &fixture->err));
	assert_true(reduced);
	assert_int_equal(access_permissions(access_under_test, &alice, fixture->vault), 0);
	assert_false(
		access_set(access_under_test, fixture->vault, &who, 0, 1, &reduced, &fixture->err));
	assert_int_equal(fixture->err.code, ERR_NOT_FOUND);
}

static void
refused_change_leaves_memory_alone(void **state)
{
	struct db_fixture *fixture = *state;
	struct caller alice = {.uid = 1000, .gid = 1000};
	struct principal who = principal("user:alice");
	bool reduced;
	db_latch(fixture->db);

	assert_false(access_set(access_under_test, fixture->vault, &who, PERMISSION_ALL, 1,
		&reduced, &fixture->err));

	assert_int_equal(access_permissions(access_under_test, &alice, fixture->vault), 0);
}

static void
configure_bad_keeps_the_old(void **state)
{
	struct db_fixture *fixture = *state;
	struct caller alice = {.uid = 1000, .gid = 1000};
	configure(fixture, " user:alice\tgroup:root ");
	struct access_application twice[] = {
		{GUID, "a", principal("user:bob")},
		{GUID, "b", principal("user:bob")},
	};

	assert_false(access_configure(access_under_test, "user:carol", NULL, 0, &fixture->err));
	assert_int_equal(fixture->err.code, ERR_CONFIG);
	assert_false(access_configure(access_under_test, "app:" GUID, NULL, 0, &fixture->err));
	assert_false(access_configure(access_under_test, "user:bob", twice, 2, &fixture->err));

	assert_true(access_is_administrator(access_under_test, &alice));
	assert_string_equal(access_application_name(access_under_test, GUID), "mail");
}

static void
vaults_are_apart_and_forgotten(void **state)
{
	struct db_fixture *fixture = *state;
	struct caller alice = {.uid = 1000, .gid = 1000};
	int64_t first = fixture->vault;
	int64_t vaults[5];
	for (size_t i = 0; i < ARRAY_LEN(vaults); i++) {
		char name[16];
		(void)snprintf(name, sizeof name, "vault%zu", i);
		vaults[i] = db_fixture_vault(fixture, name, "west", false);
	}
	for (size_t i = ARRAY_LEN(vaults); i-- > 0;) { /* backwards: order must not matter */
		fixture->vault = vaults[i];
		grant(fixture, "user:alice", 1U << i);
	}
	fixture->vault = first;

	access_forget_vault(access_under_test, vaults[2]);

	assert_int_equal(access_permissions(access_under_test, &alice, first), 0);
	for (size_t i = 0; i < ARRAY_LEN(vaults); i++)
		assert_int_equal(access_permissions(access_under_test, &alice, vaults[i]),
			i == 2 ? 0 : 1U << i);
}

int
main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(permission_words_round_trip),
		TEST(nobody_is_allowed_by_default),
		TEST(refusal_is_one_for_any_vault_c21),
		TEST(user_has_the_union_of_user_and_groups),
		TEST(application_has_its_own_and_nothing_else),
		TEST(application_of_another_uid_is_refused_c1),
		TEST(renamed_user_loses_everything_until_back_c28),
		TEST(overflow_ids_never_match_c7),
		TEST(changes_act_at_once_and_survive),
		TEST(refused_change_leaves_memory_alone),
		TEST(configure_bad_keeps_the_old),
		TEST(vaults_are_apart_and_forgotten),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
