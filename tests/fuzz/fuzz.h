/*
 * What a fuzz target implements; tests/fuzz/replay.c or libFuzzer calls it. A target returns 0 for every
 * input, and asserts what must hold: no input may end the process.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
