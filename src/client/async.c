/*
 * libcurl's multi interface on our loop. Invariant: libcurl is entered from the loop's callbacks, async_call() and
 * async_cancel() only, and callbacks of ours run when it has returned.
 */
#include "async.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "client/attempt.h"

struct running {
	struct running *prev, *next;
	struct async *async;
	uint64_t number;
	CURL *easy;
	struct attempt attempt;
	struct client_request request; /* method, body and repeatable are read after the start */
	struct curl_slist *headers;
	char *url, *method;
	uint8_t *body;
	struct buf text;
	struct client_answer answer;
	struct err err;
	async_done_fn *done;
	void *ctx;
};

struct async {
	struct loop *loop;
	struct client_config config;
	size_t answer_max;
	CURLM *multi;
	struct timer *timer;
	struct running *first;
	size_t count;
	uint64_t last_number;
};

/* A descriptor that libcurl watches. */
struct socket_watch {
	struct async *async;
	curl_socket_t fd;
	struct watch *watch;
};

/* ---- beginning and end of a call ---- */

static void
running_free(struct running *running)
{
	if (running == NULL)
		return;
	curl_easy_cleanup(running->easy);
	curl_slist_free_all(running->headers);
	if (running->body != NULL)
		secret_wipe(running->body, running->request.body.len);
	free(running->body);
	free(running->url);
	free(running->method);
	buf_clear(&running->text);
	free(running);
}

DEFINE_CLEAN(running, struct running)

static void
take_out(struct async *async, struct running *running)
{
	if (running->prev != NULL)
		running->prev->next = running->next;
	else
		async->first = running->next;
	if (running->next != NULL)
		running->next->prev = running->prev;
	async->count--;
	/* cannot fail for a handle that was added */
	(void)curl_multi_remove_handle(async->multi, running->easy);
}

/* Everything that the transfer reads while it runs is a copy. */
static bool
copy_request(struct running *running, const struct client_request *request, struct err *err)
{
	char url[ATTEMPT_URL_MAX];
	if (!attempt_url(request, url, err))
		return false;
	running->request = *request;
	running->url = strdup(url);
	running->method = strdup(request->method);
	running->request.method = running->method;
	if (request->body.data != NULL) {
		running->body = malloc(request->body.len + 1);
		if (running->body != NULL)
			memcpy(running->body, request->body.data, request->body.len);
		running->request.body.data = running->body;
	}
	if (running->url == NULL || running->method == NULL ||
		(request->body.data != NULL && running->body == NULL))
		return err_set(err, ERR_NO_MEMORY, NULL);
	return attempt_headers(&running->async->config, request, &running->headers, err);
}

static struct running *
running_new(struct async *async, const struct client_request *request, struct err *err)
{
	CLEAN(running)
	struct running *running = calloc(1, sizeof(*running));
	if (running == NULL) {
		(void)err_set(err, ERR_NO_MEMORY, NULL);
		return NULL;
	}
	running->async = async;
	buf_init(&running->text, async->answer_max);
	running->answer.body = &running->text;
	running->easy = curl_easy_init();
	if (running->easy == NULL) {
		(void)err_set(err, ERR_NO_MEMORY, NULL);
		return NULL;
	}
	if (!copy_request(running, request, err) ||
		!attempt_init(&running->attempt, &async->config, running->easy, &running->request,
			running->url, running->headers, &running->answer, &running->err))
		return NULL;
	if (curl_easy_setopt(running->easy, CURLOPT_PRIVATE, running) != CURLE_OK) {
		(void)err_set(err, ERR_NO_MEMORY, NULL);
		return NULL;
	}
	struct running *made = running;
	running = NULL;
	return made;
}

static void
finish(struct running *running, CURLcode code)
{
	bool answered = attempt_end(&running->attempt, &running->request, code, &running->err);
	take_out(running->async, running);
	running->done(
		running->ctx, answered ? &running->answer : NULL, answered ? NULL : &running->err);
	running_free(running);
}

static void
collect(struct async *async)
{
	CURLMsg *message;
	int left;
	while ((message = curl_multi_info_read(async->multi, &left)) != NULL) {
		struct running *running = NULL;
		if (message->msg != CURLMSG_DONE)
			continue;
		(void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &running);
		finish(running, message->data.result);
	}
}

/* ---- libcurl's wishes and the loop ---- */

static void
act(struct async *async, curl_socket_t fd, int events)
{
	int running;
	/* errors are those of single transfers, and come as messages */
	(void)curl_multi_socket_action(async->multi, fd, events, &running);
	collect(async);
}

static void
timer_fired(void *ctx)
{
	act(ctx, CURL_SOCKET_TIMEOUT, 0);
}

static void
socket_ready(unsigned events, void *ctx)
{
	struct socket_watch *socket = ctx;
	int mask = ((events & WATCH_READ) != 0 ? CURL_CSELECT_IN : 0) |
		   ((events & WATCH_WRITE) != 0 ? CURL_CSELECT_OUT : 0);
	act(socket->async, socket->fd, mask);
}

static int
wants_timer(CURLM *multi, long timeout_ms, void *data)
{
	(void)multi;
	struct async *async = data;
	if (timeout_ms < 0)
		timer_stop(async->timer);
	else
		timer_start(async->timer, timeout_ms);
	return 0;
}

static unsigned
events_of(int what)
{
	switch (what) {
	case CURL_POLL_IN:
		return WATCH_READ;
	case CURL_POLL_OUT:
		return WATCH_WRITE;
	case CURL_POLL_INOUT:
		return WATCH_READ | WATCH_WRITE;
	default:
		return WATCH_NONE;
	}
}

static void
socket_free(struct socket_watch *socket)
{
	watch_free(socket->watch);
	free(socket);
}

static int
wants_socket(CURL *easy, curl_socket_t fd, int what, void *data, void *socket_data)
{
	(void)easy;
	struct async *async = data;
	struct socket_watch *socket = socket_data;
	if (what == CURL_POLL_REMOVE) {
		if (socket != NULL)
			socket_free(socket);
		return 0;
	}
	if (socket != NULL) {
		watch_set(socket->watch, events_of(what));
		return 0;
	}
	socket = calloc(1, sizeof(*socket));
	if (socket == NULL)
		return -1;
	socket->async = async;
	socket->fd = fd;
	socket->watch = watch_new(async->loop, "client", fd, events_of(what), socket_ready, socket);
	/* cannot fail for a socket that libcurl just named */
	(void)curl_multi_assign(async->multi, fd, socket);
	return 0;
}

/* ---- the whole ---- */

struct async *
async_new(struct loop *loop, const struct client_config *config, size_t answer_max, struct err *err)
{
	if (!uds_check_length(config->socket_path, err) || !attempt_global_init(err))
		return NULL;
	struct async *async = calloc(1, sizeof(*async));
	CURLM *multi = curl_multi_init();
	if (async == NULL || multi == NULL)
		abort();
	async->loop = loop;
	async->config = *config;
	async->answer_max = answer_max;
	async->multi = multi;
	async->timer = timer_new(loop, "client.timer", timer_fired, async);
	if (curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, wants_socket) != CURLM_OK ||
		curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, async) != CURLM_OK ||
		curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, wants_timer) != CURLM_OK ||
		curl_multi_setopt(multi, CURLMOPT_TIMERDATA, async) != CURLM_OK)
		abort(); /* a libcurl without the multi interface is not linked */
	return async;
}

void
async_free(struct async *async)
{
	if (async == NULL)
		return;
	while (async->first != NULL)
		async_cancel(async, async->first->number);
	(void)curl_multi_cleanup(async->multi); /* closes what is kept, by wants_socket() */
	timer_free(async->timer);
	curl_global_cleanup();
	free(async);
}

uint64_t
async_call(struct async *async, const struct client_request *request, async_done_fn *done,
	void *ctx, struct err *err)
{
	struct running *running = running_new(async, request, err);
	if (running == NULL)
		return 0;
	running->done = done;
	running->ctx = ctx;
	running->number = ++async->last_number;
	if (curl_multi_add_handle(async->multi, running->easy) != CURLM_OK) {
		running_free(running);
		(void)err_set(err, ERR_NO_MEMORY, NULL);
		return 0;
	}
	running->next = async->first;
	if (async->first != NULL)
		async->first->prev = running;
	async->first = running;
	async->count++;
	return running->number;
}

void
async_cancel(struct async *async, uint64_t number)
{
	struct running *running = async->first;
	while (running != NULL && running->number != number)
		running = running->next;
	if (running == NULL)
		return;
	take_out(async, running);
	running_free(running);
}

size_t
async_running(const struct async *async)
{
	return async->count;
}
