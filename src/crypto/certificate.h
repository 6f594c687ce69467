/*
 * X.509 certificates of persons who sign, and their detached CMS signatures (RFC 5652). What may be trusted comes from the caller:
 * the authorities, the certificates that may have signed, the time; nothing of the system's is read.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "crypto/hash.h"

#define CERTIFICATE_MAX         16384 /* octets, PEM or DER */
#define CERTIFICATE_SUBJECT_MAX 256   /* octets of a name's text; longer ones are refused */

struct certificate;

/* One certificate, PEM or DER, nothing after it. ERR_CERTIFICATE_REFUSED: it is none. */
struct certificate *certificate_parse(struct bytes text, struct err *err) MUST_USE;
void certificate_free(struct certificate *certificate);

/* Borrowed until it is freed. */
struct bytes certificate_get_der(const struct certificate *certificate);
const char *certificate_get_subject(
	const struct certificate *certificate);                     /* RFC 2253, printable */
int64_t certificate_expires(const struct certificate *certificate); /* Unix seconds */
void certificate_fingerprint(
	const struct certificate *certificate, uint8_t digest[static HASH_SHA256_LEN]);

/*
 * Whether it is a person's who may sign now: issued under one of `authorities` (PEM, one or more), valid at `now_s`, of no
 * authority itself, with digitalSignature or nonRepudiation among its key usages and, if it says for what else it may
 * be used, with emailProtection (RFC 5280 §4.2.1.3, §4.2.1.12). ERR_CERTIFICATE_REFUSED says what is wrong.
 */
bool certificate_check(const struct certificate *certificate, struct bytes authorities,
	int64_t now_s, struct err *err) MUST_USE;

/*
 * A detached CMS signature, PEM or DER, over exactly `content`: by one signer, whose certificate is one of `signers` (those in
 * the message count only as a path to the authorities) and passes certificate_check(); over signed attributes, with
 * nothing unsigned beside them; with SHA-2. ERR_APPROVAL_REFUSED says which of these does not hold. ret_signer: his index.
 */
bool certificate_verify(struct bytes signature, struct bytes content,
	const struct certificate *const *signers, size_t count, struct bytes authorities,
	int64_t now_s, size_t *ret_signer, struct err *err) MUST_USE;

DEFINE_CLEAN(certificate, struct certificate)
