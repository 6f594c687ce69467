/*
 * Growing pauses with jitter between tries, and whether the thing tried flaps (threats B18). A pause grows
 * until the thing has stayed up for a while, so that something that is up and down every second is tried
 * less and less.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define BACKOFF_FLAPS   4 /* failures within BACKOFF_FLAP_MS that count as flapping */
#define BACKOFF_FLAP_MS INT64_C(300000)

struct backoff {
	int64_t min_ms;    /* first pause */
	int64_t max_ms;    /* longest pause, jitter included */
	int64_t stable_ms; /* up for so long: the next failure starts from min_ms again */
	int64_t pause_ms;  /* the last pause without jitter; 0: none yet */
	int64_t up_ms;     /* when it came up; -1: it is down */
	int64_t failures_ms[BACKOFF_FLAPS]; /* when the last failures were, a ring */
	unsigned failures;
};

void backoff_init(struct backoff *backoff, int64_t min_ms, int64_t max_ms, int64_t stable_ms);
void backoff_up(struct backoff *backoff, int64_t now_ms);
/* Notes a failure and returns the pause before the next try: between half and all of the grown pause, by `random`. */
int64_t backoff_down(struct backoff *backoff, int64_t now_ms, uint32_t random);
bool backoff_flaps(const struct backoff *backoff, int64_t now_ms);
