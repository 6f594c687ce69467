/*
 * Invariant: the cache reaches every key that is open, whoever holds it: a key is open as long as it is in the list, and what leaves
 * the list is wiped.
 */
#include "dep_cache.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

struct dep_key {
	struct dep_key *prev, *next;
	struct dep_cache *cache; /* NULL: wiped */
	unsigned refs;
	int64_t generation;
	char organization[KEYTREE_ORG_MAX + 1];
	struct keytree_generation identity;
	struct xaes *xaes;  /* NULL: wiped */
	enum err_code gone; /* why */
	bool listed;
	int64_t expires_ms, prove_ms;
};

struct dep_cache {
	struct dep_key *first;
	size_t count;
};

/* ---- keys ---- */

static void
wipe(struct dep_key *key, enum err_code why)
{
	if (key->cache == NULL)
		return;
	if (key->prev != NULL)
		key->prev->next = key->next;
	else
		key->cache->first = key->next;
	if (key->next != NULL)
		key->next->prev = key->prev;
	key->cache->count--;
	key->cache = NULL;
	xaes_free(key->xaes);
	key->xaes = NULL;
	key->gone = why;
	bool listed = key->listed;
	key->listed = false;
	if (listed)
		(void)dep_key_unref(key); /* the list's own */
}

struct dep_key *
dep_key_ref(struct dep_key *key)
{
	key->refs++;
	return key;
}

struct dep_key *
dep_key_unref(struct dep_key *key)
{
	if (key == NULL || --key->refs > 0)
		return NULL;
	wipe(key, ERR_UNAVAILABLE);
	free(key);
	return NULL;
}

int64_t
dep_key_generation(const struct dep_key *key)
{
	return key->generation;
}

const struct keytree_generation *
dep_key_identity(const struct dep_key *key)
{
	return &key->identity;
}

struct xaes *
dep_key_use(struct dep_key *key, struct err *err)
{
	if (key->cache != NULL && clock_monotonic_ms() >= key->expires_ms)
		wipe(key, ERR_UNAVAILABLE); /* the caller's handle keeps the struct */
	if (key->xaes != NULL)
		return key->xaes;
	if (key->gone == ERR_ACCESS_DENIED)
		(void)err_set(err, ERR_ACCESS_DENIED, "The key owners have revoked both keys.");
	else if (key->gone == ERR_POLICY_PURGING)
		(void)err_set(err, ERR_POLICY_PURGING, NULL);
	else
		(void)err_set(err, key->gone, "The key was in memory long enough; try again.");
	return NULL;
}

/* ---- the list ---- */

struct dep_cache *
dep_cache_new(void)
{
	struct dep_cache *cache = calloc(1, sizeof(*cache));
	if (cache == NULL)
		abort();
	return cache;
}

void
dep_cache_free(struct dep_cache *cache)
{
	if (cache == NULL)
		return;
	(void)dep_cache_flush(cache);
	free(cache);
}

size_t
dep_cache_count(const struct dep_cache *cache)
{
	return cache->count;
}

struct dep_key *
dep_cache_put(struct dep_cache *cache, int64_t generation,
	const struct keytree_generation *identity, const struct secret *secret, int64_t expires_ms,
	bool listed, struct err *err)
{
	struct xaes *xaes = keytree_open_key(secret, err);
	if (xaes == NULL)
		return NULL;
	struct dep_key *key = calloc(1, sizeof(*key));
	if (key == NULL)
		abort();
	struct dep_key *before = listed ? dep_cache_find(cache, generation) : NULL;
	if (before != NULL)
		wipe(before, ERR_UNAVAILABLE);
	*key = (struct dep_key){
		.next = cache->first,
		.cache = cache,
		.refs = listed ? 2 : 1,
		.generation = generation,
		.identity = *identity,
		.xaes = xaes,
		.listed = listed,
		.expires_ms = expires_ms,
		.prove_ms = INT64_MAX,
	};
	int len = snprintf(
		key->organization, sizeof(key->organization), "%s", identity->organization);
	assert(len > 0 && (size_t)len < sizeof(key->organization));
	key->identity.organization = key->organization;
	if (cache->first != NULL)
		cache->first->prev = key;
	cache->first = key;
	cache->count++;
	return key;
}

struct dep_key *
dep_cache_find(struct dep_cache *cache, int64_t generation)
{
	struct dep_key *key = cache->first;
	while (key != NULL && (key->generation != generation || !key->listed))
		key = key->next;
	if (key == NULL || clock_monotonic_ms() < key->expires_ms)
		return key;
	wipe(key, ERR_UNAVAILABLE);
	return NULL;
}

void
dep_cache_extend(struct dep_cache *cache, int64_t generation, int64_t expires_ms)
{
	struct dep_key *key = dep_cache_find(cache, generation);
	if (key != NULL)
		key->expires_ms = expires_ms;
}

bool
dep_cache_deny(struct dep_cache *cache, int64_t generation)
{
	struct dep_key *key = dep_cache_find(cache, generation);
	if (key == NULL)
		return false;
	wipe(key, ERR_ACCESS_DENIED);
	return true;
}

void
dep_cache_forget(struct dep_cache *cache, int64_t generation)
{
	struct dep_key *next;
	for (struct dep_key *key = cache->first; key != NULL; key = next) {
		next = key->next;
		if (key->generation == generation)
			wipe(key, ERR_POLICY_PURGING);
	}
}

size_t
dep_cache_flush(struct dep_cache *cache)
{
	size_t count = cache->count;
	while (cache->first != NULL)
		wipe(cache->first, ERR_UNAVAILABLE);
	return count;
}

void
dep_cache_tick(struct dep_cache *cache)
{
	int64_t now_ms = clock_monotonic_ms();
	struct dep_key *next;
	for (struct dep_key *key = cache->first; key != NULL; key = next) {
		next = key->next;
		if (now_ms >= key->expires_ms)
			wipe(key, ERR_UNAVAILABLE);
	}
}

/* ---- proofs ---- */

void
dep_cache_prove_at(struct dep_cache *cache, int64_t generation, int64_t at_ms)
{
	struct dep_key *key = dep_cache_find(cache, generation);
	if (key != NULL)
		key->prove_ms = at_ms;
}

int64_t
dep_cache_take_due(struct dep_cache *cache)
{
	int64_t now_ms = clock_monotonic_ms();
	struct dep_key *due = NULL;
	for (struct dep_key *key = cache->first; key != NULL; key = key->next) {
		if (key->listed && key->prove_ms <= now_ms &&
			(due == NULL || key->prove_ms < due->prove_ms))
			due = key;
	}
	if (due == NULL)
		return 0;
	due->prove_ms = INT64_MAX;
	return due->generation;
}
