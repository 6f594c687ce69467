/* Two small tables, the oldest entry making room: a flood of crashes must not become a flood of memory. */
#include "custodyd/poison.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define DEATHS_TO_BAR 2

struct suspect {
	uint8_t digest[HASH_SHA256_LEN];
	unsigned deaths; /* 0: free */
	int64_t until_ms;
};

struct cut {
	uint32_t caller;
	int64_t until_ms; /* 0: free */
};

struct poison {
	struct suspect suspects[POISON_SUSPECTS];
	size_t suspect_count; /* in use: the check of every request is free while it is 0 */
	struct cut cuts[POISON_CALLERS];
};

struct poison *
poison_new(void)
{
	struct poison *poison = calloc(1, sizeof(*poison));
	if (poison == NULL)
		abort();
	return poison;
}

void
poison_free(struct poison *poison)
{
	free(poison);
}

/* Index of the entry of a digest, POISON_SUSPECTS for none. */
static size_t
find(const struct poison *poison, const uint8_t *digest)
{
	if (poison->suspect_count == 0)
		return POISON_SUSPECTS;
	for (size_t i = 0; i < POISON_SUSPECTS; i++) {
		const struct suspect *suspect = &poison->suspects[i];
		if (suspect->deaths > 0 && memcmp(suspect->digest, digest, HASH_SHA256_LEN) == 0)
			return i;
	}
	return POISON_SUSPECTS;
}

static struct suspect *
make_room(struct poison *poison)
{
	struct suspect *oldest = &poison->suspects[0];
	for (size_t i = 0; i < POISON_SUSPECTS; i++) {
		struct suspect *suspect = &poison->suspects[i];
		if (suspect->deaths == 0) {
			poison->suspect_count++;
			return suspect;
		}
		if (suspect->until_ms < oldest->until_ms)
			oldest = suspect;
	}
	oldest->deaths = 0;
	return oldest;
}

static void
cut_caller(struct poison *poison, uint32_t caller, int64_t until_ms)
{
	struct cut *chosen = &poison->cuts[0];
	for (size_t i = 0; i < POISON_CALLERS; i++) {
		struct cut *cut = &poison->cuts[i];
		if (cut->until_ms != 0 && cut->caller == caller) {
			chosen = cut;
			break;
		}
		if (cut->until_ms < chosen->until_ms)
			chosen = cut;
	}
	chosen->caller = caller;
	chosen->until_ms = until_ms;
}

enum poison_verdict
poison_note(struct poison *poison, const uint8_t digest[static HASH_SHA256_LEN], uint32_t caller,
	int64_t now_ms)
{
	size_t index = find(poison, digest);
	struct suspect *suspect =
		index < POISON_SUSPECTS ? &poison->suspects[index] : make_room(poison);

	if (suspect->until_ms <= now_ms)
		suspect->deaths = 0;
	memcpy(suspect->digest, digest, HASH_SHA256_LEN);
	suspect->until_ms = now_ms + POISON_BAR_MS;
	if (++suspect->deaths < DEATHS_TO_BAR)
		return POISON_SUSPECT;
	cut_caller(poison, caller, suspect->until_ms);
	return POISON_BARRED;
}

void
poison_acquit(struct poison *poison, const uint8_t digest[static HASH_SHA256_LEN])
{
	size_t index = find(poison, digest);
	if (index == POISON_SUSPECTS || poison->suspects[index].deaths >= DEATHS_TO_BAR)
		return;
	poison->suspects[index].deaths = 0;
	poison->suspect_count--;
}

enum poison_verdict
poison_check(
	const struct poison *poison, const uint8_t digest[static HASH_SHA256_LEN], int64_t now_ms)
{
	size_t index = find(poison, digest);
	if (index == POISON_SUSPECTS || poison->suspects[index].until_ms <= now_ms)
		return POISON_CLEAN;
	return poison->suspects[index].deaths < DEATHS_TO_BAR ? POISON_SUSPECT : POISON_BARRED;
}

bool
poison_caller_is_cut(const struct poison *poison, uint32_t caller, int64_t now_ms)
{
	for (size_t i = 0; i < POISON_CALLERS; i++) {
		if (poison->cuts[i].caller == caller && poison->cuts[i].until_ms > now_ms)
			return true;
	}
	return false;
}
