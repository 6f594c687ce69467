/*
 * DEP keys that are open, in locked memory, and the handles by which they are used. A key is wiped when its time is over, when the
 * owners deny it or on flush, whoever still holds a handle: the handle then gives nothing any more (threats G5, G6, G24).
 * One thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/secret.h"
#include "crypto/xaes.h"
#include "depd/keytree.h"

/* ---- a key in use ---- */

struct dep_key; /* counted */

struct dep_key *dep_key_ref(struct dep_key *key);
struct dep_key *dep_key_unref(struct dep_key *key);    /* NULL is fine; returns NULL */
int64_t dep_key_generation(const struct dep_key *key); /* id of its row */
/* Its identity, as keys under it are bound to; borrowed like the handle. */
const struct keytree_generation *dep_key_identity(const struct dep_key *key);
/*
 * To wrap and unwrap with, borrowed until the loop turns: ask again after every wait, and just before an answer is sent. NULL:
 * ERR_ACCESS_DENIED, the owners denied it since; ERR_POLICY_PURGING; ERR_UNAVAILABLE, its time is over or it was flushed: open it again.
 */
struct xaes *dep_key_use(struct dep_key *key, struct err *err) MUST_USE;

/* ---- the keys that are open ---- */

struct dep_cache;

struct dep_cache *dep_cache_new(void) MUST_USE;
void dep_cache_free(struct dep_cache *cache); /* wipes all; handles may outlive it */

/*
 * A handle on an opened key, the caller's. Until `expires_ms` (monotonic) at most; `listed`: the one that dep_cache_find() gives
 * for its generation from now on, in place of another. ERR_NO_MEMORY.
 */
struct dep_key *dep_cache_put(struct dep_cache *cache, int64_t generation,
	const struct keytree_generation *identity, const struct secret *key, int64_t expires_ms,
	bool listed, struct err *err) MUST_USE;
/* Borrowed; NULL: none, or its time is over. */
struct dep_key *dep_cache_find(struct dep_cache *cache, int64_t generation);
/* The listed key was proved again. Nothing happens if there is none. */
void dep_cache_extend(struct dep_cache *cache, int64_t generation, int64_t expires_ms);
/* The owners' word: wiped at once, its handles give ERR_ACCESS_DENIED. Returns whether there was one. */
bool dep_cache_deny(struct dep_cache *cache, int64_t generation);
/* A purge was requested: every key of the generation is wiped, listed or not; their handles give ERR_POLICY_PURGING. */
void dep_cache_forget(struct dep_cache *cache, int64_t generation);
size_t dep_cache_flush(struct dep_cache *cache);
/* Wipes those whose time is over. */
void dep_cache_tick(struct dep_cache *cache);
size_t dep_cache_count(const struct dep_cache *cache); /* keys in memory, listed or not */

/* When a listed key is to be proved again (monotonic); INT64_MAX: not decided. */
void dep_cache_prove_at(struct dep_cache *cache, int64_t generation, int64_t at_ms);
/* A generation whose proof is due, the longest waiting first; 0: none. It is due no more then. */
int64_t dep_cache_take_due(struct dep_cache *cache);

DEFINE_CLEAN(dep_cache, struct dep_cache)
