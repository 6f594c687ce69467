/* The tables of pkcs11/, and what can only be seen from inside a worker's process, on a real token. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/random.h"
#include "pkcs11/attr.h"
#include "pkcs11/ckr.h"
#include "pkcs11/identity.h"
#include "pkcs11/inventory.h"
#include "pkcs11/keymake.h"
#include "pkcs11/mech.h"
#include "pkcs11/noise.h"
#include "pkcs11/operate.h"
#include "pkcs11/pin.h"
#include "pkcs11/probe.h"
#include "pkcs11/session.h"
#include "session_fixture.h"
#include "wire/wire.h"

/* --- tables --- */

static void
ckr_of_the_standard_has_a_row(void **state)
{
	(void)state;
	const struct ckr *removed = ckr_find(0x32); /* CKR_DEVICE_REMOVED */
	assert_string_equal(removed->name, "CKR_DEVICE_REMOVED");
	assert_int_equal(removed->code, ERR_UNAVAILABLE);
	assert_int_equal(removed->repair, CKR_REPAIR_REPLACE);
	assert_int_equal(ckr_find(0x40)->data, CKR_DATA_BAD);   /* CKR_ENCRYPTED_DATA_INVALID */
	assert_int_equal(ckr_find(0x5)->data, CKR_DATA_DOUBT);  /* CKR_GENERAL_ERROR */
	assert_int_equal(ckr_find(0x31)->code, ERR_TOKEN_FULL); /* CKR_DEVICE_MEMORY */
}

static void
B30_unknown_return_values_are_unavailable(void **state)
{
	(void)state;
	for (int i = 0; i < 10000; i++) {
		unsigned long rv;
		random_bytes(&rv, sizeof(rv));
		rv |= 0x80000000ul;
		const struct ckr *row = ckr_find(rv);
		assert_null(row->name);
		assert_int_equal(row->code, ERR_UNAVAILABLE);
		assert_int_equal(row->repair, CKR_REPAIR_SESSION);
	}
	struct err err;
	assert_false(ckr_set(&err, "C_Sign", 0x80000001ul));
	assert_string_equal(err.origin, "C_Sign: 0x80000001");
}

static void
mech_exists_for_every_algorithm_of_the_wire(void **state)
{
	(void)state;
	assert_int_equal(MECH_COUNT, WIRE_ALG_COUNT);
	for (enum wire_alg alg = WIRE_ALG_NONE + 1; alg < WIRE_ALG_COUNT; alg++) {
		enum mech mech = mech_find(wire_alg_name(alg));
		assert_int_not_equal(mech, MECH_NONE);
		assert_int_equal(mech_get(mech)->kty, wire_alg_kty(alg));
		assert_int_not_equal(mech_ops(mech), 0);
	}
	assert_int_equal(mech_find("RSA1_5"), MECH_NONE);
}

static void
attr_set_round_trips_and_takes_hardening_names_only(void **state)
{
	(void)state;
	uint32_t set = 0;
	char text[ATTR_SET_TEXT];
	struct err err = {0};
	assert_true(attr_set_parse("  copyable\tallowed-mechanisms ", &set, &err));
	assert_int_equal(set, ATTR_BIT(ATTR_COPYABLE) | ATTR_BIT(ATTR_ALLOWED_MECHANISMS));
	attr_set_format(set, text);
	assert_string_equal(text, "copyable allowed-mechanisms");
	assert_true(attr_set_parse("", &set, &err));
	assert_int_equal(set, 0);
	attr_set_format(UINT32_MAX, text);
	assert_true(attr_set_parse(text, &set, &err));
	assert_false(attr_set_parse("copyable,modifiable", &set, &err));
	assert_false(attr_set_parse("extractable", &set, &err));
	assert_int_equal(err.code, ERR_CONFIG);
}

/* --- a token --- */

struct world {
	struct session_fixture on;
	struct hsmkey_spec kw;
	uint8_t kw_fingerprint[HSMKEY_FINGERPRINT_LEN];
	struct hsmkey_spec gcm;
	uint8_t gcm_fingerprint[HSMKEY_FINGERPRINT_LEN];
};

static struct hsmkey_spec
aes_spec(uint32_t ops)
{
	struct hsmkey_spec spec = {.label = "vault/key", .kty = KEY_AES, .bits = 256, .ops = ops};
	random_bytes(spec.id, sizeof(spec.id));
	return spec;
}

static void
make(struct world *world, const struct hsmkey_spec *spec,
	uint8_t fingerprint[static HSMKEY_FINGERPRINT_LEN])
{
	struct hsmkey_facts facts;
	struct err err = {0};
	must(keymake_generate(world->on.session, spec, &facts, &err), &err);
	memcpy(fingerprint, facts.fingerprint, HSMKEY_FINGERPRINT_LEN);
}

static int
setup(void **state)
{
	struct err err = {0};
	struct world *world = calloc(1, sizeof(*world));
	assert_non_null(world);
	session_fixture_open(&world->on);
	must(probe_run(world->on.session, 0, &err), &err);
	uint8_t spki[PUBKEY_SPKI_MAX];
	size_t len;
	must(identity_enroll(world->on.session, spki, &len, &err), &err);
	world->kw = aes_spec(KEY_OP_WRAP | KEY_OP_UNWRAP);
	make(world, &world->kw, world->kw_fingerprint);
	world->gcm = aes_spec(KEY_OP_ENCRYPT | KEY_OP_DECRYPT);
	make(world, &world->gcm, world->gcm_fingerprint);
	*state = world;
	return 0;
}

static int
teardown(void **state)
{
	struct world *world = *state;
	session_fixture_close(&world->on);
	free(world);
	return 0;
}

static size_t
session_objects_now(struct world *world)
{
	unsigned long objects[THIEF_OBJECTS_MAX];
	return thief_find(world->on.thief, NULL, false, objects);
}

static void
A21_nothing_stays_in_a_session_after_trials_and_unwraps(void **state)
{
	struct world *world = *state;
	struct operate_key which = {world->kw.id, world->kw_fingerprint, MECH_A256KW};
	struct operate_fresh fresh = {.gcm = false};
	buf_init(&fresh.data, OPERATE_DATA_MAX);
	uint8_t key[32] = {1}, wrapped[40];
	struct err err = {0};
	assert_int_equal(session_objects_now(world), 0); /* probe_run() tried dozens */
	must(operate_encrypt(world->on.session, &which, (struct bytes){key, 32},
		     (struct bytes){NULL, 0}, &fresh, &err),
		&err);
	assert_int_equal(fresh.data.len, sizeof(wrapped));
	memcpy(wrapped, fresh.data.data, sizeof(wrapped));
	buf_clear(&fresh.data);
	uint64_t made = session_objects(world->on.session);
	for (int i = 0; i < 2000; i++) {
		CLEAN(secret)
		struct secret *plain = NULL;
		wrapped[7] ^= (uint8_t)(i & 1); /* every other one is damaged */
		struct operate_sealed sealed = {
			.data = {wrapped, sizeof(wrapped)}
                };
		bool opened = operate_decrypt(world->on.session, &which, &sealed, &plain, &err);
		wrapped[7] ^= (uint8_t)(i & 1);
		assert_int_equal(opened, (i & 1) == 0);
	}
	assert_int_equal(session_objects_now(world), 0);
	assert_int_equal(session_objects(world->on.session), made + 1000);
}

static void
A24_every_iv_is_new(void **state)
{
	struct world *world = *state;
	struct operate_key which = {world->gcm.id, world->gcm_fingerprint, MECH_A256GCM};
	uint8_t ivs[50][GCM_IV_LEN];
	for (size_t i = 0; i < ARRAY_LEN(ivs); i++) {
		struct operate_fresh fresh = {.gcm = false};
		buf_init(&fresh.data, OPERATE_DATA_MAX);
		struct err err = {0};
		must(operate_encrypt(world->on.session, &which, (struct bytes){NULL, 0},
			     (struct bytes){NULL, 0}, &fresh, &err),
			&err);
		memcpy(ivs[i], fresh.iv, GCM_IV_LEN);
		buf_clear(&fresh.data);
		for (size_t j = 0; j < i; j++)
			assert_memory_not_equal(ivs[i], ivs[j], GCM_IV_LEN);
	}
}

static void
noise_is_new_each_time_and_of_the_length_asked(void **state)
{
	struct world *world = *state;
	struct err err = {0};
	uint8_t last[NOISE_MAX] = {0};
	for (size_t len = 16; len <= NOISE_MAX; len += 16) {
		CLEAN(secret)
		struct secret *noise = NULL;
		must(noise_draw(world->on.session, len, &noise, &err), &err);
		assert_int_equal(secret_len(noise), len);
		assert_memory_not_equal(secret_peek(noise), last, 16);
		memcpy(last, secret_peek(noise), len);
	}
	struct secret *none = NULL;
	assert_false(noise_draw(world->on.session, 0, &none, &err));
	assert_false(noise_draw(world->on.session, NOISE_MAX + 1, &none, &err));
	assert_null(none);
}

static void
B7_session_that_was_closed_is_repaired_unseen(void **state)
{
	struct world *world = *state;
	struct operate_key which = {world->kw.id, world->kw_fingerprint, MECH_A256KW};
	struct err err = {0};
	uint8_t key[32] = {1};
	/* the other sessions of the application keep the login alive */
	thief_close_others(world->on.thief);
	for (int i = 0; i < 3; i++) {
		struct operate_fresh fresh = {.gcm = false};
		buf_init(&fresh.data, OPERATE_DATA_MAX);
		must(operate_encrypt(world->on.session, &which, (struct bytes){key, 32},
			     (struct bytes){NULL, 0}, &fresh, &err),
			&err);
		buf_clear(&fresh.data);
		assert_false(session_lost(world->on.session));
	}
}

static void
inventory_counts_what_has_an_id(void **state)
{
	struct world *world = *state;
	struct inventory_count count;
	struct err err = {0};
	must(inventory_count(world->on.session, world->kw.id, &count, &err), &err);
	assert_int_equal(count.secret_keys, 1);
	assert_string_equal(count.label, "vault/key");
}

static void
pin_digest_needs_a_salt_and_depends_on_it(void **state)
{
	(void)state;
	uint8_t first[PIN_DIGEST_LEN], second[PIN_DIGEST_LEN];
	CLEAN(secret)
	struct secret *pin = secret_from("1234", 4);
	struct err err = {0};
	assert_true(pin_digest(pin, bytes_of_text("0123456789abcdef"), first, &err));
	assert_true(pin_digest(pin, bytes_of_text("0123456789abcdeg"), second, &err));
	assert_memory_not_equal(first, second, sizeof(first));
	assert_false(pin_digest(pin, bytes_of_text("0123456789abcde"), second, &err));
	assert_int_equal(err.code, ERR_INTERNAL);
}

/* Last: it logs out behind our back. */
static void
B8_lost_login_ends_the_session_for_good(void **state)
{
	struct world *world = *state;
	struct operate_key which = {world->kw.id, world->kw_fingerprint, MECH_A256KW};
	struct operate_fresh fresh = {.gcm = false};
	buf_init(&fresh.data, OPERATE_DATA_MAX);
	struct err err = {0};
	uint8_t key[32] = {1};
	thief_logout(world->on.thief);

	assert_false(operate_encrypt(world->on.session, &which, (struct bytes){key, 32},
		(struct bytes){NULL, 0}, &fresh, &err));

	/* not missing, though a token hides private objects from who is not logged in */
	assert_int_equal(err_class(err.code), ERR_CLASS_UNAVAILABLE);
	assert_true(session_lost(world->on.session));
	buf_clear(&fresh.data);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ckr_of_the_standard_has_a_row),
		cmocka_unit_test(B30_unknown_return_values_are_unavailable),
		cmocka_unit_test(mech_exists_for_every_algorithm_of_the_wire),
		cmocka_unit_test(attr_set_round_trips_and_takes_hardening_names_only),
		cmocka_unit_test(A21_nothing_stays_in_a_session_after_trials_and_unwraps),
		cmocka_unit_test(A24_every_iv_is_new),
		cmocka_unit_test(noise_is_new_each_time_and_of_the_length_asked),
		cmocka_unit_test(B7_session_that_was_closed_is_repaired_unseen),
		cmocka_unit_test(inventory_counts_what_has_an_id),
		cmocka_unit_test(pin_digest_needs_a_salt_and_depends_on_it),
		cmocka_unit_test(B8_lost_login_ends_the_session_for_good),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
