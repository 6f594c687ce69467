/*
 * Data keys of a scope on depd's routes (doc/api.md): requests as structs, answers from structs. Unknown members are refused.
 * Plaintext goes from the caller's stack into `out` only, which is wiped when freed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "json/json_writer.h"

#define API_DEP_BATCH_MAX   1000
#define API_DEP_PLAIN_LEN   32
#define API_DEP_WRAPPED_MAX 512 /* characters of a wrapped data key */
#define API_DEP_UNWRAP_MAX  (API_DEP_BATCH_MAX * (API_DEP_WRAPPED_MAX + 4) + 64)

/* datakeys: how many; 0: one, answered without a list. */
bool api_dep_generate_decode(
	struct bytes body, struct arena *arena, size_t *ret_count, struct err *err) MUST_USE;

/* datakeys/unwrap: one, or several to be answered item by item. */
struct api_dep_unwrap {
	const char *const *wrapped; /* base64url, not decoded yet: a bad one is its item's error */
	size_t count;
	bool batch;
};
bool api_dep_unwrap_decode(struct bytes body, struct arena *arena,
	struct api_dep_unwrap *ret_unwrap, struct err *err) MUST_USE;

/* Answers: an object, or {"value":[object …]} for a batch. */
struct api_dep_keys {
	struct json_writer writer;
	bool batch;
};
void api_dep_keys_begin(struct api_dep_keys *keys, bool batch, struct buf *out);
void api_dep_keys_made(struct api_dep_keys *keys, const uint8_t plain[static API_DEP_PLAIN_LEN],
	struct bytes wrapped);
void api_dep_keys_opened(struct api_dep_keys *keys, const uint8_t plain[static API_DEP_PLAIN_LEN]);
/* {"error":{"code","message"}}, in a batch only. */
void api_dep_keys_failed(struct api_dep_keys *keys, const struct err *err);
void api_dep_keys_end(struct api_dep_keys *keys);
