/*
 * Asking custody about the two keys of a policy: what they and their vaults are, and whether each alone opens what both wrapped.
 * The answers go into struct policy_key, for policy_check(). Part of an operation, which waits and is resumed when all
 * is answered; the operation cancels it when it ends before.
 */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "depd/depd.h"
#include "depd/policy_check.h"

#define POLICY_PROBE_CALLS (2 * POLICY_KEYS)

struct policy_probe;

struct policy_probe_call {
	struct policy_probe *probe;
	struct policy_key *key;
	uint64_t number; /* 0: not under way */
};

struct policy_probe {
	struct depd *depd;
	uint64_t op; /* to be resumed */
	struct policy_probe_call calls[POLICY_PROBE_CALLS];
	unsigned waiting;
};

/*
 * Asks for vaults and keys, as the application of policies of this kind. Both keys were set by policy_key_init() and stay where
 * they are; what is no key URI is not asked for. false: there is nothing to wait for.
 */
bool policy_probe_start(struct policy_probe *probe, struct depd *depd, uint64_t op,
	enum db_dep_policy_kind kind, struct policy_key keys[static POLICY_KEYS]) MUST_USE;
void policy_probe_cancel(struct policy_probe *probe); /* zeroed or ended: nothing */

struct policy_trial {
	struct depd *depd;
	uint64_t op;
	struct policy_key *keys;
	enum db_dep_policy_kind kind;
	uint64_t number;
	struct buf context;
	char *envelope; /* that both keys wrapped; its owner may take it by setting it to NULL */
	struct err err; /* of the whole: nothing is known of the keys then */
};

/* Wraps `value` with both keys (each key's kid) and then opens it with each alone. false: trial->err, nothing to wait for. */
bool policy_trial_start(struct policy_trial *trial, struct depd *depd, uint64_t op,
	enum db_dep_policy_kind kind, struct policy_key keys[static POLICY_KEYS],
	struct bytes context, const struct secret *value) MUST_USE;
/* Cancels and frees; zeroed: nothing. */
void policy_trial_clear(struct policy_trial *trial);
