#include "custodyd/operations.h"
#include "jose/alg.h"

/* The formatter takes the row for a block. clang-format has to be told in its own words. */
/* clang-format off */
static const struct route_row rows[] = {
#define ROUTE(method, template, dialect, permission, mutates, op, type, audit)                     \
	{{HTTP_##method, template}, dialect, permission, mutates, op, &type, audit},
#include "custodyd/route.tbl"
};
/* clang-format on */

const struct route_row *
routes_get(size_t *ret_count)
{
	*ret_count = ARRAY_LEN(rows);
	return rows;
}
