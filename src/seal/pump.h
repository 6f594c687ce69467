/*
 * Internal to src/seal: moves a descriptor to another in pieces, each transformed on its way, by two threads.
 *
 * The threads take pieces in turn; reading and transforming run side by side, writing is in order. The copies
 * into and out of the page cache cost more than AES-GCM (tests/bench/bench_seal.c shows both), so one thread
 * reaches a third of the cipher's speed and two reach two thirds.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "seal/sealed.h"

#define PUMP_THREADS 2

/* One way of moving: sealing or opening. */
struct pump_way {
	/* Octets of input of piece `number`, at most STREAM_SEGMENT_LEN; only the last may have less. */
	size_t (*piece_len)(uint32_t number);
	/* Transforms a piece in place; `data` has room for STREAM_SEGMENT_LEN octets. */
	bool (*transform)(void *worker, uint32_t number, bool last, uint8_t *data, size_t len,
		size_t *ret_len, struct err *err);
};

/*
 * Runs until `in` ends; an empty input is one empty last piece. `workers` are the threads' own states for
 * transform(). `progress` (may be NULL) hears the octets read so far, in the calling thread only.
 */
bool pump_run(int in, int out, const struct pump_way *way, void *const workers[static PUMP_THREADS],
	sealed_progress *progress, void *progress_data, struct err *err) MUST_USE;
