/* Keys of scopes under DEP keys: made, opened, moved from one generation to another. Errors of DEP keys are those of dep_key_use(). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/secret.h"
#include "db/db_dep_scope.h"
#include "depd/dep_cache.h"
#include "depd/dep_opening.h"

/* Gives a scope, whose kind and name are set, a new key under `dep_key`: generation, key_id, wrapped. */
bool scope_key_make(
	struct dep_key *dep_key, struct db_dep_scope *io_scope, struct err *err) MUST_USE;
/* The key of an encrypted scope; `dep_key` is its generation's (asserted). NULL: err. */
struct secret *scope_key_open(
	struct dep_key *dep_key, const struct db_dep_scope *scope, struct err *err) MUST_USE;
/* What is to be stored so that the key of a scope under `from` is under `to`. */
bool scope_key_move(struct dep_key *from, struct dep_key *to, const struct db_dep_scope *scope,
	struct db_dep_rewrap *ret_rewrap, struct err *err) MUST_USE;

/* ---- the DEP keys that one piece of work needs ---- */

#define SCOPE_HOLD_MAX 8

struct scope_hold { /* zeroed: holds nothing */
	struct dep_key *keys[SCOPE_HOLD_MAX];
	size_t next; /* is let go when there are more */
};
void scope_hold_clear(struct scope_hold *hold);
/* One that is held, or in memory and held from now on; NULL: it must be opened. Borrowed from the hold. */
struct dep_key *scope_hold_find(
	struct scope_hold *hold, struct dep_opener *opener, int64_t generation);
void scope_hold_add(struct scope_hold *hold, struct dep_key *key);
