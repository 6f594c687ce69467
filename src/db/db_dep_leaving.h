/*
 * Why a policy is being left, and whether that is over: a rollback to service-managed keys, or a recovery after both keys
 * were lost. It is over when no scope's key is under the policy any more; of a geo, which keeps its policy, under a generation of before.
 * Standard errors: db.h.
 */
#pragma once

#include "db_dep_policy.h"

enum db_dep_leaving_kind {
	DB_DEP_ROLLBACK = 1,
	DB_DEP_RECOVERY = 2,
};

#define DB_DEP_FQDN_MAX     253 /* octets (RFC 1035 §2.3.4, without the root) */
#define DB_DEP_CONTACT_MAX  128
#define DB_DEP_INCIDENT_MAX 64

struct db_dep_leaving {
	int64_t id; /* ignored when beginning, as is `left` */
	enum db_dep_leaving_kind kind;
	int64_t policy;
	const char *reason, *fqdn, *contact, *incident; /* "": not asked for */
	int64_t started;
	int64_t generation; /* of a geo: the first under new keys; ignored when beginning; 0: none */
	int64_t left;       /* scopes whose keys are under what is left yet */
};

/* Tenant's slots `names` get `policy`, and the rollback begins, in one transaction. ERR_CATALOG_INTEGRITY: one is under way. */
bool db_dep_rollback_begin(struct db *db, const struct db_dep_leaving *rollback,
	const char *const *names, size_t count, int64_t policy, struct err *err) MUST_USE;
/* A recovery of this policy that is under way goes on, with the new reason beside the old one's. */
bool db_dep_recovery_begin(
	struct db *db, const struct db_dep_leaving *recovery, struct err *err) MUST_USE;
/* The same of a geo: `generation` under new keys called `uri` becomes its policy's current one, in one transaction with it. */
bool db_dep_geo_recovery_begin(struct db *db, const struct db_dep_leaving *recovery,
	const struct db_dep_generation *generation, const char *const uri[2],
	struct err *err) MUST_USE;
/* All that are under way. */
bool db_dep_leaving_list(struct db *db, struct arena *arena, struct db_dep_leaving **ret_leavings,
	size_t *ret_count, struct err *err) MUST_USE;
bool db_dep_leaving_end(struct db *db, int64_t id, int64_t now_s, struct err *err) MUST_USE;
/* Whether what is under this generation is being recovered. */
bool db_dep_recovers(
	struct db *db, int64_t generation, bool *ret_recovers, struct err *err) MUST_USE;
