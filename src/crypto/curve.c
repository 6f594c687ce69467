/* Invariant: every lookup goes through curve.tbl. */
#include "curve.h"

#include <assert.h>
#include <string.h>

struct row {
	const char *name;
	const char *library;
	size_t octets;
	unsigned strength;
	const char *der;
	size_t der_len;
};

static const struct row rows[CURVE_COUNT] = {
#define CURVE(symbol, name, library, octets, strength, der)                                        \
	[CURVE_##symbol] = {name, library, octets, strength, der, sizeof(der) - 1},
#include "crypto/curve.tbl"
};

static const struct row *
row_of(enum curve curve)
{
	assert(curve > CURVE_NONE && curve < CURVE_COUNT);
	return &rows[curve];
}

enum curve
curve_find(const char *name)
{
	for (enum curve curve = CURVE_NONE + 1; curve < CURVE_COUNT; curve++)
		if (strcmp(rows[curve].name, name) == 0)
			return curve;
	return CURVE_NONE;
}

enum curve
curve_find_der(struct bytes der)
{
	for (enum curve curve = CURVE_NONE + 1; curve < CURVE_COUNT; curve++)
		if (bytes_equal(curve_der(curve), der))
			return curve;
	return CURVE_NONE;
}

const char *
curve_name(enum curve curve)
{
	return row_of(curve)->name;
}

const char *
curve_library_name(enum curve curve)
{
	return row_of(curve)->library;
}

size_t
curve_octets(enum curve curve)
{
	return row_of(curve)->octets;
}

unsigned
curve_strength(enum curve curve)
{
	return row_of(curve)->strength;
}

struct bytes
curve_der(enum curve curve)
{
	const struct row *row = row_of(curve);
	return (struct bytes){(const uint8_t *)row->der, row->der_len};
}
