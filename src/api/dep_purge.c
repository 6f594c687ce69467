/* Reads and writes approvers and purges. Invariant: the members of a document are written in the order of their names. */
#include "dep_purge.h"

#include "api/body.h"
#include "json/json_writer.h"

#define TEXT_MAX      256    /* octets of reason and contact */
#define PEM_MAX       32768  /* of a certificate */
#define DOCUMENT_MAX  131072 /* as in the catalog */
#define SIGNATURE_MAX 16384  /* so that a certificate of the purge holds all approvals */

#define DOCUMENT_FORMAT "custody-dep data purge 1"

/* ---- requests ---- */

static const struct json_field named_fields[] = {
	FIELD(struct api_dep_approver_body, name, "name", TEXT, .flags = JSON_REQUIRED,
		.max = API_DEP_POLICY_NAME_MAX),
	FIELD(struct api_dep_approver_body, certificate, "certificate", TEXT,
		.flags = JSON_REQUIRED, .max = PEM_MAX),
};
TABLE(named_table, named_fields, struct api_dep_approver_body, true);

static const struct json_field certificate_fields[] = {
	FIELD(struct api_dep_approver_body, certificate, "certificate", TEXT,
		.flags = JSON_REQUIRED, .max = PEM_MAX),
};
TABLE(certificate_table, certificate_fields, struct api_dep_approver_body, true);

bool
api_dep_approver_decode(struct bytes body, bool named, struct arena *arena,
	struct api_dep_approver_body *ret_approver, struct err *err)
{
	struct api_dep_approver_body read;
	if (!json_decode_body(body, named ? &named_table : &certificate_table, arena, &read, err))
		return false;
	if (named && !api_dep_name_valid(read.name))
		return err_set(err, ERR_BAD_PARAMETER,
			"The member 'name' must be 1 to 64 printable characters without blanks and "
			"slashes, and not a GUID.");
	*ret_approver = read;
	return true;
}

struct request_body {
	const char *reason, *contact;
	struct json_opt_bool exiting;
};

#define REQUEST_TEXT(member, text)                                                                 \
	FIELD(struct request_body, member, text, TEXT,                                             \
		.flags = JSON_REQUIRED | JSON_NON_EMPTY | JSON_PRINTABLE, .max = TEXT_MAX)

static const struct json_field request_fields[] = {
	REQUEST_TEXT(reason, "reason"),
	REQUEST_TEXT(contact, "contact"),
	FIELD(struct request_body, exiting, "exitingService", BOOL),
};
TABLE(request_table, request_fields, struct request_body, true);

bool
api_dep_purge_request_decode(struct bytes body, struct arena *arena,
	struct api_dep_purge_request *ret_request, struct err *err)
{
	struct request_body read;
	if (!json_decode_body(body, &request_table, arena, &read, err))
		return false;
	*ret_request = (struct api_dep_purge_request){
		.reason = read.reason,
		.contact = read.contact,
		.exiting = read.exiting.value,
	};
	return true;
}

static const struct json_field approval_fields[] = {
	FIELD(struct api_dep_purge_approval, document, "document", BASE64,
		.flags = JSON_REQUIRED | JSON_NON_EMPTY, .max = DOCUMENT_MAX),
	FIELD(struct api_dep_purge_approval, signature, "signature", BASE64,
		.flags = JSON_REQUIRED | JSON_NON_EMPTY, .max = SIGNATURE_MAX),
};
TABLE(approval_table, approval_fields, struct api_dep_purge_approval, true);

bool
api_dep_purge_approval_decode(struct bytes body, struct arena *arena,
	struct api_dep_purge_approval *ret_approval, struct err *err)
{
	CLEAN(json)
	struct json_value *document = json_parse(body.data, body.len, API_DEP_PURGE_BODY_MAX, err);
	return document != NULL && json_decode(document, &approval_table, arena, ret_approval, err);
}

/* ---- the document ---- */

static void
write_generation(struct json_writer *writer, const struct api_dep_generation *generation)
{
	json_write_object(writer, NULL);
	json_write_text(writer, "availabilityKey", generation->availability_key);
	json_write_text(writer, "id", generation->id);
	json_write_array(writer, "keys");
	for (size_t i = 0; i < API_DEP_KEYS; i++)
		json_write_text(writer, NULL, generation->keys[i]);
	json_write_end(writer);
	json_write_int(writer, "number", generation->number);
	json_write_end(writer);
}

void
api_dep_document_format(const struct api_dep_document *document, struct buf *out)
{
	struct json_writer writer;
	json_writer_init(&writer, out);
	json_write_object(&writer, NULL);
	json_write_text(&writer, "contact", document->contact);
	json_write_text(&writer, "format", DOCUMENT_FORMAT);
	json_write_array(&writer, "generations");
	for (size_t i = 0; i < document->generation_count; i++)
		write_generation(&writer, &document->generations[i]);
	json_write_end(&writer);
	json_write_text(&writer, "mailboxDigest", document->mailbox_digest);
	json_write_int(&writer, "mailboxes", document->mailboxes);
	json_write_text(&writer, "name", document->name);
	json_write_text(&writer, "nonce", document->nonce);
	json_write_text(&writer, "organization", document->organization);
	json_write_text(&writer, "policy", document->policy);
	json_write_text(&writer, "reason", document->reason);
	json_write_int(&writer, "requested", document->requested);
	json_write_end(&writer);
}

/* ---- answers ---- */

static void
write_approver(struct json_writer *writer, const struct api_dep_approver *approver)
{
	json_write_object(writer, NULL);
	json_write_text(writer, "name", approver->name);
	json_write_text(writer, "subject", approver->subject);
	json_write_text(writer, "fingerprint", approver->fingerprint);
	if (approver->approved != 0) {
		json_write_int(writer, "approved", approver->approved);
	} else {
		json_write_int(writer, "expires", approver->expires);
		json_write_int(writer, "added", approver->added);
		json_write_text(writer, "warning", approver->warning);
	}
	json_write_end(writer);
}

void
api_dep_approver_format(const struct api_dep_approver *approver, struct buf *out)
{
	struct json_writer writer;
	json_writer_init(&writer, out);
	write_approver(&writer, approver);
}

void
api_dep_approver_list_format(
	int64_t needed, const struct api_dep_approver *approvers, size_t count, struct buf *out)
{
	struct json_writer writer;
	json_writer_init(&writer, out);
	json_write_object(&writer, NULL);
	json_write_int(&writer, "needed", needed);
	json_write_array(&writer, "value");
	for (size_t i = 0; i < count; i++)
		write_approver(&writer, &approvers[i]);
	json_write_end(&writer);
	json_write_end(&writer);
}

static void
write_others(struct json_writer *writer, const struct api_dep_purge *purge)
{
	json_write_array(writer, "otherPolicies");
	for (size_t i = 0; i < purge->other_count; i++) {
		json_write_object(writer, NULL);
		json_write_text(writer, "policy", purge->others[i].policy);
		json_write_int(writer, "mailboxes", purge->others[i].mailboxes);
		json_write_end(writer);
	}
	json_write_end(writer);
}

void
api_dep_purge_format(const struct api_dep_purge *purge, struct buf *out)
{
	struct json_writer writer;
	json_writer_init(&writer, out);
	json_write_object(&writer, NULL);
	json_write_text(&writer, "policy", purge->policy);
	json_write_text(&writer, "name", purge->name);
	json_write_text(&writer, "state", purge->state);
	json_write_text(&writer, "step", purge->step);
	json_write_bool(&writer, "void", purge->is_void);
	json_write_int(&writer, "mailboxes", purge->mailboxes);
	json_write_int(&writer, "erased", purge->erased);
	json_write_int(&writer, "requested", purge->requested);
	json_write_int(&writer, "needed", purge->needed);
	json_write_array(&writer, "approvals");
	for (size_t i = 0; i < purge->approval_count; i++)
		write_approver(&writer, &purge->approvals[i]);
	json_write_end(&writer);
	if (purge->due == 0)
		json_write_null(&writer, "due");
	else
		json_write_int(&writer, "due", purge->due);
	write_others(&writer, purge);
	json_write_text(&writer, "sha256", purge->sha256);
	json_write_text(&writer, "document", purge->document);
	json_write_end(&writer);
}

void
api_dep_purge_none_format(const char *policy, const char *name, struct buf *out)
{
	struct json_writer writer;
	json_writer_init(&writer, out);
	json_write_object(&writer, NULL);
	json_write_text(&writer, "policy", policy);
	json_write_text(&writer, "name", name);
	json_write_text(&writer, "state", "Active");
	json_write_end(&writer);
}
