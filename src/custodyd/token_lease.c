/*
 * Whose a token is (threats D12), and the counter on it that tells an old catalog from the present one (threats D9).
 * Invariant: the counter on the token never passes the one that the catalog has stored.
 */
#include <assert.h>

#include "base/clock.h"
#include "base/log.h"
#include "custodyd/token_priv.h"

#define RAISE_PAUSE_MS                                                                             \
	INT64_C(60000) /* a device's memory wears; architecture: at most once a minute */

void
token_leased(struct token *token)
{
	struct err why = {0};
	const char *owner = token_other_owner(token);
	if (token->state == TOKEN_STATE_LEASED)
		return;
	(void)err_set(&why, ERR_TOKEN_LEASED,
		"The token is in use by another custodyd's catalog%s%s; it is not used here. If "
		"that "
		"one is retired, run custodyctl token enroll --name %s --take-over.",
		owner[0] != '\0' ? ", instance " : "", owner, token->name);
	token_fail_queue(token, ERR_UNAVAILABLE);
	token_set_state(token, TOKEN_STATE_LEASED, &why);
}

const char *
token_other_owner(const struct token *token)
{
	bool other = token->device != NULL && token->device->lease == WIRE_LEASE_OTHER;
	return other ? token->device->owner : "";
}

bool
token_counter(const struct token *token, uint64_t *ret_counter)
{
	if (token->device == NULL || token->current == NULL ||
		token->device->lease != WIRE_LEASE_OURS)
		return false;
	*ret_counter = token->device->counter;
	return true;
}

bool
token_raise(struct token *token, uint64_t counter)
{
	int64_t now_ms = clock_monotonic_ms();
	uint64_t present;
	bool can = token->state == TOKEN_STATE_READY && token_counter(token, &present) &&
		   worker_alive(token->current) && !token->draining && !token->raising;
	if (!can || (token->raised_ms != 0 && now_ms - token->raised_ms < RAISE_PAUSE_MS))
		return false;
	struct wire_count_request count = {.counter = counter};
	struct request *request = request_new(REQUEST_RAISE, WIRE_COUNT, token->next_id++, &count);
	assert(request != NULL); /* a number always fits */
	request->kind = LATENCY_OTHER;
	token->raising = true;
	token->raised_ms = now_ms;
	token_send(token, request);
	return true;
}

void
token_raised(struct token *token, struct worker *worker, const struct wire_message *message)
{
	struct wire_count_answer answer;
	struct err err = {0};
	token->raising = false;
	bool good = wire_decode_answer(message, &answer, NULL, &err);
	if (worker != token->current)
		return; /* its successor has read the token itself */
	if (good) {
		token->device->counter = answer.counter;
		return;
	}
	log_err(LOG_LEVEL_WARNING, "token.counter", &err, LOG_TEXT("token", token->name));
	if (err.code == ERR_TOKEN_LEASED)
		token_leased(token);
}
