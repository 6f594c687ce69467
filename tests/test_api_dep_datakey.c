#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "api/dep_datakey.h"

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
generate_takes_one_or_many(void **state)
{
	(void)state;
	size_t count = 99;

	assert_true(api_dep_generate_decode(bytes_of_text(""), arena, &count, &err));
	assert_int_equal(count, 0);
	assert_true(api_dep_generate_decode(bytes_of_text("{}"), arena, &count, &err));
	assert_int_equal(count, 0);
	assert_true(
		api_dep_generate_decode(bytes_of_text("{\"count\":1000}"), arena, &count, &err));
	assert_int_equal(count, 1000);
	assert_false(
		api_dep_generate_decode(bytes_of_text("{\"count\":1001}"), arena, &count, &err));
	assert_false(api_dep_generate_decode(bytes_of_text("{\"count\":0}"), arena, &count, &err));
	assert_false(api_dep_generate_decode(bytes_of_text("{\"number\":1}"), arena, &count, &err));
	assert_int_equal(err.code, ERR_BAD_PARAMETER);
}

static void
unwrap_takes_one_or_a_list(void **state)
{
	(void)state;
	struct api_dep_unwrap unwrap;

	assert_true(
		api_dep_unwrap_decode(bytes_of_text("{\"wrapped\":\"AQ\"}"), arena, &unwrap, &err));
	assert_false(unwrap.batch);
	assert_int_equal(unwrap.count, 1);
	assert_string_equal(unwrap.wrapped[0], "AQ");
	assert_true(api_dep_unwrap_decode(
		bytes_of_text("{\"value\":[\"AQ\",\"?\"]}"), arena, &unwrap, &err));
	assert_true(unwrap.batch);
	assert_int_equal(unwrap.count, 2);
	assert_string_equal(unwrap.wrapped[1], "?");
}

static void
unwrap_refuses_both_and_neither(void **state)
{
	(void)state;
	static const char *const bodies[] = {"{}", "{\"value\":[]}",
		"{\"wrapped\":\"AQ\",\"value\":[\"AQ\"]}", "{\"wrapped\":1}", ""};
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		struct api_dep_unwrap unwrap;
		assert_false(api_dep_unwrap_decode(bytes_of_text(bodies[i]), arena, &unwrap, &err));
		assert_int_equal(err.code, ERR_BAD_PARAMETER);
	}
}

/* {"value":["A…A", …]} */
static void
write_batch(struct buf *body, size_t count)
{
	char wrapped[API_DEP_WRAPPED_MAX + 1];
	memset(wrapped, 'A', sizeof(wrapped) - 1);
	wrapped[API_DEP_WRAPPED_MAX] = '\0';
	buf_text(body, "{\"value\":[");
	for (size_t i = 0; i < count; i++)
		buf_printf(body, "%s\"%s\"", i > 0 ? "," : "", wrapped);
	buf_text(body, "]}");
}

static void
unwrap_takes_a_thousand_of_the_longest(void **state)
{
	(void)state;
	struct api_dep_unwrap unwrap;
	struct buf body;
	buf_init(&body, 1 << 20);

	write_batch(&body, API_DEP_BATCH_MAX);
	assert_true(api_dep_unwrap_decode(buf_bytes(&body), arena, &unwrap, &err));
	assert_int_equal(unwrap.count, API_DEP_BATCH_MAX);
	buf_reset(&body);
	write_batch(&body, API_DEP_BATCH_MAX + 1);
	assert_false(api_dep_unwrap_decode(buf_bytes(&body), arena, &unwrap, &err));

	buf_clear(&body);
}

static const uint8_t plain[API_DEP_PLAIN_LEN];
#define PLAIN "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static void
one_key_is_an_object(void **state)
{
	(void)state;
	struct api_dep_keys keys;
	api_dep_keys_begin(&keys, false, &out);
	api_dep_keys_made(&keys, plain, bytes_of_text("w"));
	api_dep_keys_end(&keys);
	assert_string_equal(buf_peek(&out), "{\"plaintext\":\"" PLAIN "\",\"wrapped\":\"dw\"}");
}

static void
a_batch_is_answered_item_by_item(void **state)
{
	(void)state;
	struct api_dep_keys keys;
	(void)err_set(&err, ERR_BAD_CIPHERTEXT, "no");
	api_dep_keys_begin(&keys, true, &out);
	api_dep_keys_opened(&keys, plain);
	api_dep_keys_failed(&keys, &err);
	api_dep_keys_end(&keys);
	assert_string_equal(buf_peek(&out),
		"{\"value\":[{\"plaintext\":\"" PLAIN "\"},"
		"{\"error\":{\"code\":\"BadCiphertext\",\"message\":\"no\"}}]}");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(generate_takes_one_or_many),
		TEST(unwrap_takes_one_or_a_list),
		TEST(unwrap_refuses_both_and_neither),
		TEST(unwrap_takes_a_thousand_of_the_longest),
		TEST(one_key_is_an_object),
		TEST(a_batch_is_answered_item_by_item),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
