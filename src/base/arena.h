/*
 * Memory that lives as long as one request: allocate freely, free once. Never for secrets.
 * Out of memory aborts; sizes are bounded by the limits on requests.
 */
#pragma once

#include <stddef.h>

#include "attr.h"
#include "buf.h"

struct arena;

struct arena *arena_new(void);
void arena_free(struct arena *arena);

/* Zeroed, aligned for any type, valid until arena_free(). */
void *arena_alloc(struct arena *arena, size_t size);
/* count * size with overflow check (asserted). */
void *arena_array(struct arena *arena, size_t count, size_t size);
char *arena_strdup(struct arena *arena, const char *text);
/* Copies `len` octets and adds a NUL. */
char *arena_strndup(struct arena *arena, const char *text, size_t len);
struct bytes arena_bytes(struct arena *arena, const void *data, size_t len);
char *arena_printf(struct arena *arena, const char *fmt, ...) PRINTF(2, 3);

DEFINE_CLEAN(arena, struct arena)
