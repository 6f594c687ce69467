/*
 * Certificates of purges: a statement of what the catalog says was done, signed by the organization's key in the service's custody.
 * One is issued only after everything that it states, and stored before anybody gets it (threats G15).
 */
#pragma once

#include "api/dep_certificate.h"
#include "base/arena.h"
#include "base/attr.h"
#include "db/db_dep_erase.h"
#include "depd/custody_port.h"
#include "depd/depd.h"

/* What the first certificate does not state. */
struct purge_certificate_more {
	const struct api_dep_purged_key *purged; /* the customers' keys */
	size_t purged_count;
	const char *attested_by, *attested;
};

struct purge_certificate { /* zeroed at first */
	struct depd *depd;
	struct arena *arena; /* borrowed */
	struct db_dep_organization organization;
	struct db_dep_certificate row; /* what will be stored */
	struct buf jws;
	uint64_t call; /* to the service's custody; 0: none */
};

/*
 * States what was done of a purge and has it signed: `fn` is called with the signature (custody_port_sign()), for
 * purge_certificate_take(). `more` NULL: the first certificate. false: *err; it does not begin.
 */
bool purge_certificate_start(struct purge_certificate *certificate, struct depd *depd,
	struct arena *arena, const struct db_dep_policy *policy, const struct db_dep_purge *purge,
	const struct purge_certificate_more *more, custody_port_fn *fn, void *ctx,
	struct err *err) MUST_USE;
/* An answer came: certificate->row is whole, or *err is set. ERR_CATALOG_INTEGRITY: the signature is not one of the pinned key. */
void purge_certificate_take(struct purge_certificate *certificate,
	const struct custody_answer *answer, struct err *err);
/* SHA-256 of one, hex, for the audit; in the arena. */
const char *purge_certificate_digest(const char *certificate, struct arena *arena);
void purge_certificate_clear(struct purge_certificate *certificate);

/* Full ids of all versions of customer keys that the policy's generations were under, none twice; in the arena. */
bool purge_certificate_keys(struct depd *depd, int64_t policy, struct arena *arena,
	const char *const **ret_kids, size_t *ret_count, struct err *err) MUST_USE;
