#include "custodyd/backoff.h"

#include <string.h>

void
backoff_init(struct backoff *backoff, int64_t min_ms, int64_t max_ms, int64_t stable_ms)
{
	memset(backoff, 0, sizeof(*backoff));
	backoff->min_ms = min_ms;
	backoff->max_ms = max_ms;
	backoff->stable_ms = stable_ms;
	backoff->up_ms = -1;
}

void
backoff_up(struct backoff *backoff, int64_t now_ms)
{
	backoff->up_ms = now_ms;
}

int64_t
backoff_down(struct backoff *backoff, int64_t now_ms, uint32_t random)
{
	bool was_stable = backoff->up_ms >= 0 && now_ms - backoff->up_ms >= backoff->stable_ms;
	int64_t pause = was_stable ? 0 : 2 * backoff->pause_ms;

	if (pause < backoff->min_ms)
		pause = backoff->min_ms;
	if (pause > backoff->max_ms)
		pause = backoff->max_ms;
	backoff->pause_ms = pause;
	backoff->up_ms = -1;
	backoff->failures_ms[backoff->failures++ % BACKOFF_FLAPS] = now_ms;
	return pause - (int64_t)(random % (uint32_t)(pause / 2 + 1));
}

bool
backoff_flaps(const struct backoff *backoff, int64_t now_ms)
{
	if (backoff->failures < BACKOFF_FLAPS)
		return false;
	int64_t oldest = backoff->failures_ms[backoff->failures % BACKOFF_FLAPS];
	return now_ms - oldest <= BACKOFF_FLAP_MS;
}
