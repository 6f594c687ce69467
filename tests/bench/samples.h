/* Times of single operations, for a rate and its percentiles. Any number of threads may each have their own. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct samples {
	uint32_t *us;
	size_t count, size;
};

int64_t samples_now_us(void);
void samples_add(struct samples *samples, int64_t took_us);
/* Appends all of `from`. */
void samples_join(struct samples *samples, const struct samples *from);
/* "<operations a second> <p50> <p99>" and a newline on standard output; sorts. Dies if there are none. */
void samples_report(struct samples *samples, int64_t elapsed_us);
void samples_clear(struct samples *samples);

/* A benchmark that cannot measure says why and ends with 1. */
_Noreturn void samples_die(const char *what, const char *why);
