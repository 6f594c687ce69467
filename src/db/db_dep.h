/*
 * depd's catalog as a whole, its organization, and the time it was blind; rows are in db_dep_policy.h and db_dep_scope.h.
 * Standard errors: db.h.
 */
#pragma once

#include "db.h"

#define DB_DEP_SCHEMA    1
#define DB_DEP_GUID      16
#define DB_DEP_KID_MAX   448 /* characters of a full key version id */
#define DB_DEP_ORG_SIZE  129
#define DB_DEP_SIGNATURE 256 /* octets at most */
#define DB_DEP_DIGEST    32

extern const struct db_kind dep_catalog;

struct db_dep_organization {
	char name[DB_DEP_ORG_SIZE];
	const char *signing_kid;
	struct bytes signing_spki;
	int64_t created;
};

/* ret_found false: it was not set up yet. */
bool db_dep_organization_get(struct db *db, struct arena *arena,
	struct db_dep_organization *ret_organization, bool *ret_found, struct err *err) MUST_USE;
/*
 * Sets it up, once, together with the slots that every organization has and the policy that covers them, the
 * service-managed one (kind DB_DEP_SERVICE), which must be there.
 */
bool db_dep_organization_insert(struct db *db, const struct db_dep_organization *organization,
	int64_t service_policy, const char *const *slots, size_t slot_count,
	struct err *err) MUST_USE;

/* Time of fallback without the owners' word: used so far, and what persons allowed beyond the configured limit (threats G2). */
struct db_dep_blind {
	int64_t used_ms, allowed_ms;
};
bool db_dep_blind_get(struct db *db, struct db_dep_blind *ret_blind, struct err *err) MUST_USE;
bool db_dep_blind_set(struct db *db, const struct db_dep_blind *blind, struct err *err) MUST_USE;

/* What one person wants, to extend that time. */
#define DB_DEP_REASON_MAX 256 /* octets; of all reasons that persons give */
struct db_dep_proposal {
	int64_t uid, hours;
	const char *reason;
	int64_t until; /* Unix seconds */
};
/* ret_found false: there is none. */
bool db_dep_proposal_get(struct db *db, struct arena *arena, struct db_dep_proposal *ret_proposal,
	bool *ret_found, struct err *err) MUST_USE;
/* In the place of another one. */
bool db_dep_proposal_set(
	struct db *db, const struct db_dep_proposal *proposal, struct err *err) MUST_USE;
bool db_dep_proposal_end(struct db *db, struct err *err) MUST_USE;
