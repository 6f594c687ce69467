/*
 * Checks of generations: which is due, what the last one found, and what was made anew because it was damaged. Only generations
 * that something needs are due: the current ones, and those that scopes' keys are under. Standard errors: db.h.
 */
#pragma once

#include "db_dep_policy.h"

/* The one that has waited the longest at `now_s`; 0: none is due. */
bool db_dep_check_next(struct db *db, int64_t now_s, int64_t *ret_id, struct err *err) MUST_USE;
/* All are due at `now_s`. */
bool db_dep_check_all(struct db *db, int64_t now_s, struct err *err) MUST_USE;
/* What was found of `generation`: redundancy, availability, checked, due. */
bool db_dep_check_store(
	struct db *db, const struct db_dep_generation *generation, struct err *err) MUST_USE;
/* Nothing was found: again at `due_s`. */
bool db_dep_check_postpone(struct db *db, int64_t id, int64_t due_s, struct err *err) MUST_USE;

/*
 * `repaired` is the same generation in a new envelope, under the availability key that it names, signed; its policy falls back
 * to that key from now on. ERR_CATALOG_INTEGRITY: `signature` is not that of the row any more; nothing is changed.
 */
bool db_dep_check_repair(struct db *db, const struct db_dep_generation *repaired,
	struct bytes signature, struct err *err) MUST_USE;

/* How well a policy can be opened: the worst of its generations that something needs. */
struct db_dep_redundancy {
	uint8_t guid[DB_DEP_GUID];
	enum db_dep_policy_kind kind;
	char name[DB_DEP_NAME_SIZE];
	int redundancy;
	bool availability;
	int64_t checked; /* the longest ago */
};
/* The worst first, at most `limit` of them. */
bool db_dep_redundancy_list(struct db *db, size_t limit, struct arena *arena,
	struct db_dep_redundancy **ret_policies, size_t *ret_count, struct err *err) MUST_USE;
