/* Invariant: no session object made here outlives the function that made it. */
#include "keywrap.h"

#include <string.h>

#include "ck.h"
#include "object.h"
#include "onepart.h"

/*
 * A session object that holds a caller's secret for the time of one call: readable, because the token only gives
 * what it may show; private and of no use, so that nobody does anything else with it meanwhile.
 */
#define TRANSIENT_ATTRIBUTES                                                                       \
	{CKA_CLASS, &class, sizeof(class)}, {CKA_KEY_TYPE, &type, sizeof(type)},                   \
		{CKA_TOKEN, &no, sizeof(no)}, {CKA_PRIVATE, &yes, sizeof(yes)},                    \
		{CKA_SENSITIVE, &no, sizeof(no)}, {CKA_EXTRACTABLE, &yes, sizeof(yes)},            \
		{CKA_ENCRYPT, &no, sizeof(no)}, {CKA_DECRYPT, &no, sizeof(no)},                    \
		{CKA_SIGN, &no, sizeof(no)}, {CKA_VERIFY, &no, sizeof(no)},                        \
		{CKA_WRAP, &no, sizeof(no)}, {CKA_UNWRAP, &no, sizeof(no)},                        \
	{                                                                                          \
		CKA_DERIVE, &no, sizeof(no)                                                        \
	}

static bool
object_create(
	struct session *session, struct bytes value, unsigned long *ret_object, struct err *err)
{
	CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
	CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	CK_KEY_TYPE type = CKK_GENERIC_SECRET;
	CK_ATTRIBUTE attributes[] = {
		TRANSIENT_ATTRIBUTES,
		{CKA_VALUE, (void *)(uintptr_t)value.data,
                  value.len}, /* Cryptoki's templates have no const */
	};
	CK_RV rv = session->ck->C_CreateObject(
		session->handle, attributes, ARRAY_LEN(attributes), ret_object);
	if (rv != CKR_OK)
		return session_fail(session, "C_CreateObject", rv, err);
	return true;
}

static bool
object_unwrap(struct session *session, const struct hsmkey *key, CK_MECHANISM *mechanism,
	struct bytes wrapped, unsigned long *ret_object, struct err *err)
{
	CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
	CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	CK_KEY_TYPE type = CKK_GENERIC_SECRET;
	CK_ATTRIBUTE attributes[] = {TRANSIENT_ATTRIBUTES};
	CK_RV rv = session->ck->C_UnwrapKey(session->handle, mechanism, key->handle,
		(unsigned char *)(uintptr_t)wrapped.data, wrapped.len, attributes,
		ARRAY_LEN(attributes), ret_object);
	if (rv != CKR_OK)
		return session_fail(session, "C_UnwrapKey", rv, err);
	return true;
}

static bool
wrap_by_object(struct session *session, const struct hsmkey *key, CK_MECHANISM *mechanism,
	struct bytes plain, uint8_t *out, size_t *ret_len, struct err *err)
{
	unsigned long object;
	if (!object_create(session, plain, &object, err))
		return false;
	CK_ULONG len = KEYWRAP_CIPHER_MAX;
	CK_RV rv =
		session->ck->C_WrapKey(session->handle, mechanism, key->handle, object, out, &len);
	object_destroy_transient(session, object);
	if (rv != CKR_OK)
		return session_fail(session, "C_WrapKey", rv, err);
	if (len > KEYWRAP_CIPHER_MAX)
		return session_impossible(session, "C_WrapKey", err);
	*ret_len = len;
	return true;
}

static bool
unwrap_by_object(struct session *session, const struct hsmkey *key, CK_MECHANISM *mechanism,
	struct bytes wrapped, struct secret *plain, size_t *ret_len, struct err *err)
{
	unsigned long object;
	if (!object_unwrap(session, key, mechanism, wrapped, &object, err))
		return false;
	bool read = object_get(
		session, object, CKA_VALUE, secret_data(plain), secret_len(plain), ret_len, err);
	object_destroy_transient(session, object);
	return read;
}

static bool
plain_len_valid(enum mech mech, size_t len)
{
	if (mech_get(mech)->use == MECH_USE_KWP)
		return len >= 1 && len <= KEYWRAP_PLAIN_MAX;
	return len >= KEYWRAP_PLAIN_MIN && len <= KEYWRAP_PLAIN_MAX && len % KEYWRAP_BLOCK == 0;
}

static size_t
wrapped_len(size_t plain_len)
{
	return (plain_len + KEYWRAP_BLOCK - 1) / KEYWRAP_BLOCK * KEYWRAP_BLOCK + KEYWRAP_BLOCK;
}

/* A token that returns the padding with the key (threat A20) is refused by its own trial; this is the second fence. */
static bool
opened_len_valid(enum mech mech, size_t wrapped, size_t plain)
{
	return plain_len_valid(mech, plain) && wrapped_len(plain) == wrapped;
}

struct secret *
keywrap_unwrap(struct session *session, const struct hsmkey *key, enum mech mech,
	enum mech_service service, struct bytes wrapped, struct err *err)
{
	if (wrapped.len < 2 * KEYWRAP_BLOCK || wrapped.len > KEYWRAP_CIPHER_MAX ||
		wrapped.len % KEYWRAP_BLOCK != 0) {
		(void)err_set(err, ERR_BAD_CIPHERTEXT, NULL);
		return NULL;
	}
	CLEAN(secret)
	struct secret *plain = secret_new(KEYWRAP_CIPHER_MAX);
	if (plain == NULL) {
		(void)err_set(err, ERR_NO_MEMORY, NULL);
		return NULL;
	}
	CK_MECHANISM mechanism = {mech_get(mech)->ckm, NULL, 0};
	size_t len = 0;
	bool opened =
		service == MECH_NATIVE
			? onepart_decrypt(session, &mechanism, key->handle, wrapped,
				  secret_data(plain), KEYWRAP_CIPHER_MAX, &len, err)
			: unwrap_by_object(session, key, &mechanism, wrapped, plain, &len, err);
	if (!opened) {
		(void)onepart_settle(session, err);
		return NULL;
	}
	if (!opened_len_valid(mech, wrapped.len, len)) {
		(void)err_set(err, ERR_BAD_CIPHERTEXT, NULL);
		return NULL;
	}
	secret_truncate(plain, len);
	struct secret *opened_key = plain;
	plain = NULL;
	return opened_key;
}

/* What a token wrapped wrongly would be noticed only when it is needed. */
static bool
opens_again(struct session *session, const struct hsmkey *key, enum mech mech,
	enum mech_service service, struct bytes wrapped, struct bytes plain, struct err *err)
{
	CLEAN(secret)
	struct secret *again = keywrap_unwrap(session, key, mech, service, wrapped, err);
	if (again != NULL && secret_len(again) == plain.len &&
		secret_equal_bytes(secret_peek(again), plain.data, plain.len))
		return true;
	if (again == NULL && err_class(err->code) != ERR_CLASS_BAD)
		return false;
	(void)err_set(err, ERR_UNAVAILABLE, NULL);
	return err_origin(err, "C_WrapKey: the wrapping does not open");
}

bool
keywrap_wrap(struct session *session, const struct hsmkey *key, enum mech mech,
	enum mech_service service, struct bytes plain, uint8_t out[static KEYWRAP_CIPHER_MAX],
	size_t *ret_len, struct err *err)
{
	if (!plain_len_valid(mech, plain.len))
		return err_set(err, ERR_BAD_PARAMETER, "%s takes %s, not %zu octets.",
			mech_get(mech)->name,
			mech_get(mech)->use == MECH_USE_KWP ? "1 to 64 octets"
							    : "16 to 64 octets in multiples of 8",
			plain.len);
	CK_MECHANISM mechanism = {mech_get(mech)->ckm, NULL, 0};
	size_t len;
	bool made = service == MECH_NATIVE
			    ? onepart_encrypt(session, &mechanism, key->handle, plain, out,
				      KEYWRAP_CIPHER_MAX, &len, err)
			    : wrap_by_object(session, key, &mechanism, plain, out, &len, err);
	if (!made)
		return false;
	if (len != wrapped_len(plain.len))
		return session_impossible(session, "C_WrapKey", err);
	if (!opens_again(session, key, mech, service, (struct bytes){out, len}, plain, err))
		return false;
	*ret_len = len;
	return true;
}
