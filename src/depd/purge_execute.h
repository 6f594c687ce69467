/* One approved purge, carried out from where the catalog says that it is to where it cannot go on, or to its certificate. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct depd;

typedef void purge_execute_fn(void *ctx, bool done);

/*
 * An operation of its own; *number names it until it ends. `fn` is told once, also within this call: done is false if it could not go on,
 * which was noted, and may be tried again.
 */
void purge_execute_start(
	struct depd *depd, int64_t policy, uint64_t *number, purge_execute_fn *fn, void *ctx);
/* Its callback does not come any more. 0: nothing. */
void purge_execute_cancel(struct depd *depd, uint64_t number);
