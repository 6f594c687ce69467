/*
 * The main program of a fuzz target in `make check`: every file of its corpus, then a fixed number of
 * inputs derived from them, the same at each run. `make fuzz` links libFuzzer in its place.
 *
 *   fuzz_NAME           replays $SRCDIR/tests/fuzz/corpus/NAME, then derives
 *   fuzz_NAME FILE...   runs these files only, to look at a finding
 */
#include "fuzz.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"

#define INPUT_MAX      (1 << 20)
#define DERIVED_INPUTS 4000
#define CHANGES_MAX    6

__attribute__((weak)) unsigned
fuzz_inputs(void)
{
	return DERIVED_INPUTS;
}

/* xorshift64: the same numbers at each run. */
static uint64_t
next_number(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* Octets that parsers care about more than about others. */
static uint8_t
next_octet(uint64_t *state)
{
	static const char special[] = "\0\n\r \t\"'\\{}[]:,=;#%/.-+0129aAzZ_\x7f\x80\xff";
	uint64_t number = next_number(state);
	return (number & 1) != 0 ? (uint8_t)(number >> 8)
				 : (uint8_t)special[(number >> 8) % (sizeof(special) - 1)];
}

/* One change in place; `size` is what fits. */
static size_t
change(uint8_t *data, size_t len, size_t size, uint64_t *state)
{
	size_t at = len == 0 ? 0 : next_number(state) % len;
	size_t run = len == 0 ? 0 : next_number(state) % (len - at) % 32 + 1;
	switch (next_number(state) % 6) {
	case 0: /* another octet */
		if (len > 0)
			data[at] = next_octet(state);
		return len;
	case 1: /* a flipped bit */
		if (len > 0)
			data[at] ^= (uint8_t)(1 << next_number(state) % 8);
		return len;
	case 2: /* a new octet */
		if (len == size)
			return len;
		memmove(data + at + 1, data + at, len - at);
		data[at] = next_octet(state);
		return len + 1;
	case 3: /* some octets less */
		memmove(data + at, data + at + run, len - at - run);
		return len - run;
	case 4: /* some octets twice */
		if (run > size - len)
			return len;
		memmove(data + at + run, data + at, len - at);
		return len + run;
	default: /* cut off */
		return at;
	}
}

static bool
run_file(const char *path, struct buf *text)
{
	struct err err;
	buf_reset(text);
	if (!file_read(path, text, ERR_CLIENT_FILE, &err)) {
		(void)fprintf(stderr, "%s\n", err.message);
		return false;
	}
	/* a copy of exactly this size, so that a sanitizer sees one octet too far */
	uint8_t *copy = malloc(text->len + 1);
	if (copy == NULL)
		abort();
	if (text->len > 0)
		memcpy(copy + 1, text->data, text->len);
	(void)LLVMFuzzerTestOneInput(copy + 1, text->len);
	free(copy);
	return true;
}

static void
run_derived(const struct buf *text, unsigned count, uint64_t seed)
{
	uint64_t state = seed * 0x9e3779b97f4a7c15u + 1;
	size_t size = text->len * 2 + 64;
	for (unsigned i = 0; i < count; i++) {
		uint8_t *data = malloc(size);
		if (data == NULL)
			abort();
		size_t len = text->len;
		if (len > 0)
			memcpy(data, text->data, len);
		for (uint64_t n = next_number(&state) % CHANGES_MAX + 1; n > 0; n--)
			len = change(data, len, size, &state);
		/* the input ends where the block ends, so that a sanitizer sees one octet too far */
		uint8_t *input = malloc(len + 1);
		if (input == NULL)
			abort();
		memcpy(input + 1, data, len);
		(void)LLVMFuzzerTestOneInput(input + 1, len);
		free(input);
		free(data);
	}
}

static int
is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static bool
run_corpus(const char *directory)
{
	CLEAN(buf)
	struct buf text;
	buf_init(&text, INPUT_MAX);
	struct dirent **entries = NULL;
	int count = scandir(directory, &entries, is_visible, alphasort);
	bool good = count > 0;
	if (!good)
		(void)fprintf(stderr, "%s: no corpus\n", directory);
	for (int i = 0; i < count; i++) {
		CLEAN(buf)
		struct buf path;
		buf_init(&path, 4096);
		if (buf_printf(&path, "%s/%s", directory, entries[i]->d_name) &&
			run_file(buf_peek(&path), &text))
			run_derived(&text, fuzz_inputs() / (unsigned)count + 1, (uint64_t)i + 1);
		else
			good = false;
		free(entries[i]);
	}
	free(entries);
	return good;
}

int
main(int argc, char **argv)
{
	CLEAN(buf)
	struct buf text;
	buf_init(&text, INPUT_MAX);
	for (int i = 1; i < argc; i++) {
		if (!run_file(argv[i], &text))
			return 1;
	}
	if (argc > 1)
		return 0;
	const char *source = getenv("SRCDIR");
	const char *name = strrchr(argv[0], '/');
	name = name == NULL ? argv[0] : name + 1;
	if (strncmp(name, "lt-", 3) == 0)
		name += 3; /* libtool's name for it */
	if (strncmp(name, "fuzz_", 5) != 0)
		return 1;
	char directory[4096];
	(void)snprintf(directory, sizeof(directory), "%s/tests/fuzz/corpus/%s",
		source == NULL ? "." : source, name + 5);
	return run_corpus(directory) ? 0 : 1;
}
