/* What the operations on purges share: of which policy, and how it is shown. */
#pragma once

#include <stdbool.h>

#include "db/db_dep_purge.h"
#include "depd/policy_call.h"
#include "depd/purge_document.h"

/* What to do about a policy that is not purged. */
#define PURGE_INSTEAD                                                                              \
	"only those of mailboxes are, by depctl mailbox policy purge request, when the "           \
	"organization leaves the service."

struct purge_call {
	struct policy_call policy; /* first */
	struct db_dep_purge purge;
	bool found;                       /* there is one */
	struct purge_mailboxes mailboxes; /* as they are now */
};

/*
 * The mailbox policy that the path names, its purge and what it covers now. ERR_PURGE_NOT_SUPPORTED: it is of another kind.
 */
bool purge_call_find(struct purge_call *call) MUST_USE;
/* ERR_PURGE_NOT_REQUESTED, ERR_PURGE_APPROVED: not one that waits for approval. */
bool purge_call_open(struct purge_call *call) MUST_USE;
/* The answer: the purge as it is now, or that there is none. */
bool purge_call_answer(struct purge_call *call) MUST_USE;
