/*
 * Moves scopes' keys to the generations that they belong under, in the background: found by index, a bounded number a second,
 * each batch in its own transaction, so that it goes on after a crash where it was. It waits, with the reason, while a DEP key
 * cannot be had, and never keeps anybody from reading.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"
#include "db/db_dep_scope.h"

struct depd;
struct rewrapper;

/* `depd` is borrowed: its loop, db, calendar, opener and options are used. Begins at once, with what was left. */
struct rewrapper *rewrapper_new(struct depd *depd) MUST_USE;
/* Before opener, db and loop. NULL is fine. */
void rewrapper_free(struct rewrapper *rewrapper);
/* There may be something to do: a slot or a scope was assigned, a policy has a new generation, a key works again. */
void rewrapper_wake(struct rewrapper *rewrapper);

struct rewrapper_state {
	bool working;
	uint64_t moved; /* scopes, since the start */
	struct err
		wait; /* why the last of the work that is left cannot be done now; ERR_NONE: nothing hinders */
};
struct rewrapper_state rewrapper_state(const struct rewrapper *rewrapper);

/* How far a slot is. */
struct rewrapper_progress {
	int64_t scopes; /* registered */
	int64_t done;   /* of them encrypted under the current generation of the slot's policy */
	int64_t clear;  /* of them not encrypted at all: the workload is to move them */
	int percent;    /* rounded down: 100 only if nothing is left */
};
bool rewrapper_progress(struct db *db, const struct db_dep_slot *slot, struct arena *arena,
	struct rewrapper_progress *ret_progress, struct err *err) MUST_USE;

DEFINE_CLEAN(rewrapper, struct rewrapper)
