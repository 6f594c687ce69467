/*
 * Invariant: a request that changes something is written to a socket once at most. Everything that libcurl
 * allocates is wiped when freed, as plaintexts pass through its buffers.
 */
#include "client.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <curl/curl.h>

#define URL_MAX        (CLIENT_PATH_MAX + 300)
#define BACKOFF_MS     100 /* before the first repetition; doubles */
#define BACKOFF_MAX_MS 2000
#define USER_AGENT     "libcustody/" PACKAGE_VERSION

struct client {
	struct client_config config;
	CURL *easy;
};

/* One attempt. */
struct attempt {
	const struct client *client;
	struct client_answer *answer;
	struct err *err;
	int fd;              /* of the new connection; -1: none, or a kept one */
	bool connect_failed; /* nothing was sent */
	bool refused;        /* and trying again may help */
	bool too_long;
	bool no_memory;
	long retry_after_s; /* -1: none */
};

/* ---- memory of libcurl ---- */

static void
wiping_free(void *data)
{
	if (data == NULL)
		return;
	explicit_bzero(data, malloc_usable_size(data));
	free(data);
}

static void *
wiping_realloc(void *data, size_t size)
{
	void *copy = malloc(size);
	if (copy == NULL || data == NULL)
		return copy;
	size_t old = malloc_usable_size(data);
	memcpy(copy, data, old < size ? old : size);
	wiping_free(data);
	return copy;
}

/* If the process set libcurl up before us, its choice of memory functions stands. Thread-safe since 7.84. */
static bool
global_init(struct err *err)
{
	CURLcode code = curl_global_init_mem(
		CURL_GLOBAL_DEFAULT, malloc, wiping_free, wiping_realloc, strdup, calloc);
	return code == CURLE_OK || err_set(err, ERR_NO_MEMORY, NULL);
}

struct client *
client_new(const struct client_config *config, struct err *err)
{
	if (!uds_check_length(config->socket_path, err) || !global_init(err))
		return NULL;
	CURL *easy = curl_easy_init();
	struct client *client = calloc(1, sizeof(*client));
	if (easy == NULL || client == NULL) {
		curl_easy_cleanup(easy);
		free(client);
		curl_global_cleanup();
		(void)err_set(err, ERR_NO_MEMORY, NULL);
		return NULL;
	}
	*client = (struct client){.config = *config, .easy = easy};
	return client;
}

void
client_free(struct client *client)
{
	if (client == NULL)
		return;
	curl_easy_cleanup(client->easy);
	curl_global_cleanup();
	free(client);
}

/* ---- what libcurl calls ---- */

static curl_socket_t
open_socket(void *data, curlsocktype purpose, struct curl_sockaddr *address)
{
	(void)purpose;
	struct attempt *attempt = data;
	const struct client_config *config = &attempt->client->config;
	attempt->connect_failed = true; /* until check_peer() says otherwise */
	if (!uds_check_path(config->socket_path, &config->trust, &attempt->refused, attempt->err))
		return CURL_SOCKET_BAD;
	attempt->fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
	if (attempt->fd < 0)
		(void)err_set(attempt->err, ERR_CLIENT_CONNECT, "No socket can be made: %s.",
			strerror(errno));
	return attempt->fd;
}

/* Called when connected, before anything is sent. A kept connection (fd -1) was checked when it was new. */
static int
check_peer(void *data, char *remote, char *local, int remote_port, int local_port)
{
	(void)remote;
	(void)local;
	(void)remote_port;
	(void)local_port;
	struct attempt *attempt = data;
	const struct client_config *config = &attempt->client->config;
	if (attempt->fd >= 0 && !uds_check_peer(attempt->fd, config->socket_path, &config->trust,
					&attempt->refused, attempt->err))
		return CURL_PREREQFUNC_ABORT;
	attempt->connect_failed = false;
	return CURL_PREREQFUNC_OK;
}

static size_t
take_body(char *data, size_t size, size_t count, void *user)
{
	struct attempt *attempt = user;
	struct buf *body = attempt->answer->body;
	size_t len = size * count;
	if (buf_append(body, data, len))
		return len;
	attempt->no_memory = body->no_memory;
	attempt->too_long = !body->no_memory;
	return 0;
}

/* The value of header `name` in `line`, without blanks around; NULL if it is another header. */
static const char *
header_value(const char *line, size_t len, const char *name, size_t *ret_len)
{
	size_t name_len = strlen(name);
	if (len <= name_len || line[name_len] != ':' || strncasecmp(line, name, name_len) != 0)
		return NULL;
	const char *start = line + name_len + 1;
	const char *end = line + len;
	while (start < end && (*start == ' ' || *start == '\t'))
		start++;
	while (end > start && (end[-1] == '\r' || end[-1] == '\n' || end[-1] == ' '))
		end--;
	*ret_len = (size_t)(end - start);
	return start;
}

static bool
printable(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (text[i] <= ' ' || text[i] > '~')
			return false;
	}
	return true;
}

static long
parse_seconds(const char *text, size_t len)
{
	long seconds = 0;
	if (len == 0 || len > 6)
		return -1;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -1;
		seconds = seconds * 10 + (text[i] - '0');
	}
	return seconds;
}

static size_t
take_header(char *line, size_t size, size_t count, void *user)
{
	struct attempt *attempt = user;
	struct client_answer *answer = attempt->answer;
	size_t len;
	const char *value = header_value(line, size * count, "Retry-After", &len);
	if (value != NULL)
		attempt->retry_after_s = parse_seconds(value, len);
	value = header_value(line, size * count, "x-ms-request-id", &len);
	if (value != NULL && len < sizeof(answer->request_id) && printable(value, len)) {
		memcpy(answer->request_id, value, len);
		answer->request_id[len] = '\0';
	}
	return size * count;
}

/* ---- a request ---- */

static bool
add_header(struct curl_slist **list, const char *line)
{
	struct curl_slist *longer = curl_slist_append(*list, line);
	if (longer == NULL)
		return false;
	*list = longer;
	return true;
}

static bool
make_headers(const struct client *client, const struct client_request *request,
	struct curl_slist **ret_list)
{
	char application[80];
	(void)snprintf(application, sizeof(application), "x-custody-application: %s",
		client->config.application != NULL ? client->config.application : "");
	return add_header(ret_list, "Expect:") &&
	       add_header(ret_list, "Accept: application/json") &&
	       add_header(ret_list, "Content-Type: application/json") &&
	       (!request->authorize || add_header(ret_list, "Authorization: Bearer local")) &&
	       (client->config.application == NULL || add_header(ret_list, application));
}

/* What is the same for every request. */
static bool
set_transport(struct client *client, struct attempt *attempt)
{
	CURL *easy = client->easy;
	const struct client_config *config = &client->config;
	return curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, config->socket_path) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, attempt) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, check_peer) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_PREREQDATA, attempt) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_WRITEDATA, attempt) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_HEADERDATA, attempt) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)config->timeout_ms) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http") == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_PROXY, "") == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) ==
		       CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_USERAGENT, USER_AGENT) == CURLE_OK;
}

static bool
set_request(struct client *client, const struct client_request *request, const char *url,
	struct curl_slist *headers)
{
	CURL *easy = client->easy;
	bool post = request->body.data != NULL || strcmp(request->method, "POST") == 0;
	long fresh = request->repeatable ? 0 : 1;
	const void *body = request->body.data != NULL ? (const void *)request->body.data : "";
	if (post && (curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body) != CURLE_OK ||
			    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
				    (curl_off_t)request->body.len) != CURLE_OK))
		return false;
	return curl_easy_setopt(easy, CURLOPT_URL, url) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, fresh) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers) == CURLE_OK;
}

static bool
fail_connect(struct attempt *attempt, struct err *err)
{
	if (err->code != ERR_NONE)
		return false; /* our own checks have said why */
	long error = 0;
	(void)curl_easy_getinfo(
		attempt->client->easy, CURLINFO_OS_ERRNO, &error); /* a long, always there */
	attempt->refused = error == ECONNREFUSED || error == ENOENT;
	return err_set(err, ERR_CLIENT_CONNECT,
		"No connection to custodyd on %s: %s. Is it running?",
		attempt->client->config.socket_path, strerror((int)error));
}

/* What went wrong on the way. */
static bool
fail_transfer(struct attempt *attempt, const struct client_request *request, CURLcode code,
	struct err *err)
{
	if (attempt->no_memory || code == CURLE_OUT_OF_MEMORY)
		return err_set(err, ERR_NO_MEMORY, NULL);
	if (attempt->connect_failed)
		return fail_connect(attempt, err);
	if (!request->repeatable)
		(void)err_set(err, ERR_OUTCOME_UNKNOWN,
			"The answer of custodyd was lost: look whether the change was made before "
			"making it "
			"again.");
	else if (attempt->too_long)
		(void)err_set(err, ERR_CLIENT_ANSWER, "The answer is longer than %zu octets.",
			attempt->answer->body->max);
	else if (code == CURLE_OPERATION_TIMEDOUT)
		(void)err_set(err, ERR_TIMEOUT, "custodyd did not answer within %u ms.",
			attempt->client->config.timeout_ms);
	else if (code == CURLE_GOT_NOTHING || code == CURLE_RECV_ERROR ||
		 code == CURLE_SEND_ERROR || code == CURLE_PARTIAL_FILE)
		(void)err_set(err, ERR_CLIENT_CONNECT,
			"The connection to custodyd ended before its answer.");
	else
		(void)err_set(err, ERR_CLIENT_ANSWER, NULL);
	return err_origin(err, "libcurl: %s", curl_easy_strerror(code));
}

static bool
perform(struct client *client, const struct client_request *request, const char *url,
	struct curl_slist *headers, struct attempt *attempt, struct err *err)
{
	buf_reset(attempt->answer->body);
	attempt->answer->request_id[0] = '\0';
	curl_easy_reset(client->easy); /* keeps the connection */
	if (!set_transport(client, attempt) || !set_request(client, request, url, headers))
		return err_set(err, ERR_NO_MEMORY, NULL);
	CURLcode code = curl_easy_perform(client->easy);
	if (code != CURLE_OK)
		return fail_transfer(attempt, request, code, err);
	long status = 0;
	(void)curl_easy_getinfo(
		client->easy, CURLINFO_RESPONSE_CODE, &status); /* a long, always there */
	attempt->answer->status = (int)status;
	return true;
}

/* ---- repetition ---- */

static void
sleep_ms(long ms)
{
	struct timespec rest = {ms / 1000, ms % 1000 * 1000000};
	while (nanosleep(&rest, &rest) != 0 && errno == EINTR)
		;
}

/* How long to wait before doing it again; -1: do not. */
static long
repeat_after_ms(const struct attempt *attempt, const struct client_request *request, bool answered,
	enum err_code code, unsigned count)
{
	long backoff = BACKOFF_MS << (count < 5 ? count : 5);
	if (backoff > BACKOFF_MAX_MS)
		backoff = BACKOFF_MAX_MS;
	if (attempt->connect_failed)
		return attempt->refused ? backoff : -1;
	if (!request->repeatable)
		return -1;
	if (!answered)
		return code == ERR_CLIENT_CONNECT ? backoff : -1;
	int status = attempt->answer->status;
	bool busy = status == 429 || status == 503;
	if (!busy || attempt->retry_after_s < 0 ||
		attempt->retry_after_s > CLIENT_RETRY_AFTER_MAX_S)
		return -1;
	return attempt->retry_after_s * 1000 > backoff ? attempt->retry_after_s * 1000 : backoff;
}

/* `answer` NULL: there was none, for this `problem`. */
static void
tell_waiting(const struct client *client, const struct client_answer *answer,
	const struct err *problem, long wait_ms)
{
	const struct client_config *config = &client->config;
	const char *why = answer == NULL          ? problem->message
			  : answer->status == 429 ? "custodyd has too much to do for this caller."
						  : "custodyd cannot do it now.";
	if (config->waiting != NULL)
		config->waiting(config->waiting_data, why, (uint32_t)wait_ms);
}

static bool
call_until_done(struct client *client, const struct client_request *request, const char *url,
	struct curl_slist *headers, struct client_answer *answer, struct err *err)
{
	for (unsigned count = 0;; count++) {
		struct err problem = {0};
		struct attempt attempt = {.client = client,
			.answer = answer,
			.err = &problem,
			.fd = -1,
			.retry_after_s = -1};
		bool answered = perform(client, request, url, headers, &attempt, &problem);
		long wait_ms = repeat_after_ms(&attempt, request, answered, problem.code, count);
		if (wait_ms >= 0 && count < client->config.retries) {
			tell_waiting(client, answered ? answer : NULL, &problem, wait_ms);
			sleep_ms(wait_ms);
			continue;
		}
		if (!answered)
			*err = problem;
		return answered;
	}
}

bool
client_call(struct client *client, const struct client_request *request,
	struct client_answer *answer, struct err *err)
{
	char url[URL_MAX];
	int len = snprintf(url, sizeof(url), "http://%s%s", request->host, request->path);
	if (len < 0 || (size_t)len >= sizeof(url) || !printable(url, (size_t)len))
		return err_set(err, ERR_URI_TOO_LONG, "The request's host or path cannot be sent.");
	struct curl_slist *headers = NULL;
	bool done = make_headers(client, request, &headers)
			    ? call_until_done(client, request, url, headers, answer, err)
			    : err_set(err, ERR_NO_MEMORY, NULL);
	curl_slist_free_all(headers);
	return done;
}
