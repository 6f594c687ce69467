#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "service/principal.h"
#include "users_fixture.h"

#define GUID "6F9619FF-8B86-D011-B42D-00CF4FC964FF"

static int
setup(void **state)
{
	(void)state;
	users_fixture_reset();
	return 0;
}

static void
parse_resolves_and_format_returns(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		enum db_principal_kind kind;
		int64_t number;
		const char *name, *formatted;
	} rows[] = {
		{"user:alice",  DB_PRINCIPAL_USER,        1000,  "alice",                                "user:alice" },
		{"user:1001",   DB_PRINCIPAL_USER,        1001,  "bob",                                  "user:bob"   },
		{"user:4242",   DB_PRINCIPAL_USER,        4242,  "",                                     "user:4242"  },
		{"group:root",  DB_PRINCIPAL_GROUP,       0,     "root",                                 "group:root" },
		{"group:0",     DB_PRINCIPAL_GROUP,       0,     "root",                                 "group:root" },
		{"group:54321", DB_PRINCIPAL_GROUP,       54321, "",                                     "group:54321"},
		{"app:" GUID,   DB_PRINCIPAL_APPLICATION, -1,    "6f9619ff-8b86-d011-b42d-00cf4fc964ff",
                 "app:6f9619ff-8b86-d011-b42d-00cf4fc964ff"                                                           },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct principal principal;
		struct err err;
		char text[PRINCIPAL_TEXT];
		if (!principal_parse(rows[i].text, &principal, &err))
			fail_msg("%s: %s", rows[i].text, err.message);

		assert_int_equal(principal.kind, rows[i].kind);
		assert_int_equal(principal.number, rows[i].number);
		assert_string_equal(principal.name, rows[i].name);
		principal_format(&principal, text);
		assert_string_equal(text, rows[i].formatted);
	}
}

static void
parse_wrong_is_refused(void **state)
{
	(void)state;
	static const char *const texts[] = {"", "alice", "user:", "User:alice", "user:alice bob",
		"user:a:b", "user:a/b", "user:a\n", "user:carol", "group:no-such-group-here",
		"app:123", "app:alice", "user:4294967295", "user:99999999999", "user:-1", "user:+1",
		"user:nobody", "user:65534", "group:65534"};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct principal principal = {.number = 77};
		struct err err;
		if (principal_parse(texts[i], &principal, &err))
			fail_msg("%s", texts[i]);
		assert_int_equal(err.code, ERR_BAD_PARAMETER);
		assert_int_equal(principal.number, 77);
	}
}

static void
parse_name_of_256_is_the_longest(void **state)
{
	(void)state;
	char text[300] = "user:";
	memset(text + 5, 'a', 256);
	text[5 + 256] = '\0';
	users_fixture_set(7, text + 5);
	struct principal principal;
	struct err err;
	assert_true(principal_parse(text, &principal, &err));
	char formatted[PRINCIPAL_TEXT];
	principal_format(&principal, formatted);
	assert_string_equal(formatted, text);
	text[5 + 256] = 'a';
	assert_false(principal_parse(text, &principal, &err));
}

static void
name_wins_over_number(void **state)
{
	(void)state;
	users_fixture_set(55, "1000");
	struct principal principal;
	struct err err;

	assert_true(principal_parse("user:1000", &principal, &err));

	assert_int_equal(principal.number, 55);
	assert_string_equal(principal.name, "1000");
}

static void
name_service_failing_is_unavailable(void **state)
{
	(void)state;
	struct principal alice;
	struct err err;
	assert_true(principal_parse("user:alice", &alice, &err));
	users_fixture_fail(true);

	struct principal principal;
	assert_false(principal_parse("user:alice", &principal, &err));
	assert_int_equal(err.code, ERR_UNAVAILABLE);
	enum principal_state known = PRINCIPAL_OK;
	assert_false(principal_check(&alice, &known));
	assert_int_equal(known, PRINCIPAL_OK);
}

/* threats C28 */
static void
check_notices_another_name_c28(void **state)
{
	(void)state;
	struct principal alice, nameless;
	struct err err;
	enum principal_state found = PRINCIPAL_CHANGED;
	assert_true(principal_parse("user:alice", &alice, &err));
	assert_true(principal_parse("user:4242", &nameless, &err));
	assert_true(principal_check(&alice, &found));
	assert_int_equal(found, PRINCIPAL_OK);
	assert_true(principal_check(&nameless, &found));
	assert_int_equal(found, PRINCIPAL_OK);

	users_fixture_set(1000, "mallory");
	users_fixture_set(4242, "dave");
	assert_true(principal_check(&alice, &found));
	assert_int_equal(found, PRINCIPAL_CHANGED);
	assert_true(principal_check(&nameless, &found));
	assert_int_equal(found, PRINCIPAL_CHANGED);
	users_fixture_set(1000, NULL);
	assert_true(principal_check(&alice, &found));
	assert_int_equal(found, PRINCIPAL_CHANGED);
}

static void
match_finds_stored_without_the_system(void **state)
{
	(void)state;
	users_fixture_fail(true);
	struct principal stored[] = {
		{DB_PRINCIPAL_USER,        1000, "alice"                               },
		{DB_PRINCIPAL_USER,        4242, ""                                    },
		{DB_PRINCIPAL_GROUP,       1000, "alice"                               },
		{DB_PRINCIPAL_APPLICATION, -1,   "6f9619ff-8b86-d011-b42d-00cf4fc964ff"},
	};
	assert_int_equal(principal_match("user:alice", stored, 4), 0);
	assert_int_equal(principal_match("user:1000", stored, 4), 0);
	assert_int_equal(principal_match("user:4242", stored, 4), 1);
	assert_int_equal(principal_match("group:alice", stored, 4), 2);
	assert_int_equal(principal_match("app:" GUID, stored, 4), 3);
	assert_int_equal(principal_match("user:bob", stored, 4), 4);
	assert_int_equal(principal_match("nonsense", stored, 4), 4);
	assert_int_equal(principal_match("app:-1", stored, 4), 4);
}

static void
callers_are_known_by_number_and_overflow_is_nobody_c7(void **state)
{
	(void)state;
	const gid_t groups[] = {20, 65534};
	const struct caller caller = {.uid = 1000, .gid = 10, .groups = groups, .group_count = 2};
	const struct caller nobody = {.uid = 65534, .gid = 65534};
	static const struct {
		struct principal principal;
		bool caller, nobody;
	} rows[] = {
		{{DB_PRINCIPAL_USER, 1000, ""},      true,  false},
		{{DB_PRINCIPAL_USER, 10, ""},        false, false},
		{{DB_PRINCIPAL_USER, 65534, ""},     false, false},
		{{DB_PRINCIPAL_GROUP, 10, ""},       true,  false},
		{{DB_PRINCIPAL_GROUP, 20, ""},       true,  false},
		{{DB_PRINCIPAL_GROUP, 1000, ""},     false, false},
		{{DB_PRINCIPAL_GROUP, 65534, ""},    false, false},
		{{DB_PRINCIPAL_APPLICATION, -1, ""}, false, false},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct principal *principal = &rows[i].principal;
		assert_int_equal(principal_is(principal, &caller, 65534, 65534), rows[i].caller);
		assert_int_equal(principal_is(principal, &nobody, 65534, 65534), rows[i].nobody);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(parse_resolves_and_format_returns, setup),
		cmocka_unit_test_setup(parse_wrong_is_refused, setup),
		cmocka_unit_test_setup(parse_name_of_256_is_the_longest, setup),
		cmocka_unit_test_setup(name_wins_over_number, setup),
		cmocka_unit_test_setup(name_service_failing_is_unavailable, setup),
		cmocka_unit_test_setup(check_notices_another_name_c28, setup),
		cmocka_unit_test_setup(match_finds_stored_without_the_system, setup),
		cmocka_unit_test(callers_are_known_by_number_and_overflow_is_nobody_c7),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
