/* Invariant: drawing happens at most ten times a second, on standard error only. */
#include "progress.h"

#include <inttypes.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"

#define DRAW_EVERY_MS 100
#define BAR_WIDTH     30

static volatile sig_atomic_t
	stop_asked; /* the exit flag, the signal: set by the handler, read by progress_tick() */

static void
ask_stop(int signal_number)
{
	stop_asked = signal_number;
}

void
progress_begin(struct progress *progress)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
	struct sigaction action = {.sa_handler = ask_stop, .sa_flags = (int)SA_RESETHAND};
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		(void)sigaction(signals[i], &action, NULL); /* cannot fail for these */
	*progress = (struct progress){
		.shown = isatty(STDERR_FILENO) == 1,
		.begun_ms = clock_monotonic_ms(),
	};
}

static void
draw(const struct progress *progress, uint64_t done, uint64_t total, int64_t now_ms)
{
	uint64_t elapsed_ms = (uint64_t)(now_ms - progress->begun_ms) + 1;
	uint64_t mib = done >> 20;
	uint64_t rate = mib * 1000 / elapsed_ms;
	if (total == 0) {
		(void)fprintf(stderr, "\r%" PRIu64 " MiB  %" PRIu64 " MiB/s \033[K", mib, rate);
		return;
	}
	if (done > total)
		done = total;
	unsigned filled = (unsigned)((double)done / (double)total * BAR_WIDTH);
	(void)fputs("\r[", stderr);
	for (unsigned i = 0; i < BAR_WIDTH; i++)
		(void)fputc(i < filled ? '#' : ' ', stderr);
	(void)fprintf(stderr, "] %3u%%  %" PRIu64 " of %" PRIu64 " MiB  %" PRIu64 " MiB/s \033[K",
		(unsigned)((double)done / (double)total * 100), mib, total >> 20, rate);
}

bool
progress_tick(void *data, uint64_t done, uint64_t total)
{
	struct progress *progress = data;
	int64_t now_ms = clock_monotonic_ms();
	if (progress->shown && now_ms - progress->drawn_ms >= DRAW_EVERY_MS) {
		progress->drawn_ms = now_ms;
		draw(progress, done, total, now_ms);
		(void)fflush(stderr);
	}
	return stop_asked == 0;
}

void
progress_end(struct progress *progress)
{
	if (progress->shown && progress->drawn_ms != 0)
		(void)fputs("\r\033[K", stderr);
	progress->drawn_ms = 0;
}

/* A shell ends its loop only if the signal is what ended the program (wait(2), WIFSIGNALED). */
void
progress_die_if_stopped(void)
{
	int signal_number = stop_asked;
	if (signal_number == 0)
		return;
	(void)signal(signal_number, SIG_DFL);
	(void)raise(signal_number);
}
