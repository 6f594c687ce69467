#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "api/dep_scope.h"

static struct arena *arena;
static struct buf out;
static struct err err;

static int
setup(void **state)
{
	(void)state;
	arena = arena_new();
	buf_init(&out, 65536);
	err = (struct err){.code = ERR_NONE};
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(arena);
	buf_clear(&out);
	return 0;
}

static void
a_line_has_defaults(void **state)
{
	(void)state;
	struct api_dep_scope_line line;

	assert_true(api_dep_scope_line_decode(
		bytes_of_text("{\"id\":\"anna@contoso.com\"}"), arena, &line, &err));

	assert_string_equal(line.id, "anna@contoso.com");
	assert_int_equal(line.type, 0);
	assert_false(line.clear);
}

static void
a_line_says_type_and_state(void **state)
{
	(void)state;
	struct api_dep_scope_line line;

	assert_true(api_dep_scope_line_decode(
		bytes_of_text(
			"{\"id\":\"a\",\"type\":\"SharedMailbox\",\"state\":\"unencrypted\"}"),
		arena, &line, &err));

	assert_int_equal(line.type, API_DEP_SHARED_MAILBOX);
	assert_string_equal(api_dep_mailbox_type_name(line.type), "SharedMailbox");
	assert_true(line.clear);
}

static void
wrong_lines_are_refused(void **state)
{
	(void)state;
	static const char *const lines[] = {
		"{}",
		"{\"id\":\"\"}",
		"{\"id\":\"a b\"}",
		"{\"id\":\"a/b\"}",
		"{\"id\":\"..\"}",
		"{\"id\":\"\\u00fc\"}",
		"{\"id\":\"a\",\"type\":\"Letterbox\"}",
		"{\"id\":\"a\",\"state\":\"half\"}",
		"{\"id\":\"a\",\"name\":\"b\"}",
		"[\"a\"]",
		"nothing",
	};
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct api_dep_scope_line line;
		assert_false(
			api_dep_scope_line_decode(bytes_of_text(lines[i]), arena, &line, &err));
		assert_int_equal(err.code, ERR_BAD_PARAMETER);
	}
}

static void
names_are_bounded(void **state)
{
	(void)state;
	char name[API_DEP_SCOPE_ID_MAX + 2];
	memset(name, 'x', sizeof(name));
	name[API_DEP_SCOPE_ID_MAX] = '\0';
	assert_true(api_dep_scope_id_valid(name));
	name[API_DEP_SCOPE_ID_MAX] = 'x';
	name[API_DEP_SCOPE_ID_MAX + 1] = '\0';
	assert_false(api_dep_scope_id_valid(name));
}

static void
lines_are_taken_one_by_one(void **state)
{
	(void)state;
	struct bytes rest = bytes_of_text("one\r\n\n\ntwo\nthree");
	static const char *const wanted[] = {"one", "two", "three"};
	static const size_t numbers[] = {1, 4, 5};
	struct bytes line;
	size_t number = 0;

	for (size_t i = 0; i < 3; i++) {
		assert_true(api_dep_line_next(&rest, &number, &line));
		assert_true(bytes_equal(line, bytes_of_text(wanted[i])));
		assert_int_equal(number, numbers[i]);
	}
	assert_false(api_dep_line_next(&rest, &number, &line));
}

static void
assignment_is_to_a_policy_or_none(void **state)
{
	(void)state;
	struct api_dep_scope_assign assign;

	assert_true(api_dep_scope_assign_decode(
		bytes_of_text("{\"policy\":\"Legal\"}"), arena, &assign, &err));
	assert_string_equal(assign.policy, "Legal");
	assert_true(api_dep_scope_assign_decode(
		bytes_of_text("{\"noPolicy\":true}"), arena, &assign, &err));
	assert_null(assign.policy);
}

static void
assignment_to_both_or_nothing_is_refused(void **state)
{
	(void)state;
	static const char *const bodies[] = {"{}", "{\"noPolicy\":false}", "{\"policy\":\"\"}",
		"{\"policy\":\"a\",\"noPolicy\":true}", "{\"policy\":null}"};
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		struct api_dep_scope_assign assign;
		assert_false(api_dep_scope_assign_decode(
			bytes_of_text(bodies[i]), arena, &assign, &err));
		assert_int_equal(err.code, ERR_BAD_PARAMETER);
	}
}

static const struct api_dep_scope mailbox = {
	.kind = "mailbox",
	.id = "anna",
	.type = API_DEP_USER_MAILBOX,
	.state = "encrypted",
	.generation = "g",
	.encrypted = true,
	.policy = "Legal",
	.policy_id = "p",
	.policy_kind = "mailbox",
	.assigned = 5,
	.changed = 6,
};

#define MAILBOX                                                                                    \
	"{\"kind\":\"mailbox\",\"id\":\"anna\",\"type\":\"UserMailbox\",\"state\":\"encrypted\","  \
	"\"dataEncryptionPolicyID\":\"g\",\"isEncrypted\":true,\"policy\":\"Legal\","              \
	"\"policyId\":\"p\",\"policyKind\":\"mailbox\",\"assigned\":5,\"changed\":6}"

static void
a_scope_is_shown_with_its_generation(void **state)
{
	(void)state;
	api_dep_scope_format(&mailbox, &out);
	assert_string_equal(buf_peek(&out), MAILBOX);
}

static void
a_scope_without_key_has_no_generation(void **state)
{
	(void)state;
	struct api_dep_scope scope = {.kind = "workload", .id = "teams", .state = "unencrypted"};
	api_dep_scope_format(&scope, &out);
	assert_non_null(strstr(buf_peek(&out),
		"\"type\":null,\"state\":\"unencrypted\",\"dataEncryptionPolicyID\":null,"
		"\"isEncrypted\":false"));
}

static void
a_page_says_where_to_go_on(void **state)
{
	(void)state;
	struct api_dep_scope_page page;
	api_dep_scope_page_begin(&page, &out);
	api_dep_scope_page_item(&page, &mailbox);
	api_dep_scope_page_end(&page, "anna");
	assert_string_equal(buf_peek(&out), "{\"value\":[" MAILBOX "],\"next\":\"anna\"}");
}

static void
registration_is_counted(void **state)
{
	(void)state;
	api_dep_registered_format(3, 1, &out);
	assert_string_equal(buf_peek(&out), "{\"registered\":3,\"known\":1}");
}

static void
numbers_of_queries(void **state)
{
	(void)state;
	size_t size;
	int64_t seconds;

	assert_true(api_dep_page_size(NULL, &size, &err));
	assert_int_equal(size, API_DEP_PAGE_DEFAULT);
	assert_true(api_dep_page_size("256", &size, &err));
	assert_int_equal(size, 256);
	assert_false(api_dep_page_size("257", &size, &err));
	assert_false(api_dep_page_size("0", &size, &err));
	assert_false(api_dep_page_size("", &size, &err));
	assert_true(api_dep_span("7d", &seconds, &err));
	assert_int_equal(seconds, 604800);
	assert_true(api_dep_span("90s", &seconds, &err));
	assert_int_equal(seconds, 90);
	assert_false(api_dep_span("", &seconds, &err));
	assert_false(api_dep_span("d", &seconds, &err));
	assert_false(api_dep_span("7", &seconds, &err));
	assert_false(api_dep_span("-7d", &seconds, &err));
	assert_false(api_dep_span("4000d", &seconds, &err));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_line_has_defaults),
		TEST(a_line_says_type_and_state),
		TEST(wrong_lines_are_refused),
		TEST(names_are_bounded),
		TEST(lines_are_taken_one_by_one),
		TEST(assignment_is_to_a_policy_or_none),
		TEST(assignment_to_both_or_nothing_is_refused),
		TEST(a_scope_is_shown_with_its_generation),
		TEST(a_scope_without_key_has_no_generation),
		TEST(a_page_says_where_to_go_on),
		TEST(registration_is_counted),
		TEST(numbers_of_queries),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
