#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <malloc.h>

static int
setup(void **state)
{
	(void)mallopt(M_PERTURB, 0x5a); /* so that no block is zero by chance */
	*state = arena_new();
	return 0;
}

static int
teardown(void **state)
{
	arena_free(*state);
	return 0;
}

static void
arena_free_of_null_is_fine(void **state)
{
	(void)state;

	arena_free(NULL);
}

static void
arena_alloc_is_zeroed_aligned_and_apart(void **state)
{
	uint8_t *last = NULL;
	size_t last_size = 0;

	for (size_t size = 0; size < 300; size++) {
		uint8_t *data = arena_alloc(*state, size);

		assert_int_equal((uintptr_t)data % _Alignof(max_align_t), 0);
		for (size_t i = 0; i < size; i++)
			assert_int_equal(data[i], 0);
		for (size_t i = 0; i < last_size; i++)
			assert_int_equal(last[i], 0xa5);
		memset(data, 0xa5, size);
		last = data;
		last_size = size;
	}
}

static void
arena_alloc_larger_than_a_block_works(void **state)
{
	uint8_t *small = arena_alloc(*state, 8);
	uint8_t *large = arena_alloc(*state, 1 << 20);

	memset(small, 1, 8);
	memset(large, 2, 1 << 20);

	assert_int_equal(small[7], 1);
	assert_int_equal(large[0], 2);
	assert_int_equal(large[(1 << 20) - 1], 2);
}

static void
arena_array_is_zeroed(void **state)
{
	int64_t *numbers = arena_array(*state, 1000, sizeof(*numbers));

	for (size_t i = 0; i < 1000; i++)
		assert_int_equal(numbers[i], 0);
}

static void
arena_array_of_nothing_is_fine(void **state)
{
	assert_non_null(arena_array(*state, 0, 8));
	assert_non_null(arena_array(*state, 8, 0));
}

static void
arena_strdup_copies(void **state)
{
	char text[] = "vault";

	char *copy = arena_strdup(*state, text);
	text[0] = 'x';

	assert_string_equal(copy, "vault");
}

static void
arena_strndup_copies_len_octets_and_ends_with_nul(void **state)
{
	assert_string_equal(arena_strndup(*state, "vault/key", 5), "vault");
	assert_string_equal(arena_strndup(*state, NULL, 0), "");
}

static void
arena_bytes_keeps_nul_octets(void **state)
{
	struct bytes copy = arena_bytes(*state, "a\0b", 3);

	assert_int_equal(copy.len, 3);
	assert_memory_equal(copy.data, "a\0b", 3);
}

static void
arena_printf_formats_any_length(void **state)
{
	assert_string_equal(arena_printf(*state, "%s/%d", "key", 7), "key/7");
	assert_int_equal(strlen(arena_printf(*state, "%9000d", 1)), 9000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arena_free_of_null_is_fine),
		cmocka_unit_test_setup_teardown(
			arena_alloc_is_zeroed_aligned_and_apart, setup, teardown),
		cmocka_unit_test_setup_teardown(
			arena_alloc_larger_than_a_block_works, setup, teardown),
		cmocka_unit_test_setup_teardown(arena_array_is_zeroed, setup, teardown),
		cmocka_unit_test_setup_teardown(arena_array_of_nothing_is_fine, setup, teardown),
		cmocka_unit_test_setup_teardown(arena_strdup_copies, setup, teardown),
		cmocka_unit_test_setup_teardown(
			arena_strndup_copies_len_octets_and_ends_with_nul, setup, teardown),
		cmocka_unit_test_setup_teardown(arena_bytes_keeps_nul_octets, setup, teardown),
		cmocka_unit_test_setup_teardown(arena_printf_formats_any_length, setup, teardown),
	};
	return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}
