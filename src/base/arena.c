/* A list of blocks; the newest is filled first. A large request gets a block of its own. */
#include "arena.h"

#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES 4000 /* with malloc's own header one page */

struct block {
	struct block *next;
	size_t used;
	size_t size;
	_Alignas(max_align_t) uint8_t data[];
};

struct arena {
	struct block *blocks;
};

struct arena *
arena_new(void)
{
	struct arena *arena = calloc(1, sizeof(*arena));
	if (arena == NULL)
		abort();
	return arena;
}

void
arena_free(struct arena *arena)
{
	if (arena == NULL)
		return;
	for (struct block *block = arena->blocks; block != NULL;) {
		struct block *next = block->next;
		free(block);
		block = next;
	}
	free(arena);
}

static struct block *
block_new(struct arena *arena, size_t size)
{
	if (size < BLOCK_BYTES)
		size = BLOCK_BYTES;
	struct block *block = malloc(sizeof(*block) + size);
	if (block == NULL)
		abort();
	block->used = 0;
	block->size = size;
	block->next = arena->blocks;
	arena->blocks = block;
	return block;
}

void *
arena_alloc(struct arena *arena, size_t size)
{
	assert(size < SIZE_MAX / 2);
	size_t align = _Alignof(max_align_t);
	size = (size + align - 1) / align * align;
	struct block *block = arena->blocks;
	if (block == NULL || block->size - block->used < size)
		block = block_new(arena, size);
	void *data = block->data + block->used;
	block->used += size;
	/* here and not by block: a request seldom needs a whole one */
	return memset(data, 0, size);
}

void *
arena_array(struct arena *arena, size_t count, size_t size)
{
	assert(size == 0 || count < SIZE_MAX / 2 / size);
	return arena_alloc(arena, count * size);
}

char *
arena_strndup(struct arena *arena, const char *text, size_t len)
{
	char *copy = arena_alloc(arena, len + 1);
	if (len > 0)
		memcpy(copy, text, len);
	return copy;
}

char *
arena_strdup(struct arena *arena, const char *text)
{
	return arena_strndup(arena, text, strlen(text));
}

struct bytes
arena_bytes(struct arena *arena, const void *data, size_t len)
{
	return (struct bytes){(const uint8_t *)arena_strndup(arena, data, len), len};
}

char *
arena_printf(struct arena *arena, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	va_list again;
	va_copy(again, args);
	int len = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	assert(len >= 0);
	char *text = arena_alloc(arena, (size_t)len + 1);
	(void)vsnprintf(text, (size_t)len + 1, fmt, again);
	va_end(again);
	return text;
}
