/*
 * Sealed content (doc/envelope.md), whatever its data key is in: an envelope (custody_sealed.c) or a wrap of a scope
 * (custody_scope.c).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "api/dep_token.h"
#include "base/attr.h"
#include "base/buf.h"
#include "base/secret.h"
#include "lib/custody/custody.h"
#include "seal/sealed.h"

/* What a sealing is made of. Members are NULL or empty until they are there. */
struct sealing_parts {
	struct sealed_header header;
	struct secret *key;
	struct buf wrap;
};

struct custody_opening {
	int in;
	struct sealed_header header;
	struct secret *key;
	struct custody_opened opened;
	struct dep_token token;     /* of a scope */
	struct custody_scope scope; /* of a scope: points into the token */
	char *wrapped;              /* of a scope: base64url of the wrap */
	custody_progress *progress;
	void *progress_data;
};

/* The caller's struct as this library knows it; `given` may be NULL. */
bool sealing_read(const struct custody_sealing *given, struct custody_sealing *ret_sealing,
	struct custody_error *error) MUST_USE;

void sealing_parts_init(struct sealing_parts *parts);
void sealing_parts_clear(struct sealing_parts *parts);
/* Into locked memory. NoMemory; SealedCorrupt unless it has the length of a data key. */
bool sealing_take_key(
	struct custody_bytes octets, struct secret **ret_key, struct custody_error *error) MUST_USE;
bool sealing_fd(const struct custody_sealing *sealing, const struct sealing_parts *parts, int in,
	int out, struct custody_error *error) MUST_USE;
bool sealing_tree(const struct custody_sealing *sealing, const struct sealing_parts *parts,
	const char *path, int out, struct custody_error *error) MUST_USE;

/* An opening with its header read and its wrap appended to `wrap`; BadParameter if another holder has the key. */
struct custody_opening *sealing_begin_opening(const struct custody_sealing *sealing, int in,
	enum sealed_holder holder, struct buf *wrap, struct custody_error *error) MUST_USE;

static inline void
sealing_parts_clean(struct sealing_parts *parts)
{
	sealing_parts_clear(parts);
}
