/*
 * What the key owners' custodyd says of each key of a policy, for every generation that is needed: the current one, and those
 * that scopes' keys are under. Each key is tried alone. Part of an operation, which waits and is resumed when all is
 * answered; the operation cancels it when it ends before.
 */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "base/attr.h"
#include "depd/custody_port.h"
#include "depd/depd.h"

struct owners_word_item {
	const struct db_dep_generation *row;
	struct custody_attempt attempts[2]; /* of row->kid[] */
};

struct owners_word {
	struct depd *depd;
	uint64_t op; /* to be resumed */
	struct arena *arena;
	struct db_dep_policy policy;
	struct owners_word_item *items; /* oldest generation first */
	size_t count, answered;
	uint64_t number; /* of the call under way */
	struct err
		err; /* ERR_NONE: all items are answered. ERR_UNAVAILABLE: nobody said anything */
};

/* `policy` is a customer's; `arena` lives as long as the operation. false: err, and nothing to wait for. */
bool owners_word_start(struct owners_word *word, struct depd *depd, uint64_t op,
	const struct db_dep_policy *policy, struct arena *arena, struct err *err) MUST_USE;
/*
 * Whether both keys of a generation are lost. ERR_ACCESS_DENIED: one is denied, so its owner has revoked it. ERR_KEYS_NOT_LOST: one
 * opens (threats G20).
 */
bool owners_word_check_lost(
	const struct owners_word_item *item, const char *policy, struct err *err) MUST_USE;
void owners_word_cancel(struct owners_word *word); /* zeroed or ended: nothing */
