/* Envelopes under two keys: made, opened, checked. */
#include "depd/custody_port_priv.h"

#include <string.h>

#include "api/asking.h"

static bool
take_envelope(struct port_call *call, struct bytes body, struct custody_answer *told)
{
	CLEAN(envelope)
	struct envelope *envelope = api_told_envelope(body, call->arena, &told->err);
	CLEAN(buf)
	struct buf text;
	buf_init(&text, ENVELOPE_TEXT_MAX);
	if (envelope == NULL)
		return false;
	if (envelope->recipient_count != ENVELOPE_LISTED_MIN || envelope_degraded(envelope))
		return err_set(&told->err, ERR_CLIENT_ANSWER, NULL);
	if (!envelope_format(envelope, &text, &told->err))
		return false;
	told->envelope = arena_strndup(call->arena, buf_peek(&text), text.len);
	for (size_t i = 0; i < ENVELOPE_LISTED_MIN; i++)
		told->kids[i] = arena_strdup(call->arena, envelope->recipients[i].key.kid);
	return true;
}

uint64_t
custody_port_dual_wrap(struct custody_port *port, struct custody_as as,
	const char *const uris[static 2], struct bytes context, const struct secret *value,
	custody_port_fn *fn, void *ctx, struct err *err)
{
	CLEAN(buf)
	struct buf body;
	buf_init(&body, CUSTODY_PORT_ANSWER_MAX);
	api_asking_dual_wrap(uris, context, value, &body);
	if (!port_body_fits(&body, err))
		return 0;
	struct client_request request = {.method = "POST",
		.host = PORT_DUAL_HOST,
		.path = "/dual/wrapkey",
		.repeatable = true,
		.body = buf_bytes(&body)};
	return port_call_start(port, port_call_new(take_envelope, fn, ctx), as, &request, err);
}

static bool
take_opened(struct port_call *call, struct bytes body, struct custody_answer *told)
{
	struct api_told_attempts attempts;
	told->secret = api_told_opened(body, call->arena, &attempts, &told->err);
	if (told->secret == NULL)
		return false;
	port_put_attempts(told, &attempts);
	return true;
}

static bool
take_check(struct port_call *call, struct bytes body, struct custody_answer *told)
{
	struct api_told_attempts attempts;
	if (!api_told_check(body, call->arena, &attempts, &told->err))
		return false;
	port_put_attempts(told, &attempts);
	return true;
}

static uint64_t
start_open(struct custody_port *port, struct custody_as as, const char *path, const char *text,
	struct bytes context, struct port_call *take_call, struct err *err)
{
	CLEAN(envelope)
	struct envelope *envelope = envelope_parse(text, strlen(text), err);
	CLEAN(buf)
	struct buf body;
	buf_init(&body, CUSTODY_PORT_ANSWER_MAX);
	if (envelope != NULL)
		api_asking_dual_open(bytes_of_text(text), context, &body);
	if (envelope == NULL || !port_body_fits(&body, err)) {
		port_call_free(take_call);
		return 0;
	}
	take_call->dual_open = true;
	take_call->kid_count = envelope->recipient_count;
	for (size_t i = 0; i < envelope->recipient_count; i++)
		memcpy(take_call->kids[i], envelope->recipients[i].key.kid, ENVELOPE_KID_MAX + 1);
	struct client_request request = {.method = "POST",
		.host = PORT_DUAL_HOST,
		.path = path,
		.repeatable = true,
		.body = buf_bytes(&body)};
	return port_call_start(port, take_call, as, &request, err);
}

uint64_t
custody_port_dual_unwrap(struct custody_port *port, struct custody_as as, const char *envelope,
	struct bytes context, custody_port_fn *fn, void *ctx, struct err *err)
{
	return start_open(port, as, "/dual/unwrapkey", envelope, context,
		port_call_new(take_opened, fn, ctx), err);
}

uint64_t
custody_port_dual_check(struct custody_port *port, struct custody_as as, const char *envelope,
	struct bytes context, custody_port_fn *fn, void *ctx, struct err *err)
{
	return start_open(port, as, "/dual/check", envelope, context,
		port_call_new(take_check, fn, ctx), err);
}
