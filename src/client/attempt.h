/*
 * One exchange with a daemon as libcurl does it: who is at the other end is checked before anything is sent, what comes
 * back is bounded, and what went wrong becomes an error. Blocking or not is the matter of who runs it: client.c and
 * async.c. Internal to src/client.
 */
#pragma once

#include <curl/curl.h>

#include "client/client.h"

#define ATTEMPT_URL_MAX (CLIENT_PATH_MAX + 300)

/* Filled by attempt_init() and then by libcurl's callbacks; the pointers are the caller's. */
struct attempt {
	const struct client_config *config;
	CURL *easy;
	struct client_answer *answer;
	struct err *err;
	int fd;              /* of the new connection; -1: none, or a kept one */
	bool connect_failed; /* nothing was sent */
	bool refused;        /* and trying again may help */
	bool too_long;
	bool no_memory;
	long retry_after_s; /* -1: none */
};

/* Sets libcurl up once for the process; if the process did before us, its choice of memory functions stands. Thread-safe. */
bool attempt_global_init(struct err *err) MUST_USE;

/* ERR_URI_TOO_LONG for what cannot be sent. */
bool attempt_url(const struct client_request *request, char url[static ATTEMPT_URL_MAX],
	struct err *err) MUST_USE;
/* The header lines of a request; to be freed by curl_slist_free_all(). ERR_NO_MEMORY. */
bool attempt_headers(const struct client_config *config, const struct client_request *request,
	struct curl_slist **ret_list, struct err *err) MUST_USE;

/*
 * Makes `easy` ready to be performed and empties the answer. The attempt must stay where it is until attempt_end(); `url`,
 * `headers` and the request's body too. ERR_NO_MEMORY.
 */
bool attempt_init(struct attempt *attempt, const struct client_config *config, CURL *easy,
	const struct client_request *request, const char *url, struct curl_slist *headers,
	struct client_answer *answer, struct err *err) MUST_USE;
/* After libcurl ended with `code`: true and the answer's status, or the error. */
bool attempt_end(struct attempt *attempt, const struct client_request *request, CURLcode code,
	struct err *err) MUST_USE;
