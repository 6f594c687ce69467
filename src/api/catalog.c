/* Invariant: a reason is text that can stand in a log as it is. */
#include "catalog.h"

#include "api/body.h"

static const struct json_field accept_fields[] = {
	FIELD(struct api_catalog_accept, reason, "reason", TEXT,
		.flags = JSON_REQUIRED | JSON_NON_EMPTY | JSON_PRINTABLE, .max = API_REASON_MAX),
};
TABLE(accept_table, accept_fields, struct api_catalog_accept, true);

bool
api_catalog_accept_decode(struct bytes body, struct arena *arena,
	struct api_catalog_accept *ret_accept, struct err *err)
{
	return json_decode_body(body, &accept_table, arena, ret_accept, err);
}
