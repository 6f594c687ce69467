/*
 * What a fuzz target implements; tests/fuzz/replay.c or libFuzzer calls it. A target returns 0 for every
 * input, and asserts what must hold: no input may end the process.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* How many inputs `make check` derives from the corpus; a target whose inputs cost milliseconds has its own. */
unsigned fuzz_inputs(void);
