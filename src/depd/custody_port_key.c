/* Keys and vaults: shown, made, deleted and purged. */
#include "depd/custody_port_priv.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "api/asking.h"

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
	char path[PORT_PATH_SIZE];
	if (!port_parse_kid(uri, false, &kid, err))
		return 0;
	(void)snprintf(path, sizeof(path), "/keys/%s/%s?" PORT_API_VERSION, kid.name, kid.version);
	struct client_request request = {
		.method = "GET", .host = kid.host, .path = path, .repeatable = true};
	return port_call_start(port, port_call_new(take_key, fn, ctx), as, &request, err);
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
	char path[PORT_PATH_SIZE];
	if (!id_vault_name_valid(vault)) {
		(void)err_set(err, ERR_BAD_PARAMETER, "A vault's name is wanted.");
		return 0;
	}
	(void)snprintf(path, sizeof(path), "/vaults/%s", vault);
	struct client_request request = {
		.method = "GET", .host = PORT_DUAL_HOST, .path = path, .repeatable = true};
	return port_call_start(port, port_call_new(take_vault, fn, ctx), as, &request, err);
}

static bool
take_place(struct port_call *call, struct bytes body, struct custody_answer *told)
{
	struct api_told_custody custody;
	struct custody_place *out = &told->place;
	if (!api_told_custody(body, call->arena, &custody, &told->err))
		return false;
	if (strcmp(custody.kid, call->kids[0]) != 0 || strlen(custody.token) >= sizeof(out->token))
		return err_set(&told->err, ERR_CLIENT_ANSWER, NULL);
	out->purged = strcmp(custody.state, "purged") == 0;
	out->purged_s = custody.purged;
	(void)snprintf(out->token, sizeof(out->token), "%s", custody.token);
	out->hardware = custody.hardware;
	out->never_extractable = custody.never_extractable;
	return true;
}

uint64_t
custody_port_place(struct custody_port *port, struct custody_as as, const char *uri,
	custody_port_fn *fn, void *ctx, struct err *err)
{
	struct kid kid;
	char path[PORT_PATH_SIZE];
	if (!port_parse_kid(uri, true, &kid, err))
		return 0;
	(void)snprintf(
		path, sizeof(path), "/vaults/%s/keys/%s/%s", kid.vault, kid.name, kid.version);
	struct client_request request = {
		.method = "GET", .host = PORT_DUAL_HOST, .path = path, .repeatable = true};
	struct port_call *call = port_call_new(take_place, fn, ctx);
	(void)snprintf(call->kids[0], sizeof(call->kids[0]), "%s", uri);
	return port_call_start(port, call, as, &request, err);
}

uint64_t
custody_port_key_create(struct custody_port *port, const char *host, const char *name, enum kty kty,
	custody_port_fn *fn, void *ctx, struct err *err)
{
	assert(kty == KTY_OCT || kty == KTY_RSA || kty == KTY_EC);
	char path[PORT_PATH_SIZE];
	CLEAN(buf)
	struct buf body;
	buf_init(&body, CUSTODY_PORT_ANSWER_MAX);
	if (kty != KTY_EC)
		api_asking_key_create(
			kty, kty == KTY_OCT ? 256 : 2048, CURVE_NONE, ALG_WRAPS, &body);
	else
		api_asking_key_create(kty, 0, CURVE_P256, ALG_SIGNS, &body);
	(void)snprintf(path, sizeof(path), "/keys/%s/create?" PORT_API_VERSION, name);
	struct client_request request = {
		.method = "POST", .host = host, .path = path, .body = buf_bytes(&body)};
	return port_call_start(
		port, port_call_new(take_key, fn, ctx), custody_service, &request, err);
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
	char path[PORT_PATH_SIZE];
	(void)snprintf(path, sizeof(path), "/%s/%s?" PORT_API_VERSION, collection, name);
	struct client_request request = {
		.method = "DELETE", .host = host, .path = path, .repeatable = true};
	return port_call_start(
		port, port_call_new(take_nothing, fn, ctx), custody_service, &request, err);
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
