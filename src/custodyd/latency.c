/* Counts in buckets whose bounds grow by 2^(1/4); a full histogram is halved, so old samples fade. */
#include "custodyd/latency.h"

#include <string.h>

#define FADE_AT     512u /* samples; then every count is halved */
#define SAMPLES_MIN 8u   /* below, a quantile would be one accident */
#define QUARTERS    4

/* Bucket of a duration: four to an octave, by the two bits below the leading one. */
static size_t
bucket_of(int64_t elapsed_us)
{
	uint64_t value = elapsed_us < QUARTERS ? QUARTERS : (uint64_t)elapsed_us;
	unsigned octave = 63u - (unsigned)__builtin_clzll(value);
	unsigned quarter = (unsigned)(value >> (octave - 2)) & (QUARTERS - 1);
	size_t bucket = (size_t)(octave - 2) * QUARTERS + quarter;
	return bucket < LATENCY_BUCKETS ? bucket : LATENCY_BUCKETS - 1;
}

static int64_t
upper_bound(size_t bucket)
{
	unsigned octave = (unsigned)(bucket / QUARTERS) + 2;
	uint64_t quarter = bucket % QUARTERS;
	return (int64_t)((QUARTERS + quarter + 1) << (octave - 2)) - 1;
}

void
latency_clear(struct latency *latency)
{
	memset(latency, 0, sizeof(*latency));
}

void
latency_add(struct latency *latency, int64_t elapsed_us)
{
	latency->counts[bucket_of(elapsed_us)]++;
	if (++latency->total < FADE_AT)
		return;
	latency->total = 0;
	for (size_t i = 0; i < LATENCY_BUCKETS; i++) {
		latency->counts[i] /= 2;
		latency->total += latency->counts[i];
	}
}

int64_t
latency_quantile_us(const struct latency *latency, unsigned percent)
{
	if (latency->total < SAMPLES_MIN)
		return 0;
	uint64_t wanted = ((uint64_t)latency->total * percent + 99) / 100;
	uint64_t seen = 0;
	for (size_t i = 0; i < LATENCY_BUCKETS; i++) {
		seen += latency->counts[i];
		if (seen >= wanted)
			return upper_bound(i);
	}
	return upper_bound(LATENCY_BUCKETS - 1);
}
