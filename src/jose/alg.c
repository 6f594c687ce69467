/* Invariant: every answer is a column of alg.tbl or kty.tbl; nothing about an algorithm is known elsewhere. */
#include "alg.h"

#include <assert.h>
#include <string.h>

struct row {
	const char *name;
	enum alg_scheme scheme;
	enum alg_key key;
	unsigned bits;
	enum curve curve;
	enum hash hash;
	unsigned ops;
	unsigned served;
	const char *source;
};

static const struct row rows[ALG_COUNT] = {
#define ALG(symbol, name, scheme, key, size, curve, hash, ops, served, source)                     \
	[ALG_##symbol] = {name, ALG_SCHEME_##scheme, ALG_KEY_##key, size, CURVE_##curve,           \
		HASH_##hash, ops, served, source},
#include "jose/alg.tbl"
};

struct kty_row {
	const char *name;
	enum alg_key key;
};

static const struct kty_row kty_rows[KTY_COUNT] = {
#define KTY(symbol, name, key) [KTY_##symbol] = {name, ALG_KEY_##key},
#include "jose/kty.tbl"
};

struct word {
	const char *text; /* RFC 7517 §4.3 */
	enum alg_op op;
};

static const struct word words[] = {
	{"encrypt",   ALG_ENCRYPT},
	{"decrypt",   ALG_DECRYPT},
	{"sign",      ALG_SIGN   },
	{"verify",    ALG_VERIFY },
	{"wrapKey",   ALG_WRAP   },
	{"unwrapKey", ALG_UNWRAP },
};

static const struct row *
row_of(enum alg alg)
{
	assert(alg > ALG_NONE && alg < ALG_COUNT);
	return &rows[alg];
}

enum alg
alg_find(const char *name)
{
	for (enum alg alg = ALG_NONE + 1; alg < ALG_COUNT; alg++)
		if (strcmp(rows[alg].name, name) == 0)
			return alg;
	return ALG_NONE;
}

const char *
alg_name(enum alg alg)
{
	return row_of(alg)->name;
}

enum alg_scheme
alg_get_scheme(enum alg alg)
{
	return row_of(alg)->scheme;
}

enum alg_key
alg_get_key(enum alg alg)
{
	return row_of(alg)->key;
}

unsigned
alg_key_bits(enum alg alg)
{
	return row_of(alg)->bits;
}

enum curve
alg_get_curve(enum alg alg)
{
	return row_of(alg)->curve;
}

enum hash
alg_get_hash(enum alg alg)
{
	return row_of(alg)->hash;
}

size_t
alg_digest_len(enum alg alg)
{
	const struct row *row = row_of(alg);
	return (row->ops & ALG_SIGN) != 0 ? hash_len(row->hash) : 0;
}

unsigned
alg_ops(enum alg alg)
{
	return row_of(alg)->ops;
}

unsigned
alg_served_ops(enum alg alg)
{
	return row_of(alg)->served;
}

const char *
alg_source(enum alg alg)
{
	return row_of(alg)->source;
}

bool
alg_fits(enum alg alg, enum alg_key key, unsigned bits, enum curve curve)
{
	const struct row *row = row_of(alg);
	if (row->key != key)
		return false;
	if (row->curve != CURVE_NONE)
		return row->curve == curve;
	if (row->scheme == ALG_SCHEME_HMAC)
		return bits >= 8 * hash_len(row->hash); /* RFC 7518 §3.2 */
	return row->bits == 0 || row->bits == bits;
}

enum kty
kty_find(const char *name)
{
	for (enum kty kty = KTY_NONE + 1; kty < KTY_COUNT; kty++)
		if (strcmp(kty_rows[kty].name, name) == 0)
			return kty;
	return KTY_NONE;
}

static const struct kty_row *
kty_row_of(enum kty kty)
{
	assert(kty > KTY_NONE && kty < KTY_COUNT);
	return &kty_rows[kty];
}

const char *
kty_name(enum kty kty)
{
	return kty_row_of(kty)->name;
}

enum alg_key
kty_key(enum kty kty)
{
	return kty_row_of(kty)->key;
}

enum alg_op
alg_op_find(const char *word)
{
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcmp(words[i].text, word) == 0)
			return words[i].op;
	return 0;
}

const char *
alg_op_word(enum alg_op op)
{
	const char *text = NULL;
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (words[i].op == op)
			text = words[i].text;
	assert(text != NULL);
	return text;
}

unsigned
alg_key_ops(enum alg_key key)
{
	unsigned ops = 0;
	for (enum alg alg = ALG_NONE + 1; alg < ALG_COUNT; alg++)
		if (rows[alg].key == key)
			ops |= rows[alg].served;
	return ops;
}
