#include "custodyd/breaker.h"

#define PAUSE_MIN_MS INT64_C(1000)
#define PAUSE_MAX_MS INT64_C(60000)
#define STABLE_MS    INT64_C(60000)
#define WINDOW_MASK  ((UINT32_C(1) << BREAKER_WINDOW) - 1)

static const char *const STATE_NAMES[] = {
	[BREAKER_CLOSED] = "closed",
	[BREAKER_OPEN] = "open",
	[BREAKER_HALF_OPEN] = "half-open",
};

const char *
breaker_state_name(enum breaker_state state)
{
	return STATE_NAMES[state];
}

void
breaker_init(struct breaker *breaker)
{
	breaker->state = BREAKER_CLOSED;
	breaker->outcomes = 0;
	breaker->until_ms = 0;
	backoff_init(&breaker->backoff, PAUSE_MIN_MS, PAUSE_MAX_MS, STABLE_MS);
}

void
breaker_close(struct breaker *breaker, int64_t now_ms)
{
	breaker->state = BREAKER_CLOSED;
	breaker->outcomes = 0;
	backoff_up(&breaker->backoff, now_ms);
}

static void
open_for_a_while(struct breaker *breaker, int64_t now_ms, uint32_t random)
{
	breaker->state = BREAKER_OPEN;
	breaker->until_ms = now_ms + backoff_down(&breaker->backoff, now_ms, random);
}

bool
breaker_count(struct breaker *breaker, bool failed, int64_t now_ms, uint32_t random)
{
	if (breaker->state != BREAKER_CLOSED)
		return false;
	breaker->outcomes = (breaker->outcomes << 1 | (failed ? 1u : 0u)) & WINDOW_MASK;
	if (__builtin_popcount(breaker->outcomes) < BREAKER_FAILURES)
		return false;
	open_for_a_while(breaker, now_ms, random);
	return true;
}

bool
breaker_try(struct breaker *breaker, int64_t now_ms)
{
	if (breaker->state != BREAKER_OPEN || now_ms < breaker->until_ms)
		return false;
	breaker->state = BREAKER_HALF_OPEN;
	return true;
}

void
breaker_probed(struct breaker *breaker, bool failed, int64_t now_ms, uint32_t random)
{
	if (breaker->state != BREAKER_HALF_OPEN)
		return;
	if (failed)
		open_for_a_while(breaker, now_ms, random);
	else
		breaker_close(breaker, now_ms);
}
