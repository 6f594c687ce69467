/*
 * What requests about a scope's key share: opening the DEP keys that they need. A struct scope_call is the first member of an
 * operation's own struct.
 */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "depd/dep_call.h"
#include "depd/dep_opening.h"
#include "depd/scope_key.h"

struct scope_call {
	struct dep_call call; /* first */
	struct scope_hold hold;
	enum dep_action action; /* by the caller's role (threats G18) */
	uint64_t opening;       /* 0: none */
	struct err refusal;     /* what came instead of the last key; ERR_NONE: it came */
};

/* ERR_ACCESS_DENIED in call->err unless the caller is a workload of this kind; decides the action. */
bool scope_call_admit(struct scope_call *work, enum keytree_scope_kind kind) MUST_USE;
/* The DEP key if it is at hand. */
struct dep_key *scope_call_key(struct scope_call *work, int64_t generation);
/* Begins to open it; the step returns OP_WAIT, and the next one finds the key or, in `refusal`, why not. */
void scope_call_open(struct scope_call *work, int64_t generation, const uint8_t *scope_key);
/* For struct dep_call_type. */
void scope_call_clear(struct dep_call *call);
