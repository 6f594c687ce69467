/*
 * One generation opened by each of its keys alone, and made whole again where what it is wrapped in was damaged. What is found is stored
 * and logged, and stands in the audit: an availability key that was tried for this is a use of it.
 */
#pragma once

#include <stdint.h>

struct depd;

/* An operation of its own; *number names it until it ends, which sets it to 0, also within this call. */
void generation_check_start(struct depd *depd, int64_t generation, uint64_t *number);
/* *number is not touched any more. 0: nothing. */
void generation_check_cancel(struct depd *depd, uint64_t number);
