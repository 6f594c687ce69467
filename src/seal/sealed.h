/*
 * The container of sealed content (doc/envelope.md):
 *
 *   magic      8 octets: 89 43 53 45 41 4c 0d 0a
 *   version    1 octet: 1
 *   file id    32 octets: random; of holder 2 the data key's id (16), then random ones
 *   parameters 3 octets: cipher (1 = AES256_GCM_HKDF_1MB), kind (1 = file, 2 = tar of a tree), holder of
 *              the data key (1 = dual envelope, 2 = key of a scope)
 *   length     4 octets, big-endian: of what follows
 *   wrap       the data key: JSON of the dual envelope, or the wrapped data key as depd made it
 *   stream     see stream.h
 *
 * The first 44 octets are the stream's associated data and the context of the envelope; a data key's id is in the
 * associated data of its wrap. So the wrap can be exchanged for another of the same key and nothing else can.
 * Opening does not prove who sealed.
 *
 * All calls block; files of any size in constant memory; two threads at most where that is faster.
 * Errors: ERR_SEALED_CORRUPT for damaged, cut, reordered or foreign content; ERR_CLIENT_FILE and
 * ERR_STORAGE_FULL for the disk.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/secret.h"

#define SEALED_ID_LEN       32
#define SEALED_CONTEXT_LEN  44    /* magic, version, file id, parameters */
#define SEALED_ENVELOPE_MAX 65536 /* octets of a wrap of either kind */
#define SEALED_KEY_ID_LEN   16    /* octets of a data key's id */

enum sealed_kind {
	SEALED_FILE = 1,
	SEALED_TREE,
};

enum sealed_holder { /* what opens the data key */
	SEALED_BY_ENVELOPE = 1,
	SEALED_BY_SCOPE,
};

struct sealed_header {
	enum sealed_kind kind;
	enum sealed_holder holder;
	uint8_t context[SEALED_CONTEXT_LEN]; /* for /dual/generatekey and /dual/unwrapkey */
};

/* Called with the plaintext octets done so far, in steps of a MiB or more; false stops with ERR_CLIENT_FILE. */
typedef bool sealed_progress(void *data, uint64_t done_bytes);

/* A header with a fresh file id, for an envelope. */
void sealed_header_new(enum sealed_kind kind, struct sealed_header *ret_header);
/* The same for a data key of a scope. */
void sealed_header_new_scope(enum sealed_kind kind, const uint8_t key_id[static SEALED_KEY_ID_LEN],
	struct sealed_header *ret_header);
/* Whether the file id is one of this data key. */
bool sealed_header_has_key(
	const struct sealed_header *header, const uint8_t key_id[static SEALED_KEY_ID_LEN]);

/* Reads a header and the wrap behind it (appended to `envelope`), and nothing more. */
bool sealed_read_header(
	int fd, struct sealed_header *ret_header, struct buf *envelope, struct err *err) MUST_USE;

/* Seals all of `in` to `out`: file, pipe or terminal each. `progress` may be NULL. */
bool sealed_seal(int in, int out, const struct sealed_header *header, struct bytes envelope,
	const struct secret *key, sealed_progress *progress, void *progress_data,
	struct err *err) MUST_USE;

/*
 * Opens what follows the header in `in` to `out`. Octets appear in `out` only after their segment proved
 * right; when a later one does not, it fails and what is in `out` is a part: remove it, or say so.
 */
bool sealed_open(int in, int out, const struct sealed_header *header, const struct secret *key,
	sealed_progress *progress, void *progress_data, struct err *err) MUST_USE;

/* The same as a push and a pull, for content that is made or used piece by piece. */
struct sealed_writer;
struct sealed_reader;

struct sealed_writer *sealed_writer_new(int out, const struct sealed_header *header,
	struct bytes envelope, const struct secret *key, struct err *err) MUST_USE;
bool sealed_writer_push(
	struct sealed_writer *writer, const void *data, size_t len, struct err *err) MUST_USE;
/* Seals the last segment: without it the content counts as cut off. */
bool sealed_writer_finish(struct sealed_writer *writer, struct err *err) MUST_USE;
void sealed_writer_free(struct sealed_writer *writer);

struct sealed_reader *sealed_reader_new(int in, const struct sealed_header *header,
	const struct secret *key, struct err *err) MUST_USE;
/* The next proven octets, borrowed until the next call; len 0 at the proven end. */
bool sealed_reader_pull(
	struct sealed_reader *reader, struct bytes *ret_data, struct err *err) MUST_USE;
void sealed_reader_free(struct sealed_reader *reader);

DEFINE_CLEAN(sealed_writer, struct sealed_writer)
DEFINE_CLEAN(sealed_reader, struct sealed_reader)
