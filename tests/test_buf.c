#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void
buf_empty_peeks_as_empty_text(void **state)
{
	(void)state;
	CLEAN(buf)
	struct buf buf;

	buf_init(&buf, 10);

	assert_string_equal(buf_peek(&buf), "");
	assert_int_equal(buf_bytes(&buf).len, 0);
}

static void
buf_append_up_to_max_fits(void **state)
{
	(void)state;
	CLEAN(buf)
	struct buf buf;
	buf_init(&buf, 5);

	assert_true(buf_append(&buf, "abc", 3));
	assert_true(buf_text(&buf, "de"));

	assert_string_equal(buf_peek(&buf), "abcde");
	assert_false(buf.overflow);
}

static void
buf_append_beyond_max_is_refused_whole(void **state)
{
	(void)state;
	CLEAN(buf)
	struct buf buf;
	buf_init(&buf, 5);
	assert_true(buf_text(&buf, "abc"));

	assert_false(buf_text(&buf, "def"));

	assert_true(buf.overflow);
	assert_string_equal(buf_peek(&buf), "abc");
}

static void
buf_after_overflow_refuses_what_would_fit(void **state)
{
	(void)state;
	CLEAN(buf)
	struct buf buf;
	buf_init(&buf, 5);
	assert_false(buf_text(&buf, "abcdef"));

	assert_false(buf_text(&buf, "a"));

	assert_int_equal(buf.len, 0);
}

static void
buf_reserve_of_absurd_length_is_refused(void **state)
{
	(void)state;
	CLEAN(buf)
	struct buf buf;
	buf_init(&buf, 5);
	assert_true(buf_text(&buf, "ab"));

	assert_null(buf_reserve(&buf, SIZE_MAX));

	assert_true(buf.overflow);
}

static void
buf_reset_allows_use_after_overflow(void **state)
{
	(void)state;
	CLEAN(buf)
	struct buf buf;
	buf_init(&buf, 5);
	assert_true(buf_text(&buf, "ecret"));
	assert_false(buf_text(&buf, "x"));
	const uint8_t *data = buf.data;

	buf_reset(&buf);

	assert_memory_equal(data, "\0\0\0\0\0", 5);
	assert_true(buf_text(&buf, "again"));
	assert_string_equal(buf_peek(&buf), "again");
}

static void
buf_clear_leaves_an_empty_usable_buffer(void **state)
{
	(void)state;
	CLEAN(buf)
	struct buf buf;
	buf_init(&buf, 5);
	assert_true(buf_text(&buf, "abc"));

	buf_clear(&buf);
	buf_clear(&buf);

	assert_null(buf.data);
	assert_int_equal(buf.max, 5);
	assert_true(buf_text(&buf, "abcde"));
}

static void
buf_grows_and_keeps_its_contents(void **state)
{
	(void)state;
	CLEAN(buf)
	struct buf buf;
	buf_init(&buf, 100000);

	for (unsigned i = 0; i < 20000; i++)
		assert_true(buf_printf(&buf, "%05u", i));

	assert_int_equal(buf.len, 100000);
	assert_memory_equal(buf.data, "000000000100002", 15);
	assert_string_equal(buf_peek(&buf) + 99995, "19999");
	assert_false(buf_text(&buf, "x"));
}

static void
buf_printf_beyond_max_is_refused_whole(void **state)
{
	(void)state;
	CLEAN(buf)
	struct buf buf;
	buf_init(&buf, 5);

	assert_true(buf_printf(&buf, "%d", 12345));
	assert_false(buf_printf(&buf, "%d", 6));

	assert_string_equal(buf_peek(&buf), "12345");
}

static void
buf_printf_into_the_room_that_is_there_is_exact(void **state)
{
	(void)state;
	for (unsigned before = 240; before < 260; before++) { /* around the first block's end */
		CLEAN(buf)
		struct buf buf;
		buf_init(&buf, 1000);

		assert_true(buf_printf(&buf, "%0*d", (int)before, 0));
		assert_true(buf_printf(&buf, "<%s>", "abcde"));

		assert_int_equal(buf.len, before + 7);
		assert_string_equal(buf_peek(&buf) + before, "<abcde>");
	}
}

static void
buf_printf_refused_leaves_nothing_behind_the_end(void **state)
{
	(void)state;
	CLEAN(buf)
	struct buf buf;
	buf_init(&buf, 8);

	assert_true(buf_text(&buf, "abcde"));
	assert_false(buf_printf(&buf, "%s", "wxyz"));

	assert_memory_equal(buf.data, "abcde\0\0\0", 8);
	assert_int_equal(buf.len, 5);
}

static void
buf_number_writes_every_digit(void **state)
{
	(void)state;
	static const struct {
		int64_t number;
		const char *text;
	} rows[] = {
		{0,         "0"                   },
		{7,         "7"                   },
		{-7,        "-7"                  },
		{10,        "10"                  },
		{1000000,   "1000000"             },
		{INT64_MAX, "9223372036854775807" },
		{INT64_MIN, "-9223372036854775808"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEAN(buf)
		struct buf buf;
		buf_init(&buf, 20);

		assert_true(buf_number(&buf, rows[i].number));

		assert_string_equal(buf_peek(&buf), rows[i].text);
	}
}

static void
buf_add_len_claims_what_was_written(void **state)
{
	(void)state;
	CLEAN(buf)
	struct buf buf;
	buf_init(&buf, 300);

	uint8_t *room = buf_reserve(&buf, 300);
	assert_non_null(room);
	memset(room, 'x', 300);
	buf_add_len(&buf, 300);

	assert_int_equal(strlen(buf_peek(&buf)), 300);
}

static void
bytes_equal_compares_length_and_contents(void **state)
{
	(void)state;
	struct bytes none = {NULL, 0};

	assert_true(bytes_equal(bytes_of_text("abc"), bytes_of_text("abc")));
	assert_true(bytes_equal(none, bytes_of_text("")));
	assert_false(bytes_equal(bytes_of_text("abc"), bytes_of_text("abd")));
	assert_false(bytes_equal(bytes_of_text("abc"), bytes_of_text("ab")));
	assert_false(bytes_equal(none, bytes_of_text("a")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buf_empty_peeks_as_empty_text),
		cmocka_unit_test(buf_append_up_to_max_fits),
		cmocka_unit_test(buf_append_beyond_max_is_refused_whole),
		cmocka_unit_test(buf_after_overflow_refuses_what_would_fit),
		cmocka_unit_test(buf_reserve_of_absurd_length_is_refused),
		cmocka_unit_test(buf_reset_allows_use_after_overflow),
		cmocka_unit_test(buf_clear_leaves_an_empty_usable_buffer),
		cmocka_unit_test(buf_grows_and_keeps_its_contents),
		cmocka_unit_test(buf_printf_beyond_max_is_refused_whole),
		cmocka_unit_test(buf_printf_into_the_room_that_is_there_is_exact),
		cmocka_unit_test(buf_printf_refused_leaves_nothing_behind_the_end),
		cmocka_unit_test(buf_number_writes_every_digit),
		cmocka_unit_test(buf_add_len_claims_what_was_written),
		cmocka_unit_test(bytes_equal_compares_length_and_contents),
	};
	return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
