/*
 * Invariant: nothing is written to a peer that was not checked. Everything that libcurl allocates is wiped when freed, as
 * plaintexts pass through its buffers.
 */
#include "attempt.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#define USER_AGENT "libcustody/" PACKAGE_VERSION

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

bool
attempt_global_init(struct err *err)
{
	CURLcode code = curl_global_init_mem(
		CURL_GLOBAL_DEFAULT, malloc, wiping_free, wiping_realloc, strdup, calloc);
	return code == CURLE_OK || err_set(err, ERR_NO_MEMORY, NULL);
}

/* ---- what libcurl calls ---- */

static curl_socket_t
open_socket(void *data, curlsocktype purpose, struct curl_sockaddr *address)
{
	(void)purpose;
	struct attempt *attempt = data;
	const struct client_config *config = attempt->config;
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
	const struct client_config *config = attempt->config;
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

bool
attempt_headers(const struct client_config *config, const struct client_request *request,
	struct curl_slist **ret_list, struct err *err)
{
	char application[80];
	const char *acts_as =
		request->application != NULL ? request->application : config->application;
	struct curl_slist *list = NULL;
	(void)snprintf(application, sizeof(application), "x-custody-application: %s",
		acts_as != NULL ? acts_as : "");
	bool made = add_header(&list, "Expect:") && add_header(&list, "Accept: application/json") &&
		    add_header(&list, "Content-Type: application/json") &&
		    (!request->authorize || add_header(&list, "Authorization: Bearer local")) &&
		    (acts_as == NULL || add_header(&list, application));
	if (!made) {
		curl_slist_free_all(list);
		return err_set(err, ERR_NO_MEMORY, NULL);
	}
	*ret_list = list;
	return true;
}

bool
attempt_url(const struct client_request *request, char url[static ATTEMPT_URL_MAX], struct err *err)
{
	int len = snprintf(url, ATTEMPT_URL_MAX, "http://%s%s", request->host, request->path);
	if (len < 0 || (size_t)len >= ATTEMPT_URL_MAX || !printable(url, (size_t)len))
		return err_set(err, ERR_URI_TOO_LONG, "The request's host or path cannot be sent.");
	return true;
}

/* What is the same for every request. */
static bool
set_transport(struct attempt *attempt)
{
	CURL *easy = attempt->easy;
	const struct client_config *config = attempt->config;
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
set_request(CURL *easy, const struct client_request *request, const char *url,
	struct curl_slist *headers)
{
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
		attempt->easy, CURLINFO_OS_ERRNO, &error); /* a long, always there */
	attempt->refused = error == ECONNREFUSED || error == ENOENT;
	return err_set(err, ERR_CLIENT_CONNECT,
		"No connection to the daemon on %s: %s. Is it running?",
		attempt->config->socket_path, strerror((int)error));
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
			"The daemon's answer was lost: look whether the change was made before "
			"making it "
			"again.");
	else if (attempt->too_long)
		(void)err_set(err, ERR_CLIENT_ANSWER, "The answer is longer than %zu octets.",
			attempt->answer->body->max);
	else if (code == CURLE_OPERATION_TIMEDOUT)
		(void)err_set(err, ERR_TIMEOUT, "The daemon did not answer within %u ms.",
			attempt->config->timeout_ms);
	else if (code == CURLE_GOT_NOTHING || code == CURLE_RECV_ERROR ||
		 code == CURLE_SEND_ERROR || code == CURLE_PARTIAL_FILE)
		(void)err_set(err, ERR_CLIENT_CONNECT,
			"The connection to the daemon ended before its answer.");
	else
		(void)err_set(err, ERR_CLIENT_ANSWER, NULL);
	return err_origin(err, "libcurl: %s", curl_easy_strerror(code));
}

bool
attempt_init(struct attempt *attempt, const struct client_config *config, CURL *easy,
	const struct client_request *request, const char *url, struct curl_slist *headers,
	struct client_answer *answer, struct err *err)
{
	*attempt = (struct attempt){.config = config,
		.easy = easy,
		.answer = answer,
		.err = err,
		.fd = -1,
		.retry_after_s = -1};
	buf_reset(answer->body);
	answer->request_id[0] = '\0';
	curl_easy_reset(easy); /* keeps the connection */
	return (set_transport(attempt) && set_request(easy, request, url, headers)) ||
	       err_set(err, ERR_NO_MEMORY, NULL);
}

bool
attempt_end(struct attempt *attempt, const struct client_request *request, CURLcode code,
	struct err *err)
{
	if (code != CURLE_OK)
		return fail_transfer(attempt, request, code, err);
	long status = 0;
	(void)curl_easy_getinfo(
		attempt->easy, CURLINFO_RESPONSE_CODE, &status); /* a long, always there */
	attempt->answer->status = (int)status;
	return true;
}
