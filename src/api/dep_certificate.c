/* Writes certificates of purges. Invariant: the members of a statement are written in the order of their names. */
#include "dep_certificate.h"

#include <string.h>

#include "api/body.h"
#include "json/json_writer.h"

#define FORMAT   "custody-dep certificate 1"
#define TEXT_MAX 1024

static const char *
kind_of(bool irrecoverable)
{
	return irrecoverable ? "Irrecoverable" : "AvailabilityKeyDestroyed";
}

/* ---- requests ---- */

static const struct json_field certify_fields[] = {
	FIELD(struct api_dep_certify, attestation, "backupsDestroyed", TEXT,
		.flags = JSON_REQUIRED | JSON_NON_EMPTY | JSON_PRINTABLE, .max = TEXT_MAX),
};
TABLE(certify_table, certify_fields, struct api_dep_certify, true);

bool
api_dep_certify_decode(struct bytes body, struct arena *arena, struct api_dep_certify *ret_certify,
	struct err *err)
{
	return json_decode_body(body, &certify_table, arena, ret_certify, err);
}

/* ---- the statement ---- */

static void
write_approvals(struct json_writer *writer, const struct api_dep_statement *statement)
{
	json_write_array(writer, "approvals");
	for (size_t i = 0; i < statement->approval_count; i++) {
		const struct api_dep_certified_approval *approval = &statement->approvals[i];
		json_write_object(writer, NULL);
		json_write_int(writer, "approved", approval->approved);
		json_write_text(writer, "approver", approval->approver);
		json_write_base64(writer, "certificate", approval->certificate.data,
			approval->certificate.len);
		json_write_base64(
			writer, "signature", approval->signature.data, approval->signature.len);
		json_write_end(writer);
	}
	json_write_end(writer);
}

static void
write_destroyed(struct json_writer *writer, const struct api_dep_statement *statement)
{
	json_write_array(writer, "availabilityKeys");
	for (size_t i = 0; i < statement->destroyed_count; i++) {
		const struct api_dep_destroyed_key *key = &statement->destroyed[i];
		json_write_object(writer, NULL);
		json_write_int(writer, "destroyed", key->destroyed);
		json_write_bool(writer, "hardware", key->hardware);
		json_write_text(writer, "kid", key->kid);
		json_write_bool(writer, "neverExtractable", key->never_extractable);
		json_write_text(writer, "token", key->token);
		json_write_end(writer);
	}
	json_write_end(writer);
}

static void
write_customer_keys(struct json_writer *writer, const struct api_dep_statement *statement)
{
	json_write_array(writer, "customerKeys");
	for (size_t i = 0; i < statement->customer_key_count; i++)
		json_write_text(writer, NULL, statement->customer_keys[i]);
	json_write_end(writer);
	if (!statement->irrecoverable)
		return;
	json_write_array(writer, "customerKeysPurged");
	for (size_t i = 0; i < statement->purged_count; i++) {
		json_write_object(writer, NULL);
		json_write_text(writer, "kid", statement->purged[i].kid);
		json_write_int(writer, "purged", statement->purged[i].purged);
		json_write_end(writer);
	}
	json_write_end(writer);
}

/* What nobody may take this for (threats G15). */
static void
write_limits(struct json_writer *writer, const struct api_dep_statement *statement)
{
	bool files = false, leave = false;
	for (size_t i = 0; i < statement->destroyed_count; i++) {
		files = files || !statement->destroyed[i].hardware;
		leave = leave || !statement->destroyed[i].never_extractable;
	}
	json_write_array(writer, "notCovered");
	json_write_text(writer, NULL,
		"Data keys that were handed out before the purge, and what was opened with them.");
	json_write_text(writer, NULL,
		"Mailboxes that were under another policy before: a copy of the catalog from that "
		"time opens them by the keys of that policy.");
	if (!statement->irrecoverable)
		json_write_text(writer, NULL,
			"Whoever has a copy of the catalog from before the purge and may use a "
			"customer "
			"key opens the data; this holds while both customer keys stay denied.");
	if (files)
		json_write_text(writer, NULL,
			"A token keeps its objects in files of its host; copies of these files "
			"from "
			"before the purge are not destroyed by it.");
	if (leave)
		json_write_text(writer, NULL,
			"An availability key could leave its token wrapped under a trusted key; no "
			"backup of it is known here.");
	json_write_end(writer);
}

void
api_dep_statement_format(const struct api_dep_statement *statement, struct buf *out)
{
	struct json_writer writer;
	json_writer_init(&writer, out);
	json_write_object(&writer, NULL);
	write_approvals(&writer, statement);
	json_write_object(&writer, "audit");
	json_write_text(&writer, "hash", statement->audit_hash);
	json_write_int(&writer, "records", (int64_t)statement->audit_records);
	json_write_end(&writer);
	write_destroyed(&writer, statement);
	json_write_array(
		&writer, "backups"); /* of availability keys, that are known: none is ever made */
	json_write_end(&writer);
	if (statement->irrecoverable) {
		json_write_object(&writer, "backupsDestroyed");
		json_write_text(&writer, "by", statement->attested_by);
		json_write_text(&writer, "text", statement->attested);
		json_write_end(&writer);
	}
	write_customer_keys(&writer, statement);
	json_write_text(&writer, "document", statement->document);
	if (statement->irrecoverable)
		json_write_text(&writer, "first", statement->first);
	json_write_text(&writer, "format", FORMAT);
	json_write_int(&writer, "issued", statement->issued);
	json_write_text(&writer, "kind", kind_of(statement->irrecoverable));
	json_write_int(&writer, "mailboxes", statement->mailboxes);
	json_write_text(&writer, "name", statement->name);
	write_limits(&writer, statement);
	json_write_text(&writer, "organization", statement->organization);
	json_write_text(&writer, "policy", statement->policy);
	json_write_end(&writer);
}

/* ---- answers ---- */

bool
api_dep_certificate_find(const char *word, bool *ret_irrecoverable)
{
	*ret_irrecoverable = strcmp(word, "irrecoverable") == 0;
	return *ret_irrecoverable || strcmp(word, "destroyed") == 0;
}

void
api_dep_certificate_format(
	bool irrecoverable, int64_t issued, const char *certificate, struct buf *out)
{
	struct json_writer writer;
	json_writer_init(&writer, out);
	json_write_object(&writer, NULL);
	json_write_text(&writer, "kind", kind_of(irrecoverable));
	json_write_int(&writer, "issued", issued);
	json_write_text(&writer, "certificate", certificate);
	json_write_end(&writer);
}
