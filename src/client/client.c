/* Invariant: a request that changes something is written to a socket once at most. */
#include "client.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "client/attempt.h"

#define BACKOFF_MS     100 /* before the first repetition; doubles */
#define BACKOFF_MAX_MS 2000

struct client {
	struct client_config config;
	CURL *easy;
};

struct client *
client_new(const struct client_config *config, struct err *err)
{
	if (!uds_check_length(config->socket_path, err) || !attempt_global_init(err))
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
			  : answer->status == 429 ? "The daemon has too much to do for this caller."
						  : "The daemon cannot do it now.";
	if (config->waiting != NULL)
		config->waiting(config->waiting_data, why, (uint32_t)wait_ms);
}

static bool
call_until_done(struct client *client, const struct client_request *request, const char *url,
	struct curl_slist *headers, struct client_answer *answer, struct err *err)
{
	for (unsigned count = 0;; count++) {
		struct err problem = {0};
		struct attempt attempt;
		bool answered =
			attempt_init(&attempt, &client->config, client->easy, request, url, headers,
				answer, &problem) &&
			attempt_end(&attempt, request, curl_easy_perform(client->easy), &problem);
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
	char url[ATTEMPT_URL_MAX];
	struct curl_slist *headers;
	if (!attempt_url(request, url, err) ||
		!attempt_headers(&client->config, request, &headers, err))
		return false;
	bool done = call_until_done(client, request, url, headers, answer, err);
	curl_slist_free_all(headers);
	return done;
}
