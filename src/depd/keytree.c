/* Invariant: every wrap and every context says its kind, so that no octets of one kind are ever taken for another. */
#include "keytree.h"

#include <assert.h>
#include <string.h>

#include "crypto/hash.h"
#include "crypto/kdf.h"
#include "crypto/random.h"

#define FORMAT       1
#define CONTEXT_MAX  1024
#define CHECK_INFO   "custody-dep check"
#define CONTEXT_HEAD "custody-dep"

enum kind { /* numbers are in associated data: never renumbered */
	KIND_SCOPE_KEY = 1,
	KIND_DATA_KEY = 2,
	KIND_ENVELOPE = 3,
	KIND_CHECK = 4,
};

_Static_assert(KEYTREE_WRAPPED_LEN == DEP_TOKEN_WRAP_LEN, "a data key's wrap is one of the tree");

static void
put_number(struct buf *out, uint64_t number, size_t octets)
{
	for (size_t i = octets; i > 0; i--) {
		uint8_t octet = (uint8_t)(number >> (8 * (i - 1)));
		(void)buf_append(out, &octet, 1); /* overflow is looked at by the caller, once */
	}
}

static void
put_field(struct buf *out, const void *data, size_t len)
{
	put_number(out, len, 2);
	(void)buf_append(out, data, len);
}

static void
put_text(struct buf *out, const char *text)
{
	put_field(out, text, strlen(text));
}

static void
put_kind(struct buf *out, enum kind kind)
{
	(void)buf_append(out, CONTEXT_HEAD, sizeof(CONTEXT_HEAD)); /* with its NUL */
	put_number(out, FORMAT, 1);
	put_number(out, kind, 1);
}

static void
put_generation(struct buf *out, const struct keytree_generation *generation)
{
	assert(strlen(generation->organization) <= KEYTREE_ORG_MAX);
	put_text(out, generation->organization);
	put_field(out, generation->policy, KEYTREE_GUID_LEN);
	put_field(out, generation->generation, KEYTREE_GUID_LEN);
	put_number(out, 8, 2);
	put_number(out, generation->number, 8);
}

static void
put_scope(struct buf *out, enum keytree_scope_kind kind, const char *id, const uint8_t *scope_key)
{
	assert(strlen(id) > 0 && strlen(id) <= KEYTREE_SCOPE_ID_MAX);
	put_number(out, 1, 2);
	put_number(out, kind, 1);
	put_text(out, id);
	put_field(out, scope_key, KEYTREE_GUID_LEN);
}

static struct bytes
scope_context(struct buf *out, const struct keytree_generation *generation,
	const struct keytree_scope *scope)
{
	put_kind(out, KIND_SCOPE_KEY);
	put_generation(out, generation);
	put_scope(out, scope->kind, scope->id, scope->key_id);
	assert(!out->overflow);
	return buf_bytes(out);
}

static struct bytes
data_context(struct buf *out, const char *organization, const struct dep_token *token)
{
	put_kind(out, KIND_DATA_KEY);
	put_text(out, organization);
	put_scope(out, token->kind, token->id, token->scope_key);
	put_field(out, token->data_key, KEYTREE_GUID_LEN);
	assert(!out->overflow);
	return buf_bytes(out);
}

struct xaes *
keytree_open_key(const struct secret *key, struct err *err)
{
	return xaes_new(key, err);
}

void
keytree_envelope_context(const struct keytree_generation *generation, struct buf *context)
{
	put_kind(context, KIND_ENVELOPE);
	put_generation(context, generation);
	assert(!context->overflow);
}

bool
keytree_check_value(const struct secret *dep_key, const struct keytree_generation *generation,
	uint8_t check[static KEYTREE_CHECK_LEN], struct err *err)
{
	CLEAN(buf)
	struct buf salt;
	buf_init(&salt, CONTEXT_MAX);
	put_kind(&salt, KIND_CHECK);
	put_generation(&salt, generation);
	assert(!salt.overflow);
	return kdf_hkdf(HASH_SHA512, secret_bytes(dep_key), buf_bytes(&salt),
		bytes_of_text(CHECK_INFO), check, KEYTREE_CHECK_LEN, err);
}

/* ---- wrapping: nonce ‖ ciphertext ‖ tag ---- */

static bool
wrap(struct xaes *parent, struct bytes context, const uint8_t *key,
	uint8_t wrapped[static KEYTREE_WRAPPED_LEN], struct err *err)
{
	uint8_t *sealed = wrapped + XAES_NONCE_LEN;
	random_bytes(wrapped, XAES_NONCE_LEN);
	return xaes_seal(parent, wrapped, context, (struct bytes){key, KEYTREE_KEY_LEN}, sealed,
		sealed + KEYTREE_KEY_LEN, err);
}

static bool
unwrap(struct xaes *parent, struct bytes context, const uint8_t wrapped[static KEYTREE_WRAPPED_LEN],
	uint8_t *key, struct err *err)
{
	const uint8_t *sealed = wrapped + XAES_NONCE_LEN;
	return xaes_open(parent, wrapped, context, (struct bytes){sealed, KEYTREE_KEY_LEN},
		sealed + KEYTREE_KEY_LEN, key, err);
}

bool
keytree_wrap_scope(struct xaes *dep_key, const struct keytree_generation *generation,
	const struct keytree_scope *scope, const struct secret *scope_key,
	uint8_t wrapped[static KEYTREE_WRAPPED_LEN], struct err *err)
{
	CLEAN(buf)
	struct buf context;
	buf_init(&context, CONTEXT_MAX);
	assert(secret_len(scope_key) == KEYTREE_KEY_LEN);
	return wrap(dep_key, scope_context(&context, generation, scope), secret_peek(scope_key),
		wrapped, err);
}

struct secret *
keytree_unwrap_scope(struct xaes *dep_key, const struct keytree_generation *generation,
	const struct keytree_scope *scope, const uint8_t wrapped[static KEYTREE_WRAPPED_LEN],
	struct err *err)
{
	CLEAN(buf)
	struct buf context;
	buf_init(&context, CONTEXT_MAX);
	CLEAN(secret)
	struct secret *key = secret_new(KEYTREE_KEY_LEN);
	if (key == NULL) {
		(void)err_set(err, ERR_NO_MEMORY, NULL);
		return NULL;
	}
	if (!unwrap(dep_key, scope_context(&context, generation, scope), wrapped, secret_data(key),
		    err)) {
		if (err->code == ERR_BAD_CIPHERTEXT)
			(void)err_set(err, ERR_WRAPPED_KEY_INTEGRITY, NULL);
		return NULL;
	}
	struct secret *opened = key;
	key = NULL;
	return opened;
}

bool
keytree_wrap_data(struct xaes *scope_key, const char *organization, struct dep_token *token,
	const uint8_t data_key[static KEYTREE_KEY_LEN], struct err *err)
{
	CLEAN(buf)
	struct buf context;
	buf_init(&context, CONTEXT_MAX);
	return wrap(scope_key, data_context(&context, organization, token), data_key,
		token->wrapped, err);
}

bool
keytree_unwrap_data(struct xaes *scope_key, const char *organization, const struct dep_token *token,
	uint8_t data_key[static KEYTREE_KEY_LEN], struct err *err)
{
	CLEAN(buf)
	struct buf context;
	buf_init(&context, CONTEXT_MAX);
	return unwrap(scope_key, data_context(&context, organization, token), token->wrapped,
		data_key, err);
}
