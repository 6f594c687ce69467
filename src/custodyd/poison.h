/*
 * Requests that were running when a worker died, by digest, over all tokens (threats B2). The first time
 * makes a suspect, which from then on runs alone; if a worker dies again it is barred for a while, and its
 * caller may keep little in flight. One that ended without a death is a suspect no more.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "crypto/hash.h"

#define POISON_BAR_MS     INT64_C(600000)
#define POISON_SUSPECTS   128
#define POISON_CALLERS    32
#define POISON_CALLER_MAX 2 /* in flight, for a caller whose request was barred */

enum poison_verdict {
	POISON_CLEAN,
	POISON_SUSPECT,
	POISON_BARRED,
};

struct poison;

struct poison *poison_new(void);
void poison_free(struct poison *poison);

/* A worker died while this request ran. Returns what it is now. */
enum poison_verdict poison_note(struct poison *poison, const uint8_t digest[static HASH_SHA256_LEN],
	uint32_t caller, int64_t now_ms);
/* It ended without a death. */
void poison_acquit(struct poison *poison, const uint8_t digest[static HASH_SHA256_LEN]);
enum poison_verdict poison_check(
	const struct poison *poison, const uint8_t digest[static HASH_SHA256_LEN], int64_t now_ms);
/* Had a request barred lately: POISON_CALLER_MAX holds for it. */
bool poison_caller_is_cut(const struct poison *poison, uint32_t caller, int64_t now_ms);

static inline void
poison_clean(struct poison **pointer)
{
	poison_free(*pointer);
	*pointer = (struct poison *)0;
}
