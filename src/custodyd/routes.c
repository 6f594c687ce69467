#include "custodyd/operations.h"
#include "jose/alg.h"

/* clang-format off: it takes the row for a block */
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
