/* Public keys as PEM text. Invariant: what is read goes through pubkey_from_spki() like every other. */
#include "pubkey.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#define LABEL "PUBLIC KEY"

struct pubkey *
pubkey_from_pem(struct bytes text, struct err *err)
{
	char *name = NULL, *header = NULL;
	unsigned char *der = NULL;
	long len = 0;
	BIO *bio = BIO_new_mem_buf(text.data, (int)text.len);
	if (bio == NULL)
		abort();
	struct pubkey *pubkey = NULL;
	if (text.len > 0 && PEM_read_bio(bio, &name, &header, &der, &len) == 1 &&
		strcmp(name, LABEL) == 0 && header[0] == '\0')
		pubkey = pubkey_from_spki((struct bytes){der, (size_t)len}, err);
	else
		(void)err_set(err, ERR_BAD_PARAMETER, "The public key is not PEM text of one.");
	OPENSSL_free(name);
	OPENSSL_free(header);
	OPENSSL_free(der);
	BIO_free(bio);
	ERR_clear_error();
	return pubkey;
}

void
pubkey_to_pem(const struct pubkey *pubkey, struct buf *out)
{
	struct bytes der = pubkey_get_spki(pubkey);
	char *text;
	BIO *bio = BIO_new(BIO_s_mem());
	if (bio == NULL || PEM_write_bio(bio, LABEL, "", der.data, (long)der.len) <= 0)
		abort();
	long len = BIO_get_mem_data(bio, &text);
	(void)buf_append(out, text, (size_t)len);
	BIO_free(bio);
}
