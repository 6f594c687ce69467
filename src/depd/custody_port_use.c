/* Operations with one key of the service's own custody. */
#include "depd/custody_port_priv.h"

#include <stdio.h>

#include "api/asking.h"

static bool
take_value(struct port_call *call, struct bytes body, struct custody_answer *told)
{
	return api_told_result(body, call->arena, call->kids[0], &told->value, &told->err);
}

static bool
take_secret(struct port_call *call, struct bytes body, struct custody_answer *told)
{
	told->secret = api_told_secret(body, call->arena, call->kids[0], &told->err);
	return told->secret != NULL;
}

static uint64_t
operate(struct custody_port *port, const char *uri, const char *verb, const struct buf *body,
	struct port_call *take_call, struct err *err)
{
	struct kid kid;
	char path[PORT_PATH_SIZE];
	if (!port_parse_kid(uri, true, &kid, err) || !port_body_fits(body, err)) {
		port_call_free(take_call);
		return 0;
	}
	(void)snprintf(take_call->kids[0], sizeof(take_call->kids[0]), "%s", uri);
	(void)snprintf(path, sizeof(path), "/keys/%s/%s/%s?" PORT_API_VERSION, kid.name,
		kid.version, verb);
	struct client_request request = {.method = "POST",
		.host = kid.host,
		.path = path,
		.repeatable = true,
		.body = buf_bytes(body)};
	return port_call_start(port, take_call, custody_service, &request, err);
}

static enum alg
availability_alg(enum db_dep_policy_kind kind)
{
	return kind == DB_DEP_GEO ? ALG_RSA_OAEP_256 : ALG_A256KW;
}

uint64_t
custody_port_wrap(struct custody_port *port, enum db_dep_policy_kind kind, const char *kid,
	const struct secret *value, custody_port_fn *fn, void *ctx, struct err *err)
{
	CLEAN(buf)
	struct buf body;
	buf_init(&body, CUSTODY_PORT_ANSWER_MAX);
	api_asking_operation(availability_alg(kind), value, (struct bytes){0}, &body);
	return operate(port, kid, "wrapkey", &body, port_call_new(take_value, fn, ctx), err);
}

uint64_t
custody_port_unwrap(struct custody_port *port, enum db_dep_policy_kind kind, const char *kid,
	struct bytes wrapped, custody_port_fn *fn, void *ctx, struct err *err)
{
	CLEAN(buf)
	struct buf body;
	buf_init(&body, CUSTODY_PORT_ANSWER_MAX);
	api_asking_operation(availability_alg(kind), NULL, wrapped, &body);
	return operate(port, kid, "unwrapkey", &body, port_call_new(take_secret, fn, ctx), err);
}

uint64_t
custody_port_sign(struct custody_port *port, const char *kid, const uint8_t digest[static 32],
	custody_port_fn *fn, void *ctx, struct err *err)
{
	CLEAN(buf)
	struct buf body;
	buf_init(&body, CUSTODY_PORT_ANSWER_MAX);
	api_asking_operation(ALG_ES256, NULL, (struct bytes){digest, 32}, &body);
	return operate(port, kid, "sign", &body, port_call_new(take_value, fn, ctx), err);
}
