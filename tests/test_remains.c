/* What an interrupted creation left on a real token goes (threats B28, B36); what anybody else has there stays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "pkcs11/identity.h"
#include "pkcs11/probe.h"
#include "pkcs11/remains.h"
#include "pkcs11/session.h"
#include "session_fixture.h"

static const uint8_t identity_id[] = "custody-identity";

/* What enrolment wants to know of the token takes longer than all the rest. */
static int
setup_probed(void **state)
{
	struct err err = {0};
	assert_int_equal(session_fixture_setup(state), 0);
	must(probe_run(((struct session_fixture *)*state)->session, 0, &err), &err);
	return 0;
}

static size_t
count_objects(struct session_fixture *world, const uint8_t *id)
{
	unsigned long objects[THIEF_OBJECTS_MAX];
	return thief_find(world->thief, id, true, objects);
}

static unsigned long
plant(struct session_fixture *world, enum thief_key which, const uint8_t *id)
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
	struct session_fixture *world = *state;
	struct err err = {0};
	for (size_t i = 0; i < ARRAY_LEN(empty); i++)
		assert_true(remains_has_no_value(world->session, plant(world, empty[i], NULL)));

	must(remains_remove(world->session, &err), &err);

	assert_int_equal(count_objects(world, NULL), 0);
}

static void
nameless_keys_with_a_value_stay_whatever_their_type(void **state)
{
	struct session_fixture *world = *state;
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
	struct session_fixture *world = *state;
	struct err err = {0};
	for (size_t i = 0; i < ARRAY_LEN(empty); i++)
		(void)plant(world, empty[i], (const uint8_t *)"somebody else's.");

	must(remains_remove(world->session, &err), &err);

	assert_int_equal(count_objects(world, NULL), ARRAY_LEN(empty));
}

/* The worker died when the module had written these halves of the pair. */
static void
enroll_over(struct session_fixture *world, enum thief_key first, enum thief_key second,
	bool second_has_id)
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
	struct session_fixture *world = *state;
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
#define TEST(name)                                                                                 \
	cmocka_unit_test_setup_teardown(name, session_fixture_setup, session_fixture_teardown)
#define PROBED(name) cmocka_unit_test_setup_teardown(name, setup_probed, session_fixture_teardown)
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
