/* Records of generations: octets that must never change, and every member of a row under the signature (threats G27). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/b64.h"
#include "dep_fixture.h"

static const uint8_t policy[DB_DEP_GUID] = {1, 2, 3};
static const uint8_t wrap[40] = {4, 5, 6};
static const uint8_t other_wrap[40] = {4, 5, 7};

static struct db_dep_generation
make_row(void)
{
	return (struct db_dep_generation){
		.number = 3,
		.guid = {7               },
		.kid = {DEP_FIXTURE_WEST, DEP_FIXTURE_EAST},
		.envelope = "{}",
		.availability_kid = DEP_FIXTURE_AK,
		.availability_wrap = {wrap,                sizeof(wrap)},
		.check = {8},
		.created = 1700000000,
	};
}

/* The digest as another implementation made it from the words in generation_record.h. */
static void
record_is_as_fixed_for_ever(void **state)
{
	(void)state;
	uint8_t digest[32];
	char text[65];
	struct db_dep_generation row = make_row();
	generation_record_seal(&row);
	generation_record_digest("contoso", policy, &row, digest);
	hex_encode(digest, sizeof(digest), text);
	assert_string_equal(
		text, "c8d45697f2cbd2ef666e2e6a38b4987c6afafeb1d2b98f24c6cb0e23ca994e6a");
}

static struct pubkey *
public_half(struct dep_fixture *f)
{
	struct err err = {0};
	uint8_t *spki = NULL;
	int len = i2d_PUBKEY(f->signer, &spki);
	assert_true(len > 0);
	struct pubkey *signer = pubkey_from_spki((struct bytes){spki, (size_t)len}, &err);
	assert_non_null(signer);
	OPENSSL_free(spki);
	return signer;
}

static void
every_member_is_under_the_signature_G27(void **state)
{
	static const uint8_t other_policy[DB_DEP_GUID] = {1, 2, 4};
	struct dep_fixture *f = *state;
	struct err err = {0};
	uint8_t digest[32], signature[64];
	struct db_dep_generation good = make_row(), bad[9];
	CLEAN(pubkey)
	struct pubkey *signer = public_half(f);
	generation_record_seal(&good);
	generation_record_digest("contoso", policy, &good, digest);
	dep_fixture_sign(f, digest, signature);
	good.signature = (struct bytes){signature, sizeof(signature)};
	assert_true(generation_record_verify("contoso", policy, &good, signer, &err));

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		bad[i] = good;
	bad[0].number++;
	bad[1].guid[15] = 1;
	bad[2].kid[0] = DEP_FIXTURE_EAST;
	bad[3].kid[1] = DEP_FIXTURE_WEST;
	bad[4].envelope = "{ }";
	generation_record_seal(&bad[4]);
	bad[5].availability_kid = DEP_FIXTURE_WEST;
	bad[6].availability_wrap.data = other_wrap;
	generation_record_seal(&bad[6]);
	bad[7].check[31] = 1;
	bad[8].created++;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		err_clear(&err);
		if (generation_record_verify("contoso", policy, &bad[i], signer, &err) ||
			err.code != ERR_CATALOG_INTEGRITY)
			fail_msg("member %zu is not signed", i);
	}
	assert_false(generation_record_verify("contoso", other_policy, &good, signer, &err));
	assert_false(generation_record_verify("fabrikam", policy, &good, signer, &err));
	good.signature.len--;
	assert_false(generation_record_verify("contoso", policy, &good, signer, &err));
	good.signature = (struct bytes){0};
	assert_false(generation_record_verify("contoso", policy, &good, signer, &err));
	assert_int_equal(err.code, ERR_CATALOG_INTEGRITY);
}

/* Damage is told from a forgery: the record verifies, and says which text is not what was signed. */
static void
damaged_texts_are_known_G28(void **state)
{
	(void)state;
	struct db_dep_generation row = make_row();
	generation_record_seal(&row);
	assert_true(generation_record_has_envelope(&row));
	assert_true(generation_record_has_wrap(&row));
	row.envelope = "{]";
	assert_false(generation_record_has_envelope(&row));
	assert_true(generation_record_has_wrap(&row));
	row.availability_wrap.len--;
	assert_false(generation_record_has_wrap(&row));
	row.availability_wrap = (struct bytes){other_wrap, sizeof(other_wrap)};
	assert_false(generation_record_has_wrap(&row));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(record_is_as_fixed_for_ever),
		cmocka_unit_test_setup_teardown(every_member_is_under_the_signature_G27,
			dep_fixture_setup, dep_fixture_teardown),
		cmocka_unit_test(damaged_texts_are_known_G28),
	};
	return cmocka_run_group_tests_name("generation_record", tests, NULL, NULL);
}
