/* Data keys of a scope (doc/api.md, /scopes/{kind}/{id}/datakeys), over depd's socket. */
#include "custody/custody.h"

#include <stdlib.h>
#include <string.h>

#include "base/percent.h"
#include "lib/client_call.h"
#include "lib/data_key.h"
#include "seal/stream.h"

/* ---- which scope ---- */

bool
data_key_token(const char *wrapped, struct dep_token *ret_token, struct custody_error *error)
{
	struct err err;
	uint8_t octets[CUSTODY_WRAPPED_SIZE];
	size_t len = wrapped != NULL ? strlen(wrapped) : 0;
	size_t octet_count;
	if (len == 0 || len >= CUSTODY_WRAPPED_SIZE ||
		!b64_decode(wrapped, len, octets, &octet_count))
		return call_fail_code(error, ERR_BAD_CIPHERTEXT, NULL);
	return dep_token_parse((struct bytes){octets, octet_count}, ret_token, &err) ||
	       call_fail(error, &err);
}

/* /scopes/<kind>/<id><action>; `scope` NULL: the one that `wrapped` names. */
static bool
scope_path(const struct custody_scope *scope, const char *wrapped, const char *action,
	char path[static CALL_PATH_MAX], struct custody_error *error)
{
	struct dep_token token;
	struct custody_scope named;
	CLEAN(buf)
	struct buf text;
	buf_init_soft(&text, CALL_PATH_MAX - 1);
	if (scope == NULL) {
		if (!data_key_token(wrapped, &token, error))
			return false;
		named = (struct custody_scope){scope_kind_word(token.kind), token.id};
		scope = &named;
	}
	if (scope->kind == NULL || scope->id == NULL || scope->id[0] == '\0')
		return call_fail_code(error, ERR_BAD_PARAMETER, "A scope has a kind and an id.");
	(void)buf_text(&text, "/scopes/");
	(void)percent_append(&text, scope->kind);
	(void)buf_text(&text, "/");
	(void)percent_append(&text, scope->id);
	(void)buf_text(&text, action);
	if (text.overflow)
		return call_fail_code(
			error, text.no_memory ? ERR_NO_MEMORY : ERR_URI_TOO_LONG, NULL);
	memcpy(path, text.data, text.len + 1);
	return true;
}

static bool
ask(struct custody_client *client, const char *path, struct body *body, struct reply *ret_reply,
	struct custody_error *error)
{
	body_end(body);
	struct call call = {.method = "POST", .path = path, .body = body, .repeatable = true};
	return call_daemon(client, &call, ret_reply, error);
}

/* ---- one ---- */

static bool
read_plain(struct answer object, struct custody_secret *ret_key, struct custody_error *error)
{
	struct err err;
	struct custody_secret key = {NULL, 0};
	if (!answer_octets(answer_member(object, "plaintext"), &key, &err))
		return call_fail(error, &err);
	if (key.len != STREAM_KEY_LEN) {
		custody_secret_free(&key);
		return call_fail_code(error, ERR_CLIENT_ANSWER, NULL);
	}
	*ret_key = key;
	return true;
}

static bool
read_wrapped(struct answer object, char **ret_wrapped, struct custody_error *error)
{
	char text[CUSTODY_WRAPPED_SIZE];
	if (!answer_text(answer_member(object, "wrapped"), text, sizeof(text)))
		return call_fail_code(error, ERR_CLIENT_ANSWER, NULL);
	char *wrapped = strdup(text);
	if (wrapped == NULL)
		return call_fail_code(error, ERR_NO_MEMORY, NULL);
	*ret_wrapped = wrapped;
	return true;
}

static bool
read_made(struct answer object, struct custody_secret *ret_key, char **ret_wrapped,
	struct custody_error *error)
{
	struct custody_secret key = {NULL, 0};
	if (!read_plain(object, &key, error))
		return false;
	if (!read_wrapped(object, ret_wrapped, error)) {
		custody_secret_free(&key);
		return false;
	}
	*ret_key = key;
	return true;
}

bool
custody_data_key_generate(struct custody_client *client, const struct custody_scope *scope,
	struct custody_secret *ret_key, char **ret_wrapped, struct custody_error *error)
{
	char path[CALL_PATH_MAX];
	CLEAN(body)
	struct body body;
	CLEAN(reply)
	struct reply reply = {
		.value = {NULL, NULL}
        };
	body_init(&body);
	return scope_path(scope, NULL, "/datakeys", path, error) &&
	       ask(client, path, &body, &reply, error) &&
	       read_made(reply.value, ret_key, ret_wrapped, error);
}

bool
custody_data_key_unwrap(struct custody_client *client, const struct custody_scope *scope,
	const char *wrapped, struct custody_secret *ret_key, struct custody_error *error)
{
	char path[CALL_PATH_MAX];
	CLEAN(body)
	struct body body;
	CLEAN(reply)
	struct reply reply = {
		.value = {NULL, NULL}
        };
	body_init(&body);
	if (wrapped == NULL)
		return call_fail_code(error, ERR_BAD_CIPHERTEXT, NULL);
	body_text(&body, "wrapped", wrapped);
	return scope_path(scope, wrapped, "/datakeys/unwrap", path, error) &&
	       ask(client, path, &body, &reply, error) && read_plain(reply.value, ret_key, error);
}
