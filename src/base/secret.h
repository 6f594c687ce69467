/*
 * The only holder of key bytes, PINs and content keys: fixed length, in OpenSSL's secure heap (locked,
 * not dumped), wiped when freed, never formatted. Thread-safe as far as one object is used by one thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "attr.h"
#include "buf.h"

struct secret;

/*
 * Sets up the secure heap; call once at the start of a program. `size` in octets, a power of two.
 * false: memory could not be locked (RLIMIT_MEMLOCK); the heap works but may be swapped, the caller
 * decides whether that is fatal. Asserts that a heap could be made at all.
 */
bool secret_heap_init(size_t size) MUST_USE;

/* Forbids core dumps and ptrace by the same uid: PR_SET_DUMPABLE 0, RLIMIT_CORE 0. */
void secret_process_harden(void);

/* A secret of `len` (1 to 64 KiB, asserted) zero octets. NULL only when the secure heap is exhausted. */
struct secret *secret_new(size_t len) MUST_USE;
/* secret_new() holding a copy of `data`; the caller wipes its own. */
struct secret *secret_from(const void *data, size_t len) MUST_USE;
void secret_free(struct secret *secret);

uint8_t *secret_data(struct secret *secret);             /* borrowed */
const uint8_t *secret_peek(const struct secret *secret); /* borrowed */
size_t secret_len(const struct secret *secret);
struct bytes secret_bytes(const struct secret *secret); /* borrowed */
/* Cuts to `len` <= current length, wiping the rest. */
void secret_truncate(struct secret *secret, size_t len);

/* Constant time in the contents; lengths are public. */
bool secret_equal(const struct secret *a, const struct secret *b);
/* Constant-time comparison of two ranges of one length. */
bool secret_equal_bytes(const void *a, const void *b, size_t len);
/* Wipes memory that is not a struct secret (stack copies, codec buffers). */
void secret_wipe(void *data, size_t len);

DEFINE_CLEAN(secret, struct secret)
