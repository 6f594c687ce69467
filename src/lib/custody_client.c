/* The client: whom to talk to and whom to trust there; the generic call; the PIN on its way to a worker. */
#include "custody/custody.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/client_call.h"

#define TIMEOUT_DEFAULT_MS                                                                         \
	150000 /* above custodyd's create-timeout, so that it can say what happened */
#define RETRIES_MAX  10
#define PIN_MAX      255 /* doc/api.md: a line of at most 255 octets */
#define SERVICE_USER "custody"

/* ---- options ---- */

/* Options as this library knows them, whatever size the caller's struct has. */
static bool
read_options(const struct custody_options *given, struct custody_options *options,
	struct custody_error *error)
{
	*options = (struct custody_options)CUSTODY_OPTIONS_INIT;
	if (given == NULL)
		return true;
	if (given->size == 0 || given->size > sizeof(*options))
		return call_fail_code(error, ERR_BAD_PARAMETER,
			"struct custody_options is not one that this version of libcustody knows.");
	memcpy(options, given, given->size);
	if (options->application != NULL && !id_uuid_valid(options->application))
		return call_fail_code(error, ERR_BAD_PARAMETER, "The application must be a GUID.");
	if (options->server_uid < -1 || options->server_uid >= UINT32_MAX)
		return call_fail_code(error, ERR_BAD_PARAMETER, "The server's uid is not valid.");
	return true;
}

static bool
parse_uid(const char *text, int64_t *ret_uid)
{
	int64_t uid = 0;
	size_t len = strlen(text);
	if (len == 0 || len > 10 || strspn(text, "0123456789") != len)
		return false;
	for (; *text != '\0'; text++)
		uid = uid * 10 + (*text - '0');
	*ret_uid = uid;
	return uid < UINT32_MAX;
}

/* The uid that custodyd's package runs it as; nobody's if there is no such user. */
static void
trust_service_user(struct uds_trust *trust)
{
	char text[4096];
	struct passwd entry;
	struct passwd *found = NULL;
	if (getpwnam_r(SERVICE_USER, &entry, text, sizeof(text), &found) == 0 && found != NULL)
		uds_trust_add(trust, found->pw_uid);
}

static bool
set_trust(struct uds_trust *trust, int64_t server_uid, const char *socket_path,
	struct custody_error *error)
{
	const char *variable = secure_getenv("CUSTODY_SERVER_UID");
	if (server_uid == -1 && variable != NULL && *variable != '\0' &&
		!parse_uid(variable, &server_uid))
		return call_fail_code(
			error, ERR_BAD_PARAMETER, "CUSTODY_SERVER_UID must be a number of a user.");
	uds_trust_add(trust, 0);
	uds_trust_add(trust, geteuid());
	if (server_uid != -1)
		uds_trust_add(trust, (uid_t)server_uid);
	else if (strcmp(socket_path, CUSTODY_SOCKET_DEFAULT) == 0)
		trust_service_user(trust);
	return true;
}

static const char *
choose_socket(const char *given)
{
	if (given != NULL)
		return given;
	const char *variable = secure_getenv("CUSTODY_SOCKET");
	return variable != NULL && *variable != '\0' ? variable : CUSTODY_SOCKET_DEFAULT;
}

/* ---- life ---- */

static bool
fill_client(struct custody_client *client, const struct custody_options *options,
	struct custody_error *error)
{
	client->socket_path = strdup(choose_socket(options->socket_path));
	if (options->application != NULL)
		client->application = strdup(options->application);
	if (client->socket_path == NULL ||
		(options->application != NULL && client->application == NULL))
		return call_fail_code(error, ERR_NO_MEMORY, NULL);
	client->warning = options->warning;
	client->warning_data = options->warning_data;
	client->config = (struct client_config){
		.socket_path = client->socket_path,
		.application = client->application,
		.timeout_ms = options->timeout_ms == 0 ? TIMEOUT_DEFAULT_MS : options->timeout_ms,
		.retries = options->retries > RETRIES_MAX ? RETRIES_MAX : options->retries,
		.waiting = options->waiting,
		.waiting_data = options->waiting_data,
	};
	return set_trust(&client->config.trust, options->server_uid, client->socket_path, error);
}

bool
custody_client_new(const struct custody_options *options, struct custody_client **ret_client,
	struct custody_error *error)
{
	struct custody_options known;
	if (!read_options(options, &known, error))
		return false;
	struct custody_client *client = calloc(1, sizeof(*client));
	if (client == NULL)
		return call_fail_code(error, ERR_NO_MEMORY, NULL);
	if (!fill_client(client, &known, error)) {
		custody_client_free(client);
		return false;
	}
	*ret_client = client;
	return true;
}

void
custody_client_free(struct custody_client *client)
{
	if (client == NULL)
		return;
	for (size_t i = 0; i < CALL_IDLE_MAX; i++)
		client_free(atomic_exchange(&client->idle[i], NULL));
	free(client->socket_path);
	free(client->application);
	free(client);
}

/* ---- the generic call ---- */

static bool
method_known(const char *method)
{
	static const char *const methods[] = {"GET", "PUT", "POST", "PATCH", "DELETE"};
	for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
		if (strcmp(methods[i], method) == 0)
			return true;
	}
	return false;
}

bool
custody_request(struct custody_client *client, const char *method, const char *vault,
	const char *path, const char *body, char **ret_answer, struct custody_error *error)
{
	if (!method_known(method))
		return call_fail_code(error, ERR_METHOD_NOT_ALLOWED, NULL);
	CLEAN(reply)
	struct reply reply = {
		.value = {NULL, NULL}
        };
	struct call call = {.method = method,
		.vault = vault,
		.path = path,
		.text = body,
		.repeatable = strcmp(method, "GET") == 0};
	if (!call_daemon(client, &call, &reply, error))
		return false;
	if (ret_answer == NULL)
		return true;
	char *text = strdup(buf_peek(&reply.text));
	if (text == NULL)
		return call_fail_code(error, ERR_NO_MEMORY, NULL);
	*ret_answer = text;
	return true;
}

/* ---- the PIN of a token: by a connection of its own to the worker (doc/api.md) ---- */

static bool
transfer_pin(int fd, struct custody_bytes pin, char *line, size_t size, struct err *err)
{
	struct iovec parts[2] = {
		{(void *)(uintptr_t)pin.data, pin.len},
                {(char[]){'\n'},              1      }
        };
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
	/* A refusal comes unasked and closes the connection: it is there to be read even if nothing could be sent. */
	bool sent = sendmsg(fd, &message, MSG_NOSIGNAL) == (ssize_t)pin.len + 1;
	size_t len = 0;
	while (len + 1 < size && memchr(line, '\n', len) == NULL) {
		ssize_t got = recv(fd, line + len, size - 1 - len, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		len += (size_t)got;
	}
	line[len] = '\0';
	char *end = strchr(line, '\n');
	if (end == NULL)
		return err_set(err, ERR_CLIENT_CONNECT, "%s",
			sent ? "The token's worker gave no answer."
			     : "The PIN could not be handed over.");
	*end = '\0';
	return true;
}

/* "ok", or "error <name> <sentence>". */
static bool
read_verdict(char *line, struct custody_error *error)
{
	if (strcmp(line, "ok") == 0)
		return true;
	char *rest = NULL;
	const char *word = strtok_r(line, " ", &rest);
	const char *name = strtok_r(NULL, " ", &rest);
	if (word == NULL || name == NULL || strcmp(word, "error") != 0)
		return call_fail_code(error, ERR_CLIENT_ANSWER, NULL);
	enum err_code code = err_find(name);
	return call_fail_code(error, code == ERR_NONE ? ERR_INTERNAL : code,
		rest != NULL && *rest != '\0' ? rest : NULL);
}

bool
custody_token_login(struct custody_client *client, const char *token, struct custody_bytes pin,
	struct custody_error *error)
{
	if (!id_token_name_valid(token))
		return call_fail_code(error, ERR_TOKEN_NOT_FOUND, NULL);
	if (pin.len == 0 || pin.len > PIN_MAX || memchr(pin.data, '\n', pin.len) != NULL)
		return call_fail_code(
			error, ERR_BAD_PARAMETER, "A PIN is one line of 1 to 255 octets.");
	char path[512];
	char line[512] = "";
	struct err err;
	(void)snprintf(path, sizeof(path), "%s.login-%s", client->socket_path, token);
	int fd = uds_connect(path, &client->config.trust, client->config.timeout_ms, &err);
	if (fd < 0)
		return access(path, F_OK) == 0 ? call_fail(error, &err)
					       : call_fail_code(error, ERR_CLIENT_CONNECT,
							 "The token does not wait for a PIN; see "
							 "custodyctl token list.");
	bool done = transfer_pin(fd, pin, line, sizeof(line), &err);
	(void)close(fd); /* nothing is in flight any more */
	return done ? read_verdict(line, error) : call_fail(error, &err);
}
