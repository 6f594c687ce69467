#include "bench/samples.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FIRST_SIZE 4096

int64_t
samples_now_us(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void
reserve(struct samples *samples, size_t more)
{
	size_t size = samples->size > 0 ? samples->size : FIRST_SIZE;
	while (size < samples->count + more)
		size *= 2;
	if (size == samples->size)
		return;
	samples->us = reallocarray(samples->us, size, sizeof(*samples->us));
	if (samples->us == NULL)
		abort();
	samples->size = size;
}

void
samples_add(struct samples *samples, int64_t took_us)
{
	reserve(samples, 1);
	samples->us[samples->count++] = took_us < UINT32_MAX ? (uint32_t)took_us : UINT32_MAX;
}

void
samples_join(struct samples *samples, const struct samples *from)
{
	if (from->count == 0)
		return;
	reserve(samples, from->count);
	memcpy(samples->us + samples->count, from->us, from->count * sizeof(*from->us));
	samples->count += from->count;
}

static int
compare(const void *one, const void *other)
{
	const uint32_t *a = one, *b = other;
	return (*a > *b) - (*a < *b);
}

void
samples_report(struct samples *samples, int64_t elapsed_us)
{
	if (samples->count == 0)
		samples_die("nothing was measured", "the time is too short");
	qsort(samples->us, samples->count, sizeof(*samples->us), compare);
	(void)printf("%.0f %u %u\n", (double)samples->count * 1e6 / (double)elapsed_us,
		samples->us[samples->count / 2], samples->us[samples->count * 99 / 100]);
}

void
samples_clear(struct samples *samples)
{
	free(samples->us);
	*samples = (struct samples){0};
}

void
samples_die(const char *what, const char *why)
{
	(void)fprintf(stderr, "bench: %s: %s\n", what, why);
	exit(1);
}
