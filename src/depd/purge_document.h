/*
 * The data purge document: what is to be purged, for an approver to sign (dep-semantics §7). It is made once, from the
 * catalog, and kept as its exact octets.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "crypto/hash.h"
#include "depd/policy_call.h"

#define PURGE_NONCE_LEN 32 /* octets: never made twice */

/* Which mailboxes: how many, and SHA-256 over their names in the catalog's order, each followed by a line feed. */
struct purge_mailboxes {
	int64_t slot, count;
	uint8_t digest[HASH_SHA256_LEN];
};
/* Of a mailbox policy. */
bool purge_document_mailboxes(struct db *db, const struct db_dep_policy *policy,
	struct purge_mailboxes *ret_mailboxes, struct err *err) MUST_USE;

/*
 * Of call->policy in the organization call->organization, with a new nonce: in the call's arena. NULL: call's err. ERR_TOO_LARGE:
 * there are more generations than fit.
 */
const char *purge_document_make(struct policy_call *call, const struct purge_mailboxes *mailboxes,
	const char *reason, const char *contact, int64_t now_s) MUST_USE;
