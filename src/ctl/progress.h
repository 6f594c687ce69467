/* How far a long operation is, on a terminal; and stopping it by a signal without leaving a half. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct progress {
	bool shown; /* standard error is a terminal */
	int64_t begun_ms;
	int64_t drawn_ms;
};

/* Also takes SIGINT, SIGTERM and SIGHUP: the first one stops by progress_tick(), the second one at once. */
void progress_begin(struct progress *progress);
/* A custody_progress; `data` is the struct. false: stop. */
bool progress_tick(void *data, uint64_t done, uint64_t total);
/* Clears the line, before anything else is said. May be called twice. */
void progress_end(struct progress *progress);
/* If a signal asked to stop: ends the process by it, as everything is tidied up. */
void progress_die_if_stopped(void);
