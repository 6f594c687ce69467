/*
 * What the operations on policies share: which policy is meant and whether the caller may, the questions to custody that it
 * takes, and the answer.
 */
#pragma once

#include <stdbool.h>

#include "api/dep_policy.h"
#include "base/attr.h"
#include "db/db_dep_policy.h"
#include "depd/dep_call.h"
#include "depd/dep_operations.h"
#include "depd/generation_make.h"
#include "depd/policy_probe.h"

#define POLICY_MAILBOX_MAX 50 /* active ones (seed) */

struct policy_call {
	struct dep_call call; /* first */
	struct db_dep_policy policy;
	struct db_dep_organization organization;
	struct policy_key keys[POLICY_KEYS];
	struct policy_probe probe;
	struct policy_trial trial;
	uint64_t making; /* generation_make */
	struct generation_made *made;
};

/* Members of struct dep_call_type for every one of them. */
void policy_call_clear(struct dep_call *call);

/* ERR_ACCESS_DENIED in the call unless he may. */
bool policy_call_may_change(struct policy_call *call, enum db_dep_policy_kind kind) MUST_USE;
bool policy_call_may_read(struct policy_call *call, enum db_dep_policy_kind kind) MUST_USE;
/* Value of ?kind=; ERR_BAD_PARAMETER: missing, or there is no such kind. */
bool policy_call_kind(struct policy_call *call, enum db_dep_policy_kind *ret_kind) MUST_USE;

/*
 * The policy that the path names: by GUID (its own or that of a generation), or by name and ?kind=. It is what the audit says.
 * With `change` the caller may change it, and it is a customer's.
 */
bool policy_call_find(struct policy_call *call, bool change) MUST_USE;

/* Step: asks for what call->keys are; the next step finds them answered. */
op_step_fn policy_call_probe;
/* Makes a generation of call->policy (guid, kind) with call->keys and waits. `availability_kid` NULL: it is made too. */
enum op_result policy_call_make(
	struct policy_call *call, int64_t number, const char *availability_kid);
/* The DEP key that was just made is in memory from its birth, and what is under older ones moves. After it was inserted. */
void policy_call_made(struct policy_call *call);

/* A policy as it is shown. `generations_max`: how many of the newest. */
bool policy_call_view(struct policy_call *call, const struct db_dep_policy *policy,
	size_t generations_max, struct api_dep_policy *ret_view) MUST_USE;
/* The answer: the policy of this id as it is now. */
bool policy_call_answer(struct policy_call *call, int64_t id) MUST_USE;
