/* Invariant: a token is never raised above what the catalog has stored, nor by a catalog that it is ahead of. */
#include "witness.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "custodyd/custodyd.h"
#include "custodyd/rollback.h"
#include "db/db_token.h"

#define CHECKPOINT_MS INT64_C(3600000)

struct witness {
	struct custodyd *daemon;
	uint64_t looked;  /* generation of the catalog at the last look at all tokens */
	bool behind;      /* one could not be raised then */
	uint64_t counted; /* generation at the last checkpoint */
	int64_t counted_ms;
};

struct witness *
witness_new(struct custodyd *daemon)
{
	struct witness *witness = calloc(1, sizeof(*witness));
	if (witness == NULL)
		abort();
	witness->daemon = daemon;
	witness->counted = db_generation(daemon->db);
	witness->counted_ms = clock_monotonic_ms();
	return witness;
}

void
witness_free(struct witness *witness)
{
	free(witness);
}

/* false: it is not enrolled, or the catalog cannot be read (noted). */
static bool
stored_counter(struct witness *witness, const char *token, uint64_t *ret_counter)
{
	struct custodyd *daemon = witness->daemon;
	CLEAN(arena)
	struct arena *arena = arena_new();
	struct db_token row;
	bool found;
	struct err err = {0};
	if (!db_token_find(daemon->db, token, arena, &row, &found, &err)) {
		custodyd_note(daemon, "witness.catalog", &err, token);
		return false;
	}
	if (!found || row.identity.len == 0)
		return false;
	*ret_counter = (uint64_t)row.counter;
	return true;
}

/* false: it is behind, and could not be raised now. */
static bool
compare(struct witness *witness, struct token *token)
{
	uint64_t stored, seen;
	if (!token_counter(token, &seen) || !stored_counter(witness, token_name(token), &stored) ||
		seen >= stored)
		return true;
	return token_raise(token, stored);
}

/* *ret_seen: what a token has counted beyond `stored`, which is the catalog's. */
static bool
is_ahead(struct witness *witness, const struct token *token, uint64_t *ret_stored,
	uint64_t *ret_seen)
{
	return token_counter(token, ret_seen) &&
	       stored_counter(witness, token_name(token), ret_stored) && *ret_seen > *ret_stored;
}

void
witness_ready(struct witness *witness, struct token *token)
{
	struct custodyd *daemon = witness->daemon;
	uint64_t stored, seen;
	struct err why = {0};
	if (!is_ahead(witness, token, &stored, &seen)) {
		witness->behind = !compare(witness, token) || witness->behind;
		return;
	}
	if (rollback_why(daemon) != NULL)
		return; /* the audit said so before, and says more */
	(void)err_set(&why, ERR_CATALOG_ROLLED_BACK,
		"The catalog is older than token %s has seen: its count is %llu, the token's %llu. "
		"An old copy was put back.",
		token_name(token), (unsigned long long)stored, (unsigned long long)seen);
	rollback_found(daemon, &why);
}

void
witness_accept(struct witness *witness)
{
	struct custodyd *daemon = witness->daemon;
	for (size_t i = 0; i < tokens_count(daemon->tokens); i++) {
		const struct token *token = tokens_get(daemon->tokens, i);
		uint64_t stored, seen;
		struct err err = {0};
		if (is_ahead(witness, token, &stored, &seen) &&
			!witness_know(witness, token_name(token), seen, &err))
			custodyd_note(daemon, "witness.accept", &err, token_name(token));
	}
}

/* Whatever else changed since the last one is not to be put back unseen either. */
static void
checkpoint(struct witness *witness)
{
	struct custodyd *daemon = witness->daemon;
	int64_t now_ms = clock_monotonic_ms();
	struct err err = {0};
	if (now_ms - witness->counted_ms < CHECKPOINT_MS)
		return;
	witness->counted_ms = now_ms;
	if (db_generation(daemon->db) == witness->counted)
		return;
	if (!db_token_count_up(daemon->db, &err))
		custodyd_note(daemon, "witness.count", &err, NULL);
	witness->counted = db_generation(daemon->db);
}

void
witness_tick(struct witness *witness)
{
	struct custodyd *daemon = witness->daemon;
	if (db_read_only(daemon->db) || rollback_why(daemon) != NULL)
		return;
	checkpoint(witness);
	uint64_t generation = db_generation(daemon->db);
	if (generation == witness->looked && !witness->behind)
		return;
	witness->looked = generation;
	witness->behind = false;
	for (size_t i = 0; i < tokens_count(daemon->tokens); i++) {
		if (!compare(witness, tokens_get(daemon->tokens, i)))
			witness->behind = true;
	}
}

bool
witness_know(struct witness *witness, const char *token, uint64_t counter, struct err *err)
{
	uint64_t stored;
	if (counter > INT64_MAX)
		return err_set(err, ERR_INTERNAL, "The token's worker reported no counter.");
	if (!stored_counter(witness, token, &stored) || counter <= stored)
		return true;
	return db_token_set_counter(witness->daemon->db, token, (int64_t)counter, err);
}
