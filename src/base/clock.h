/* Time. Deadlines use the monotonic clock; wall time is for dates shown or compared with dates. */
#pragma once

#include <stdint.h>

int64_t clock_wall_s(void);       /* Unix seconds, UTC */
int64_t clock_wall_us(void);      /* Unix microseconds, UTC */
int64_t clock_monotonic_ms(void); /* since boot */
int64_t clock_monotonic_us(void);

/* "2026-11-24T03:25:19Z"; `text` holds 21 octets. Years outside 0..9999 are clamped. */
void clock_format(int64_t wall_s, char text[static 21]);

/* Replaces the clocks in unit tests; NULL restores the real one. Values in microseconds. */
void clock_override(int64_t (*wall_us)(void), int64_t (*monotonic_us)(void));
