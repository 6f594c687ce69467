/*
 * Approvers, and the purge of a mailbox policy, on depd's routes (doc/api.md): requests as structs, answers from structs. Unknown
 * members are refused. A body that breaks a rule is ERR_BAD_PARAMETER, the message names the member. Encoders as in key.h.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/dep_policy.h"

#define API_DEP_PURGE_BODY_MAX 262144 /* octets of an approval: document and signature */

/* ---- approvers ---- */

struct api_dep_approver_body {
	const char *name;        /* as a policy's; NULL if it is in the path */
	const char *certificate; /* PEM */
};
/* `named`: it has a name. */
bool api_dep_approver_decode(struct bytes body, bool named, struct arena *arena,
	struct api_dep_approver_body *ret_approver, struct err *err) MUST_USE;

struct api_dep_approver {
	const char *name, *subject;
	const char *fingerprint; /* SHA-256 of the certificate, hex */
	int64_t expires, added;
	const char *warning; /* NULL: he can approve for a while */
	int64_t approved;    /* of an approval only, else 0 */
};
void api_dep_approver_format(const struct api_dep_approver *approver, struct buf *out);
/* {"needed":n,"value":[Approver …]} */
void api_dep_approver_list_format(
	int64_t needed, const struct api_dep_approver *approvers, size_t count, struct buf *out);

/* ---- the data purge document ---- */

/*
 * Canonical JSON (RFC 8785): members sorted, no blanks; all text is printable, so that its octets are the same whoever writes it.
 */
struct api_dep_document {
	const char *organization, *policy, *name;
	const struct api_dep_generation
		*generations; /* oldest first: id, number, keys, availability_key */
	size_t generation_count;
	int64_t mailboxes;
	const char *mailbox_digest; /* hex */
	const char *reason, *contact;
	int64_t requested; /* Unix seconds */
	const char *nonce; /* hex */
};
void api_dep_document_format(const struct api_dep_document *document, struct buf *out);

/* ---- requests ---- */

struct api_dep_purge_request {
	const char *reason, *contact;
	bool exiting; /* the organization leaves the service */
};
bool api_dep_purge_request_decode(struct bytes body, struct arena *arena,
	struct api_dep_purge_request *ret_request, struct err *err) MUST_USE;

struct api_dep_purge_approval {
	struct bytes document, signature;
};
bool api_dep_purge_approval_decode(struct bytes body, struct arena *arena,
	struct api_dep_purge_approval *ret_approval, struct err *err) MUST_USE;

/* ---- answers ---- */

struct api_dep_purge_other { /* a policy that covers mailboxes too */
	const char *policy;
	int64_t mailboxes;
};

struct api_dep_purge {
	const char *policy, *name, *state; /* "PurgeRequested", "PurgeApproved", "Purged" */
	const char *step;                  /* of the state, where it has several */
	const char *document;
	const char *sha256; /* of the document, hex */
	bool is_void;       /* the mailboxes are not those of the document any more */
	int64_t mailboxes, requested;
	int64_t due;    /* 0: null */
	int64_t erased; /* mailboxes whose keys are gone */
	int64_t needed;
	const struct api_dep_approver *approvals;
	size_t approval_count;
	const struct api_dep_purge_other *others;
	size_t other_count;
};
void api_dep_purge_format(const struct api_dep_purge *purge, struct buf *out);
/* {"policy":guid,"name","state":"Active"} */
void api_dep_purge_none_format(const char *policy, const char *name, struct buf *out);
