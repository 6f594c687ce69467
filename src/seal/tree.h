/*
 * Directory trees as sealed content: a tar stream (pax: names of any octets, times to the nanosecond) through the sealer, in constant memory.
 * Kept: files, directories, symbolic links, hard links, modes, times. Not kept: owners (root may ask),
 * extended attributes, ACLs, devices, sockets, FIFOs (skipped, counted). Blocking.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "seal/sealed.h"

struct tree_count {
	uint64_t files; /* regular files, directories and links */
	uint64_t bytes;
	uint64_t skipped; /* devices, sockets, FIFOs; not the output itself */
};

/*
 * Seals the tree under `directory`; its own name is not kept. Symbolic links are never followed.
 * ERR_CLIENT_FILE: something cannot be read, or changed meanwhile.
 */
bool tree_seal(const char *directory, int out, const struct sealed_header *header,
	struct bytes envelope, const struct secret *key, sealed_progress *progress,
	void *progress_data, struct tree_count *ret_count, struct err *err) MUST_USE;

/*
 * Opens to `target`, which must not exist: unpacks to a new directory beside it and renames at the very
 * end, after the last segment proved right. On failure nothing is left. Entries that would leave the tree
 * (absolute, "..", through a symbolic link) fail with ERR_SEALED_CORRUPT. `owners`: restore them, needs root.
 */
bool tree_open(int in, const char *target, bool owners, const struct sealed_header *header,
	const struct secret *key, sealed_progress *progress, void *progress_data,
	struct tree_count *ret_count, struct err *err) MUST_USE;
