/*
 * Invariant: a call that has begun is in the list until its callback is called or it is cancelled, and its callback is called once.
 * A key counts as denied only for a word that the table of denials has; whatever else comes is an outage.
 */
#include "custody_port.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/asking.h"
#include "api/told.h"
#include "base/arena.h"

#define API_VERSION "api-version=7.4"
#define DUAL_HOST   "custody" /* routes of ours do not read it */
#define PATH_SIZE   640

static_assert(CUSTODY_PORT_ANSWER_MAX == API_TOLD_MAX, "what may be read may come");

const struct custody_as custody_service = {CUSTODY_SERVICE, NULL};

struct port_call;

/* Reads an answer below 400; false with told->err. */
typedef bool take_fn(struct port_call *call, struct bytes body, struct custody_answer *told);

struct port_call {
	struct port_call *prev, *next;
	struct custody_port *port;
	struct async *async;
	uint64_t number, async_number;
	take_fn *take;
	custody_port_fn *fn;
	void *ctx;
	struct arena *arena;     /* text of the answer */
	const char *application; /* that asks; static, or NULL */
	bool dual_open;          /* an answer that opens nothing tells of each key, or of none */
	char kids[ENVELOPE_RECIPIENTS_MAX]
		 [ENVELOPE_KID_MAX + 1]; /* recipients; or [0] the key asked for */
	size_t kid_count;
};

struct custody_port {
	struct async *owners, *service;
	struct port_call *first;
	uint64_t last_number;
};

struct custody_as
custody_port_as(enum db_dep_policy_kind kind)
{
	switch (kind) {
	case DB_DEP_M365:
		return (struct custody_as){CUSTODY_OWNERS, CUSTODY_APP_M365};
	case DB_DEP_MAILBOX:
		return (struct custody_as){CUSTODY_OWNERS, CUSTODY_APP_EXCHANGE};
	case DB_DEP_SERVICE:
		return custody_service;
	case DB_DEP_GEO:
		break;
	}
	abort(); /* no such policy can be made */
}

const char *
dep_reason_name(enum dep_reason reason)
{
	static const char *const names[] = {
		[DEP_NOT_TOLD] = "not asked",
		[DEP_OPENED] = "opened",
		[DEP_DENIED] = "denied",
		[DEP_UNAVAILABLE] = "unavailable",
	};
	return names[reason];
}

/* ---- calls under way ---- */

struct custody_port *
custody_port_new(struct async *owners, struct async *service)
{
	struct custody_port *port = calloc(1, sizeof(*port));
	if (port == NULL)
		abort();
	port->owners = owners;
	port->service = service;
	return port;
}

static void
call_free(struct port_call *call)
{
	arena_free(call->arena);
	free(call);
}

static void
take_out(struct port_call *call)
{
	if (call->prev != NULL)
		call->prev->next = call->next;
	else
		call->port->first = call->next;
	if (call->next != NULL)
		call->next->prev = call->prev;
}

void
custody_port_cancel(struct custody_port *port, uint64_t number)
{
	struct port_call *call = port->first;
	while (call != NULL && call->number != number)
		call = call->next;
	if (call == NULL)
		return;
	async_cancel(call->async, call->async_number);
	take_out(call);
	call_free(call);
}

void
custody_port_free(struct custody_port *port)
{
	if (port == NULL)
		return;
	while (port->first != NULL)
		custody_port_cancel(port, port->first->number);
	free(port);
}

/* ---- reasons ---- */

/* Whatever the owner can have meant by "no": permission, state. Nothing else is a denial (threats G3, G4). */
static const enum err_code denials[] = {
	ERR_FORBIDDEN,
	ERR_ACCESS_DENIED,
	ERR_KEY_DISABLED,
	ERR_KEY_DELETED,
	ERR_KEY_PURGED,
	ERR_KEY_OPERATION_FORBIDDEN,
};

static bool
is_denial(const struct api_told_attempt *told)
{
	enum err_code code = err_find(told->code);
	for (size_t i = 0; i < ARRAY_LEN(denials); i++) {
		if (code == denials[i])
			return strcmp(told->outcome, err_class_name(ERR_CLASS_DENIED)) == 0;
	}
	return false;
}

static bool
is_outage(const struct api_told_attempt *told)
{
	enum err_code code = err_find(told->code);
	return code != ERR_NONE && err_class(code) == ERR_CLASS_UNAVAILABLE &&
	       strcmp(told->outcome, err_class_name(ERR_CLASS_UNAVAILABLE)) == 0;
}

static void
put_attempt(struct custody_answer *answer, const char *kid, enum dep_reason reason,
	const char *code, bool strange)
{
	struct custody_attempt *attempt = &answer->attempts[answer->attempt_count++];
	*attempt = (struct custody_attempt){.reason = reason, .strange = strange};
	(void)snprintf(attempt->kid, sizeof(attempt->kid), "%s", kid);
	(void)snprintf(attempt->code, sizeof(attempt->code), "%s", code);
}

static void
put_attempts(struct custody_answer *answer, const struct api_told_attempts *told)
{
	for (size_t i = 0; i < told->count; i++) {
		const struct api_told_attempt *item = &told->items[i];
		if (strcmp(item->outcome, "opened") == 0)
			put_attempt(answer, item->kid, DEP_OPENED, "", false);
		else if (is_denial(item))
			put_attempt(answer, item->kid, DEP_DENIED, item->code, false);
		else
			put_attempt(answer, item->kid, DEP_UNAVAILABLE,
				item->code[0] != '\0' ? item->code : item->outcome,
				!is_outage(item));
	}
}

/* ---- answers ---- */

/*
 * Nothing opened. What custodyd said of each key stands in the attempts; that a half is bad it says without them (400). An answer
 * that says nothing of the keys is no word of their owners: as if there had been none.
 */
static void
tell_unopened(const struct port_call *call, int status, bool has_attempts,
	const struct api_told_attempts *attempts, struct custody_answer *told)
{
	if (status == 400 && !has_attempts) {
		for (size_t i = 0; i < call->kid_count; i++)
			put_attempt(told, call->kids[i], DEP_UNAVAILABLE,
				err_name(ERR_BAD_CIPHERTEXT), true);
	} else if ((status == 403 || status == 503) && has_attempts) {
		put_attempts(told, attempts);
	} else {
		told->unreachable = true;
	}
}

static void
tell_refusal(struct port_call *call, int status, struct bytes body, struct custody_answer *told)
{
	struct api_told_attempts attempts;
	bool has_attempts = api_told_error(status, body, call->arena, &attempts, &told->err);
	if (call->dual_open)
		tell_unopened(call, status, has_attempts, &attempts, told);
	else
		told->unreachable = told->err.code == ERR_CLIENT_ANSWER;
}

static void
answered(void *ctx, const struct client_answer *answer, const struct err *err)
{
	struct port_call *call = ctx;
	struct custody_answer told = {.key.expires = API_NO_TIME};
	if (answer == NULL) {
		told.err = *err;
		told.unreachable = true;
	} else {
		memcpy(told.request_id, answer->request_id, sizeof(told.request_id));
		if (answer->status >= 300)
			tell_refusal(call, answer->status, buf_bytes(answer->body), &told);
		else if (!call->take(call, buf_bytes(answer->body), &told))
			told.unreachable = true;
	}
	take_out(call);
	call->fn(call->ctx, &told);
	secret_free(told.secret);
	pubkey_free(told.key.pubkey);
	call_free(call);
}

/* ---- beginning ---- */

static struct port_call *
call_new(take_fn *take, custody_port_fn *fn, void *ctx)
{
	struct port_call *call = calloc(1, sizeof(*call));
	if (call == NULL)
		abort();
	call->arena = arena_new();
	call->take = take;
	call->fn = fn;
	call->ctx = ctx;
	return call;
}

static uint64_t
start(struct custody_port *port, struct port_call *take_call, struct custody_as as,
	const struct client_request *request, struct err *err)
{
	struct port_call *call = take_call;
	struct client_request whole = *request;
	whole.application = as.application;
	whole.authorize = true;
	call->port = port;
	call->application = as.application;
	call->async = as.side == CUSTODY_OWNERS ? port->owners : port->service;
	call->async_number = async_call(call->async, &whole, answered, call, err);
	if (call->async_number == 0) {
		call_free(call);
		return 0;
	}
	call->number = ++port->last_number;
	call->next = port->first;
	if (port->first != NULL)
		port->first->prev = call;
	port->first = call;
	return call->number;
}

/* The first of call->kids is what was asked for. */
static bool
parse_kid(const char *uri, bool versioned, struct kid *ret_kid, struct err *err)
{
	if (strlen(uri) <= ENVELOPE_KID_MAX && kid_parse(uri, ret_kid) &&
		(!versioned || ret_kid->version[0] != '\0'))
		return true;
	return err_set(err, ERR_BAD_PARAMETER, "A key id is wanted, https://<host>/keys/<name>%s.",
		versioned ? "/<version>" : "");
}

static bool
body_fits(const struct buf *body, struct err *err)
{
	return !body->overflow || err_set(err, ERR_TOO_LARGE, NULL);
}

/* ---- keys and vaults ---- */

static bool
take_key(struct port_call *call, struct bytes body, struct custody_answer *told)
{
	struct api_told_key key;
	if (!api_told_key(body, call->arena, &key, &told->err))
		return false;
	struct custody_key *out = &told->key;
	(void)snprintf(out->kid, sizeof(out->kid), "%s", key.kid);
	(void)snprintf(out->recovery_level, sizeof(out->recovery_level), "%s", key.recovery_level);
	out->kty = key.kty;
	out->ops = key.ops;
	out->bits = key.pubkey != NULL ? pubkey_bits(key.pubkey) : 0;
	out->enabled = key.enabled;
	out->expires = key.expires;
	out->recoverable_days = (int)key.recoverable_days;
	out->pubkey = key.pubkey;
	return true;
}

uint64_t
custody_port_key_get(struct custody_port *port, struct custody_as as, const char *uri,
	custody_port_fn *fn, void *ctx, struct err *err)
{
	struct kid kid;
	char path[PATH_SIZE];
	if (!parse_kid(uri, false, &kid, err))
		return 0;
	(void)snprintf(path, sizeof(path), "/keys/%s/%s?" API_VERSION, kid.name, kid.version);
	struct client_request request = {
		.method = "GET", .host = kid.host, .path = path, .repeatable = true};
	return start(port, call_new(take_key, fn, ctx), as, &request, err);
}

static unsigned
permission_of(const char *word)
{
	static const struct {
		const char *word;
		unsigned bit;
	} permissions[] = {
		{"get",       CUSTODY_MAY_GET   },
		{"wrapKey",   CUSTODY_MAY_WRAP  },
		{"unwrapKey", CUSTODY_MAY_UNWRAP},
	};
	for (size_t i = 0; i < ARRAY_LEN(permissions); i++)
		if (strcmp(permissions[i].word, word) == 0)
			return permissions[i].bit;
	return 0;
}

static unsigned
granted_to(const char *application, const struct api_told_vault *vault)
{
	static const char prefix[] = "app:";
	unsigned granted = 0;
	for (size_t i = 0; i < vault->grant_count; i++) {
		const struct api_told_grant *grant = &vault->grants[i];
		if (application == NULL || strcmp(grant->state, "ok") != 0 ||
			strncmp(grant->principal, prefix, sizeof(prefix) - 1) != 0 ||
			strcmp(grant->principal + sizeof(prefix) - 1, application) != 0)
			continue;
		for (size_t j = 0; j < grant->words.count; j++)
			granted |= permission_of(grant->words.items[j]);
	}
	return granted;
}

static bool
take_vault(struct port_call *call, struct bytes body, struct custody_answer *told)
{
	struct api_told_vault vault;
	struct custody_vault *out = &told->vault;
	if (!api_told_vault(body, call->arena, &vault, &told->err))
		return false;
	if (!id_vault_name_valid(vault.name) || !id_token_name_valid(vault.token) ||
		strlen(vault.uri) >= sizeof(out->uri) ||
		strlen(vault.region) >= sizeof(out->region))
		return err_set(&told->err, ERR_CLIENT_ANSWER, NULL);
	(void)snprintf(out->name, sizeof(out->name), "%s", vault.name);
	(void)snprintf(out->uri, sizeof(out->uri), "%s", vault.uri);
	(void)snprintf(out->token, sizeof(out->token), "%s", vault.token);
	(void)snprintf(out->region, sizeof(out->region), "%s", vault.region);
	out->retention_days = (int)vault.retention_days;
	out->purge_protection = vault.purge_protection;
	out->granted = granted_to(call->application, &vault);
	return true;
}

uint64_t
custody_port_vault_get(struct custody_port *port, struct custody_as as, const char *vault,
	custody_port_fn *fn, void *ctx, struct err *err)
{
	char path[PATH_SIZE];
	if (!id_vault_name_valid(vault)) {
		(void)err_set(err, ERR_BAD_PARAMETER, "A vault's name is wanted.");
		return 0;
	}
	(void)snprintf(path, sizeof(path), "/vaults/%s", vault);
	struct client_request request = {
		.method = "GET", .host = DUAL_HOST, .path = path, .repeatable = true};
	return start(port, call_new(take_vault, fn, ctx), as, &request, err);
}

uint64_t
custody_port_key_create(struct custody_port *port, const char *host, const char *name, enum kty kty,
	custody_port_fn *fn, void *ctx, struct err *err)
{
	assert(kty == KTY_OCT || kty == KTY_EC);
	char path[PATH_SIZE];
	CLEAN(buf)
	struct buf body;
	buf_init(&body, CUSTODY_PORT_ANSWER_MAX);
	if (kty == KTY_OCT)
		api_asking_key_create(kty, 256, CURVE_NONE, ALG_WRAPS, &body);
	else
		api_asking_key_create(kty, 0, CURVE_P256, ALG_SIGNS, &body);
	(void)snprintf(path, sizeof(path), "/keys/%s/create?" API_VERSION, name);
	struct client_request request = {
		.method = "POST", .host = host, .path = path, .body = buf_bytes(&body)};
	return start(port, call_new(take_key, fn, ctx), custody_service, &request, err);
}

/* That it was done is all that counts. */
static bool
take_nothing(struct port_call *call, struct bytes body, struct custody_answer *told)
{
	(void)call;
	(void)body;
	(void)told;
	return true;
}

static uint64_t
end_key(struct custody_port *port, const char *host, const char *collection, const char *name,
	custody_port_fn *fn, void *ctx, struct err *err)
{
	char path[PATH_SIZE];
	(void)snprintf(path, sizeof(path), "/%s/%s?" API_VERSION, collection, name);
	struct client_request request = {
		.method = "DELETE", .host = host, .path = path, .repeatable = true};
	return start(port, call_new(take_nothing, fn, ctx), custody_service, &request, err);
}

uint64_t
custody_port_key_delete(struct custody_port *port, const char *host, const char *name,
	custody_port_fn *fn, void *ctx, struct err *err)
{
	return end_key(port, host, "keys", name, fn, ctx, err);
}

uint64_t
custody_port_key_purge(struct custody_port *port, const char *host, const char *name,
	custody_port_fn *fn, void *ctx, struct err *err)
{
	return end_key(port, host, "deletedkeys", name, fn, ctx, err);
}

/* ---- dual operations ---- */

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
	if (!body_fits(&body, err))
		return 0;
	struct client_request request = {.method = "POST",
		.host = DUAL_HOST,
		.path = "/dual/wrapkey",
		.repeatable = true,
		.body = buf_bytes(&body)};
	return start(port, call_new(take_envelope, fn, ctx), as, &request, err);
}

static bool
take_opened(struct port_call *call, struct bytes body, struct custody_answer *told)
{
	struct api_told_attempts attempts;
	told->secret = api_told_opened(body, call->arena, &attempts, &told->err);
	if (told->secret == NULL)
		return false;
	put_attempts(told, &attempts);
	return true;
}

static bool
take_check(struct port_call *call, struct bytes body, struct custody_answer *told)
{
	struct api_told_attempts attempts;
	if (!api_told_check(body, call->arena, &attempts, &told->err))
		return false;
	put_attempts(told, &attempts);
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
	if (envelope == NULL || !body_fits(&body, err)) {
		call_free(take_call);
		return 0;
	}
	take_call->dual_open = true;
	take_call->kid_count = envelope->recipient_count;
	for (size_t i = 0; i < envelope->recipient_count; i++)
		memcpy(take_call->kids[i], envelope->recipients[i].key.kid, ENVELOPE_KID_MAX + 1);
	struct client_request request = {.method = "POST",
		.host = DUAL_HOST,
		.path = path,
		.repeatable = true,
		.body = buf_bytes(&body)};
	return start(port, take_call, as, &request, err);
}

uint64_t
custody_port_dual_unwrap(struct custody_port *port, struct custody_as as, const char *envelope,
	struct bytes context, custody_port_fn *fn, void *ctx, struct err *err)
{
	return start_open(port, as, "/dual/unwrapkey", envelope, context,
		call_new(take_opened, fn, ctx), err);
}

uint64_t
custody_port_dual_check(struct custody_port *port, struct custody_as as, const char *envelope,
	struct bytes context, custody_port_fn *fn, void *ctx, struct err *err)
{
	return start_open(
		port, as, "/dual/check", envelope, context, call_new(take_check, fn, ctx), err);
}

/* ---- operations with a key of the service ---- */

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
	char path[PATH_SIZE];
	if (!parse_kid(uri, true, &kid, err) || !body_fits(body, err)) {
		call_free(take_call);
		return 0;
	}
	(void)snprintf(take_call->kids[0], sizeof(take_call->kids[0]), "%s", uri);
	(void)snprintf(
		path, sizeof(path), "/keys/%s/%s/%s?" API_VERSION, kid.name, kid.version, verb);
	struct client_request request = {.method = "POST",
		.host = kid.host,
		.path = path,
		.repeatable = true,
		.body = buf_bytes(body)};
	return start(port, take_call, custody_service, &request, err);
}

uint64_t
custody_port_wrap(struct custody_port *port, const char *kid, const struct secret *value,
	custody_port_fn *fn, void *ctx, struct err *err)
{
	CLEAN(buf)
	struct buf body;
	buf_init(&body, CUSTODY_PORT_ANSWER_MAX);
	api_asking_operation(ALG_A256KW, value, (struct bytes){0}, &body);
	return operate(port, kid, "wrapkey", &body, call_new(take_value, fn, ctx), err);
}

uint64_t
custody_port_unwrap(struct custody_port *port, const char *kid, struct bytes wrapped,
	custody_port_fn *fn, void *ctx, struct err *err)
{
	CLEAN(buf)
	struct buf body;
	buf_init(&body, CUSTODY_PORT_ANSWER_MAX);
	api_asking_operation(ALG_A256KW, NULL, wrapped, &body);
	return operate(port, kid, "unwrapkey", &body, call_new(take_secret, fn, ctx), err);
}

uint64_t
custody_port_sign(struct custody_port *port, const char *kid, const uint8_t digest[static 32],
	custody_port_fn *fn, void *ctx, struct err *err)
{
	CLEAN(buf)
	struct buf body;
	buf_init(&body, CUSTODY_PORT_ANSWER_MAX);
	api_asking_operation(ALG_ES256, NULL, (struct bytes){digest, 32}, &body);
	return operate(port, kid, "sign", &body, call_new(take_value, fn, ctx), err);
}
