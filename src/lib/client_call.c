/* Invariant: an idle slot holds a connection that nobody uses; taking it leaves the slot empty. */
#include "client_call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define API_VERSION "api-version=7.4"
#define HOST_MAX    255

/* ---- errors ---- */

/* Over-long text is cut. */
static void
copy_text(char *target, size_t size, const char *text)
{
	size_t len = strnlen(text, size - 1);
	memcpy(target, text, len);
	target[len] = '\0';
}

bool
call_fail(struct custody_error *error, const struct err *err)
{
	*error = (struct custody_error){
		.error_class = (enum custody_class)err_class(err->code),
		.retryable = err_retryable(err->code),
	};
	copy_text(error->name, sizeof(error->name), err_name(err->code));
	copy_text(error->message, sizeof(error->message), err->message);
	return false;
}

bool
call_fail_code(struct custody_error *error, enum err_code code, const char *message)
{
	struct err err;
	(void)err_set(&err, code, message == NULL ? NULL : "%s", message);
	return call_fail(error, &err);
}

static enum custody_class
class_of_status(int status)
{
	if (status == 403)
		return CUSTODY_CLASS_DENIED;
	return status >= 500 || status == 429 ? CUSTODY_CLASS_UNAVAILABLE : CUSTODY_CLASS_BAD;
}

void
call_printable(char *text)
{
	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;
		if (c < 0x20 || c == 0x7f)
			*text = '?';
	}
}

static bool
read_attempt(struct answer object, struct custody_attempt *attempt)
{
	struct answer token = answer_member(object, "token");
	struct answer name = answer_member(object, "code");
	return answer_text(
		       answer_member(object, "kid"), attempt->key_id, sizeof(attempt->key_id)) &&
	       (token.start == NULL ||
		       answer_text(token, attempt->token, sizeof(attempt->token))) &&
	       answer_text(answer_member(object, "outcome"), attempt->outcome,
		       sizeof(attempt->outcome)) &&
	       (name.start == NULL || answer_text(name, attempt->name, sizeof(attempt->name)));
}

bool
call_read_attempts(struct answer array, struct custody_attempt attempts[CUSTODY_ATTEMPTS_MAX],
	size_t *ret_count)
{
	size_t count = 0;
	bool whole = true;
	for (struct answer item = answer_next(array, (struct answer){NULL, NULL});
		item.start != NULL && whole; item = answer_next(array, item)) {
		struct custody_attempt attempt = {.key_id = ""};
		whole = count < CUSTODY_ATTEMPTS_MAX && read_attempt(item, &attempt);
		if (!whole)
			break;
		call_printable(attempt.key_id);
		call_printable(attempt.token);
		call_printable(attempt.outcome);
		call_printable(attempt.name);
		attempts[count++] = attempt;
	}
	*ret_count = count;
	return whole;
}

/* An answer of 400 or more. A name that this library does not know is told as it came. */
static bool
fail_answer(const struct client_answer *answer, struct answer body, struct custody_error *error)
{
	struct answer object = answer_member(body, "error");
	char code[48] = "";
	char inner[48] = "";
	*error = (struct custody_error){.status = answer->status};
	copy_text(error->request_id, sizeof(error->request_id), answer->request_id);
	if (!answer_text(answer_member(object, "code"), code, sizeof(code)))
		copy_text(code, sizeof(code), "BadAnswer");
	if (!answer_text(answer_member(answer_member(object, "innererror"), "code"), inner,
		    sizeof(inner)))
		inner[0] = '\0';
	bool whole = answer_text(
		answer_member(object, "message"), error->message, sizeof(error->message));
	whole = call_read_attempts(
		answer_member(object, "details"), error->attempts, &error->attempt_count);
	(void)whole; /* a longer message is cut, attempts that cannot be read are left out */
	enum err_code known = err_find_answer(answer->status, code, inner);
	if (known == ERR_NONE) {
		copy_text(error->name, sizeof(error->name), inner[0] != '\0' ? inner : code);
		error->error_class = class_of_status(answer->status);
	} else {
		copy_text(error->name, sizeof(error->name), err_name(known));
		error->error_class = (enum custody_class)err_class(known);
		error->retryable = err_retryable(known);
	}
	if (error->message[0] == '\0')
		copy_text(error->message, sizeof(error->message),
			known != ERR_NONE ? err_sentence(known) : "The daemon gave no reason.");
	call_printable(error->name);
	call_printable(error->message);
	return false;
}

/* ---- connections ---- */

static struct client *
take_connection(struct custody_client *client, struct err *err)
{
	for (size_t i = 0; i < CALL_IDLE_MAX; i++) {
		struct client *connection = atomic_exchange(&client->idle[i], NULL);
		if (connection != NULL)
			return connection;
	}
	return client_new(&client->config, err);
}

static void
give_connection(struct custody_client *client, struct client *connection)
{
	for (size_t i = 0; i < CALL_IDLE_MAX; i++) {
		struct client *none = NULL;
		if (atomic_compare_exchange_strong(&client->idle[i], &none, connection))
			return;
	}
	client_free(connection);
}

/* ---- a call ---- */

static bool
host_valid(const char *host)
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-";
	size_t len = strlen(host);
	return len > 0 && len <= HOST_MAX && strspn(host, allowed) == len;
}

static bool
make_target(const struct call *call, char *target, size_t size, struct err *err)
{
	if (call->path[0] != '/')
		return err_set(err, ERR_BAD_PARAMETER, "The path must begin with '/'.");
	if (call->vault != NULL && !host_valid(call->vault))
		return err_set(err, ERR_BAD_PARAMETER, "The name of the vault is not valid.");
	const char *version = "";
	if (call->vault != NULL && strstr(call->path, "api-version=") == NULL)
		version = strchr(call->path, '?') == NULL ? "?" API_VERSION : "&" API_VERSION;
	int len = snprintf(target, size, "%s%s", call->path, version);
	return (len >= 0 && (size_t)len < size) || err_set(err, ERR_URI_TOO_LONG, NULL);
}

static bool
send_call(struct custody_client *client, const struct call *call, const char *target,
	struct client_answer *answer, struct err *err)
{
	if (call->body != NULL && !body_ok(call->body, err))
		return false;
	struct client_request request = {
		.method = call->method,
		.host = call->vault != NULL ? call->vault : "localhost",
		.path = target,
		.authorize = call->vault != NULL,
		.repeatable = call->repeatable,
	};
	if (call->body != NULL)
		request.body = buf_bytes(&call->body->text);
	else if (call->text != NULL)
		request.body = bytes_of_text(call->text);
	struct client *connection = take_connection(client, err);
	if (connection == NULL)
		return false;
	bool done = client_call(connection, &request, answer, err);
	give_connection(client, connection);
	return done;
}

static bool
read_reply(const struct client_answer *answer, struct reply *reply, struct custody_error *error)
{
	bool json = answer_parse(buf_bytes(&reply->text), &reply->value);
	if (answer->status >= 400)
		return fail_answer(
			answer, json ? reply->value : (struct answer){NULL, NULL}, error);
	copy_text(reply->request_id, sizeof(reply->request_id), answer->request_id);
	if ((json || reply->text.len == 0) && answer->status >= 200 && answer->status < 300)
		return true;
	(void)call_fail_code(error, ERR_CLIENT_ANSWER, NULL);
	error->status = answer->status;
	return false;
}

bool
call_daemon(struct custody_client *client, const struct call *call, struct reply *ret_reply,
	struct custody_error *error)
{
	char target[CLIENT_PATH_MAX];
	struct err err;
	struct reply reply = {
		.value = {NULL, NULL}
        };
	buf_init_soft(&reply.text, CUSTODY_ANSWER_MAX);
	struct client_answer answer = {.body = &reply.text};
	bool done = make_target(call, target, sizeof(target), &err) &&
		    send_call(client, call, target, &answer, &err);
	done = done ? read_reply(&answer, &reply, error) : call_fail(error, &err);
	if (done)
		*ret_reply = reply;
	else
		reply_clear(&reply);
	return done;
}

void
reply_clear(struct reply *reply)
{
	buf_clear(&reply->text);
	reply->value = (struct answer){NULL, NULL};
}

bool
call_key_path(const char *key_id, const char *operation, struct kid *ret_kid, char *path,
	struct custody_error *error)
{
	if (key_id == NULL || !kid_parse(key_id, ret_kid))
		return call_fail_code(error, ERR_BAD_PARAMETER,
			"A key id looks like https://vault.host/keys/name or "
			".../keys/name/version.");
	(void)snprintf(
		path, CALL_PATH_MAX, "/keys/%s/%s/%s", ret_kid->name, ret_kid->version, operation);
	return true;
}
