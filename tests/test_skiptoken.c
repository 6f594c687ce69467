/* Paging tokens: what is bound and what is refused (threats C22). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "custodyd/skiptoken.h"

static const uint8_t key[32] = {1, 2, 3};
static const struct caller alice = {.uid = 1000};

static struct skiptoken_scope
scope_of(const char *vault)
{
	return (struct skiptoken_scope){.key = key,
		.list = SKIPTOKEN_KEYS,
		.vault = vault,
		.subject = "",
		.caller = &alice};
}

static void
make_parse_round_trip_may_be_repeated(void **state)
{
	(void)state;
	struct skiptoken_scope scope = scope_of("contoso"), other = scope_of("CONTOSO");
	char longest[SKIPTOKEN_POSITION_MAX + 1];
	memset(longest, 'x', SKIPTOKEN_POSITION_MAX);
	longest[SKIPTOKEN_POSITION_MAX] = '\0';
	const char *const positions[] = {"a", "My-Key", "18446744073709551615", longest};
	for (size_t i = 0; i < ARRAY_LEN(positions); i++) {
		char text[SKIPTOKEN_TEXT_MAX], position[SKIPTOKEN_POSITION_MAX + 1];
		struct err err;
		skiptoken_make(&scope, positions[i], text);
		for (int again = 0; again < 2; again++) {
			assert_true(skiptoken_parse(&other, text, position, &err));
			assert_string_equal(position, positions[i]);
		}
	}
}

static void
parse_in_another_scope_is_refused_c22(void **state)
{
	(void)state;
	static const uint8_t other_key[32] = {9};
	static const struct caller bob = {.uid = 1001};
	static const struct caller application = {
		.uid = 1000, .application = "6f9619ff-8b86-d011-b42d-00cf4fc964ff"};
	struct skiptoken_scope scope = scope_of("contoso");
	struct skiptoken_scope others[] = {scope, scope, scope, scope, scope, scope, scope};
	others[0].key = other_key;
	others[1].list = SKIPTOKEN_DELETED_KEYS;
	others[2].list = SKIPTOKEN_VERSIONS;
	others[3].vault = "contoso2";
	others[4].subject = "key";
	others[5].caller = &bob;
	others[6].caller = &application;
	char text[SKIPTOKEN_TEXT_MAX], position[SKIPTOKEN_POSITION_MAX + 1] = "untouched";
	struct err err;
	skiptoken_make(&scope, "a-key", text);

	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		if (skiptoken_parse(&others[i], text, position, &err))
			fail_msg("scope %zu", i);
		assert_int_equal(err.code, ERR_BAD_PARAMETER);
		assert_string_equal(position, "untouched");
	}
}

/* "ab" + "c" is not "a" + "bc" */
static void
boundaries_of_the_scope_do_not_move(void **state)
{
	(void)state;
	struct skiptoken_scope one = scope_of("ab"), two = scope_of("a");
	one.subject = "c";
	two.subject = "bc";
	char text[SKIPTOKEN_TEXT_MAX], position[SKIPTOKEN_POSITION_MAX + 1];
	struct err err;
	skiptoken_make(&one, "p", text);

	assert_false(skiptoken_parse(&two, text, position, &err));
}

static void
parse_any_changed_character_is_refused_c22(void **state)
{
	(void)state;
	struct skiptoken_scope scope = scope_of("contoso");
	char text[SKIPTOKEN_TEXT_MAX], position[SKIPTOKEN_POSITION_MAX + 1];
	struct err err;
	skiptoken_make(&scope, "a-key", text);
	size_t len = strlen(text);

	for (size_t i = 0; i < len; i++) {
		static const char letters[] = "ABCDabcd0189-_=+/. ";
		char old = text[i];
		for (size_t j = 0; j < sizeof letters; j++) {
			text[i] = letters[j];
			if (letters[j] != old && skiptoken_parse(&scope, text, position, &err))
				fail_msg("%s", text);
		}
		text[i] = old;
	}
	assert_true(skiptoken_parse(&scope, text, position, &err));
}

static void
parse_malformed_has_one_answer(void **state)
{
	(void)state;
	struct skiptoken_scope scope = scope_of("contoso");
	char huge[1000], position[SKIPTOKEN_POSITION_MAX + 1];
	memset(huge, 'A', sizeof huge - 1);
	huge[sizeof huge - 1] = '\0';
	const char *const texts[] = {"", "A", "AQ", "!!!!", "AQAAAAAAAAAAAAAAAAAAAAAAAAA", huge};
	char message[sizeof((struct err *)0)->message] = "";
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct err err;
		assert_false(skiptoken_parse(&scope, texts[i], position, &err));
		if (i == 0)
			(void)snprintf(message, sizeof message, "%s", err.message);
		assert_string_equal(err.message, message);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(make_parse_round_trip_may_be_repeated),
		cmocka_unit_test(parse_in_another_scope_is_refused_c22),
		cmocka_unit_test(boundaries_of_the_scope_do_not_move),
		cmocka_unit_test(parse_any_changed_character_is_refused_c22),
		cmocka_unit_test(parse_malformed_has_one_answer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
