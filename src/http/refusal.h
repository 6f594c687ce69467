/*
 * Connections that were refused and answered before their request was read.
 *
 * Closed at once, a peer that still writes its request gets EPIPE and never reads why. So they stay open for a
 * second, unread; only so many, the oldest goes first: refusing costs a bounded number of descriptors.
 */
#pragma once

#include "loop/loop.h"

#define REFUSALS_MAX 32
#define REFUSAL_MS   1000

struct refusals;

/* hold_ms: how long each stays open, REFUSAL_MS but in tests. */
struct refusals *refusals_new(struct loop *loop, int64_t hold_ms) MUST_USE;
/* Closes what is left; NULL is fine. */
void refusals_free(struct refusals *refusals);
/* Says that nothing more will be written, and closes it later. */
void refusals_add(struct refusals *refusals, int take_fd);
