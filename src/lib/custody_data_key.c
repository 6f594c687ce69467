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
	if (scope == NULL && wrapped != NULL) {
		if (!data_key_token(wrapped, &token, error))
			return false;
		named = (struct custody_scope){scope_kind_word(token.kind), token.id};
		scope = &named;
	}
	if (scope == NULL || scope->kind == NULL || scope->id == NULL || scope->id[0] == '\0')
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

/* ---- many ---- */

struct custody_data_keys {
	size_t count;
	struct custody_data_key keys[];
};

const struct custody_data_key *
custody_data_keys_get(const struct custody_data_keys *keys, size_t index)
{
	return index < keys->count ? &keys->keys[index] : NULL;
}

void
custody_data_keys_free(struct custody_data_keys *keys)
{
	if (keys == NULL)
		return;
	for (size_t i = 0; i < keys->count; i++) {
		custody_secret_free(&keys->keys[i].key);
		free((char *)(uintptr_t)keys->keys[i].wrapped); /* ours, const for the caller */
	}
	free(keys);
}

/* A name that this library does not know is told as it came, and is nothing to throw data away for. */
static bool
read_item_error(struct answer object, struct custody_data_key *key)
{
	if (!answer_text(answer_member(object, "code"), key->name, sizeof(key->name)) ||
		!answer_text(
			answer_member(object, "message"), key->message, sizeof(key->message)) ||
		key->name[0] == '\0')
		return false;
	enum err_code known = err_find(key->name);
	key->error_class = known != ERR_NONE ? (enum custody_class)err_class(known)
					     : CUSTODY_CLASS_UNAVAILABLE;
	call_printable(key->name);
	call_printable(key->message);
	return true;
}

static bool
read_item(struct answer item, bool made, struct custody_data_key *key, struct custody_error *error)
{
	struct answer failed = answer_member(item, "error");
	char *wrapped = NULL;
	if (made) {
		bool read = read_made(item, &key->key, &wrapped, error);
		key->wrapped = wrapped;
		return read;
	}
	if (answer_type(failed) != '{')
		return read_plain(item, &key->key, error);
	return read_item_error(failed, key) || call_fail_code(error, ERR_CLIENT_ANSWER, NULL);
}

/* As many as were asked for, in their order. */
static bool
read_items(struct answer object, bool made, struct custody_data_keys *keys,
	struct custody_error *error)
{
	struct answer array = answer_member(object, "value");
	struct answer item = {NULL, NULL};
	for (size_t i = 0; i < keys->count; i++) {
		item = answer_next(array, item);
		if (answer_type(item) != '{')
			return call_fail_code(error, ERR_CLIENT_ANSWER, NULL);
		if (!read_item(item, made, &keys->keys[i], error))
			return false;
	}
	return answer_next(array, item).start == NULL ||
	       call_fail_code(error, ERR_CLIENT_ANSWER, NULL);
}

static bool
read_keys(struct answer object, bool made, size_t count, struct custody_data_keys **ret_keys,
	struct custody_error *error)
{
	struct custody_data_keys *keys =
		calloc(1, sizeof(*keys) + count * sizeof(struct custody_data_key));
	if (keys == NULL)
		return call_fail_code(error, ERR_NO_MEMORY, NULL);
	keys->count = count;
	if (!read_items(object, made, keys, error)) {
		custody_data_keys_free(keys);
		return false;
	}
	*ret_keys = keys;
	return true;
}

static bool
check_count(size_t count, struct custody_error *error)
{
	return (count > 0 && count <= CUSTODY_DATA_KEYS_MAX) ||
	       call_fail_code(error, ERR_BAD_PARAMETER, "1 to 1000 data keys are one call.");
}

bool
custody_data_keys_generate(struct custody_client *client, const struct custody_scope *scope,
	size_t count, struct custody_data_keys **ret_keys, struct custody_error *error)
{
	char path[CALL_PATH_MAX];
	CLEAN(body)
	struct body body;
	CLEAN(reply)
	struct reply reply = {
		.value = {NULL, NULL}
        };
	body_init(&body);
	body_int(&body, "count", (int64_t)count);
	return check_count(count, error) && scope_path(scope, NULL, "/datakeys", path, error) &&
	       ask(client, path, &body, &reply, error) &&
	       read_keys(reply.value, true, count, ret_keys, error);
}

bool
custody_data_keys_unwrap(struct custody_client *client, const struct custody_scope *scope,
	const char *const *wrapped, size_t count, struct custody_data_keys **ret_keys,
	struct custody_error *error)
{
	char path[CALL_PATH_MAX];
	CLEAN(body)
	struct body body;
	CLEAN(reply)
	struct reply reply = {
		.value = {NULL, NULL}
        };
	body_init(&body);
	if (!check_count(count, error))
		return false;
	for (size_t i = 0; i < count; i++) {
		if (wrapped[i] == NULL)
			return call_fail_code(error, ERR_BAD_CIPHERTEXT, NULL);
	}
	body_texts(&body, "value", wrapped, count);
	return scope_path(scope, wrapped[0], "/datakeys/unwrap", path, error) &&
	       ask(client, path, &body, &reply, error) &&
	       read_keys(reply.value, false, count, ret_keys, error);
}
