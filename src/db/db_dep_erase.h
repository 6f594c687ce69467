/*
 * A purge that was approved, carried out in the catalog step by step: each is one transaction that finds how far it is, so that it may
 * die anywhere, and none is possible before the one ahead of it. Standard errors: db.h; ERR_CATALOG_INTEGRITY: it is not at that step.
 */
#pragma once

#include "db_dep_purge.h"

/* The next policy behind `after` (0: the first) whose purge is under way, or due at `now_s`; 0: there is none. */
bool db_dep_erase_next(
	struct db *db, int64_t after, int64_t now_s, int64_t *ret_policy, struct err *err) MUST_USE;

/* The purge is DB_DEP_PURGE_ERASING and the policy DB_DEP_PURGED. */
bool db_dep_erase_begin(struct db *db, int64_t policy, int64_t now_s, struct err *err) MUST_USE;

/* The keys of its scopes whose ids are above `after` and at most `upto`. */
bool db_dep_erase_scopes(struct db *db, int64_t policy, int64_t after, int64_t upto, int64_t now_s,
	struct err *err) MUST_USE;
/* The highest id that a scope has. */
bool db_dep_erase_last(struct db *db, int64_t *ret_id, struct err *err) MUST_USE;
/* How many of its scopes were erased. */
bool db_dep_erase_count(
	struct db *db, int64_t policy, int64_t *ret_count, struct err *err) MUST_USE;
/* What its generations are wrapped in goes too: the purge is DB_DEP_PURGE_ERASED. */
bool db_dep_erase_end(struct db *db, int64_t policy, struct err *err) MUST_USE;

/* ---- availability keys ---- */

struct db_dep_purge_key {
	const char *kid;
	bool known;             /* what follows was asked for and stored */
	const char *token;      /* "": it could not be said any more */
	bool hardware;          /* the token's slot is a device, not files of a host */
	bool never_extractable; /* so it is in no backup */
	int64_t destroyed;      /* when its absence was found; 0: not yet */
};
/* All that the policy's generations were ever wrapped under, as far as rows tell; text in `arena`. */
bool db_dep_erase_keys(struct db *db, int64_t policy, struct arena *arena,
	struct db_dep_purge_key **ret_keys, size_t *ret_count, struct err *err) MUST_USE;
/* What is known of one, before it is destroyed. */
bool db_dep_erase_key_known(struct db *db, int64_t policy, const struct db_dep_purge_key *key,
	struct err *err) MUST_USE;
bool db_dep_erase_key_destroyed(
	struct db *db, int64_t policy, const char *kid, int64_t now_s, struct err *err) MUST_USE;
/* All are: the purge is DB_DEP_PURGE_DESTROYED. */
bool db_dep_erase_destroyed(struct db *db, int64_t policy, struct err *err) MUST_USE;

/* ---- certificates ---- */

enum db_dep_certificate_number {
	DB_DEP_CERTIFICATE_DESTROYED = 1,
	DB_DEP_CERTIFICATE_IRRECOVERABLE = 2,
};

#define DB_DEP_CERTIFICATE_TEXT_MAX 1572864 /* octets: with sixteen approvals of the longest */

struct db_dep_certificate {
	enum db_dep_certificate_number number;
	int64_t issued;
	const char *certificate;
};
/* The purge is DB_DEP_PURGE_CERTIFIED or DB_DEP_PURGE_IRRECOVERABLE. */
bool db_dep_erase_certify(struct db *db, int64_t policy,
	const struct db_dep_certificate *certificate, struct err *err) MUST_USE;
/* Those that were issued; text in `arena`. */
bool db_dep_erase_certificates(struct db *db, int64_t policy, struct arena *arena,
	struct db_dep_certificate **ret_certificates, size_t *ret_count, struct err *err) MUST_USE;
