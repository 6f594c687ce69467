/* Key versions as operations see them: cache, states, and the token's proof over the catalog's row. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/b64.h"
#include "custodyd/keystore.h"
#include "db_fixture.h"
#include "support/softkey.h"
#include "wire/wire.h"

struct world {
	struct db_fixture *fixture;
	struct keystore *store;
	struct db_vault vault;
	EVP_PKEY *identity; /* of token west */
	EVP_PKEY *key;
	struct pubkey *pubkey;
	struct err err;
};

/* What the token signs at birth, by the record's definition and not by the code under test. */
static void
attest(struct world *world, const struct db_version *version, uint8_t signature[static 64])
{
	struct wire_attested attested = {
		.purpose = WIRE_ATTESTED_PURPOSE,
		.label = "contoso/my-key",
		.kty = WIRE_KTY_EC,
		.curve = WIRE_CURVE_P256,
		.ops = version->ops_born,
		.extractable = world->vault.backup == DB_BACKUP_TRUSTED,
		.provenance = version->provenance & 7,
	};
	memcpy(attested.id, version->id, sizeof(attested.id));
	memcpy(attested.fingerprint, version->fingerprint, sizeof(attested.fingerprint));
	CLEAN(buf)
	struct buf octets;
	buf_init(&octets, WIRE_MAX);
	assert_true(wire_record_append(&octets, WIRE_RECORD_attested, &attested));
	uint8_t digest[HASH_SHA256_LEN];
	hash_sha256(octets.data, octets.len, digest);
	softkey_ecdsa(
		world->identity, CURVE_P256, (struct bytes){digest, sizeof(digest)}, signature);
}

/*
 * An EC version of key "My-Key" in the catalog, of this provenance, attested by the identity key. Changed by `edit` after the
 * signature.
 */
static void
create_of(struct world *world, uint8_t seed, uint32_t provenance, void (*edit)(struct db_version *))
{
	struct db_version version = {
		.kty = "EC",
		.curve = "P-256",
		.ops_born = ALG_SIGNS,
		.ops = ALG_SIGNS,
		.enabled = true,
		.nbf = DB_NO_TIME,
		.exp = DB_NO_TIME,
		.created = 1000,
		.updated = 1000,
		.tags = "{}",
		.spki = pubkey_get_spki(world->pubkey),
		.provenance = provenance,
		.state = DB_VERSION_OK,
	};
	memset(version.id, seed, sizeof(version.id));
	pubkey_fingerprint(world->pubkey, version.fingerprint);
	uint8_t signature[64];
	attest(world, &version, signature);
	version.attestation = (struct bytes){signature, sizeof(signature)};
	if (edit != NULL)
		edit(&version);
	int64_t intent;
	struct db_key_item item;
	assert_true(db_create_begin(world->fixture->db, world->vault.id, "My-Key", version.id, 1000,
		"", &intent, &world->err));
	assert_true(db_create_commit(world->fixture->db, intent, &version, &item, &world->err));
}

static void
create(struct world *world, uint8_t seed, void (*edit)(struct db_version *))
{
	create_of(world, seed, 7 | DB_PROVENANCE_OURS, edit);
}

static void
prove_identity(struct world *world)
{
	struct pubkey *identity = softkey_pubkey(world->identity);
	assert_true(keystore_set_identity(
		world->store, "west", pubkey_get_spki(identity), &world->err));
	pubkey_free(identity);
}

static int
setup(void **state)
{
	struct world *world = test_calloc(1, sizeof(*world));
	void *fixture = NULL;
	assert_int_equal(db_fixture_setup(&fixture), 0);
	world->fixture = fixture;
	assert_true(db_vault_find(
		world->fixture->db, "contoso", world->fixture->arena, &world->vault, &world->err));
	world->store = keystore_new(world->fixture->db, "vault.azure.net", 2);
	world->identity = softkey_ec(CURVE_P256);
	world->key = softkey_ec(CURVE_P256);
	world->pubkey = softkey_pubkey(world->key);
	*state = world;
	return 0;
}

static int
teardown(void **state)
{
	struct world *world = *state;
	keystore_free(world->store);
	pubkey_free(world->pubkey);
	EVP_PKEY_free(world->key);
	EVP_PKEY_free(world->identity);
	void *fixture = world->fixture;
	(void)db_fixture_teardown(&fixture);
	test_free(world);
	return 0;
}

static void
get_resolves_any_case_and_the_newest_version(void **state)
{
	struct world *world = *state;
	create(world, 0x11, NULL);
	create(world, 0x22, NULL);

	struct key_version *newest =
		keystore_get(world->store, &world->vault, "mY-kEY", "", &world->err);
	struct key_version *first = keystore_get(world->store, &world->vault, "my-key",
		"11111111111111111111111111111111", &world->err);

	assert_non_null(newest);
	assert_non_null(first);
	assert_string_equal(newest->kid,
		"https://contoso.vault.azure.net/keys/My-Key/22222222222222222222222222222222");
	assert_int_equal(first->version.id[0], 0x11);
	assert_int_equal(newest->type, ALG_KEY_EC);
	(void)key_version_unref(newest);
	(void)key_version_unref(first);
}

static void
get_serves_from_the_cache_until_forgotten(void **state)
{
	struct world *world = *state;
	create(world, 0x11, NULL);
	struct key_version *before =
		keystore_get(world->store, &world->vault, "My-Key", "", &world->err);
	struct key_version *again =
		keystore_get(world->store, &world->vault, "my-key", "", &world->err);
	assert_ptr_equal(before, again);
	const struct db_version_change change = {
		.has_enabled = true, .enabled = false, .updated = 2000};
	assert_true(
		db_version_update(world->fixture->db, before->version.id, &change, &world->err));

	keystore_forget(world->store, world->vault.id, "MY-KEY");
	struct key_version *after =
		keystore_get(world->store, &world->vault, "My-Key", "", &world->err);

	assert_true(before->version.enabled); /* a running operation keeps what it began with */
	assert_false(after->version.enabled);
	(void)key_version_unref(before);
	(void)key_version_unref(again);
	(void)key_version_unref(after);
}

static void
get_beyond_capacity_evicts_and_still_finds(void **state)
{
	struct world *world = *state;
	for (uint8_t seed = 1; seed <= 5; seed++)
		create(world, seed, NULL);
	for (int round = 0; round < 2; round++) {
		for (uint8_t seed = 1; seed <= 5; seed++) {
			uint8_t id[ID_VERSION_BYTES];
			char hex[ID_VERSION_TEXT];
			memset(id, seed, sizeof(id));
			hex_encode(id, sizeof(id), hex);
			struct key_version *key = keystore_get(
				world->store, &world->vault, "my-key", hex, &world->err);
			assert_non_null(key);
			assert_int_equal(key->version.id[0], seed);
			(void)key_version_unref(key);
		}
	}
}

static void
get_unknown_deleted_or_malformed_says_which(void **state)
{
	struct world *world = *state;
	create(world, 0x11, NULL);
	struct db_key_item item;
	assert_null(keystore_get(world->store, &world->vault, "other", "", &world->err));
	assert_int_equal(world->err.code, ERR_KEY_NOT_FOUND);
	assert_null(keystore_get(world->store, &world->vault, "my-key", "11", &world->err));
	assert_int_equal(world->err.code, ERR_KEY_NOT_FOUND);
	assert_null(keystore_get(world->store, &world->vault, "my_key", "", &world->err));
	assert_int_equal(world->err.code, ERR_BAD_PARAMETER);
	assert_true(db_key_find(world->fixture->db, world->vault.id, "my-key",
		world->fixture->arena, &item, &world->err));
	assert_true(db_key_delete(world->fixture->db, item.key.id, 2000, &item.key, &world->err));
	assert_null(keystore_get(world->store, &world->vault, "my-key", "", &world->err));
	assert_int_equal(world->err.code, ERR_KEY_DELETED);
}

static void
prove_before_the_token_did_is_unavailable(void **state)
{
	struct world *world = *state;
	create(world, 0x11, NULL);
	struct key_version *key =
		keystore_get(world->store, &world->vault, "my-key", "", &world->err);

	assert_false(keystore_prove(world->store, key, &world->err));

	assert_int_equal(world->err.code, ERR_UNAVAILABLE);
	assert_false(key->proved);
	(void)key_version_unref(key);
}

static void
prove_good_row_passes(void **state)
{
	struct world *world = *state;
	create(world, 0x11, NULL);
	prove_identity(world);
	struct key_version *key =
		keystore_get(world->store, &world->vault, "my-key", "", &world->err);

	assert_true(keystore_prove(world->store, key, &world->err));

	assert_true(key->proved);
	(void)key_version_unref(key);
}

static void
widen_ops(struct db_version *version)
{
	version->ops_born |= ALG_WRAP;
}

static void
fake_provenance(struct db_version *version)
{
	version->provenance ^= DB_PROVENANCE_NEVER_EXTRACTABLE;
}

static void
drop_attestation(struct db_version *version)
{
	version->attestation = (struct bytes){0};
}

/* Threats A11: whoever edits a row in the catalog does not get it used. */
static void
A11_prove_edited_row_is_integrity(void **state)
{
	struct world *world = *state;
	void (*const edits[])(struct db_version *) = {widen_ops, fake_provenance, drop_attestation};
	prove_identity(world);
	for (size_t i = 0; i < ARRAY_LEN(edits); i++) {
		create(world, (uint8_t)(0x30 + i), edits[i]);
		struct key_version *key =
			keystore_get(world->store, &world->vault, "my-key", "", &world->err);
		assert_non_null(key);
		assert_false(keystore_prove(world->store, key, &world->err));
		assert_int_equal(world->err.code, ERR_KEY_INTEGRITY);
		(void)key_version_unref(key);
		keystore_forget_all(world->store);
	}
}

/* A public key put in place of the right one does not even parse as the version's: its fingerprint is another. */
static void
A11_get_exchanged_public_key_is_integrity(void **state)
{
	struct world *world = *state;
	EVP_PKEY *other = softkey_ec(CURVE_P256);
	struct pubkey *theirs = softkey_pubkey(other);
	struct db_version version = {
		.kty = "EC",
		.curve = "P-256",
		.ops_born = ALG_SIGNS,
		.ops = ALG_SIGNS,
		.enabled = true,
		.nbf = DB_NO_TIME,
		.exp = DB_NO_TIME,
		.created = 1,
		.updated = 1,
		.tags = "{}",
		.spki = pubkey_get_spki(theirs),
		.state = DB_VERSION_OK,
	};
	memset(version.id, 0x44, sizeof(version.id));
	pubkey_fingerprint(world->pubkey, version.fingerprint);
	int64_t intent;
	struct db_key_item item;
	assert_true(db_create_begin(world->fixture->db, world->vault.id, "my-key", version.id, 1,
		"", &intent, &world->err));
	assert_true(db_create_commit(world->fixture->db, intent, &version, &item, &world->err));

	assert_null(keystore_get(world->store, &world->vault, "my-key", "", &world->err));

	assert_int_equal(world->err.code, ERR_KEY_INTEGRITY);
	pubkey_free(theirs);
	EVP_PKEY_free(other);
}

static bool
generated(struct world *world)
{
	struct key_version *key =
		keystore_get(world->store, &world->vault, "my-key", "", &world->err);
	assert_non_null(key);
	bool said = keystore_hsm_generated(world->store, key);
	(void)key_version_unref(key);
	keystore_forget_all(world->store);
	return said;
}

/* Threats A22: only if the token says all three, this catalog ordered it, and it was never an import. */
static void
A22_generated_needs_all_of_the_provenance(void **state)
{
	struct world *world = *state;
	const uint32_t all = 7 | DB_PROVENANCE_OURS;
	prove_identity(world);
	create_of(world, 0x50, all, NULL);
	assert_true(generated(world));
	create_of(world, 0x51, all | DB_PROVENANCE_MIXED, NULL);
	assert_true(generated(world));
	for (uint32_t bit = 1; bit <= DB_PROVENANCE_OURS; bit *= 2) {
		create_of(world, (uint8_t)(0x60 + bit), all & ~bit, NULL);
		if (generated(world))
			fail_msg("without bit %u", (unsigned)bit);
	}
	create_of(world, 0x52, all | DB_PROVENANCE_IMPORTED, NULL);
	assert_false(generated(world));
}

/* Threats A22: an edited row claims nothing, and nobody claims for a token that has not proved itself. */
static void
A22_generated_needs_the_token_to_have_signed(void **state)
{
	struct world *world = *state;
	create(world, 0x53, NULL);
	assert_false(generated(world));
	prove_identity(world);
	assert_true(generated(world));
	create_of(world, 0x54, 3 | DB_PROVENANCE_OURS, fake_provenance);
	assert_false(generated(world));
}

static void
look_shows_what_get_refuses(void **state)
{
	struct world *world = *state;
	uint8_t id[ID_VERSION_BYTES];
	memset(id, 0x55, sizeof(id));
	create(world, 0x55, NULL);
	assert_true(db_version_set_state(world->fixture->db, id, DB_VERSION_MISSING, &world->err));
	assert_null(keystore_get(world->store, &world->vault, "my-key", "", &world->err));
	assert_int_equal(world->err.code, ERR_KEY_MISSING);

	struct key_version *key =
		keystore_look(world->store, &world->vault, "MY-KEY", "", &world->err);

	assert_non_null(key);
	assert_int_equal(key->version.state, DB_VERSION_MISSING);
	(void)key_version_unref(key);
	assert_null(keystore_look(world->store, &world->vault, "other", "", &world->err));
	assert_int_equal(world->err.code, ERR_KEY_NOT_FOUND);
	assert_null(keystore_look(world->store, &world->vault, "my_key", "", &world->err));
	assert_int_equal(world->err.code, ERR_BAD_PARAMETER);
	assert_null(keystore_get(world->store, &world->vault, "my-key", "", &world->err));
}

static void
set_rsa(struct db_version *version)
{
	memcpy(version->kty, "RSA", sizeof("RSA"));
}

/* Nor may a row of one type with another's public key end the daemon. */
static void
A11_get_public_key_of_another_type_is_integrity(void **state)
{
	struct world *world = *state;
	create(world, 0x45, set_rsa);

	assert_null(keystore_get(world->store, &world->vault, "my-key", "", &world->err));

	assert_int_equal(world->err.code, ERR_KEY_INTEGRITY);
}

static void
another_identity_unproves_what_was_proved(void **state)
{
	struct world *world = *state;
	create(world, 0x11, NULL);
	prove_identity(world);
	struct key_version *key =
		keystore_get(world->store, &world->vault, "my-key", "", &world->err);
	assert_true(keystore_prove(world->store, key, &world->err));
	(void)key_version_unref(key);
	EVP_PKEY_free(world->identity);
	world->identity = softkey_ec(CURVE_P256);

	prove_identity(world);

	key = keystore_get(world->store, &world->vault, "my-key", "", &world->err);
	assert_false(keystore_prove(world->store, key, &world->err));
	assert_int_equal(world->err.code, ERR_KEY_INTEGRITY);
	(void)key_version_unref(key);
}

static void
label_is_folded(void **state)
{
	(void)state;
	char label[KEYSTORE_LABEL];
	keystore_label("ContosoWest", "My-KEY", label);
	assert_string_equal(label, "contosowest/my-key");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(get_resolves_any_case_and_the_newest_version),
		TEST(get_serves_from_the_cache_until_forgotten),
		TEST(get_beyond_capacity_evicts_and_still_finds),
		TEST(get_unknown_deleted_or_malformed_says_which),
		TEST(prove_before_the_token_did_is_unavailable),
		TEST(prove_good_row_passes),
		TEST(A11_prove_edited_row_is_integrity),
		TEST(A11_get_exchanged_public_key_is_integrity),
		TEST(A11_get_public_key_of_another_type_is_integrity),
		TEST(A22_generated_needs_all_of_the_provenance),
		TEST(A22_generated_needs_the_token_to_have_signed),
		TEST(look_shows_what_get_refuses),
		TEST(another_identity_unproves_what_was_proved),
		cmocka_unit_test(label_is_folded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
