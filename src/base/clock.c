#include "clock.h"

#include <stddef.h>
#include <time.h>

static int64_t (*override_wall)(void);
static int64_t (*override_monotonic)(void);

static int64_t
read_us(clockid_t clock)
{
	struct timespec now;
	(void)clock_gettime(clock, &now); /* cannot fail for these clocks */
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t
clock_wall_us(void)
{
	return override_wall != NULL ? override_wall() : read_us(CLOCK_REALTIME);
}

int64_t
clock_monotonic_us(void)
{
	return override_monotonic != NULL ? override_monotonic() : read_us(CLOCK_MONOTONIC);
}

int64_t
clock_wall_s(void)
{
	return clock_wall_us() / 1000000;
}

int64_t
clock_monotonic_ms(void)
{
	return clock_monotonic_us() / 1000;
}

void
clock_format(int64_t wall_s, char text[static 21])
{
	const int64_t last = 253402300799; /* 9999-12-31T23:59:59Z */
	if (wall_s < 0)
		wall_s = 0;
	if (wall_s > last)
		wall_s = last;
	time_t seconds = wall_s;
	struct tm parts;
	(void)gmtime_r(&seconds, &parts);
	(void)strftime(text, 21, "%Y-%m-%dT%H:%M:%SZ", &parts);
}

void
clock_override(int64_t (*wall_us)(void), int64_t (*monotonic_us)(void))
{
	override_wall = wall_us;
	override_monotonic = monotonic_us;
}
