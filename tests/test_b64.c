#include "base/b64.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define LEN_MAX 260

static void
fill(uint8_t *data, size_t len, unsigned seed)
{
	for (size_t i = 0; i < len; i++) {
		seed = seed * 1103515245u + 12345u;
		data[i] = (uint8_t)(seed >> 16);
	}
}

static void
b64_round_trips_every_length(void **state)
{
	(void)state;
	uint8_t data[LEN_MAX];
	uint8_t back[LEN_MAX];
	char text[LEN_MAX * 2];

	for (size_t len = 0; len <= LEN_MAX; len++) {
		fill(data, len, (unsigned)len);

		b64_encode(data, len, text);

		size_t back_len = SIZE_MAX;
		assert_int_equal(strlen(text), b64_encoded_len(len));
		assert_true(b64_decoded_max(strlen(text)) == len);
		assert_true(b64_decode(text, strlen(text), back, &back_len));
		assert_int_equal(back_len, len);
		assert_memory_equal(back, data, len);
	}
}

static void
b64_encodes_the_vectors_of_rfc_4648(void **state)
{
	(void)state;
	static const char *const rows[][2] = {
		{"",       ""        },
		{"f",      "Zg"      },
		{"fo",     "Zm8"     },
		{"foo",    "Zm9v"    },
		{"foob",   "Zm9vYg"  },
		{"fooba",  "Zm9vYmE" },
		{"foobar", "Zm9vYmFy"},
	};
	char text[16];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		b64_encode(rows[i][0], strlen(rows[i][0]), text);
		assert_string_equal(text, rows[i][1]);
	}
	b64_encode("\xfb\xff\xfe", 3, text);
	assert_string_equal(text, "-__-");
}

static void
b64_decode_in_place_works(void **state)
{
	(void)state;
	char text[] = "Zm9vYmFy";
	size_t len = 0;

	assert_true(b64_decode(text, 8, text, &len));

	assert_int_equal(len, 6);
	assert_memory_equal(text, "foobar", 6);
}

/* C19: what other decoders let pass. */
static void
b64_decode_of_a_non_canonical_spelling_is_refused(void **state)
{
	(void)state;
	static const char *const rows[] = {
		"Zg==",
		"Zm8=",
		"Zm9v=",
		"=", /* padding */
		"+/+/",
		"ab+c",
		"ab/c", /* the other alphabet */
		"Zm9v\n",
		"Zm\n9v",
		" Zm9",
		"Zm9v\r\n ", /* blanks and line breaks */
		"Z",
		"Zm9vY",
		"AAAAA", /* a length that no octets have */
		"Zh",
		"Zm9",
		"Zm9vYh",
		"AB",
		"AAB", /* trailing bits */
		"Zm9\xc3",
		"\xff\xff\xff\xff",
		"Zm.v",
		"Zm9~",
		"@@@@",
		"[[[[",
		"{{{{",
		"````",
	};
	uint8_t out[16];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_t len = 77;
		if (b64_decode(rows[i], strlen(rows[i]), out, &len))
			fail_msg("accepted: %s", rows[i]);
		assert_int_equal(len, 77);
	}
}

static void
b64_decode_accepts_exactly_the_64_characters(void **state)
{
	(void)state;
	unsigned accepted = 0;

	for (unsigned c = 0; c < 256; c++) {
		char text[4] = {'A', 'A', 'A', (char)c};
		uint8_t out[3];
		size_t len;
		accepted += b64_decode(text, 4, out, &len);
	}

	assert_int_equal(accepted, 64);
}

static void
b64_decode_accepts_exactly_the_canonical_tails(void **state)
{
	(void)state;
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	unsigned two = 0;
	unsigned three = 0;
	uint8_t out[3];
	size_t len;

	for (unsigned c = 0; c < 64; c++) {
		two += b64_decode((const char[]){'A', alphabet[c]}, 2, out, &len);
		three += b64_decode((const char[]){'A', 'A', alphabet[c]}, 3, out, &len);
	}

	assert_int_equal(two, 4);    /* 2 of 6 bits carry data */
	assert_int_equal(three, 16); /* 4 of 6 */
}

static void
b64_append_beyond_max_is_refused(void **state)
{
	(void)state;
	CLEAN(buf)
	struct buf buf;
	buf_init(&buf, 8);

	assert_true(b64_append(&buf, "foobar", 6));
	assert_string_equal(buf_peek(&buf), "Zm9vYmFy");
	assert_false(b64_append(&buf, "f", 1));
	assert_true(buf.overflow);
	buf_reset(&buf);
	assert_false(b64_append(&buf, "f", SIZE_MAX / 2));
	assert_true(buf.overflow);
}

static void
hex_round_trips_every_octet(void **state)
{
	(void)state;
	uint8_t data[256];
	uint8_t back[256] = {0};
	char text[513];
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)i;

	hex_encode(data, sizeof(data), text);

	assert_int_equal(strlen(text), 512);
	assert_true(hex_decode(text, back, sizeof(back)));
	assert_memory_equal(back, data, sizeof(data));
}

static void
hex_digit_takes_both_cases_and_nothing_else(void **state)
{
	(void)state;
	for (int c = 0; c < 256; c++) {
		static const char digits[] = "0123456789abcdefABCDEF";
		const char *found = c != 0 ? strchr(digits, c) : NULL;
		int wanted = found == NULL ? -1 : (int)(found - digits);
		assert_int_equal(hex_digit((char)c), wanted > 15 ? wanted - 6 : wanted);
	}
}

static void
hex_decode_of_another_spelling_is_refused(void **state)
{
	(void)state;
	static const char *const rows[] = {
		"", "0", "000", "00000", "0G0g", "00FF", "0x00", " 000", "00 0", "+0-0"};
	uint8_t out[2];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (hex_decode(rows[i], out, sizeof(out)))
			fail_msg("accepted: %s", rows[i]);
	}
	assert_true(hex_decode("", out, 0));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(b64_round_trips_every_length),
		cmocka_unit_test(b64_encodes_the_vectors_of_rfc_4648),
		cmocka_unit_test(b64_decode_in_place_works),
		cmocka_unit_test(b64_decode_of_a_non_canonical_spelling_is_refused),
		cmocka_unit_test(b64_decode_accepts_exactly_the_64_characters),
		cmocka_unit_test(b64_decode_accepts_exactly_the_canonical_tails),
		cmocka_unit_test(b64_append_beyond_max_is_refused),
		cmocka_unit_test(hex_round_trips_every_octet),
		cmocka_unit_test(hex_digit_takes_both_cases_and_nothing_else),
		cmocka_unit_test(hex_decode_of_another_spelling_is_refused),
	};
	return cmocka_run_group_tests_name("b64", tests, NULL, NULL);
}
