/* Dual operations (doc/api.md, /dual). An envelope travels as the JSON it is, never taken apart here. */
#include "custody/custody.h"

#include <stdlib.h>
#include <string.h>

#include "lib/client_call.h"

#define WARNING_MAX 1024

static void
write_keys(struct body *body, const char *const key_ids[2])
{
	body_texts(body, "keys", key_ids, 2);
}

/* ERR_BAD_PARAMETER unless the envelope is a JSON object: it becomes a part of our body as it stands. */
static bool
write_envelope(struct body *body, const char *envelope, struct custody_error *error)
{
	struct answer value;
	if (envelope == NULL || !answer_parse(bytes_of_text(envelope), &value) ||
		answer_type(value) != '{')
		return call_fail_code(
			error, ERR_BAD_PARAMETER, "The envelope is not a JSON object.");
	body_raw(body, "envelope",
		(struct bytes){(const uint8_t *)value.start, (size_t)(value.end - value.start)});
	return true;
}

static void
tell_warnings(const struct custody_client *client, struct answer object)
{
	char text[WARNING_MAX];
	struct answer array = answer_member(object, "warnings");
	struct answer item = {NULL, NULL};
	if (client->warning == NULL || answer_type(array) != '[')
		return;
	while (answer_type(item = answer_next(array, item)) == '"') {
		if (answer_text(item, text, sizeof(text)))
			client->warning(client->warning_data, text);
	}
}

static bool
call_dual(struct custody_client *client, const char *path, struct body *body,
	struct reply *ret_reply, struct custody_error *error)
{
	body_end(body);
	struct call call = {.method = "POST", .path = path, .body = body, .repeatable = true};
	if (!call_daemon(client, &call, ret_reply, error))
		return false;
	tell_warnings(client, ret_reply->value);
	return true;
}

static bool
take_envelope(struct answer object, char **ret_envelope, struct custody_error *error)
{
	struct answer value = answer_member(object, "envelope");
	if (answer_type(value) != '{')
		return call_fail_code(error, ERR_CLIENT_ANSWER, NULL);
	char *text = strndup(value.start, (size_t)(value.end - value.start));
	if (text == NULL)
		return call_fail_code(error, ERR_NO_MEMORY, NULL);
	*ret_envelope = text;
	return true;
}

static bool
check_keys(const char *const key_ids[2], struct custody_error *error)
{
	struct kid kid;
	if (key_ids != NULL && key_ids[0] != NULL && key_ids[1] != NULL &&
		kid_parse(key_ids[0], &kid) && kid_parse(key_ids[1], &kid))
		return true;
	return call_fail_code(error, ERR_BAD_PARAMETER,
		"Two key ids are needed, like https://vault.host/keys/name or "
		".../keys/name/version.");
}

bool
custody_dual_wrap(struct custody_client *client, const char *const key_ids[2],
	struct custody_bytes context, struct custody_bytes plaintext, char **ret_envelope,
	struct custody_error *error)
{
	if (!check_keys(key_ids, error))
		return false;
	CLEAN(body)
	struct body body;
	CLEAN(reply)
	struct reply reply = {
		.value = {NULL, NULL}
        };
	body_init(&body);
	write_keys(&body, key_ids);
	body_octets(&body, "context", context);
	body_octets(&body, "value", plaintext);
	return call_dual(client, "/dual/wrapkey", &body, &reply, error) &&
	       take_envelope(reply.value, ret_envelope, error);
}

bool
custody_dual_generate(struct custody_client *client, const char *const key_ids[2],
	struct custody_bytes context, size_t length, struct custody_secret *ret_key,
	char **ret_envelope, struct custody_error *error)
{
	if (!check_keys(key_ids, error))
		return false;
	CLEAN(body)
	struct body body;
	CLEAN(reply)
	struct reply reply = {
		.value = {NULL, NULL}
        };
	body_init(&body);
	write_keys(&body, key_ids);
	body_octets(&body, "context", context);
	body_int(&body, "length", length > INT32_MAX ? INT32_MAX : (int64_t)length);
	if (!call_dual(client, "/dual/generatekey", &body, &reply, error))
		return false;
	struct custody_secret key = {NULL, 0};
	struct err err;
	if (!answer_octets(answer_member(reply.value, "value"), &key, &err))
		return call_fail(error, &err);
	bool whole = key.len == length || call_fail_code(error, ERR_CLIENT_ANSWER, NULL);
	if (!whole || !take_envelope(reply.value, ret_envelope, error)) {
		custody_secret_free(&key);
		return false;
	}
	*ret_key = key;
	return true;
}

static bool
read_opened(struct answer object, struct custody_opened *opened)
{
	return answer_text(answer_member(object, "kid"), opened->key_id, sizeof(opened->key_id)) &&
	       answer_bool(answer_member(object, "degraded"), &opened->degraded);
}

bool
custody_dual_unwrap(struct custody_client *client, const char *envelope,
	struct custody_bytes context, struct custody_secret *ret_plaintext,
	struct custody_opened *ret_opened, struct custody_error *error)
{
	CLEAN(body)
	struct body body;
	CLEAN(reply)
	struct reply reply = {
		.value = {NULL, NULL}
        };
	body_init(&body);
	if (!write_envelope(&body, envelope, error))
		return false;
	body_octets(&body, "context", context);
	if (!call_dual(client, "/dual/unwrapkey", &body, &reply, error))
		return false;
	struct custody_opened opened = {.degraded = false};
	struct err err;
	if (!read_opened(reply.value, &opened))
		return call_fail_code(error, ERR_CLIENT_ANSWER, NULL);
	if (!answer_octets(answer_member(reply.value, "value"), ret_plaintext, &err))
		return call_fail(error, &err);
	if (ret_opened != NULL)
		*ret_opened = opened;
	return true;
}

bool
custody_dual_rewrap(struct custody_client *client, const char *envelope,
	struct custody_bytes context, const char *const key_ids[2], char **ret_envelope,
	struct custody_error *error)
{
	if (key_ids != NULL && !check_keys(key_ids, error))
		return false;
	CLEAN(body)
	struct body body;
	CLEAN(reply)
	struct reply reply = {
		.value = {NULL, NULL}
        };
	body_init(&body);
	if (!write_envelope(&body, envelope, error))
		return false;
	body_octets(&body, "context", context);
	if (key_ids != NULL)
		write_keys(&body, key_ids);
	return call_dual(client, "/dual/rewrapkey", &body, &reply, error) &&
	       take_envelope(reply.value, ret_envelope, error);
}

/* ---- check ---- */

static bool
read_check(struct answer object, struct custody_check *check)
{
	int64_t redundancy;
	struct answer recipients = answer_member(object, "recipients");
	if (!answer_int(answer_member(object, "redundancy"), &redundancy) || redundancy < 0 ||
		redundancy > (int64_t)ARRAY_LEN(check->attempts) || answer_type(recipients) != '[')
		return false;
	check->redundancy = (unsigned)redundancy;
	return call_read_attempts(recipients, check->attempts, &check->attempt_count);
}

void
custody_check_free(struct custody_check *check)
{
	free(check);
}

bool
custody_dual_check(struct custody_client *client, const char *envelope,
	struct custody_bytes context, struct custody_check **ret_check, struct custody_error *error)
{
	CLEAN(body)
	struct body body;
	CLEAN(reply)
	struct reply reply = {
		.value = {NULL, NULL}
        };
	body_init(&body);
	if (!write_envelope(&body, envelope, error))
		return false;
	body_octets(&body, "context", context);
	if (!call_dual(client, "/dual/check", &body, &reply, error))
		return false;
	struct custody_check *check = calloc(1, sizeof(*check));
	if (check == NULL)
		return call_fail_code(error, ERR_NO_MEMORY, NULL);
	if (!read_check(reply.value, check)) {
		free(check);
		return call_fail_code(error, ERR_CLIENT_ANSWER, NULL);
	}
	*ret_check = check;
	return true;
}
