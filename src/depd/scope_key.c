/* Invariant: a scope's key is outside a struct secret nowhere, and under two generations at once only until it is stored. */
#include "scope_key.h"

#include <assert.h>

#include "crypto/random.h"

static struct keytree_scope
identity_of(const struct keytree_generation *generation, const struct db_dep_scope *scope)
{
	struct keytree_scope identity = {
		.organization = generation->organization,
		.kind = (enum keytree_scope_kind)scope->kind,
		.id = scope->name,
	};
	for (size_t i = 0; i < sizeof(identity.key_id); i++)
		identity.key_id[i] = scope->key_id[i];
	return identity;
}

static bool
wrap(struct dep_key *dep_key, const struct db_dep_scope *scope, const struct secret *scope_key,
	uint8_t wrapped[static KEYTREE_WRAPPED_LEN], struct err *err)
{
	const struct keytree_generation *generation = dep_key_identity(dep_key);
	struct keytree_scope identity = identity_of(generation, scope);
	struct xaes *xaes = dep_key_use(dep_key, err);
	return xaes != NULL &&
	       keytree_wrap_scope(xaes, generation, &identity, scope_key, wrapped, err);
}

bool
scope_key_make(struct dep_key *dep_key, struct db_dep_scope *io_scope, struct err *err)
{
	CLEAN(secret)
	struct secret *scope_key = random_secret(KEYTREE_KEY_LEN);
	if (scope_key == NULL)
		return err_set(err, ERR_UNAVAILABLE, "There is no locked memory left.");
	random_bytes(io_scope->key_id, sizeof(io_scope->key_id));
	if (!wrap(dep_key, io_scope, scope_key, io_scope->wrapped, err))
		return false;
	io_scope->generation = dep_key_generation(dep_key);
	return true;
}

struct secret *
scope_key_open(struct dep_key *dep_key, const struct db_dep_scope *scope, struct err *err)
{
	const struct keytree_generation *generation = dep_key_identity(dep_key);
	struct keytree_scope identity = identity_of(generation, scope);
	assert(scope->generation == dep_key_generation(dep_key));
	struct xaes *xaes = dep_key_use(dep_key, err);
	if (xaes == NULL)
		return NULL;
	return keytree_unwrap_scope(xaes, generation, &identity, scope->wrapped, err);
}

bool
scope_key_move(struct dep_key *from, struct dep_key *to, const struct db_dep_scope *scope,
	struct db_dep_rewrap *ret_rewrap, struct err *err)
{
	struct db_dep_rewrap rewrap = {
		.scope = scope->id, .from = scope->generation, .to = dep_key_generation(to)};
	CLEAN(secret)
	struct secret *scope_key = scope_key_open(from, scope, err);
	if (scope_key == NULL || !wrap(to, scope, scope_key, rewrap.wrapped, err))
		return false;
	*ret_rewrap = rewrap;
	return true;
}

/* ---- hold ---- */

void
scope_hold_clear(struct scope_hold *hold)
{
	for (size_t i = 0; i < SCOPE_HOLD_MAX; i++)
		hold->keys[i] = dep_key_unref(hold->keys[i]);
}

void
scope_hold_add(struct scope_hold *hold, struct dep_key *key)
{
	struct dep_key **place = &hold->keys[hold->next++ % SCOPE_HOLD_MAX];
	struct dep_key *old = *place;
	*place = dep_key_ref(key);
	(void)dep_key_unref(old);
}

struct dep_key *
scope_hold_find(struct scope_hold *hold, struct dep_opener *opener, int64_t generation)
{
	for (size_t i = 0; i < SCOPE_HOLD_MAX; i++) {
		struct err err;
		struct dep_key *key = hold->keys[i];
		if (key == NULL || dep_key_generation(key) != generation)
			continue;
		if (dep_key_use(key, &err) != NULL)
			return key;
		hold->keys[i] =
			dep_key_unref(key); /* wiped since: it is opened again, or refused */
	}
	struct dep_key *key = dep_opener_peek(opener, generation);
	if (key != NULL)
		scope_hold_add(hold, key);
	return key;
}
