/*
 * The attack matrix: a real worker prepares a token with a key of every kind; then somebody who has the PIN and the
 * module, but no daemon, tries to get a root key out or to loosen it. Passes only if every attack fails. Tests are
 * named after the rows of the threat table.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attack/thief.h"
#include "crypto/crypto.h"
#include "pkcs11/ck.h"
#include "support/tokenproc.h"

#define OBJECTS_EXPECTED 12 /* below, and the halves of EC pairs */

struct world {
	struct softhsm softhsm;
	struct tokenproc proc;
	struct thief *thief;
	struct tokenkey kw;
	struct tokenkey backup_rsa; /* extractable under a trusted key */
	unsigned long objects[THIEF_OBJECTS_MAX];
	size_t count;
	unsigned long kw_object;
	unsigned long backup_object;
};

static unsigned long
only_object(struct world *world, const struct tokenkey *key)
{
	unsigned long objects[THIEF_OBJECTS_MAX];
	assert_int_equal(thief_find(world->thief, key->id, true, objects), 1);
	return objects[0];
}

static int
setup(void **state)
{
	struct err err = {0};
	assert_true(crypto_init(&err));
	struct world *world = calloc(1, sizeof(*world));
	assert_non_null(world);
	softhsm_open(&world->softhsm);
	softhsm_add_token(&world->softhsm, "west");
	struct tokenproc *proc = &world->proc;
	tokenproc_ready(proc, &world->softhsm, "pkcs11:token=west");
	uint32_t wraps = WIRE_OP_WRAP | WIRE_OP_UNWRAP, ciphers = WIRE_OP_ENCRYPT | WIRE_OP_DECRYPT;
	world->kw = tokenproc_generate(proc, tokenkey_aes(256, wraps));
	(void)tokenproc_generate(proc, tokenkey_aes(256, ciphers));
	(void)tokenproc_generate(proc, tokenkey_rsa(2048, wraps));
	(void)tokenproc_generate(
		proc, tokenkey_rsa(2048, wraps | ciphers | WIRE_OP_SIGN | WIRE_OP_VERIFY));
	(void)tokenproc_generate(proc, tokenkey_ec(WIRE_CURVE_P256));
	(void)tokenproc_generate(proc, tokenkey_hmac(256));
	struct wire_generate_request backup = tokenkey_rsa(2048, wraps);
	backup.extractable = 1;
	world->backup_rsa = tokenproc_generate(proc, backup);
	backup = tokenkey_aes(256, wraps);
	backup.extractable = 1;
	(void)tokenproc_generate(proc, backup);
	backup = tokenkey_ec(WIRE_CURVE_P256);
	backup.extractable = 1;
	(void)tokenproc_generate(proc, backup);

	world->thief = thief_open(softhsm_module(), "west", SOFTHSM_PIN);
	world->count = thief_find_keys(world->thief, world->objects);
	assert_int_equal(world->count, OBJECTS_EXPECTED + 1); /* the EC keys have two halves each */
	world->kw_object = only_object(world, &world->kw);
	world->backup_object = only_object(world, &world->backup_rsa);
	*state = world;
	return 0;
}

static int
teardown(void **state)
{
	struct world *world = *state;
	thief_close(world->thief);
	assert_int_equal(tokenproc_stop(&world->proc), 0);
	softhsm_close(&world->softhsm);
	free(world);
	return 0;
}

/* --- A1: the matrix of purposes --- */

static void
A1_purposes_are_disjoint_on_every_object(void **state)
{
	struct world *world = *state;
	for (size_t i = 0; i < world->count; i++) {
		unsigned long o = world->objects[i];
		bool secret = thief_class(world->thief, o) == CKO_SECRET_KEY;
		bool encrypts = thief_flag(world->thief, o, CKA_ENCRYPT),
		     wraps = thief_flag(world->thief, o, CKA_WRAP);
		bool decrypts = thief_flag(world->thief, o, CKA_DECRYPT);
		bool unwraps = thief_flag(world->thief, o, CKA_UNWRAP);
		bool signs = thief_flag(world->thief, o, CKA_SIGN),
		     verifies = thief_flag(world->thief, o, CKA_VERIFY);

		assert_false(thief_flag(world->thief, o, CKA_DERIVE));
		assert_false(thief_flag(world->thief, o, CKA_SIGN_RECOVER));
		assert_true(thief_flag(world->thief, o, CKA_PRIVATE));
		if (wraps || unwraps)
			assert_false(encrypts || decrypts || signs || verifies);
		if (encrypts)
			assert_false(signs || verifies);
		if (!secret)
			assert_false(wraps || unwraps || encrypts || verifies);
		if (thief_class(world->thief, o) == CKO_PUBLIC_KEY)
			continue;
		assert_true(thief_flag(world->thief, o, CKA_SENSITIVE));
		assert_true(!thief_flag(world->thief, o, CKA_EXTRACTABLE) ||
			    thief_flag(world->thief, o, CKA_WRAP_WITH_TRUSTED));
	}
}

static void
A1_no_pair_of_objects_wraps_and_decrypts(void **state)
{
	struct world *world = *state;
	static const unsigned long mechanisms[] = {CKM_AES_KEY_WRAP, CKM_AES_KEY_WRAP_PAD,
		CKM_RSA_PKCS, CKM_RSA_PKCS_OAEP, CKM_AES_CBC_PAD, CKM_RSA_X_509};
	for (size_t i = 0; i < world->count * world->count; i++) {
		unsigned long wrapping = world->objects[i / world->count],
			      target = world->objects[i % world->count];
		for (size_t j = 0; j < ARRAY_LEN(mechanisms); j++) {
			uint8_t blob[4096];
			size_t len;
			unsigned long rv = thief_wrap(
				world->thief, mechanisms[j], wrapping, target, blob, &len);
			if (rv == CKR_OK)
				fail_msg("object %lu went out under %lu by 0x%lx", target, wrapping,
					mechanisms[j]);
		}
	}
}

static void
A1_no_value_can_be_read(void **state)
{
	struct world *world = *state;
	for (size_t i = 0; i < world->count; i++) {
		if (thief_class(world->thief, world->objects[i]) != CKO_PUBLIC_KEY)
			assert_int_not_equal(
				thief_read_value(world->thief, world->objects[i]), CKR_OK);
	}
}

/* --- A2, A3: blobs of his own making --- */

static void
A3_extractable_root_does_not_go_out_under_a_root_that_wraps(void **state)
{
	struct world *world = *state;
	uint8_t blob[4096];
	size_t len;
	assert_int_not_equal(thief_wrap(world->thief, CKM_AES_KEY_WRAP_PAD, world->kw_object,
				     world->backup_object, blob, &len),
		CKR_OK);
	assert_int_not_equal(thief_wrap(world->thief, CKM_AES_KEY_WRAP, world->kw_object,
				     world->backup_object, blob, &len),
		CKR_OK);

	memset(blob, 0xa6, 72);
	struct bytes opened;
	struct err err = {0};
	assert_false(tokenproc_decrypt(
		&world->proc, &world->kw, "A256KW", (struct bytes){blob, 72}, &opened, &err));
	assert_int_equal(err.code, ERR_BAD_CIPHERTEXT);
}

/* --- A5: loosening --- */

static void
A5_no_attribute_can_be_loosened(void **state)
{
	struct world *world = *state;
	static const struct {
		unsigned long type;
		bool value;
	} wishes[] = {
		{CKA_ENCRYPT,           true },
                {CKA_DECRYPT,           true },
                {CKA_SIGN,              true },
                {CKA_VERIFY,            true },
		{CKA_WRAP,              true },
                {CKA_UNWRAP,            true },
                {CKA_DERIVE,            true },
                {CKA_EXTRACTABLE,       true },
		{CKA_SENSITIVE,         false},
                {CKA_WRAP_WITH_TRUSTED, false},
                {CKA_MODIFIABLE,        true },
		{CKA_COPYABLE,          true },
                {CKA_TRUSTED,           true },
                {CKA_PRIVATE,           false},
		{CKA_TOKEN,             false}
        };
	for (size_t i = 0; i < world->count; i++) {
		for (size_t j = 0; j < ARRAY_LEN(wishes); j++) {
			unsigned long o = world->objects[i];
			if (thief_set_flag(world->thief, o, wishes[j].type, wishes[j].value) ==
				CKR_OK)
				fail_msg("object %lu: attribute 0x%lx was set", o, wishes[j].type);
			if (thief_copy(world->thief, o, wishes[j].type, wishes[j].value) == CKR_OK)
				fail_msg("object %lu: copied with attribute 0x%lx", o,
					wishes[j].type);
		}
	}
}

/* --- A6: a wrapping key whose value he knows --- */

static void
A6_known_wrapping_key_takes_nothing_out(void **state)
{
	struct world *world = *state;
	static const uint8_t id[16] = {0x66}, value[32] = {1, 2, 3};
	unsigned long trojan;
	assert_int_not_equal(thief_plant_aes(world->thief, id, value, true, &trojan), CKR_OK);
	assert_int_equal(thief_plant_aes(world->thief, id, value, false, &trojan), CKR_OK);
	assert_int_not_equal(thief_set_flag(world->thief, trojan, CKA_TRUSTED, true), CKR_OK);
	for (size_t i = 0; i < world->count; i++) {
		uint8_t blob[4096];
		size_t len;
		unsigned long object = world->objects[i];
		if (thief_class(world->thief, object) == CKO_PUBLIC_KEY)
			continue;
		assert_int_not_equal(
			thief_wrap(world->thief, CKM_AES_KEY_WRAP_PAD, trojan, object, blob, &len),
			CKR_OK);
		assert_int_not_equal(
			thief_wrap(world->thief, CKM_AES_KEY_WRAP, trojan, object, blob, &len),
			CKR_OK);
	}
	assert_int_equal(thief_destroy(world->thief, trojan), CKR_OK);
}

/* --- A18, A19: other mechanisms on the same keys --- */

static void
A18_no_key_unwraps_by_cbc(void **state)
{
	struct world *world = *state;
	static const unsigned long mechanisms[] = {CKM_AES_CBC_PAD, CKM_AES_CBC, CKM_RSA_PKCS};
	uint8_t blob[256] = {1};
	for (size_t i = 0; i < world->count; i++) {
		for (size_t j = 0; j < ARRAY_LEN(mechanisms); j++) {
			unsigned long opened;
			assert_int_not_equal(thief_unwrap(world->thief, mechanisms[j],
						     world->objects[i], blob, 256, &opened),
				CKR_OK);
		}
	}
}

/* What a mechanism may do on a key of ours; everything else is a failure. */
static unsigned
allowed(struct world *world, unsigned long object, unsigned long mechanism)
{
	struct thief *thief = world->thief;
	switch (mechanism) {
	case CKM_RSA_X_509: /* raw, because SoftHSM has no OAEP with SHA-256; `token show` says so */
		return (thief_flag(thief, object, CKA_DECRYPT) ? THIEF_DECRYPT : 0) |
		       (thief_flag(thief, object, CKA_SIGN) ? THIEF_SIGN : 0);
	case CKM_RSA_PKCS: /* a mixed key's list is for both; raw decryption gives more than this one */
		return (thief_flag(thief, object, CKA_SIGN) ? THIEF_SIGN : 0) |
		       (thief_flag(thief, object, CKA_SIGN) &&
					       thief_flag(thief, object, CKA_DECRYPT)
				       ? THIEF_DECRYPT
				       : 0);
	case CKM_RSA_PKCS_PSS:
	case CKM_ECDSA:
	case CKM_SHA256_HMAC:
	case CKM_SHA384_HMAC:
	case CKM_SHA512_HMAC:
		return thief_flag(thief, object, CKA_SIGN) ? THIEF_SIGN : 0;
	case CKM_AES_GCM:
		return thief_flag(thief, object, CKA_ENCRYPT) ? THIEF_ENCRYPT | THIEF_DECRYPT : 0;
	case CKM_AES_KEY_WRAP:
		return thief_flag(thief, object, CKA_WRAP) ? THIEF_WRAP | THIEF_UNWRAP : 0;
	default:
		return 0;
	}
}

static void
A19_only_the_mechanisms_of_its_purpose_pass_on_a_key(void **state)
{
	struct world *world = *state;
	unsigned long mechanisms[THIEF_MECHANISMS_MAX];
	size_t count = thief_mechanisms(world->thief, mechanisms);
	unsigned passed_somewhere = 0;
	for (size_t i = 0; i < world->count; i++) {
		for (size_t j = 0; j < count; j++) {
			unsigned passed =
				thief_try_mechanism(world->thief, mechanisms[j], world->objects[i]);
			unsigned too_much =
				passed & ~allowed(world, world->objects[i], mechanisms[j]);
			passed_somewhere |= passed;
			if (too_much != 0)
				fail_msg("object %lu, mechanism 0x%lx: passed 0x%x",
					world->objects[i], mechanisms[j], too_much);
		}
	}
	/* the trial itself works: what is allowed did pass */
	assert_int_equal(passed_somewhere,
		THIEF_ENCRYPT | THIEF_DECRYPT | THIEF_SIGN | THIEF_WRAP | THIEF_UNWRAP);
}

static void
A19_no_public_object_has_a_use(void **state)
{
	struct world *world = *state;
	static const unsigned long uses[] = {
		CKA_ENCRYPT, CKA_VERIFY, CKA_VERIFY_RECOVER, CKA_WRAP, CKA_DERIVE};
	size_t publics = 0;
	for (size_t i = 0; i < world->count; i++) {
		if (thief_class(world->thief, world->objects[i]) != CKO_PUBLIC_KEY)
			continue;
		publics++;
		assert_int_equal(thief_key_type(world->thief, world->objects[i]), CKK_EC);
		for (size_t j = 0; j < ARRAY_LEN(uses); j++)
			assert_false(thief_flag(world->thief, world->objects[i], uses[j]));
	}
	assert_int_equal(publics, 3); /* the identity's and those of two EC keys */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(A1_purposes_are_disjoint_on_every_object),
		cmocka_unit_test(A1_no_pair_of_objects_wraps_and_decrypts),
		cmocka_unit_test(A1_no_value_can_be_read),
		cmocka_unit_test(A3_extractable_root_does_not_go_out_under_a_root_that_wraps),
		cmocka_unit_test(A5_no_attribute_can_be_loosened),
		cmocka_unit_test(A6_known_wrapping_key_takes_nothing_out),
		cmocka_unit_test(A18_no_key_unwraps_by_cbc),
		cmocka_unit_test(A19_only_the_mechanisms_of_its_purpose_pass_on_a_key),
		cmocka_unit_test(A19_no_public_object_has_a_use),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
