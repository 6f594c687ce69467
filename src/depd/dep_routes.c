#include "depd/dep_operations.h"

/* The formatter takes the row for a block. */
/* clang-format off */
static const struct dep_route rows[] = {
#define ROUTE(method, template, roles, mutates, type, audit)                                       \
	{{HTTP_##method, template}, roles, mutates, &type, audit},
#include "depd/dep_route.tbl"
};
/* clang-format on */

const struct dep_route *
dep_routes_get(size_t *ret_count)
{
	*ret_count = ARRAY_LEN(rows);
	return rows;
}
