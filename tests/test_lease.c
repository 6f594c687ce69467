/* Whose a real token is, and its counter, also after a kill between any two calls (threats D9, D12). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "pkcs11/lease.h"
#include "pkcs11/session_priv.h"
#include "session_fixture.h"

static const uint8_t west[LEASE_OWNER_LEN] = "west's catalog..",
		     east[LEASE_OWNER_LEN] = "east's catalog..";

static struct lease
taken(struct session_fixture *world, const uint8_t *owner, bool take_over)
{
	struct lease lease;
	struct err err = {0};
	must(lease_take(world->session, owner, take_over, &lease, &err), &err);
	return lease;
}

static struct lease
seen(struct session_fixture *world, const uint8_t *owner)
{
	struct lease lease;
	struct err err = {0};
	must(lease_read(world->session, owner, &lease, &err), &err);
	return lease;
}

static struct lease
raised(struct session_fixture *world, const uint8_t *owner, uint64_t counter)
{
	struct lease lease;
	struct err err = {0};
	must(lease_raise(world->session, owner, counter, &lease, &err), &err);
	return lease;
}

/* A lease as a kill leaves it beside the next one, or as another made it at the same time. */
static void
plant(struct session_fixture *world, const uint8_t *owner, uint8_t term, uint8_t counter)
{
	uint8_t value[56] = "CUSTLSE1";
	memcpy(value + 8, owner, LEASE_OWNER_LEN);
	value[47] = term;
	value[55] = counter;
	assert_int_equal(
		thief_plant_data(world->thief, "custody", LEASE_LABEL, value, sizeof(value)), 0);
}

static void
D12_token_has_one_owner_until_it_is_taken_over(void **state)
{
	struct session_fixture *world = *state;
	struct lease lease;
	struct err err = {0};
	assert_int_equal(seen(world, west).state, LEASE_NONE);
	lease = taken(world, west, false);
	assert_int_equal(lease.state, LEASE_OURS);
	assert_int_equal(lease.term, 1);
	assert_int_equal(seen(world, east).state, LEASE_OTHER);
	assert_memory_equal(seen(world, east).owner, west, sizeof(west));
	assert_false(lease_take(world->session, east, false, &lease, &err));
	assert_int_equal(err.code, ERR_TOKEN_LEASED);
	assert_int_equal(seen(world, west).state, LEASE_OURS);

	lease = taken(world, east, true);
	assert_int_equal(lease.state, LEASE_OURS);
	assert_memory_equal(lease.former, west, sizeof(west));
	assert_int_equal(seen(world, west).state, LEASE_OTHER);
	assert_false(lease_raise(world->session, west, 9, &lease, &err));
	assert_int_equal(err.code, ERR_TOKEN_LEASED);
	assert_int_equal(thief_count_data(world->thief), 1);
}

static void
D9_counter_goes_up_only_and_stays_when_the_owner_changes(void **state)
{
	struct session_fixture *world = *state;
	(void)taken(world, west, false);
	assert_int_equal(raised(world, west, 5).counter, 5);
	assert_int_equal(raised(world, west, 4).counter, 5);
	assert_int_equal(raised(world, west, 6).counter, 6);
	assert_int_equal(taken(world, east, true).counter, 6);
	assert_int_equal(raised(world, east, UINT64_C(1) << 40).counter, UINT64_C(1) << 40);
	assert_int_equal(seen(world, east).term, 2);
	assert_int_equal(thief_count_data(world->thief), 1);
}

static void
D12_of_two_that_a_kill_left_the_newer_counts(void **state)
{
	struct session_fixture *world = *state;
	plant(world, west, 1, 7);
	plant(world, east, 2, 7);
	assert_int_equal(seen(world, east).state, LEASE_OURS);
	assert_int_equal(seen(world, west).state, LEASE_OTHER);
	assert_int_equal(taken(world, east, false).term, 2);
	assert_int_equal(thief_count_data(world->thief), 1);

	plant(world, east, 2, 9); /* raised, and killed before the old one went */
	assert_int_equal(seen(world, east).counter, 9);
	assert_int_equal(raised(world, east, 10).counter, 10);
	assert_int_equal(thief_count_data(world->thief), 1);
}

static void
D12_two_that_took_it_at_once_have_it_neither(void **state)
{
	struct session_fixture *world = *state;
	plant(world, west, 1, 3);
	plant(world, east, 1, 4);
	assert_int_equal(seen(world, west).state, LEASE_OTHER);
	assert_int_equal(seen(world, east).state, LEASE_OTHER);
	struct lease lease = taken(world, east, true);
	assert_int_equal(lease.counter, 4);
	assert_int_equal(lease.term, 2);
	assert_int_equal(thief_count_data(world->thief), 1);
}

static void
D12_lease_of_an_unknown_form_is_anothers(void **state)
{
	struct session_fixture *world = *state;
	assert_int_equal(thief_plant_data(world->thief, "custody", LEASE_LABEL, "CUSTLSE2", 8), 0);
	assert_int_equal(thief_plant_data(world->thief, "custody", "a note", "text", 4), 0);
	assert_int_equal(thief_plant_data(world->thief, "other", LEASE_LABEL, "text", 4), 0);
	struct lease lease;
	struct err err = {0};
	assert_int_equal(seen(world, west).state, LEASE_OTHER);
	assert_false(lease_take(world->session, west, false, &lease, &err));
	assert_int_equal(err.code, ERR_TOKEN_LEASED);
	assert_int_equal(taken(world, west, true).state, LEASE_OURS);
	assert_int_equal(seen(world, west).state, LEASE_OURS);
	assert_int_equal(thief_count_data(world->thief), 3); /* what is not ours stays */
}

static void
token_that_stores_no_data_objects_has_no_lease_and_no_fault(void **state)
{
	struct session_fixture *world = *state;
	world->session->ck = thief_without_data(world->thief);
	assert_int_equal(taken(world, west, false).state, LEASE_UNSUPPORTED);
	assert_int_equal(seen(world, west).state, LEASE_NONE);

	/* but what is another's stays another's */
	plant(world, east, 1, 0);
	struct lease lease;
	struct err err = {0};
	assert_false(lease_take(world->session, west, true, &lease, &err));
	assert_int_equal(err.code, ERR_UNAVAILABLE);
}

#define CASE(function)                                                                             \
	cmocka_unit_test_setup_teardown(function, session_fixture_setup, session_fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(D12_token_has_one_owner_until_it_is_taken_over),
		CASE(D9_counter_goes_up_only_and_stays_when_the_owner_changes),
		CASE(D12_of_two_that_a_kill_left_the_newer_counts),
		CASE(D12_two_that_took_it_at_once_have_it_neither),
		CASE(D12_lease_of_an_unknown_form_is_anothers),
		CASE(token_that_stores_no_data_objects_has_no_lease_and_no_fault),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
