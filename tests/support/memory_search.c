/*
 * Looks for secrets in the memory of a process (threats F12, F13): every readable page of it, as root or its debugger sees them.
 *
 *   memory_search PID FILE...    prints "FILE ADDRESS MAPPING" for each place where 16 octets of a file's contents stand
 *
 * Pieces rather than the whole, since the beginning of a freed block is overwritten by the allocator. A file has 16 octets or more. Exit
 * status 0: nothing found, 1: found, 2: something cannot be read. What is looked for stands in no command line.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PIECE     16
#define STEP      8
#define FILE_SIZE 4096
/* A sanitizer's shadow has terabytes; nothing else of ours comes near. */
#define MAPPING_MAX (UINT64_C(1) << 30)
#define BLOCK       (1 << 20)

struct sought {
	const char *path;
	size_t len;
	char data[FILE_SIZE];
};

struct search {
	const struct sought *sought;
	size_t count;
	int memory;
	size_t found;
	uint64_t searched;
};

static bool
read_sought(const char *path, struct sought *sought)
{
	FILE *file = fopen(path, "re");
	if (file == NULL)
		return false;
	sought->path = path;
	sought->len = fread(sought->data, 1, sizeof(sought->data), file);
	(void)fclose(file);
	return sought->len >= PIECE;
}

static void
search_block(
	struct search *search, const char *data, size_t len, uint64_t address, const char *mapping)
{
	for (size_t i = 0; i < search->count; i++) {
		const struct sought *sought = &search->sought[i];
		for (size_t at = 0; at + PIECE <= sought->len; at += STEP) {
			const char *place = memmem(data, len, sought->data + at, PIECE);
			if (place == NULL)
				continue;
			(void)printf("%s+%zu %" PRIx64 " %s", sought->path, at,
				address + (uint64_t)(place - data), mapping);
			search->found++;
		}
	}
}

/* Blocks overlap by a piece less an octet. Pages that cannot be read (device memory) are left out. */
static void
search_mapping(struct search *search, uint64_t start, uint64_t end, const char *mapping)
{
	static char data[BLOCK + PIECE];
	for (uint64_t at = start; at < end; at += BLOCK) {
		size_t wanted = end - at < sizeof(data) ? (size_t)(end - at) : sizeof(data);
		ssize_t got = pread(search->memory, data, wanted, (off_t)at);
		if (got <= 0)
			continue;
		search->searched += (uint64_t)got;
		search_block(search, data, (size_t)got, at, mapping);
	}
}

static bool
search_process(struct search *search, const char *pid)
{
	char path[64];
	char line[512];
	(void)snprintf(path, sizeof(path), "/proc/%s/mem", pid);
	search->memory = open(path, O_RDONLY | O_CLOEXEC);
	(void)snprintf(path, sizeof(path), "/proc/%s/maps", pid);
	FILE *maps = fopen(path, "re");
	if (search->memory < 0 || maps == NULL)
		return false;
	while (fgets(line, sizeof(line), maps) != NULL) {
		uint64_t start = 0;
		uint64_t end = 0;
		char mode[5] = "";
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s", &start, &end, mode) == 3 &&
			mode[0] == 'r' && end - start <= MAPPING_MAX)
			search_mapping(search, start, end, line);
	}
	(void)fclose(maps);
	(void)close(search->memory);
	return search->searched > 0;
}

int
main(int argc, char **argv)
{
	struct search search = {.count = argc > 2 ? (size_t)argc - 2 : 0};
	struct sought *sought = calloc(search.count + 1, sizeof(*sought));
	search.sought = sought;
	if (search.count == 0 || sought == NULL)
		return 2;
	for (size_t i = 0; i < search.count; i++) {
		if (!read_sought(argv[i + 2], &sought[i])) {
			(void)fprintf(stderr, "%s: cannot be read, or is too short\n", argv[i + 2]);
			return 2;
		}
	}
	if (!search_process(&search, argv[1])) {
		(void)fprintf(stderr, "process %s: %s\n", argv[1], strerror(errno));
		return 2;
	}
	free(sought);
	return search.found > 0 ? 1 : 0;
}
