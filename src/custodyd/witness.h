/*
 * Tokens as witnesses of the catalog's age (threats D9). The catalog counts each change that takes something away, and a
 * checkpoint an hour if anything changed; the counter on each token follows, at most once a minute. The catalog's is
 * stored first, so a token that is behind was interrupted and is raised; one that is ahead has seen a later catalog.
 */
#pragma once

#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"

struct custodyd;
struct token;
struct witness;

struct witness *witness_new(struct custodyd *daemon);
void witness_free(struct witness *witness);

/* A token logged in and is ours: compares. */
void witness_ready(struct witness *witness, struct token *token);
/*
 * The catalog was accepted although tokens have seen a later one: it knows their counters from now on. One that is not
 * logged in, or whose counter cannot be stored, is found again at its next login.
 */
void witness_accept(struct witness *witness);
/* Raises what is behind. */
void witness_tick(struct witness *witness);
/* The catalog is to know at least this value of a token's counter: it is taken over with it. */
bool witness_know(
	struct witness *witness, const char *token, uint64_t counter, struct err *err) MUST_USE;
