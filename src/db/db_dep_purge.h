/*
 * Rows of approvers, and of purges of policies with who approved them. Each change is one transaction that also says in the policy's
 * row what it is. Standard errors: db.h.
 */
#pragma once

#include "db_dep_policy.h"

#define DB_DEP_CERTIFICATE_MAX 16384
#define DB_DEP_SIGNATURE_MAX   16384  /* of an approval */
#define DB_DEP_DOCUMENT_MAX    131072 /* octets of a data purge document */
#define DB_DEP_APPROVERS_MAX   64

/* ---- approvers ---- */

struct db_dep_approver {
	int64_t id; /* later ones have higher numbers, for ever */
	char name[DB_DEP_NAME_SIZE];
	struct bytes certificate; /* DER */
	int64_t added;
};

/* All of them, by name; certificates live in `arena`. */
bool db_dep_approver_list(struct db *db, struct arena *arena,
	struct db_dep_approver **ret_approvers, size_t *ret_count, struct err *err) MUST_USE;
/* A new one; with `replace` in place of who has the name. The caller has looked that it can be done. */
bool db_dep_approver_insert(struct db *db, const char *name, struct bytes certificate,
	int64_t now_s, bool replace, struct err *err) MUST_USE;

/* ---- purges ---- */

enum db_dep_purge_phase {
	DB_DEP_PURGE_REQUESTED = 1,
	DB_DEP_PURGE_APPROVED = 2,      /* and waits until it is due */
	DB_DEP_PURGE_ERASING = 3,       /* the policy is DB_DEP_PURGED, the keys of its scopes go */
	DB_DEP_PURGE_ERASED = 4,        /* nothing wrapped is left in the catalog */
	DB_DEP_PURGE_DESTROYED = 5,     /* nor the availability key on its token */
	DB_DEP_PURGE_CERTIFIED = 6,     /* which is certified */
	DB_DEP_PURGE_IRRECOVERABLE = 7, /* and that the customers' keys are gone too */
};

struct db_dep_purge {
	int64_t policy;
	enum db_dep_purge_phase phase;
	enum db_dep_policy_state before; /* what the policy was */
	const char *document;            /* its exact octets */
	int64_t mailboxes;
	uint8_t names[32]; /* digest of their names, see purge_document.h */
	int64_t last_approver;
	int64_t needed;
	int64_t requested, approved, due; /* approved and due: 0 before */
};

/* The policy is DB_DEP_PURGING from now on. `purge` without phase, approved and due. */
bool db_dep_purge_begin(struct db *db, const struct db_dep_purge *purge, struct err *err) MUST_USE;
bool db_dep_purge_get(struct db *db, int64_t policy, struct arena *arena,
	struct db_dep_purge *ret_purge, bool *ret_found, struct err *err) MUST_USE;
/* The policy is what it was before. Not once it is approved: ERR_CATALOG_INTEGRITY. */
bool db_dep_purge_cancel(
	struct db *db, const struct db_dep_purge *purge, int64_t now_s, struct err *err) MUST_USE;

struct db_dep_approval {
	const char *approver;
	struct bytes certificate, signature;
	int64_t approved;
};
/* One approval more; `due_s` not 0: they are enough, and the purge is approved. */
bool db_dep_purge_approve(struct db *db, int64_t policy, const struct db_dep_approval *approval,
	int64_t due_s, struct err *err) MUST_USE;
bool db_dep_purge_approvals(struct db *db, int64_t policy, struct arena *arena,
	struct db_dep_approval **ret_approvals, size_t *ret_count, struct err *err) MUST_USE;

/* Names of the mailboxes of a slot, in the catalog's order. */
typedef void db_dep_purge_name_fn(void *ctx, const char *name);
bool db_dep_purge_names(
	struct db *db, int64_t slot, db_dep_purge_name_fn *fn, void *ctx, struct err *err) MUST_USE;
/* Scopes that are not in the slot and have keys under the policy, or are in it and have keys under another. */
bool db_dep_purge_strays(
	struct db *db, int64_t policy, int64_t slot, int64_t *ret_count, struct err *err) MUST_USE;
