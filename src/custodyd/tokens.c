#include "custodyd/tokens.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "custodyd/options.h"
#include "custodyd/token_priv.h"

#define STOP_LOOK_MS  INT64_C(20)   /* how often a stop looks whether it is done */
#define STOP_GRACE_MS INT64_C(1400) /* after the limit: workers leave, or are killed and reaped */

static char *
dup_text(const char *text)
{
	char *copy = strdup(text);
	if (copy == NULL)
		abort();
	return copy;
}

static void
take_limits(struct tokens *tokens, const struct options_daemon *options)
{
	struct token_limits *limits = &tokens->limits;
	free(limits->worker);
	limits->worker = dup_text(options->worker);
	limits->queue_max = (unsigned)options->queue;
	limits->caller_max = (unsigned)options->in_flight_per_caller;
	limits->step_ms = options->start_timeout;
	limits->use_ms = options->operation_timeout;
	limits->search_ms = options->create_timeout;
	limits->create_ms = options->create_timeout;
	limits->recycle_bytes = options->recycle_memory;
	limits->recycle_operations = options->recycle_operations;
	limits->idle_ping_ms = options->idle_ping;
}

struct tokens *
tokens_new(struct loop *loop, const struct tokens_host *host, const struct options *options,
	struct err *err)
{
	CLEAN(tokens)
	struct tokens *tokens = calloc(1, sizeof(*tokens));
	if (tokens == NULL)
		abort();
	tokens->loop = loop;
	tokens->host = *host;
	tokens->socket = dup_text(options->daemon.socket);
	tokens->poison = poison_new();
	take_limits(tokens, &options->daemon);
	tokens->tokens = calloc(options->token_count, sizeof(*tokens->tokens));
	if (tokens->tokens == NULL && options->token_count > 0)
		abort();
	for (size_t i = 0; i < options->token_count; i++) {
		struct token *token = token_new(tokens, &options->tokens[i], err);
		if (token == NULL)
			return NULL;
		tokens->tokens[tokens->count++] = token;
	}
	struct tokens *made = tokens;
	tokens = NULL;
	return made;
}

void
tokens_free(struct tokens *tokens)
{
	if (tokens == NULL)
		return;
	for (size_t i = 0; i < tokens->count; i++)
		token_free(tokens->tokens[i]);
	free(tokens->tokens);
	timer_free(tokens->stop_timer);
	loop_defer_cancel(tokens->loop, tokens);
	poison_free(tokens->poison);
	free(tokens->limits.worker);
	free(tokens->socket);
	free(tokens);
}

struct token *
tokens_find(struct tokens *tokens, const char *name)
{
	for (size_t i = 0; i < tokens->count; i++) {
		if (strcmp(token_name(tokens->tokens[i]), name) == 0)
			return tokens->tokens[i];
	}
	return NULL;
}

size_t
tokens_count(const struct tokens *tokens)
{
	return tokens->count;
}

struct token *
tokens_get(struct tokens *tokens, size_t index)
{
	return tokens->tokens[index];
}

void
tokens_reload(struct tokens *tokens, const struct options *options)
{
	take_limits(tokens, &options->daemon);
	for (size_t i = 0; i < options->token_count; i++) {
		struct token *token = tokens_find(tokens, options->tokens[i].name);
		if (token != NULL)
			token_reload(token, &options->tokens[i]);
	}
}

static bool
any(const struct tokens *tokens, bool (*test)(const struct token *token))
{
	for (size_t i = 0; i < tokens->count; i++) {
		if (test(tokens->tokens[i]))
			return true;
	}
	return false;
}

static void
look(void *ctx)
{
	struct tokens *tokens = ctx;
	int64_t now_ms = clock_monotonic_ms();
	bool over = now_ms >= tokens->stop_ms;
	if (!over && any(tokens, token_is_working))
		return;
	for (size_t i = 0; i < tokens->count; i++)
		token_stop(tokens->tokens[i]);
	if (any(tokens, token_has_process) && now_ms < tokens->stop_ms + STOP_GRACE_MS)
		return;
	timer_stop(tokens->stop_timer);
	if (tokens->stopped)
		return;
	tokens->stopped = true;
	tokens->done(tokens->done_ctx);
}

void
tokens_stop(struct tokens *tokens, int64_t limit_ms, void (*done)(void *ctx), void *ctx)
{
	if (tokens->stopping)
		return;
	tokens->stopping = true;
	tokens->stop_ms = clock_monotonic_ms() + limit_ms;
	tokens->done = done;
	tokens->done_ctx = ctx;
	tokens->stop_timer = timer_new(tokens->loop, "tokens.stop", look, tokens);
	timer_start_periodic(tokens->stop_timer, STOP_LOOK_MS);
}
