/* Invariant: a half-read key is cleared before an error leaves here. */
#include "privkey_pem.h"

#include <string.h>

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "crypto/libctx.h"

#define PASSWORD_MAX 1024

struct asking {
	privkey_password *password;
	void *ctx;
	struct err *err;
	bool failed; /* *err says why */
};

static int
give_password(char *out, int size, int writing, void *ctx)
{
	struct asking *asking = ctx;
	CLEAN(buf)
	struct buf password;
	(void)writing;
	buf_init(&password, size < PASSWORD_MAX ? (size_t)size : PASSWORD_MAX);
	if (!asking->password(asking->ctx, &password, asking->err)) {
		asking->failed = true;
		return -1;
	}
	memcpy(out, password.data, password.len);
	return (int)password.len;
}

static EVP_PKEY *
parse(struct bytes pem, struct asking *asking)
{
	BIO *input = BIO_new_mem_buf(pem.data, (int)pem.len);
	EVP_PKEY *pkey = input == NULL ? NULL
				       : PEM_read_bio_PrivateKey_ex(input, NULL, give_password,
						 asking, libctx_get()->context, NULL);
	BIO_free(input);
	return pkey;
}

/* `width` 0: as long as the number is. NULL: there is no such part. */
static struct secret *
part(const EVP_PKEY *pkey, const char *name, size_t width)
{
	BIGNUM *number = NULL;
	if (EVP_PKEY_get_bn_param(pkey, name, &number) != 1)
		return NULL;
	size_t len = width > 0 ? width : (size_t)BN_num_bytes(number);
	struct secret *secret = len > 0 ? secret_new(len) : NULL;
	if (secret != NULL && BN_bn2binpad(number, secret_data(secret), (int)len) < 0) {
		secret_free(secret);
		secret = NULL;
	}
	BN_clear_free(number);
	return secret;
}

static struct pubkey *
public_half(const EVP_PKEY *pkey, struct err *err)
{
	uint8_t *der = NULL;
	int len = i2d_PUBKEY(pkey, &der);
	struct pubkey *pubkey = NULL;
	if (len > 0)
		pubkey = pubkey_from_spki((struct bytes){der, (size_t)len}, err);
	else
		(void)libctx_fail(err, "i2d_PUBKEY");
	OPENSSL_free(der);
	return pubkey;
}

static bool
take(const EVP_PKEY *pkey, struct privkey_pem *key, struct err *err)
{
	key->pubkey = public_half(pkey, err);
	if (key->pubkey == NULL)
		return false;
	if (pubkey_get_type(key->pubkey) == PUBKEY_EC) {
		key->d = part(pkey, OSSL_PKEY_PARAM_PRIV_KEY,
			curve_octets(pubkey_get_curve(key->pubkey)));
		return key->d != NULL ||
		       err_set(err, ERR_CLIENT_FILE, "The EC key has no private half.");
	}
	key->d = part(pkey, OSSL_PKEY_PARAM_RSA_D, 0);
	key->p = part(pkey, OSSL_PKEY_PARAM_RSA_FACTOR1, 0);
	key->q = part(pkey, OSSL_PKEY_PARAM_RSA_FACTOR2, 0);
	key->dp = part(pkey, OSSL_PKEY_PARAM_RSA_EXPONENT1, 0);
	key->dq = part(pkey, OSSL_PKEY_PARAM_RSA_EXPONENT2, 0);
	key->qi = part(pkey, OSSL_PKEY_PARAM_RSA_COEFFICIENT1, 0);
	bool whole = key->d != NULL && key->p != NULL && key->q != NULL && key->dp != NULL &&
		     key->dq != NULL && key->qi != NULL;
	return whole || err_set(err, ERR_CLIENT_FILE, "The RSA key is not complete.");
}

bool
privkey_pem_read(struct bytes pem, privkey_password *password, void *ctx,
	struct privkey_pem *ret_key, struct err *err)
{
	struct asking asking = {.password = password, .ctx = ctx, .err = err};
	struct privkey_pem key = {.pubkey = NULL};
	EVP_PKEY *pkey = parse(pem, &asking);
	ERR_clear_error();
	if (pkey == NULL)
		return asking.failed ? false
				     : err_set(err, ERR_CLIENT_FILE,
					       "There is no private key in PEM, or the password "
					       "does not open it.");
	bool taken = take(pkey, &key, err);
	EVP_PKEY_free(pkey);
	ERR_clear_error();
	if (!taken) {
		privkey_pem_clear(&key);
		return false;
	}
	*ret_key = key;
	return true;
}

void
privkey_pem_clear(struct privkey_pem *key)
{
	pubkey_free(key->pubkey);
	secret_free(key->d);
	secret_free(key->p);
	secret_free(key->q);
	secret_free(key->dp);
	secret_free(key->dq);
	secret_free(key->qi);
	*key = (struct privkey_pem){.pubkey = NULL};
}
