/* Invariant: every number here is in the secure heap, and so are the temporaries of libcrypto. */
#include "privkey.h"

#include <string.h>

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/objects.h>

#include "crypto/libctx.h"

enum part { PART_D, PART_P, PART_Q, PART_DP, PART_DQ, PART_QI, PART_COUNT };

struct rsa {
	BN_CTX *ctx;
	BIGNUM *n, *e;
	BIGNUM *parts[PART_COUNT];
	BIGNUM *a, *b; /* scratch */
};

static BIGNUM *
secure_number(struct bytes octets)
{
	BIGNUM *number = BN_secure_new();
	if (number == NULL || BN_bin2bn(octets.data, (int)octets.len, number) == NULL) {
		BN_clear_free(number);
		return NULL;
	}
	BN_set_flags(number, BN_FLG_CONSTTIME);
	return number;
}

static void
rsa_clear(struct rsa *rsa)
{
	for (size_t i = 0; i < PART_COUNT; i++)
		BN_clear_free(rsa->parts[i]);
	BN_clear_free(rsa->a);
	BN_clear_free(rsa->b);
	BN_free(rsa->n);
	BN_free(rsa->e);
	BN_CTX_free(rsa->ctx);
	ERR_clear_error();
}

static bool
rsa_load(struct rsa *rsa, const struct pubkey *pubkey, const struct privkey_rsa *private)
{
	const struct bytes octets[PART_COUNT] = {
		[PART_D] = private->d,
		[PART_P] = private->p,
		[PART_Q] = private->q,
		[PART_DP] = private->dp,
		[PART_DQ] = private->dq,
		[PART_QI] = private->qi,
	};
	bool whole = true;
	rsa->ctx = BN_CTX_secure_new_ex(libctx_get()->context);
	rsa->n = secure_number(pubkey_get_n(pubkey));
	rsa->e = secure_number(pubkey_get_e(pubkey));
	rsa->a = BN_secure_new();
	rsa->b = BN_secure_new();
	for (size_t i = 0; i < PART_COUNT; i++) {
		rsa->parts[i] = secure_number(octets[i]);
		whole = whole && rsa->parts[i] != NULL;
	}
	return whole && rsa->ctx != NULL && rsa->n != NULL && rsa->e != NULL && rsa->a != NULL &&
	       rsa->b != NULL;
}

static bool
wrong(struct err *err, const char *what)
{
	return err_set(err, ERR_BAD_PARAMETER, "The RSA private key is not sound: %s.", what);
}

/* FIPS 186-5 A.1.3: primes of half the size each, further apart than the 100th bit of them (against Fermat's method). */
static bool
factors_fit(struct rsa *rsa, struct err *err)
{
	const BIGNUM *p = rsa->parts[PART_P], *q = rsa->parts[PART_Q];
	int half = BN_num_bits(rsa->n) / 2;
	if (BN_num_bits(p) != half || BN_num_bits(q) != half || !BN_is_odd(p) || !BN_is_odd(q))
		return wrong(err, "p and q are not odd numbers of half the modulus' length");
	if (BN_mul(rsa->a, p, q, rsa->ctx) != 1)
		return libctx_fail(err, "BN_mul");
	if (BN_cmp(rsa->a, rsa->n) != 0)
		return wrong(err, "n is not p times q");
	if (BN_sub(rsa->a, p, q) != 1)
		return libctx_fail(err, "BN_sub");
	if (BN_num_bits(rsa->a) <= half - 100)
		return wrong(err, "p and q are too close to each other");
	return true;
}

/* The exponent of one prime: d modulo prime - 1, and inverse to e there. */
static bool
exponent_fits(struct rsa *rsa, enum part prime, enum part exponent, struct err *err)
{
	if (BN_copy(rsa->b, rsa->parts[prime]) == NULL || BN_sub_word(rsa->b, 1) != 1 ||
		BN_nnmod(rsa->a, rsa->parts[PART_D], rsa->b, rsa->ctx) != 1)
		return libctx_fail(err, "BN_nnmod");
	if (BN_cmp(rsa->a, rsa->parts[exponent]) != 0)
		return wrong(err, "dp or dq does not follow from d");
	if (BN_mod_mul(rsa->a, rsa->parts[PART_D], rsa->e, rsa->b, rsa->ctx) != 1)
		return libctx_fail(err, "BN_mod_mul");
	return BN_is_one(rsa->a) || wrong(err, "d is not the inverse of e");
}

/* d at least half as long as n, as SP 800-56B §6.2.1 wants, against Wiener's attack. */
static bool
exponents_fit(struct rsa *rsa, struct err *err)
{
	const BIGNUM *d = rsa->parts[PART_D], *qi = rsa->parts[PART_QI];
	if (BN_cmp(d, rsa->n) >= 0 || BN_num_bits(d) <= BN_num_bits(rsa->n) / 2)
		return wrong(err, "d is too short or too long");
	if (!exponent_fits(rsa, PART_P, PART_DP, err) || !exponent_fits(rsa, PART_Q, PART_DQ, err))
		return false;
	if (BN_mod_mul(rsa->a, qi, rsa->parts[PART_Q], rsa->parts[PART_P], rsa->ctx) != 1)
		return libctx_fail(err, "BN_mod_mul");
	return (BN_cmp(qi, rsa->parts[PART_P]) < 0 && BN_is_one(rsa->a)) ||
	       wrong(err, "qi is not the inverse of q");
}

static bool
factors_prime(struct rsa *rsa, struct err *err)
{
	static const enum part primes[] = {PART_P, PART_Q};
	for (size_t i = 0; i < ARRAY_LEN(primes); i++) {
		int prime = BN_check_prime(rsa->parts[primes[i]], rsa->ctx, NULL);
		if (prime < 0)
			return libctx_fail(err, "BN_check_prime");
		if (prime == 0)
			return wrong(err, "p or q is not prime");
	}
	return true;
}

bool
privkey_check_rsa(const struct pubkey *pubkey, const struct privkey_rsa *private, struct err *err)
{
	struct rsa rsa = {0};
	bool loaded = rsa_load(&rsa, pubkey, private) || err_set(err, ERR_NO_MEMORY, NULL);
	bool sound = loaded && factors_fit(&rsa, err) && exponents_fit(&rsa, err) &&
		     pubkey_check(pubkey, err) && factors_prime(&rsa, err);
	rsa_clear(&rsa);
	return sound;
}

/* d times the generator, as 04 ‖ x ‖ y. false: d is out of range, or libcrypto failed. */
static bool
multiply(enum curve curve, const BIGNUM *d, BN_CTX *ctx, uint8_t point[static CURVE_POINT_MAX])
{
	EC_GROUP *group = EC_GROUP_new_by_curve_name_ex(
		libctx_get()->context, NULL, OBJ_sn2nid(curve_library_name(curve)));
	EC_POINT *product = group == NULL ? NULL : EC_POINT_new(group);
	size_t len = 1 + 2 * curve_octets(curve);
	bool made = product != NULL && !BN_is_zero(d) &&
		    BN_cmp(d, EC_GROUP_get0_order(group)) < 0 &&
		    EC_POINT_mul(group, product, d, NULL, NULL, ctx) == 1 &&
		    EC_POINT_point2oct(
			    group, product, POINT_CONVERSION_UNCOMPRESSED, point, len, ctx) == len;
	EC_POINT_clear_free(product);
	EC_GROUP_free(group);
	return made;
}

bool
privkey_check_ec(const struct pubkey *pubkey, struct bytes d, struct err *err)
{
	enum curve curve = pubkey_get_curve(pubkey);
	size_t octets = curve_octets(curve);
	uint8_t point[CURVE_POINT_MAX];
	BN_CTX *ctx = BN_CTX_secure_new_ex(libctx_get()->context);
	BIGNUM *number = secure_number(d);
	bool loaded = (ctx != NULL && number != NULL) || err_set(err, ERR_NO_MEMORY, NULL);
	bool fits = loaded && multiply(curve, number, ctx, point) &&
		    memcmp(point + 1, pubkey_get_x(pubkey).data, octets) == 0 &&
		    memcmp(point + 1 + octets, pubkey_get_y(pubkey).data, octets) == 0;
	BN_clear_free(number);
	BN_CTX_free(ctx);
	ERR_clear_error();
	if (!loaded)
		return false;
	return fits ||
	       err_set(err, ERR_BAD_PARAMETER, "The EC private key does not belong to the point.");
}

bool
privkey_check_secret(struct bytes value, struct err *err)
{
	uint8_t differs = 0;
	for (size_t i = 1; i < value.len; i++)
		differs |= value.data[i] ^ value.data[0];
	return differs != 0 ||
	       err_set(err, ERR_BAD_PARAMETER, "All octets of the symmetric key are alike.");
}
