/* Bits of strength of keys of every kind that we make, against the tables of SP 800-57 and SP 800-56B. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attr.h"
#include "crypto/curve.h"
#include "crypto/strength.h"

/* Threats A4: at each border of the tables, and just below it. */
static void
A4_rsa_has_the_strength_of_the_tables(void **state)
{
	static const struct {
		unsigned bits, strength;
	} rows[] = {
		{0,     0  },
		{1024,  0  },
		{2047,  0  },
		{2048,  112},
		{3071,  112},
		{3072,  128},
		{4095,  128},
		{4096,  152},
		{7679,  152},
		{7680,  192},
		{15359, 192},
		{15360, 256},
		{65536, 256},
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (strength_of_rsa(rows[i].bits) != rows[i].strength)
			fail_msg("RSA of %u bits", rows[i].bits);
}

static void
A4_curve_has_half_the_bits_of_its_order(void **state)
{
	(void)state;

	assert_int_equal(curve_strength(CURVE_P256), 128);
	assert_int_equal(curve_strength(CURVE_P384), 192);
	assert_int_equal(curve_strength(CURVE_P521), 256);
	assert_int_equal(curve_strength(CURVE_P256K), 128);
}

static void
A4_secret_has_its_length_up_to_the_highest(void **state)
{
	static const unsigned bits[] = {128, 192, 256, 384, 512};
	static const unsigned strengths[] = {128, 192, 256, 256, 256};
	(void)state;

	for (size_t i = 0; i < ARRAY_LEN(bits); i++)
		assert_int_equal(strength_of_secret(bits[i]), strengths[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(A4_rsa_has_the_strength_of_the_tables),
		cmocka_unit_test(A4_curve_has_half_the_bits_of_its_order),
		cmocka_unit_test(A4_secret_has_its_length_up_to_the_highest),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
