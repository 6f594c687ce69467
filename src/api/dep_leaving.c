/* Reads why a policy is left. Invariant: what is decoded goes into the catalog and the audit as it is, so it is short and printable. */
#include "dep_leaving.h"

#include <string.h>

#include "api/body.h"

#define LABEL_MAX 63 /* octets (RFC 1035 §2.3.4) */

#define TICKET_TEXT(type, member, text, most)                                                      \
	FIELD(type, member, text, TEXT, .flags = JSON_REQUIRED | JSON_NON_EMPTY | JSON_PRINTABLE,  \
		.max = (most))

static const struct json_field rollback_fields[] = {
	TICKET_TEXT(struct api_dep_rollback, fqdn, "fqdn", API_DEP_FQDN_MAX),
	TICKET_TEXT(struct api_dep_rollback, contact, "contact", API_DEP_CONTACT_MAX),
	TICKET_TEXT(struct api_dep_rollback, reason, "reason", API_DEP_REASON_MAX),
	TICKET_TEXT(struct api_dep_rollback, incident, "incident", API_DEP_INCIDENT_MAX),
};
TABLE(rollback_table, rollback_fields, struct api_dep_rollback, true);

struct recover_body {
	const char *reason;
};

static const struct json_field recover_fields[] = {
	TICKET_TEXT(struct recover_body, reason, "reason", API_DEP_REASON_MAX),
};
TABLE(recover_table, recover_fields, struct recover_body, true);

/* Letters, digits and inner hyphens in two labels or more. */
static bool
is_host_name(const char *name)
{
	static const char inner[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";
	size_t labels = 0;
	for (const char *label = name;; label++) {
		size_t len = strspn(label, inner);
		if (len == 0 || len > LABEL_MAX || label[0] == '-' || label[len - 1] == '-')
			return false;
		labels++;
		label += len;
		if (*label == '\0')
			return labels > 1;
		if (*label != '.')
			return false;
	}
}

bool
api_dep_rollback_decode(struct bytes body, struct arena *arena,
	struct api_dep_rollback *ret_rollback, struct err *err)
{
	struct api_dep_rollback read;
	if (!json_decode_body(body, &rollback_table, arena, &read, err))
		return false;
	if (!is_host_name(read.fqdn))
		return err_set(err, ERR_BAD_PARAMETER,
			"The member 'fqdn' must be the full domain name of the tenant, such as "
			"contoso.com.");
	*ret_rollback = read;
	return true;
}

bool
api_dep_recover_decode(
	struct bytes body, struct arena *arena, const char **ret_reason, struct err *err)
{
	struct recover_body read;
	if (!json_decode_body(body, &recover_table, arena, &read, err))
		return false;
	*ret_reason = read.reason;
	return true;
}
