/* What a custodyd says of itself. */
#include "depd/custody_port_priv.h"

#include <string.h>

static bool
take_health(struct port_call *call, struct bytes body, struct custody_answer *told)
{
	static const char well[] = "{\"status\":\"ok\"}";
	told->value = arena_bytes(call->arena, body.data, body.len);
	if (body.len != sizeof(well) - 1 || memcmp(body.data, well, body.len) != 0)
		(void)err_set(&told->err, ERR_UNAVAILABLE, NULL);
	return true;
}

uint64_t
custody_port_health(struct custody_port *port, enum custody_side side, custody_port_fn *fn,
	void *ctx, struct err *err)
{
	struct port_call *call = port_call_new(take_health, fn, ctx);
	struct client_request request = {
		.method = "GET", .host = PORT_DUAL_HOST, .path = "/health", .repeatable = true};
	call->any_status = true;
	return port_call_start(port, call, (struct custody_as){side, NULL}, &request, err);
}
