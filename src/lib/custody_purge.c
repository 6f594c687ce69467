/* Certificates of purges, verified without any daemon: what a service stated, and who approved it. */
#include "custody/custody.h"

#include <string.h>

#include "base/b64.h"
#include "crypto/certificate.h"
#include "jose/jws.h"
#include "lib/client_call.h"

#define STATEMENT_MAX   2097152
#define DOCUMENT_MAX    131072
#define SIGNATURE_MAX   65536
#define FORMAT          "custody-dep certificate 1"
#define FORMAT_TEXT_MAX 64

static bool
refuse(struct err *err, const char *why)
{
	return err_set(err, ERR_SIGNATURE_REFUSED, "%s", why);
}

/* One end of line after it, as an editor or a shell leaves it, is not part of it. */
static struct bytes
without_end(const char *text)
{
	struct bytes bytes = bytes_of_text(text);
	while (bytes.len > 0 &&
		(bytes.data[bytes.len - 1] == '\n' || bytes.data[bytes.len - 1] == '\r'))
		bytes.len--;
	return bytes;
}

static bool
read_statement(
	const char *certificate, const char *public_key, struct buf *statement, struct err *err)
{
	char kid[JWS_KID_MAX + 1], format[FORMAT_TEXT_MAX];
	struct answer value;
	CLEAN(pubkey)
	struct pubkey *pubkey = pubkey_from_pem(bytes_of_text(public_key), err);
	if (pubkey == NULL || !jws_verify(without_end(certificate), pubkey, kid, statement, err))
		return false;
	return (answer_parse(buf_bytes(statement), &value) &&
		       answer_text(answer_member(value, "format"), format, sizeof(format)) &&
		       strcmp(format, FORMAT) == 0) ||
	       refuse(err, "What was signed is no certificate of a purge.");
}

static bool
decode_member(struct answer object, const char *name, struct buf *out)
{
	struct answer value = answer_member(object, name);
	size_t len = 0;
	if (answer_type(value) != '"')
		return false;
	size_t chars = (size_t)(value.end - value.start) - 2; /* base64url has no escapes */
	uint8_t *room = buf_reserve(out, b64_decoded_max(chars));
	if (room == NULL || !b64_decode(value.start + 1, chars, room, &len))
		return false;
	buf_add_len(out, len);
	return true;
}

static bool
is_approval(struct answer approval, struct bytes document, const char *authorities, struct err *err)
{
	int64_t approved = 0;
	size_t signer;
	CLEAN(buf)
	struct buf der, signature;
	buf_init_soft(&der, SIGNATURE_MAX);
	buf_init_soft(&signature, SIGNATURE_MAX);
	if (!decode_member(approval, "certificate", &der) ||
		!decode_member(approval, "signature", &signature) ||
		!answer_int(answer_member(approval, "approved"), &approved))
		return refuse(err, "An approval in the certificate cannot be read.");
	CLEAN(certificate)
	struct certificate *certificate = certificate_parse(buf_bytes(&der), err);
	const struct certificate *signers[] = {certificate};
	return certificate != NULL &&
	       certificate_verify(buf_bytes(&signature), document, signers, 1,
		       bytes_of_text(authorities), approved, &signer, err);
}

/* Every approval is one of the document, by a person whom the authorities vouched for at that time. */
static bool
check_approvals(struct bytes statement, const char *authorities, struct err *err)
{
	struct answer value, approval = {NULL, NULL};
	size_t count = 0;
	CLEAN(buf)
	struct buf document;
	buf_init_soft(&document, DOCUMENT_MAX);
	uint8_t *room = buf_reserve(&document, DOCUMENT_MAX);
	if (room == NULL)
		return err_set(err, ERR_NO_MEMORY, NULL);
	if (!answer_parse(statement, &value) ||
		!answer_text(answer_member(value, "document"), (char *)room, DOCUMENT_MAX))
		return refuse(err, "The document in the certificate cannot be read.");
	struct answer approvals = answer_member(value, "approvals");
	while (answer_type(approval = answer_next(approvals, approval)) == '{') {
		if (!is_approval(approval, bytes_of_text((char *)room), authorities, err))
			return false;
		count++;
	}
	return count > 0 || refuse(err, "Nobody approved what the certificate states.");
}

bool
custody_purge_certificate_verify(const char *certificate, const char *public_key,
	const char *authorities, char **ret_statement, struct custody_error *error)
{
	struct err err = {.code = ERR_NONE};
	CLEAN(buf)
	struct buf statement;
	buf_init_soft(&statement, STATEMENT_MAX);
	if (!read_statement(certificate, public_key, &statement, &err) ||
		(authorities != NULL && !check_approvals(buf_bytes(&statement), authorities, &err)))
		return call_fail(error, &err);
	char *text = strdup(buf_peek(&statement));
	if (text == NULL)
		return call_fail_code(error, ERR_NO_MEMORY, NULL);
	*ret_statement = text;
	return true;
}
