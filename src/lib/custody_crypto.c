/* Operations with one key. None changes anything, so each may be repeated. */
#include "custody/custody.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/client_call.h"

void
custody_result_free(struct custody_result *result)
{
	if (result == NULL)
		return;
	custody_secret_free(&result->value);
	custody_secret_free(&result->iv);
	custody_secret_free(&result->tag);
	free(result);
}

/* Begins the body that all these operations have. */
static void
begin(struct body *body, const char *algorithm)
{
	body_init(body);
	body_text(body, "alg", algorithm);
}

static bool
operate(struct custody_client *client, const char *key_id, const char *operation, struct body *body,
	struct reply *ret_reply, struct custody_error *error)
{
	struct kid kid;
	char path[CALL_PATH_MAX];
	if (!call_key_path(key_id, operation, &kid, path, error))
		return false;
	body_end(body);
	struct call call = {.method = "POST",
		.vault = kid.host,
		.path = path,
		.body = body,
		.repeatable = true};
	return call_daemon(client, &call, ret_reply, error);
}

static bool
read_optional(
	struct answer object, const char *name, struct custody_secret *octets, struct err *err)
{
	struct answer value = answer_member(object, name);
	return value.start == NULL || answer_octets(value, octets, err);
}

static bool
read_result(struct answer object, struct custody_result *result, struct err *err)
{
	if (!answer_text(answer_member(object, "kid"), result->key_id, sizeof(result->key_id)))
		return err_set(err, ERR_CLIENT_ANSWER, NULL);
	return answer_octets(answer_member(object, "value"), &result->value, err) &&
	       read_optional(object, "iv", &result->iv, err) &&
	       read_optional(object, "tag", &result->tag, err);
}

static bool
take_result(struct answer object, struct custody_result **ret_result, struct custody_error *error)
{
	struct err err;
	struct custody_result *result = calloc(1, sizeof(*result));
	if (result == NULL)
		return call_fail_code(error, ERR_NO_MEMORY, NULL);
	if (!read_result(object, result, &err)) {
		custody_result_free(result);
		return call_fail(error, &err);
	}
	*ret_result = result;
	return true;
}

static bool
take_secret(struct answer object, struct custody_secret *ret_secret, struct custody_error *error)
{
	struct err err;
	return answer_octets(answer_member(object, "value"), ret_secret, &err) ||
	       call_fail(error, &err);
}

/* algorithm and value in, a result out: wrap and sign. */
static bool
operate_on_value(struct custody_client *client, const char *key_id, const char *operation,
	const char *algorithm, struct custody_bytes value, struct custody_result **ret_result,
	struct custody_error *error)
{
	CLEAN(body)
	struct body body;
	CLEAN(reply)
	struct reply reply = {
		.value = {NULL, NULL}
        };
	begin(&body, algorithm);
	body_octets(&body, "value", value);
	return operate(client, key_id, operation, &body, &reply, error) &&
	       take_result(reply.value, ret_result, error);
}

bool
custody_wrap(struct custody_client *client, const char *key_id, const char *algorithm,
	struct custody_bytes key, struct custody_result **ret_result, struct custody_error *error)
{
	return operate_on_value(client, key_id, "wrapkey", algorithm, key, ret_result, error);
}

bool
custody_sign(struct custody_client *client, const char *key_id, const char *algorithm,
	struct custody_bytes digest, struct custody_result **ret_result,
	struct custody_error *error)
{
	return operate_on_value(client, key_id, "sign", algorithm, digest, ret_result, error);
}

bool
custody_unwrap(struct custody_client *client, const char *key_id, const char *algorithm,
	struct custody_bytes wrapped, struct custody_secret *ret_key, struct custody_error *error)
{
	CLEAN(body)
	struct body body;
	CLEAN(reply)
	struct reply reply = {
		.value = {NULL, NULL}
        };
	begin(&body, algorithm);
	body_octets(&body, "value", wrapped);
	return operate(client, key_id, "unwrapkey", &body, &reply, error) &&
	       take_secret(reply.value, ret_key, error);
}

bool
custody_encrypt(struct custody_client *client, const char *key_id, const char *algorithm,
	struct custody_bytes plaintext, struct custody_bytes aad,
	struct custody_result **ret_result, struct custody_error *error)
{
	CLEAN(body)
	struct body body;
	CLEAN(reply)
	struct reply reply = {
		.value = {NULL, NULL}
        };
	begin(&body, algorithm);
	body_octets(&body, "value", plaintext);
	if (aad.len > 0)
		body_octets(&body, "aad", aad);
	return operate(client, key_id, "encrypt", &body, &reply, error) &&
	       take_result(reply.value, ret_result, error);
}

bool
custody_decrypt(struct custody_client *client, const char *key_id, const char *algorithm,
	struct custody_bytes ciphertext, struct custody_bytes iv, struct custody_bytes tag,
	struct custody_bytes aad, struct custody_secret *ret_plaintext, struct custody_error *error)
{
	CLEAN(body)
	struct body body;
	CLEAN(reply)
	struct reply reply = {
		.value = {NULL, NULL}
        };
	begin(&body, algorithm);
	body_octets(&body, "value", ciphertext);
	if (iv.len > 0)
		body_octets(&body, "iv", iv);
	if (tag.len > 0)
		body_octets(&body, "tag", tag);
	if (aad.len > 0)
		body_octets(&body, "aad", aad);
	return operate(client, key_id, "decrypt", &body, &reply, error) &&
	       take_secret(reply.value, ret_plaintext, error);
}

bool
custody_verify(struct custody_client *client, const char *key_id, const char *algorithm,
	struct custody_bytes digest, struct custody_bytes signature, bool *ret_valid,
	struct custody_error *error)
{
	CLEAN(body)
	struct body body;
	CLEAN(reply)
	struct reply reply = {
		.value = {NULL, NULL}
        };
	begin(&body, algorithm);
	body_octets(&body, "digest", digest);
	body_octets(&body, "value", signature);
	return operate(client, key_id, "verify", &body, &reply, error) &&
	       (answer_bool(answer_member(reply.value, "value"), ret_valid) ||
		       call_fail_code(error, ERR_CLIENT_ANSWER, NULL));
}
