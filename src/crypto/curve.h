/* The elliptic curves we know, by name, width and object identifier (curve.tbl). */
#pragma once

#include <stddef.h>

#include "base/buf.h"

enum curve {
	CURVE_NONE,
#define CURVE(symbol, name, library, octets, strength, der) CURVE_##symbol,
#include "crypto/curve.tbl"
	CURVE_COUNT
};

#define CURVE_OCTETS_MAX 66                         /* P-521 */
#define CURVE_POINT_MAX  (1 + 2 * CURVE_OCTETS_MAX) /* uncompressed: 04 ‖ x ‖ y (SEC 1 §2.3.3) */

/* CURVE_NONE for an unknown name; case counts. */
enum curve curve_find(const char *name);
/* The curve of a DER object identifier, exactly; CURVE_NONE for any other. */
enum curve curve_find_der(struct bytes der);

/* Columns of the table; `curve` must be one of it (asserted). Static. */
const char *curve_name(enum curve curve);
const char *curve_library_name(enum curve curve);
size_t curve_octets(enum curve curve);
unsigned curve_strength(enum curve curve); /* bits; see strength.h */
struct bytes curve_der(enum curve curve);
