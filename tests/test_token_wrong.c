/*
 * What a worker answers to wrong ciphertexts, and what it notices when somebody with the PIN was at the token behind
 * its back. Tests are named after the rows of the threat table that they prove.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "attack/thief.h"
#include "crypto/crypto.h"
#include "crypto/pubkey.h"
#include "crypto/random.h"
#include "support/tokenproc.h"

struct world {
	struct softhsm softhsm;
	struct tokenproc proc;
	struct thief *thief;
	struct tokenkey rsa;
	struct tokenkey kw;
	struct tokenkey gcm;
	uint8_t wrapped[40];
	uint8_t error[512]; /* the one answer to every wrong ciphertext, without its header */
	size_t error_len;
};

static int
setup(void **state)
{
	struct err err = {0};
	assert_true(crypto_init(&err));
	struct world *world = calloc(1, sizeof(*world));
	assert_non_null(world);
	softhsm_open(&world->softhsm);
	softhsm_add_token(&world->softhsm, "west");
	tokenproc_ready(&world->proc, &world->softhsm, "pkcs11:token=west");
	world->thief = thief_open(softhsm_module(), "west", SOFTHSM_PIN);
	world->rsa = tokenproc_generate(
		&world->proc, tokenkey_rsa(2048, WIRE_OP_DECRYPT | WIRE_OP_WRAP | WIRE_OP_UNWRAP));
	world->kw =
		tokenproc_generate(&world->proc, tokenkey_aes(256, WIRE_OP_WRAP | WIRE_OP_UNWRAP));
	world->gcm = tokenproc_generate(
		&world->proc, tokenkey_aes(256, WIRE_OP_ENCRYPT | WIRE_OP_DECRYPT));
	struct wire_encrypt_answer sealed;
	uint8_t plain[32] = {1};
	assert_true(tokenproc_encrypt(&world->proc, &world->kw, "A256KW", (struct bytes){plain, 32},
		(struct bytes){NULL, 0}, &sealed, &err));
	memcpy(world->wrapped, sealed.data.data, sizeof(world->wrapped));
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

/* Every wrong ciphertext gets the same octets, whatever was wrong with it, and no origin. */
static void
check_refused(struct world *world, const char *what, const struct tokenkey *key, const char *alg,
	const struct wire_encrypt_answer *sealed)
{
	struct bytes opened;
	struct err err = {0};
	if (tokenproc_open(&world->proc, key, alg, sealed, (struct bytes){NULL, 0}, &opened, &err))
		fail_msg("%s: opened", what);
	if (err.code != ERR_BAD_CIPHERTEXT)
		fail_msg("%s: %s (%s)", what, err_name(err.code), err.origin);
	assert_string_equal(err.origin, "");
	struct bytes body = {world->proc.in.data + WIRE_HEADER, world->proc.in.len - WIRE_HEADER};
	assert_true(body.len <= sizeof(world->error));
	if (world->error_len == 0) {
		memcpy(world->error, body.data, body.len);
		world->error_len = body.len;
	}
	assert_true(bytes_equal(body, (struct bytes){world->error, world->error_len}));
}

static void
refuse(struct world *world, const char *what, const struct tokenkey *key, const char *alg,
	const uint8_t *data, size_t len)
{
	struct wire_encrypt_answer sealed = {
		.data = {data, len}
        };
	check_refused(world, what, key, alg, &sealed);
}

/* n as 256 octets, plus a small number. */
static void
near_modulus(const struct pubkey *pubkey, int delta, uint8_t out[static 256])
{
	struct bytes n = pubkey_get_n(pubkey);
	assert_int_equal(n.len, 256);
	memcpy(out, n.data, 256);
	int carry = delta;
	for (int i = 255; i >= 0 && carry != 0; i--) {
		int digit = out[i] + carry;
		out[i] = (uint8_t)digit;
		carry = digit < 0 ? -1 : digit >> 8;
	}
}

static void
A13_raw_numbers_at_the_edges_are_refused(void **state)
{
	struct world *world = *state;
	struct err err = {0};
	CLEAN(pubkey)
	struct pubkey *pubkey =
		pubkey_from_spki((struct bytes){world->rsa.spki, world->rsa.spki_len}, &err);
	assert_non_null(pubkey);
	uint8_t number[257] = {0};
	refuse(world, "c = 0", &world->rsa, "RSA-OAEP-256", number, 256);
	number[255] = 1;
	refuse(world, "c = 1", &world->rsa, "RSA-OAEP-256", number, 256);
	for (int delta = -1; delta <= 1; delta++) {
		near_modulus(pubkey, delta, number);
		refuse(world, "c near n", &world->rsa, "RSA-OAEP-256", number, 256);
	}
	memset(number, 0x5a, sizeof(number));
	number[0] = 0;
	refuse(world, "one octet too few", &world->rsa, "RSA-OAEP-256", number + 1, 255);
	refuse(world, "one too many", &world->rsa, "RSA-OAEP-256", number, 257);
	refuse(world, "nothing", &world->rsa, "RSA-OAEP-256", NULL, 0);
	refuse(world, "random", &world->rsa, "RSA-OAEP-256", number, 256);
	refuse(world, "random", &world->rsa, "RSA-OAEP", number, 256);
}

static void
A16_every_wrong_ciphertext_gets_the_same_octets(void **state)
{
	struct world *world = *state;
	struct err err = {0};
	CLEAN(pubkey)
	struct pubkey *pubkey =
		pubkey_from_spki((struct bytes){world->rsa.spki, world->rsa.spki_len}, &err);
	uint8_t ciphertext[PUBKEY_MODULUS_MAX];
	size_t len;
	assert_true(pubkey_encrypt(pubkey, PUBKEY_OAEP_SHA1,
		bytes_of_text("sealed with another hash"), ciphertext, &len, &err));
	refuse(world, "other padding", &world->rsa, "RSA-OAEP-256", ciphertext, len);
	assert_true(pubkey_encrypt(
		pubkey, PUBKEY_PKCS1, bytes_of_text("PKCS1"), ciphertext, &len, &err));
	refuse(world, "PKCS#1", &world->rsa, "RSA-OAEP-256", ciphertext, len);
	assert_true(pubkey_encrypt(
		pubkey, PUBKEY_OAEP_SHA256, (struct bytes){NULL, 0}, ciphertext, &len, &err));
	refuse(world, "empty message", &world->rsa, "RSA-OAEP-256", ciphertext, len);

	uint8_t wrapped[80];
	for (size_t i = 0; i < sizeof(world->wrapped); i += 7) {
		memcpy(wrapped, world->wrapped, sizeof(world->wrapped));
		wrapped[i] ^= 1;
		refuse(world, "flipped bit", &world->kw, "A256KW", wrapped, sizeof(world->wrapped));
	}
	static const size_t lengths[] = {0, 8, 16, 23, 24, 32, 39, 41, 48, 72, 80};
	memset(wrapped, 7, sizeof(wrapped));
	for (size_t i = 0; i < ARRAY_LEN(lengths); i++)
		refuse(world, "length", &world->kw, "A256KW", wrapped, lengths[i]);
}

static void
A16_a_hundred_wrong_tags_leave_the_worker_well(void **state)
{
	struct world *world = *state;
	uint8_t data[64], iv[12], tag[16];
	random_bytes(data, sizeof(data));
	random_bytes(iv, sizeof(iv));
	random_bytes(tag, sizeof(tag));
	struct wire_encrypt_answer sealed = {
		.data = {data, 64},
                  .iv = {iv,   12},
                  .tag = {tag,  16}
        };
	for (int i = 0; i < 100; i++)
		check_refused(world, "tag", &world->gcm, "A256GCM", &sealed);
	sealed.iv.len = 11;
	check_refused(world, "short iv", &world->gcm, "A256GCM", &sealed);
	sealed.iv.len = 12;
	sealed.tag.len = 15;
	check_refused(world, "short tag", &world->gcm, "A256GCM", &sealed);
	sealed.tag.len = 16;
	sealed.data.len = 0;
	check_refused(world, "empty", &world->gcm, "A256GCM", &sealed);
	memset(iv, 0, sizeof(iv));
	check_refused(world, "the iv of check values", &world->gcm, "A256GCM", &sealed);

	struct wire_empty empty;
	struct wire_ping_answer pong;
	struct err err = {0};
	assert_true(tokenproc_ask(&world->proc, WIRE_PING, &empty, &pong, &err));
}

static bool
unwraps(struct world *world, const struct tokenkey *key, struct err *err)
{
	struct wire_encrypt_answer sealed;
	uint8_t plain[32] = {1};
	return tokenproc_encrypt(&world->proc, key, "A256KW", (struct bytes){plain, 32},
		(struct bytes){NULL, 0}, &sealed, err);
}

static size_t
objects_of(struct world *world, const struct tokenkey *key, unsigned long *ret_object)
{
	unsigned long objects[THIEF_OBJECTS_MAX];
	size_t count = thief_find(world->thief, key->id, true, objects);
	*ret_object = count > 0 ? objects[0] : 0;
	return count;
}

static void
A9_planted_twin_stops_its_key_until_it_is_gone(void **state)
{
	struct world *world = *state;
	struct tokenkey key = tokenproc_generate(&world->proc, tokenkey_aes(256, WIRE_OP_WRAP));
	uint8_t value[32] = {7};
	unsigned long twin;
	struct err err = {0};
	assert_int_equal(thief_plant_aes(world->thief, key.id, value, false, &twin), 0);

	assert_false(unwraps(world, &key, &err));
	assert_int_equal(err.code, ERR_KEY_INTEGRITY);
	assert_false(tokenproc_verify_key(&world->proc, &key, &err));
	assert_int_equal(err.code, ERR_KEY_INTEGRITY);
	struct bytes fingerprint = {key.fingerprint, sizeof(key.fingerprint)};
	assert_false(tokenproc_destroy(&world->proc, key.id, fingerprint, &err));
	assert_int_equal(err.code, ERR_KEY_INTEGRITY);
	assert_true(unwraps(world, &world->kw, &err));

	assert_int_equal(thief_destroy(world->thief, twin), 0);
	assert_true(unwraps(world, &key, &err));
}

static void
A9_twin_of_a_key_in_use_is_found_by_verification(void **state)
{
	struct world *world = *state;
	struct tokenkey key = tokenproc_generate(&world->proc, tokenkey_rsa(2048, WIRE_OP_UNWRAP));
	struct err err = {0};
	assert_true(tokenproc_verify_key(&world->proc, &key, &err));
	assert_int_equal(thief_plant_rsa(world->thief, key.id), 0);

	assert_false(tokenproc_verify_key(&world->proc, &key, &err));

	assert_int_equal(err.code, ERR_KEY_INTEGRITY);
}

/* As if somebody had changed the key since: what we say of its birth is not what the token shows. */
static void
A5_key_that_is_not_as_it_was_made_is_told(void **state)
{
	struct world *world = *state;
	struct tokenkey key = tokenproc_generate(&world->proc, tokenkey_rsa(2048, WIRE_OP_UNWRAP));
	const struct wire_generate_request born = key.asked;
	struct err err = {0};
	assert_true(tokenproc_verify_key(&world->proc, &key, &err));

	key.asked.ops = WIRE_OP_UNWRAP | WIRE_OP_SIGN;
	assert_false(tokenproc_verify_key(&world->proc, &key, &err));
	assert_int_equal(err.code, ERR_KEY_INTEGRITY);
	assert_non_null(strstr(err.origin, "'sign'"));
	key.asked = born;
	key.asked.extractable = 1;
	assert_false(tokenproc_verify_key(&world->proc, &key, &err));
	assert_int_equal(err.code, ERR_KEY_INTEGRITY);
	key.asked = born;
	key.asked.label = "vault/other";
	assert_false(tokenproc_verify_key(&world->proc, &key, &err));
	assert_int_equal(err.code, ERR_KEY_INTEGRITY);
}

static void
A10_key_swapped_for_a_known_one_is_never_used(void **state)
{
	struct world *world = *state;
	struct tokenkey key = tokenproc_generate(&world->proc, tokenkey_aes(256, WIRE_OP_WRAP));
	struct err err = {0};
	/* in the caches of both sessions: a stale handle must not lead to the new object */
	for (int i = 0; i < 8; i++)
		assert_true(unwraps(world, &key, &err));
	unsigned long original, planted;
	uint8_t value[32] = {7};
	assert_int_equal(objects_of(world, &key, &original), 1);
	assert_int_equal(thief_destroy(world->thief, original), 0);
	assert_int_equal(thief_plant_aes(world->thief, key.id, value, false, &planted), 0);

	for (int i = 0; i < 8; i++) {
		assert_false(unwraps(world, &key, &err));
		assert_int_equal(err.code, ERR_KEY_INTEGRITY);
	}
}

static void
A10_swapped_rsa_key_is_never_used(void **state)
{
	struct world *world = *state;
	struct tokenkey key = tokenproc_generate(&world->proc, tokenkey_rsa(2048, WIRE_OP_UNWRAP));
	unsigned long original;
	assert_int_equal(objects_of(world, &key, &original), 1);
	assert_int_equal(thief_destroy(world->thief, original), 0);
	assert_int_equal(thief_plant_rsa(world->thief, key.id), 0);
	uint8_t ciphertext[256] = {0x20};
	struct bytes opened;
	struct err err = {0};

	assert_false(tokenproc_decrypt(&world->proc, &key, "RSA-OAEP-256",
		(struct bytes){ciphertext, 256}, &opened, &err));

	assert_int_equal(err.code, ERR_KEY_INTEGRITY);
}

static void
B21_key_destroyed_behind_is_missing_not_denied(void **state)
{
	struct world *world = *state;
	struct tokenkey key = tokenproc_generate(&world->proc, tokenkey_aes(256, WIRE_OP_WRAP));
	struct err err = {0};
	for (int i = 0; i < 8; i++)
		assert_true(unwraps(world, &key, &err));
	unsigned long original;
	assert_int_equal(objects_of(world, &key, &original), 1);
	assert_int_equal(thief_destroy(world->thief, original), 0);

	for (int i = 0; i < 4; i++) {
		assert_false(unwraps(world, &key, &err));
		assert_int_equal(err.code, ERR_KEY_MISSING);
		assert_int_equal(err_class(err.code), ERR_CLASS_INTEGRITY);
	}
	assert_true(unwraps(world, &world->kw, &err));
}

static void
B28_public_half_alone_is_cleaned_up_by_destroy(void **state)
{
	struct world *world = *state;
	struct tokenkey key = tokenproc_generate(&world->proc, tokenkey_ec(WIRE_CURVE_P384));
	unsigned long objects[THIEF_OBJECTS_MAX];
	assert_int_equal(thief_find(world->thief, key.id, true, objects), 2);
	size_t private_half =
		thief_class(world->thief, objects[0]) == 3 /* CKO_PRIVATE_KEY */ ? 0 : 1;
	assert_int_equal(thief_destroy(world->thief, objects[private_half]), 0);
	struct err err = {0};
	struct bytes other = {world->rsa.fingerprint, 32}, own = {key.fingerprint, 32};

	assert_false(tokenproc_verify_key(&world->proc, &key, &err));
	assert_int_equal(err.code, ERR_KEY_MISSING);
	assert_false(tokenproc_destroy(&world->proc, key.id, other, &err));
	assert_int_equal(err.code, ERR_KEY_INTEGRITY);
	assert_true(tokenproc_destroy(&world->proc, key.id, own, &err));
	assert_int_equal(thief_find(world->thief, key.id, true, objects), 0);
}

/* B20: keys of somebody else are left alone and counted. */
static void
B20_foreign_objects_are_counted_and_left_alone(void **state)
{
	struct world *world = *state;
	uint8_t id[16], value[32] = {9};
	random_bytes(id, sizeof(id));
	struct wire_list_request request = {.offset = 0};
	struct wire_list_answer before, after;
	struct err err = {0};
	assert_true(tokenproc_ask(&world->proc, WIRE_LIST, &request, &before, &err));
	assert_int_equal(thief_plant_rsa(world->thief, id), 0); /* without a label */
	unsigned long planted;
	random_bytes(id, sizeof(id));
	assert_int_equal(thief_plant_aes(world->thief, id, value, false, &planted),
		0); /* with one like ours */

	assert_true(tokenproc_ask(&world->proc, WIRE_LIST, &request, &after, &err));

	assert_int_equal(after.foreign, before.foreign + 1);
	assert_int_equal(after.total, before.total + 1);
}

/* B36: SoftHSM fails when keys are made in parallel; the worker makes them one at a time while keys are used. */
static void
B36_many_keys_asked_at_once_are_all_made(void **state)
{
	enum { KEYS = 60 };
	struct world *world = *state;
	static uint8_t ids[KEYS][16];
	struct wire_decrypt_request use = {
		.alg = WIRE_ALG_A256KW, .data = {world->wrapped, 40}
        };
	memcpy(use.id, world->kw.id, 16);
	memcpy(use.fingerprint, world->kw.fingerprint, 32);
	for (int i = 0; i < KEYS; i++) {
		struct wire_generate_request request = tokenkey_aes(256, WIRE_OP_WRAP);
		memcpy(ids[i], request.id, 16);
		(void)tokenproc_send(&world->proc, WIRE_GENERATE, &request, -1);
		(void)tokenproc_send(&world->proc, WIRE_DECRYPT, &use, -1);
	}
	for (int i = 0; i < 2 * KEYS; i++) {
		struct wire_message message;
		assert_true(tokenproc_receive(&world->proc, &message));
		assert_int_equal(message.flags, WIRE_FLAG_ANSWER);
	}
	for (int i = 0; i < KEYS; i++) {
		unsigned long objects[THIEF_OBJECTS_MAX];
		assert_int_equal(thief_find(world->thief, ids[i], true, objects), 1);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(A13_raw_numbers_at_the_edges_are_refused),
		cmocka_unit_test(A16_every_wrong_ciphertext_gets_the_same_octets),
		cmocka_unit_test(A16_a_hundred_wrong_tags_leave_the_worker_well),
		cmocka_unit_test(A9_planted_twin_stops_its_key_until_it_is_gone),
		cmocka_unit_test(A9_twin_of_a_key_in_use_is_found_by_verification),
		cmocka_unit_test(A5_key_that_is_not_as_it_was_made_is_told),
		cmocka_unit_test(A10_key_swapped_for_a_known_one_is_never_used),
		cmocka_unit_test(A10_swapped_rsa_key_is_never_used),
		cmocka_unit_test(B21_key_destroyed_behind_is_missing_not_denied),
		cmocka_unit_test(B28_public_half_alone_is_cleaned_up_by_destroy),
		cmocka_unit_test(B20_foreign_objects_are_counted_and_left_alone),
		cmocka_unit_test(B36_many_keys_asked_at_once_are_all_made),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
