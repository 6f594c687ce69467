/* Invariant: an object of libcrypto is made in our own context, so that what it does is decided by nobody's configuration. */
#include "certificate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/pem.h> /* before cms.h, which then knows of PEM */

#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "crypto/libctx.h"

#define AUTH_LEVEL 2 /* 112 bits: no SHA-1, no RSA below 2048 (SSL_CTX_set_security_level(3ssl)) */

static const char pem_head[] = "-----BEGIN ";

struct certificate {
	X509 *x509;
	uint8_t *der;
	size_t der_len;
	char subject[CERTIFICATE_SUBJECT_MAX + 1];
	int64_t expires;
};

static bool
is_pem(struct bytes text)
{
	return text.len >= sizeof(pem_head) - 1 &&
	       memcmp(text.data, pem_head, sizeof(pem_head) - 1) == 0;
}

/* ---- one certificate ---- */

static bool
refuse(struct err *err, const char *what)
{
	unsigned long error = ERR_peek_last_error();
	const char *reason = ERR_reason_error_string(error);
	(void)err_set(err, ERR_CERTIFICATE_REFUSED, "%s", what);
	(void)err_origin(err, "%s", reason != NULL ? reason : "no reason given");
	ERR_clear_error();
	return false;
}

static X509 *
new_x509(void)
{
	X509 *x509 = X509_new_ex(libctx_get()->context, NULL);
	if (x509 == NULL)
		abort();
	return x509;
}

/* Frees what it was given on failure, as libcrypto does. */
static bool
read_x509(struct bytes text, X509 **io_x509)
{
	if (!is_pem(text)) {
		const unsigned char *at = text.data;
		return d2i_X509(io_x509, &at, (long)text.len) != NULL && at == text.data + text.len;
	}
	BIO *bio = BIO_new_mem_buf(text.data, (int)text.len);
	bool done = bio != NULL && PEM_read_bio_X509(bio, io_x509, NULL, NULL) != NULL;
	BIO_free(bio);
	return done;
}

static bool
read_time(const ASN1_TIME *text, int64_t *ret_s)
{
	struct tm tm;
	if (ASN1_TIME_to_tm(text, &tm) != 1)
		return false;
	*ret_s = (int64_t)timegm(&tm);
	return true;
}

static bool
read_subject(const X509 *x509, char *subject, size_t size)
{
	BIO *bio = BIO_new(BIO_s_mem());
	if (bio == NULL)
		abort();
	char *text;
	bool done = X509_NAME_print_ex(bio, X509_get_subject_name(x509), 0,
			    XN_FLAG_RFC2253 | ASN1_STRFLGS_ESC_CTRL | ASN1_STRFLGS_ESC_MSB) >= 0;
	long len = BIO_get_mem_data(bio, &text);
	done = done && len > 0 && (size_t)len < size;
	if (done)
		(void)snprintf(subject, size, "%.*s", (int)len, text);
	BIO_free(bio);
	return done;
}

struct certificate *
certificate_parse(struct bytes text, struct err *err)
{
	struct certificate *certificate = calloc(1, sizeof(*certificate));
	if (certificate == NULL)
		abort();
	certificate->x509 = new_x509();
	int len = -1;
	bool done = text.len > 0 && text.len <= CERTIFICATE_MAX &&
		    read_x509(text, &certificate->x509) &&
		    read_time(X509_get0_notAfter(certificate->x509), &certificate->expires) &&
		    read_subject(certificate->x509, certificate->subject,
			    sizeof(certificate->subject)) &&
		    (len = i2d_X509(certificate->x509, &certificate->der)) > 0;
	if (!done) {
		(void)refuse(err, "This is no X.509 certificate with a name, in PEM or DER.");
		certificate_free(certificate);
		return NULL;
	}
	certificate->der_len = (size_t)len;
	return certificate;
}

void
certificate_free(struct certificate *certificate)
{
	if (certificate == NULL)
		return;
	X509_free(certificate->x509);
	OPENSSL_free(certificate->der);
	free(certificate);
}

struct bytes
certificate_get_der(const struct certificate *certificate)
{
	return (struct bytes){certificate->der, certificate->der_len};
}

const char *
certificate_get_subject(const struct certificate *certificate)
{
	return certificate->subject;
}

int64_t
certificate_expires(const struct certificate *certificate)
{
	return certificate->expires;
}

void
certificate_fingerprint(
	const struct certificate *certificate, uint8_t digest[static HASH_SHA256_LEN])
{
	hash_sha256(certificate->der, certificate->der_len, digest);
}

/* ---- whether it may sign ---- */

/* NULL: none of the authorities could be read. */
static X509_STORE *
new_store(struct bytes authorities, int64_t now_s)
{
	X509_STORE *store = X509_STORE_new();
	BIO *bio = BIO_new_mem_buf(authorities.data, (int)authorities.len);
	if (store == NULL || bio == NULL)
		abort();
	size_t count = 0;
	X509 *x509 = new_x509();
	while (PEM_read_bio_X509(bio, &x509, NULL, NULL) != NULL) {
		count += X509_STORE_add_cert(store, x509) == 1 ? 1 : 0;
		X509_free(x509);
		x509 = new_x509();
	}
	X509_free(x509);   /* the one that found no text */
	ERR_clear_error(); /* its end */
	BIO_free(bio);
	X509_VERIFY_PARAM *param = X509_STORE_get0_param(store);
	X509_VERIFY_PARAM_set_time(param, (time_t)now_s);
	X509_VERIFY_PARAM_set_auth_level(param, AUTH_LEVEL);
	if (count > 0)
		return store;
	X509_STORE_free(store);
	return NULL;
}

static bool
check_usage(X509 *x509, struct err *err)
{
	uint32_t usage = X509_get_key_usage(x509);
	if (X509_check_ca(x509) != 0)
		return refuse(err, "The certificate is an authority's, not a person's.");
	if (usage == UINT32_MAX || (usage & (KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION)) == 0)
		return refuse(err, "The certificate's key usage does not allow signatures "
				   "(digitalSignature or nonRepudiation).");
	return true;
}

static bool
check_chain(X509_STORE *store, X509 *x509, struct err *err)
{
	X509_STORE_CTX *ctx = X509_STORE_CTX_new_ex(libctx_get()->context, NULL);
	if (ctx == NULL || X509_STORE_CTX_init(ctx, store, x509, NULL) != 1 ||
		X509_STORE_CTX_set_default(ctx, "smime_sign") != 1)
		abort();
	bool valid = X509_verify_cert(ctx) == 1;
	const char *why = X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx));
	if (!valid)
		(void)err_set(err, ERR_CERTIFICATE_REFUSED,
			"The certificate does not count (chain, purpose or time): %.120s.", why);
	X509_STORE_CTX_free(ctx);
	ERR_clear_error();
	return valid;
}

bool
certificate_check(const struct certificate *certificate, struct bytes authorities, int64_t now_s,
	struct err *err)
{
	if (!check_usage(certificate->x509, err))
		return false;
	X509_STORE *store = new_store(authorities, now_s);
	if (store == NULL)
		return refuse(err, "There is no authority's certificate to check it with.");
	bool valid = check_chain(store, certificate->x509, err);
	X509_STORE_free(store);
	return valid;
}

/* ---- signatures ---- */

static bool
no_approval(struct err *err, const char *what)
{
	(void)refuse(err, what);
	err->code = ERR_APPROVAL_REFUSED;
	return false;
}

static CMS_ContentInfo *
read_cms(struct bytes text, struct err *err)
{
	CMS_ContentInfo *cms = CMS_ContentInfo_new_ex(libctx_get()->context, NULL);
	if (cms == NULL)
		abort();
	bool done = false;
	if (is_pem(text)) {
		BIO *bio = BIO_new_mem_buf(text.data, (int)text.len);
		done = bio != NULL && PEM_read_bio_CMS(bio, &cms, NULL, NULL) != NULL;
		BIO_free(bio);
	} else if (text.len > 0) {
		const unsigned char *at = text.data;
		done = d2i_CMS_ContentInfo(&cms, &at, (long)text.len) != NULL &&
		       at == text.data + text.len;
	}
	if (done)
		return cms;
	(void)no_approval(err, "This is no CMS signature in PEM or DER.");
	CMS_ContentInfo_free(cms);
	return NULL;
}

static bool
is_sha2(const X509_ALGOR *algorithm)
{
	const ASN1_OBJECT *object;
	X509_ALGOR_get0(&object, NULL, NULL, algorithm);
	int nid = OBJ_obj2nid(object);
	return nid == NID_sha256 || nid == NID_sha384 || nid == NID_sha512;
}

/* The one signer of a message of the form that we take; NULL: err. */
static CMS_SignerInfo *
check_form(CMS_ContentInfo *cms, struct err *err)
{
	if (OBJ_obj2nid(CMS_get0_type(cms)) != NID_pkcs7_signed || CMS_is_detached(cms) != 1) {
		(void)no_approval(err, "The signature must be a detached one, without content.");
		return NULL;
	}
	STACK_OF(CMS_SignerInfo) *infos = CMS_get0_SignerInfos(cms);
	if (sk_CMS_SignerInfo_num(infos) != 1) {
		(void)no_approval(err, "The signature must be of exactly one person.");
		return NULL;
	}
	CMS_SignerInfo *info = sk_CMS_SignerInfo_value(infos, 0);
	X509_ALGOR *digest;
	CMS_SignerInfo_get0_algs(info, NULL, NULL, &digest, NULL);
	if (!is_sha2(digest)) {
		(void)no_approval(err, "The signature must be made with SHA-256 or longer.");
		return NULL;
	}
	if (CMS_signed_get_attr_count(info) <= 0 || CMS_unsigned_get_attr_count(info) > 0) {
		(void)no_approval(err,
			"The signature must have signed attributes, and none that is not signed.");
		return NULL;
	}
	return info;
}

static bool
find_signer(CMS_SignerInfo *info, const struct certificate *const *signers, size_t count,
	size_t *ret_signer)
{
	for (size_t i = 0; i < count; i++) {
		if (CMS_SignerInfo_cert_cmp(info, signers[i]->x509) == 0) {
			*ret_signer = i;
			return true;
		}
	}
	return false;
}

static bool
verify_by(CMS_ContentInfo *cms, struct bytes content, X509 *signer, X509_STORE *store,
	struct err *err)
{
	STACK_OF(X509) *stack = sk_X509_new_null();
	BIO *bio = BIO_new_mem_buf(content.data, (int)content.len);
	if (stack == NULL || bio == NULL || sk_X509_push(stack, signer) <= 0)
		abort();
	/* CMS_NOINTERN: the signer is the registered certificate itself, not one that came along. */
	bool valid = CMS_verify(cms, stack, store, bio, NULL,
			     CMS_BINARY | CMS_DETACHED | CMS_NOINTERN) == 1;
	BIO_free(bio);
	sk_X509_free(stack);
	return valid ||
	       no_approval(err, "The signature is not one of this document by a person who may "
				"approve now (digest, chain, purpose or time).");
}

bool
certificate_verify(struct bytes signature, struct bytes content,
	const struct certificate *const *signers, size_t count, struct bytes authorities,
	int64_t now_s, size_t *ret_signer, struct err *err)
{
	size_t signer = 0;
	CMS_ContentInfo *cms = read_cms(signature, err);
	if (cms == NULL)
		return false;
	CMS_SignerInfo *info = check_form(cms, err);
	X509_STORE *store = info != NULL ? new_store(authorities, now_s) : NULL;
	bool valid = false;
	if (info != NULL && store == NULL)
		(void)no_approval(err, "There is no authority's certificate to check it with.");
	else if (info != NULL && !find_signer(info, signers, count, &signer))
		(void)no_approval(
			err, "The signature is of nobody who is registered as an approver.");
	else if (info != NULL)
		valid = certificate_check(signers[signer], authorities, now_s, err) &&
			verify_by(cms, content, signers[signer]->x509, store, err);
	if (!valid)
		err->code = ERR_APPROVAL_REFUSED; /* whatever of it */
	X509_STORE_free(store);
	CMS_ContentInfo_free(cms);
	if (valid)
		*ret_signer = signer;
	return valid;
}
