/* Invariant: a statement is made of rows that were stored before, never of what is about to be done. */
#include "purge_certificate.h"

#include <string.h>

#include "base/b64.h"
#include "crypto/pubkey.h"
#include "depd/organization.h"
#include "jose/jws.h"
#include "service/audit.h"

#define STATEMENT_MAX DB_DEP_CERTIFICATE_TEXT_MAX

const char *
purge_certificate_digest(const char *certificate, struct arena *arena)
{
	uint8_t digest[HASH_SHA256_LEN];
	char *hex = arena_alloc(arena, 2 * sizeof(digest) + 1);
	hash_sha256(certificate, strlen(certificate), digest);
	hex_encode(digest, sizeof(digest), hex);
	return hex;
}

void
purge_certificate_clear(struct purge_certificate *certificate)
{
	if (certificate->depd == NULL)
		return;
	custody_port_cancel(certificate->depd->custody, certificate->call);
	buf_clear(&certificate->jws);
}

/* ---- what is stated ---- */

bool
purge_certificate_keys(struct depd *depd, int64_t policy, struct arena *arena,
	const char *const **ret_kids, size_t *ret_count, struct err *err)
{
	struct db_dep_generation *generations;
	size_t generation_count, count = 0;
	if (!db_dep_generation_list(depd->db, policy, arena, &generations, &generation_count, err))
		return false;
	const char **kids = arena_array(arena, generation_count * 2, sizeof(*kids));
	for (size_t i = 0; i < 2 * generation_count; i++) {
		const char *kid = generations[i / 2].kid[i % 2];
		size_t at = 0;
		while (at < count && strcmp(kids[at], kid) != 0)
			at++;
		if (at == count)
			kids[count++] = kid;
	}
	*ret_kids = kids;
	*ret_count = count;
	return true;
}

static bool
state_approvals(const struct purge_certificate *certificate, int64_t policy,
	struct api_dep_statement *statement, struct err *err)
{
	struct db_dep_approval *rows;
	size_t count;
	if (!db_dep_purge_approvals(
		    certificate->depd->db, policy, certificate->arena, &rows, &count, err))
		return false;
	struct api_dep_certified_approval *approvals =
		arena_array(certificate->arena, count, sizeof(*approvals));
	for (size_t i = 0; i < count; i++)
		approvals[i] = (struct api_dep_certified_approval){
			.approver = rows[i].approver,
			.certificate = rows[i].certificate,
			.signature = rows[i].signature,
			.approved = rows[i].approved,
		};
	statement->approvals = approvals;
	statement->approval_count = count;
	return true;
}

static bool
state_destroyed(const struct purge_certificate *certificate, int64_t policy,
	struct api_dep_statement *statement, struct err *err)
{
	struct db_dep_purge_key *rows;
	size_t count;
	if (!db_dep_erase_keys(
		    certificate->depd->db, policy, certificate->arena, &rows, &count, err))
		return false;
	struct api_dep_destroyed_key *keys = arena_array(certificate->arena, count, sizeof(*keys));
	for (size_t i = 0; i < count; i++) {
		if (rows[i].destroyed == 0)
			return err_set(err, ERR_PURGE_NOT_DONE, NULL);
		keys[i] = (struct api_dep_destroyed_key){
			.kid = rows[i].kid,
			.token = rows[i].token,
			.hardware = rows[i].hardware,
			.never_extractable = rows[i].never_extractable,
			.destroyed = rows[i].destroyed,
		};
	}
	statement->destroyed = keys;
	statement->destroyed_count = count;
	return true;
}

static bool
state_more(const struct purge_certificate *certificate, int64_t policy,
	const struct purge_certificate_more *more, struct api_dep_statement *statement,
	struct err *err)
{
	struct db_dep_certificate *issued;
	size_t count;
	if (more == NULL)
		return true;
	if (!db_dep_erase_certificates(
		    certificate->depd->db, policy, certificate->arena, &issued, &count, err))
		return false;
	if (count == 0 || issued[0].number != DB_DEP_CERTIFICATE_DESTROYED)
		return err_set(err, ERR_PURGE_NOT_DONE, NULL);
	statement->irrecoverable = true;
	statement->first = purge_certificate_digest(issued[0].certificate, certificate->arena);
	statement->purged = more->purged;
	statement->purged_count = more->purged_count;
	statement->attested_by = more->attested_by;
	statement->attested = more->attested;
	return true;
}

static void
state_audit(const struct purge_certificate *certificate, struct api_dep_statement *statement)
{
	struct audit_head head = audit_synced(certificate->depd->audit);
	char *hex = arena_alloc(certificate->arena, 2 * sizeof(head.hash) + 1);
	hex_encode(head.hash, sizeof(head.hash), hex);
	statement->audit_records = head.records;
	statement->audit_hash = hex;
}

static bool
state(const struct purge_certificate *certificate, const struct db_dep_policy *policy,
	const struct db_dep_purge *purge, const struct purge_certificate_more *more,
	struct buf *out, struct err *err)
{
	struct depd *depd = certificate->depd;
	char guid[ID_UUID_TEXT];
	id_uuid_format(policy->guid, guid);
	struct api_dep_statement statement = {
		.organization = certificate->organization.name,
		.policy = guid,
		.name = policy->name,
		.issued = certificate->row.issued,
		.document = purge->document,
	};
	if (!db_dep_erase_count(depd->db, policy->id, &statement.mailboxes, err) ||
		!state_approvals(certificate, policy->id, &statement, err) ||
		!state_destroyed(certificate, policy->id, &statement, err) ||
		!purge_certificate_keys(depd, policy->id, certificate->arena,
			&statement.customer_keys, &statement.customer_key_count, err) ||
		!state_more(certificate, policy->id, more, &statement, err))
		return false;
	state_audit(certificate, &statement);
	api_dep_statement_format(&statement, out);
	return !out->overflow || err_set(err, ERR_TOO_LARGE, NULL);
}

/* ---- and signed ---- */

bool
purge_certificate_start(struct purge_certificate *certificate, struct depd *depd,
	struct arena *arena, const struct db_dep_policy *policy, const struct db_dep_purge *purge,
	const struct purge_certificate_more *more, custody_port_fn *fn, void *ctx, struct err *err)
{
	uint8_t digest[HASH_SHA256_LEN];
	CLEAN(buf)
	struct buf statement;
	buf_init(&statement, STATEMENT_MAX);
	*certificate = (struct purge_certificate){
		.depd = depd,
		.arena = arena,
		.row = {.number = more != NULL ? DB_DEP_CERTIFICATE_IRRECOVERABLE
					       : DB_DEP_CERTIFICATE_DESTROYED,
			.issued = calendar_now_s(depd->calendar)},
	};
	buf_init(&certificate->jws, DB_DEP_CERTIFICATE_TEXT_MAX);
	if (!organization_get(depd, arena, &certificate->organization, err) ||
		!state(certificate, policy, purge, more, &statement, err))
		return false;
	jws_begin(certificate->organization.signing_kid, buf_bytes(&statement), &certificate->jws,
		digest);
	certificate->call = custody_port_sign(
		depd->custody, certificate->organization.signing_kid, digest, fn, ctx, err);
	return certificate->call != 0;
}

static bool
is_signed(struct purge_certificate *certificate, struct err *err)
{
	char kid[JWS_KID_MAX + 1];
	CLEAN(pubkey)
	struct pubkey *signer = pubkey_from_spki(certificate->organization.signing_spki, err);
	CLEAN(buf)
	struct buf payload;
	buf_init(&payload, STATEMENT_MAX);
	return signer != NULL &&
	       jws_verify(buf_bytes(&certificate->jws), signer, kid, &payload, err);
}

void
purge_certificate_take(
	struct purge_certificate *certificate, const struct custody_answer *answer, struct err *err)
{
	certificate->call = 0;
	*err = answer->err;
	if (err->code == ERR_NONE && answer->value.len != JWS_SIGNATURE_LEN)
		(void)err_set(err, ERR_CLIENT_ANSWER, NULL);
	if (err->code != ERR_NONE)
		return;
	jws_end(answer->value.data, &certificate->jws);
	if (certificate->jws.overflow)
		(void)err_set(err, ERR_TOO_LARGE, NULL);
	else if (!is_signed(certificate, err))
		(void)err_set(err, ERR_CATALOG_INTEGRITY,
			"The certificate was not signed by the organization's key.");
	certificate->row.certificate = buf_peek(&certificate->jws);
}
