/*
 * Certificates of a purge (dep-semantics §7): what a service states, under its signature, of what it destroyed. A statement is canonical JSON
 * (RFC 8785) of texts, numbers and flags; doc/api.md has its members.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/dep_purge.h"
#include "base/buf.h"

struct api_dep_certified_approval {
	const char *approver;
	struct bytes certificate, signature; /* DER; over the document's octets */
	int64_t approved;
};

struct api_dep_destroyed_key {
	const char *kid;
	const char *token; /* "": it could not be said any more */
	bool hardware, never_extractable;
	int64_t destroyed;
};

struct api_dep_purged_key {
	const char *kid;
	int64_t purged;
};

struct api_dep_statement {
	bool irrecoverable; /* else that the availability key was destroyed */
	const char *organization, *policy, *name;
	int64_t issued;
	int64_t mailboxes; /* whose keys were erased */
	const char *document;
	const struct api_dep_certified_approval *approvals;
	size_t approval_count;
	const struct api_dep_destroyed_key *destroyed;
	size_t destroyed_count;
	const char *const *customer_keys; /* that must stay denied */
	size_t customer_key_count;
	const struct api_dep_purged_key *purged; /* irrecoverable: those, as their custodyd says */
	size_t purged_count;
	const char *first; /* irrecoverable: SHA-256 of the first certificate, hex */
	const char *attested_by,
		*attested;      /* irrecoverable: who says that backups are destroyed, and what */
	uint64_t audit_records; /* head of the audit when it was issued */
	const char *audit_hash; /* hex */
};
void api_dep_statement_format(const struct api_dep_statement *statement, struct buf *out);

/* "destroyed" or "irrecoverable", as in a path. */
bool api_dep_certificate_find(const char *word, bool *ret_irrecoverable) MUST_USE;
/* {"kind","issued","certificate":JWS} */
void api_dep_certificate_format(
	bool irrecoverable, int64_t issued, const char *certificate, struct buf *out);

struct api_dep_certify {
	const char *attestation; /* what was done about backups */
};
/* {"backupsDestroyed":text} */
bool api_dep_certify_decode(struct bytes body, struct arena *arena,
	struct api_dep_certify *ret_certify, struct err *err) MUST_USE;
