/* What an interrupted creation left on a real token goes (threats B28, B36); what anybody else has there stays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "attack/thief.h"
#include "pkcs11/identity.h"
#include "pkcs11/probe.h"
#include "pkcs11/remains.h"
#include "pkcs11/session.h"
#include "support/softhsm.h"

static const uint8_t identity_id[] = "custody-identity";

struct world {
	struct softhsm softhsm;
	struct module *module;
	struct session *session;
	struct thief *thief;
};

static void
must(bool good, const struct err *err)
{
	if (!good)
		fail_msg("%s: %s (%s)", err->code == ERR_NONE ? "?" : err_name(err->code),
			err->message, err->origin);
}

static int
setup(void **state)
{
	struct err err = {0};
	struct world *world = calloc(1, sizeof(*world));
	assert_non_null(world);
	softhsm_open(&world->softhsm);
	softhsm_add_token(&world->softhsm, "west");
	world->module = module_load(softhsm_module(), &err);
	must(world->module != NULL, &err);
	must(module_start(world->module, &err), &err);
	must(module_find_token(world->module, "pkcs11:token=west", &err), &err);
	world->session = session_open(world->module, NULL, &err);
	must(world->session != NULL, &err);
	CLEAN(secret)
	struct secret *pin = secret_from(SOFTHSM_PIN, strlen(SOFTHSM_PIN));
	must(session_login(world->session, pin, &err), &err);
	world->thief = thief_join(softhsm_module(), "west");
	*state = world;
	return 0;
}

/* What enrolment wants to know of the token takes longer than all the rest. */
static int
setup_probed(void **state)
{
	struct err err = {0};
	assert_int_equal(setup(state), 0);
	must(probe_run(((struct world *)*state)->session, 0, &err), &err);
	return 0;
}

static int
teardown(void **state)
{
	struct world *world = *state;
	thief_leave(world->thief);
	session_free(world->session);
	module_stop(world->module);
	module_free(world->module);
	softhsm_close(&world->softhsm);
	free(world);
	return 0;
}

static size_t
count_objects(struct world *world, const uint8_t *id)
{
	unsigned long objects[THIEF_OBJECTS_MAX];
	return thief_find(world->thief, id, true, objects);
}

static unsigned long
plant(struct world *world, enum thief_key which, const uint8_t *id)
{
	unsigned long object;
	assert_int_equal(thief_plant_key(world->thief, which, id, &object), 0);
	return object;
}

static const enum thief_key empty[] = {
	THIEF_EMPTY_EC_PUBLIC, THIEF_EMPTY_EC_PRIVATE, THIEF_EMPTY_SECRET};
static const enum thief_key whole[] = {THIEF_EC_PUBLIC, THIEF_EC_PRIVATE, THIEF_SECRET,
	THIEF_DSA_PUBLIC, THIEF_DSA_PRIVATE, THIEF_DH_PUBLIC};

static void
nameless_keys_without_a_value_go(void **state)
{
	struct world *world = *state;
	struct err err = {0};
	for (size_t i = 0; i < ARRAY_LEN(empty); i++)
		assert_true(remains_has_no_value(world->session, plant(world, empty[i], NULL)));

	must(remains_remove(world->session, &err), &err);

	assert_int_equal(count_objects(world, NULL), 0);
}

static void
nameless_keys_with_a_value_stay_whatever_their_type(void **state)
{
	struct world *world = *state;
	struct err err = {0};
	for (size_t i = 0; i < ARRAY_LEN(whole); i++) {
		unsigned long object = plant(world, whole[i], NULL);
		if (remains_has_no_value(world->session, object))
			fail_msg("kind %d is taken for remains", (int)whole[i]);
	}

	must(remains_remove(world->session, &err), &err);

	assert_int_equal(count_objects(world, NULL), ARRAY_LEN(whole));
}

static void
keys_without_a_value_that_have_an_id_stay(void **state)
{
	struct world *world = *state;
	struct err err = {0};
	for (size_t i = 0; i < ARRAY_LEN(empty); i++)
		(void)plant(world, empty[i], (const uint8_t *)"somebody else's.");

	must(remains_remove(world->session, &err), &err);

	assert_int_equal(count_objects(world, NULL), ARRAY_LEN(empty));
}

/* The worker died when the module had written these halves of the pair. */
static void
enroll_over(struct world *world, enum thief_key first, enum thief_key second, bool second_has_id)
{
	struct err err = {0};
	uint8_t spki[PUBKEY_SPKI_MAX];
	size_t len;
	(void)plant(world, first, identity_id);
	(void)plant(world, second, second_has_id ? identity_id : NULL);

	must(identity_enroll(world->session, spki, &len, &err), &err);

	assert_int_equal(count_objects(world, identity_id), 2);
	assert_int_equal(count_objects(world, NULL), 2);
	must(identity_check(world->session, (struct bytes){spki, len}, &err), &err);
}

static void
B28_identity_with_a_public_half_only_is_made_anew(void **state)
{
	enroll_over(*state, THIEF_EC_PUBLIC, THIEF_EMPTY_EC_PRIVATE, false);
}

static void
B28_identity_without_values_is_made_anew(void **state)
{
	enroll_over(*state, THIEF_EMPTY_EC_PUBLIC, THIEF_EMPTY_EC_PRIVATE, true);
}

static void
B23_identity_that_somebody_put_there_is_refused_and_stays(void **state)
{
	struct world *world = *state;
	struct err err = {0};
	uint8_t spki[PUBKEY_SPKI_MAX];
	size_t len;
	(void)plant(world, THIEF_EC_PUBLIC, identity_id);
	(void)plant(world, THIEF_EC_PRIVATE, identity_id);

	assert_false(identity_enroll(world->session, spki, &len, &err));

	assert_int_equal(err.code, ERR_KEY_INTEGRITY);
	assert_false(identity_enrolled(world->session));
	assert_int_equal(count_objects(world, identity_id), 2);
}

int
main(void)
{
#define TEST(name)   cmocka_unit_test_setup_teardown(name, setup, teardown)
#define PROBED(name) cmocka_unit_test_setup_teardown(name, setup_probed, teardown)
	const struct CMUnitTest tests[] = {
		TEST(nameless_keys_without_a_value_go),
		TEST(nameless_keys_with_a_value_stay_whatever_their_type),
		TEST(keys_without_a_value_that_have_an_id_stay),
		PROBED(B28_identity_with_a_public_half_only_is_made_anew),
		PROBED(B28_identity_without_values_is_made_anew),
		PROBED(B23_identity_that_somebody_put_there_is_refused_and_stays),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
