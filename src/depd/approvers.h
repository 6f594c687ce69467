/*
 * Who may approve that an organization's data is purged: persons with certificates, issued by an authority that the configuration
 * names. There is no way to remove one but to put another in his place, so that there are never fewer.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "api/dep_purge.h"
#include "crypto/certificate.h"
#include "db/db_dep_purge.h"
#include "depd/depd.h"

#define APPROVERS_AUTHORITIES_MAX 1048576                   /* octets of the file */
#define APPROVERS_WARN_S          (INT64_C(30) * 24 * 3600) /* before a certificate expires */

struct approvers { /* zeroed: none */
	struct db_dep_approver *rows;
	struct certificate *certificates[DB_DEP_APPROVERS_MAX];
	size_t count;
};

/* Reads all; rows live in `arena`. Clear it also after a failure. */
bool approvers_load(const struct depd *depd, struct arena *arena, struct approvers *approvers,
	struct err *err) MUST_USE;
void approvers_clear(struct approvers *approvers);

/* PEM of the authorities. ERR_CONFIG: the file that depd.conf names cannot be read. */
bool approvers_authorities(const struct depd *depd, struct buf *out, struct err *err) MUST_USE;

/* One as it is shown; text lives in `arena` and with the certificate. */
struct api_dep_approver approvers_view(const struct depd *depd, const char *name,
	const struct certificate *certificate, int64_t added, struct arena *arena);

static inline void
approvers_clean(struct approvers *approvers)
{
	approvers_clear(approvers);
}
