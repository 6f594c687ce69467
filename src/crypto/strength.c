/* Invariant: never more than the tables say; a size between two rows has the lower one's strength. */
#include "strength.h"

#include <stddef.h>

#include "base/attr.h"

static const struct {
	unsigned modulus_bits;
	unsigned strength;
} rsa_rows[] = {
	{15360, 256}, /* SP 800-57 part 1, table 2 */
	{7680,  192},
	{4096,  152}, /* SP 800-56B revision 2, appendix D */
	{3072,  128}, /* SP 800-57 part 1, table 2 */
	{2048,  112},
};

unsigned
strength_of_rsa(unsigned modulus_bits)
{
	for (size_t i = 0; i < ARRAY_LEN(rsa_rows); i++) {
		if (modulus_bits >= rsa_rows[i].modulus_bits)
			return rsa_rows[i].strength;
	}
	return 0;
}

unsigned
strength_of_secret(unsigned key_bits)
{
	return key_bits < STRENGTH_MAX ? key_bits : STRENGTH_MAX;
}
