/* Invariant: whether a certificate counts is asked when it is used, never remembered. */
#include "approvers.h"

#include <string.h>

#include "base/b64.h"
#include "base/file.h"

#define DAY_S INT64_C(86400)

bool
approvers_load(
	const struct depd *depd, struct arena *arena, struct approvers *approvers, struct err *err)
{
	*approvers = (struct approvers){NULL};
	size_t count;
	if (!db_dep_approver_list(depd->db, arena, &approvers->rows, &count, err))
		return false;
	if (count > DB_DEP_APPROVERS_MAX)
		return err_set(err, ERR_CATALOG_INTEGRITY, NULL);
	for (; approvers->count < count; approvers->count++) {
		struct certificate *certificate =
			certificate_parse(approvers->rows[approvers->count].certificate, err);
		if (certificate == NULL)
			return err_set(err, ERR_CATALOG_INTEGRITY,
				"The certificate of approver %s cannot be read.",
				approvers->rows[approvers->count].name);
		approvers->certificates[approvers->count] = certificate;
	}
	return true;
}

void
approvers_clear(struct approvers *approvers)
{
	for (size_t i = 0; i < approvers->count; i++)
		certificate_free(approvers->certificates[i]);
	approvers->count = 0;
}

bool
approvers_authorities(const struct depd *depd, struct buf *out, struct err *err)
{
	return file_read(depd->options->daemon.approver_authorities, out, ERR_CONFIG, err);
}

static const char *
warning_of(const struct depd *depd, const struct certificate *certificate, struct arena *arena)
{
	int64_t left_s = certificate_expires(certificate) - calendar_now_s(depd->calendar);
	if (left_s <= 0)
		return "The certificate has expired; replace it.";
	if (left_s > APPROVERS_WARN_S)
		return NULL;
	return arena_printf(arena, "The certificate expires in %lld days; replace it.",
		(long long)(left_s / DAY_S));
}

struct api_dep_approver
approvers_view(const struct depd *depd, const char *name, const struct certificate *certificate,
	int64_t added, struct arena *arena)
{
	uint8_t digest[HASH_SHA256_LEN];
	char *hex = arena_alloc(arena, 2 * sizeof(digest) + 1);
	certificate_fingerprint(certificate, digest);
	hex_encode(digest, sizeof(digest), hex);
	return (struct api_dep_approver){
		.name = name,
		.subject = arena_strdup(arena, certificate_get_subject(certificate)),
		.fingerprint = hex,
		.expires = certificate_expires(certificate),
		.added = added,
		.warning = warning_of(depd, certificate, arena),
	};
}
