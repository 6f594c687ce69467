/*
 * The circuit breaker of one token: open when too many of the recent operations failed as *unavailable*.
 * While it is open the token gets no work; then it is half-open and one probe, which the supervisor makes
 * itself, decides. What callers do wrong (*bad*, *denied*) never counts (threats A16).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "custodyd/backoff.h"

#define BREAKER_WINDOW   10 /* outcomes looked back at */
#define BREAKER_FAILURES 5  /* of them failed: open */

enum breaker_state {
	BREAKER_CLOSED,
	BREAKER_OPEN,
	BREAKER_HALF_OPEN, /* a probe is on its way */
};

struct breaker {
	enum breaker_state state;
	uint32_t outcomes; /* the last BREAKER_WINDOW, newest lowest; 1 is a failure */
	int64_t until_ms;  /* open: when to probe */
	struct backoff backoff;
};

const char *breaker_state_name(enum breaker_state state); /* static */

void breaker_init(struct breaker *breaker);
/* Forgets the past: a new worker. The pauses go on growing. */
void breaker_close(struct breaker *breaker, int64_t now_ms);
/* An operation ended; `failed`: class unavailable. Only counted while closed. true: it opened just now. */
bool breaker_count(struct breaker *breaker, bool failed, int64_t now_ms, uint32_t random);
/* Open and its time is over: half-open from now on, and the caller must probe. */
bool breaker_try(struct breaker *breaker, int64_t now_ms);
/* The probe's outcome, half-open only (ignored otherwise). */
void breaker_probed(struct breaker *breaker, bool failed, int64_t now_ms, uint32_t random);
