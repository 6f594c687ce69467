/*
 * Who decides about a DEP key: every row of the table of fallbacks, with scripted custodyds and the test's own clock (threats G1,
 * G2, G3, G5, G6, G7, G21, G22, G24, G27).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "dep_fixture.h"

#define MINUTE_MS INT64_C(60000)
#define HOUR_MS   (60 * MINUTE_MS)

static const enum db_dep_policy_kind kinds[] = {
	DB_DEP_M365, DB_DEP_MAILBOX, DB_DEP_GEO, DB_DEP_SERVICE};
static const char *const kind_names[] = {"", "m365", "mailbox", "geo", "service"};
static const char *const key_names[] = {"works", "denied", "unavailable", "missing"};
static const char *const action_names[] = {"", "user", "system"};

/* What the table says of one cell. */
struct cell {
	enum err_code code; /* ERR_NONE: a key is given */
	bool fallback;
	bool kept; /* in memory afterwards */
};

static void
set_keys(struct dep_fixture *f, enum dep_fixture_key west, enum dep_fixture_key east)
{
	f->script.key[0] = west;
	f->script.key[1] = east;
}

static struct cell
expect(const struct dep_fixture *f, enum db_dep_policy_kind kind, enum dep_action action)
{
	const struct dep_fixture_script *script = &f->script;
	bool falls_back = kind == DB_DEP_M365 || kind == DB_DEP_MAILBOX; /* threats G21 */
	bool works = script->key[0] == DEP_FIXTURE_WORKS || script->key[1] == DEP_FIXTURE_WORKS;
	bool denied = script->key[0] == DEP_FIXTURE_DENIED && script->key[1] == DEP_FIXTURE_DENIED;
	if (!script->silent && works)
		return (struct cell){ERR_NONE, false, true};
	if (!script->silent && denied)
		return falls_back && action == DEP_SYSTEM
			       ? (struct cell){ERR_NONE, true, false}
			       : (struct cell){ERR_ACCESS_DENIED, false, false};
	return falls_back ? (struct cell){ERR_NONE, true, true}
			  : (struct cell){ERR_UNAVAILABLE, false, false};
}

static void
check_cell(struct dep_fixture *f, enum db_dep_policy_kind kind, enum dep_action action)
{
	char name[128];
	struct err err = {0};
	struct cell cell = expect(f, kind, action);
	unsigned used = f->availability_used;
	unsigned fallbacks = dep_fixture_audited(f, "Fallback to Availability Key");
	unsigned denials = dep_fixture_audited(f, "generation.denied");
	bool audited = cell.code == ERR_ACCESS_DENIED && action == DEP_USER;
	(void)snprintf(name, sizeof(name), "%s/%s%s, %s action, %s", key_names[f->script.key[0]],
		key_names[f->script.key[1]], f->script.silent ? " (unreachable)" : "",
		action_names[action], kind_names[kind]);

	dep_fixture_open(f, kind, action);

	if (f->code != cell.code)
		fail_msg("%s: %s", name, f->code == ERR_NONE ? "given" : err_name(f->code));
	if (f->key != NULL && dep_key_use(f->key, &err) == NULL)
		fail_msg("%s: the key that was given cannot be used", name);
	if (f->availability_used != used + (cell.fallback ? 1 : 0))
		fail_msg("%s: the availability key was used %u times", name,
			f->availability_used - used);
	if (dep_fixture_audited(f, "Fallback to Availability Key") !=
		fallbacks + (cell.fallback ? 1 : 0))
		fail_msg("%s: fallbacks are not as in the audit", name);
	if (dep_fixture_audited(f, "generation.denied") != denials + (audited ? 1 : 0))
		fail_msg("%s: denials are not as in the audit", name);
	if ((dep_opener_peek(f->opener, f->generation[kind]) != NULL) != cell.kept)
		fail_msg("%s: in memory afterwards: %d", name, !cell.kept);
	dep_fixture_drop(f);
	(void)dep_opener_flush(f->opener);
}

static void
every_cell_of_the_table_is_as_it_says_G1(void **state)
{
	struct dep_fixture *f = *state;
	for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
		for (enum dep_action action = DEP_USER; action <= DEP_SYSTEM; action++) {
			for (int i = 0; i < DEP_FIXTURE_KEYS * DEP_FIXTURE_KEYS; i++) {
				set_keys(f, (enum dep_fixture_key)(i / DEP_FIXTURE_KEYS),
					(enum dep_fixture_key)(i % DEP_FIXTURE_KEYS));
				check_cell(f, kinds[k], action);
			}
			f->script.silent = true;
			check_cell(f, kinds[k], action);
			f->script.silent = false;
		}
	}
}

/* What was asked for is given to the recovery alone, once, and kept for nobody. */
static void
geo_falls_back_for_the_recovery_of_lost_keys_alone_G20_G21(void **state)
{
	struct dep_fixture *f = *state;
	for (int i = 0; i < DEP_FIXTURE_KEYS * DEP_FIXTURE_KEYS; i++) {
		enum dep_fixture_key a = (enum dep_fixture_key)(i / DEP_FIXTURE_KEYS);
		enum dep_fixture_key b = (enum dep_fixture_key)(i % DEP_FIXTURE_KEYS);
		bool works = a == DEP_FIXTURE_WORKS || b == DEP_FIXTURE_WORKS;
		bool lost = !works && a != DEP_FIXTURE_DENIED && b != DEP_FIXTURE_DENIED;
		unsigned used = f->availability_used;
		set_keys(f, a, b);
		dep_fixture_open(f, DB_DEP_GEO, DEP_RECOVERY);
		if ((f->key != NULL) != (works || lost) ||
			f->availability_used != used + (lost ? 1 : 0) ||
			(dep_opener_peek(f->opener, f->generation[DB_DEP_GEO]) != NULL) != works)
			fail_msg("%s/%s", key_names[a], key_names[b]);
		dep_fixture_drop(f);
		(void)dep_opener_flush(f->opener);
	}
	f->script.silent = true;
	dep_fixture_open(f, DB_DEP_GEO, DEP_RECOVERY);
	assert_null(f->key);
	assert_int_equal(f->code, ERR_UNAVAILABLE);
}

static void
who_waits_beside_the_recovery_of_a_geo_gets_nothing_of_it_G21(void **state)
{
	struct dep_fixture *f = *state;
	set_keys(f, DEP_FIXTURE_UNAVAILABLE, DEP_FIXTURE_MISSING);
	for (enum dep_action action = DEP_USER; action <= DEP_SYSTEM; action++) {
		unsigned told = f->told;
		(void)dep_fixture_start(f, DB_DEP_GEO, DEP_RECOVERY);
		(void)dep_fixture_start(f, DB_DEP_GEO, action);
		dep_fixture_wait(f, told + 2);
		assert_null(f->key);
		assert_int_equal(f->code, ERR_UNAVAILABLE);
	}
	assert_int_equal(f->availability_used, 2);
	assert_int_equal(dep_fixture_audited(f, "; recovery action; unavailable"), 2);
}

static void
owners_are_asked_as_the_application_of_the_policy(void **state)
{
	struct dep_fixture *f = *state;
	dep_fixture_open(f, DB_DEP_M365, DEP_USER);
	assert_string_equal(f->application, CUSTODY_APP_M365);
	dep_fixture_open(f, DB_DEP_MAILBOX, DEP_USER);
	assert_string_equal(f->application, CUSTODY_APP_EXCHANGE);
	dep_fixture_open(f, DB_DEP_GEO, DEP_USER);
	assert_string_equal(f->application, CUSTODY_APP_SHAREPOINT);
	unsigned asked = f->owners_asked;
	dep_fixture_open(f, DB_DEP_SERVICE, DEP_USER);
	assert_int_equal(f->owners_asked, asked);
	assert_int_equal(f->service_dual_asked, 1);
}

static void
fallback_record_names_all_of_it_G22(void **state)
{
	struct dep_fixture *f = *state;
	set_keys(f, DEP_FIXTURE_DENIED, DEP_FIXTURE_UNAVAILABLE);
	dep_fixture_open(f, DB_DEP_MAILBOX, DEP_USER);
	assert_int_equal(
		dep_fixture_audited(f, "\"request\":\"01234567-89ab-4def-8123-456789abcdef\""), 1);
	assert_int_equal(dep_fixture_audited(f, "\"subject\":\"policy\""), 1);
	assert_int_equal(dep_fixture_audited(f, "scope key 77000000-"), 1);
	assert_int_equal(dep_fixture_audited(f,
				 "user action; denied KeyDisabled, unavailable ServiceUnavailable"),
		1);
	f->script.silent = true;
	(void)dep_opener_flush(f->opener);
	dep_fixture_open(f, DB_DEP_MAILBOX, DEP_SYSTEM);
	assert_int_equal(
		dep_fixture_audited(f, "system action; unreachable , unreachable ; blind"), 1);
}

static void
answers_that_tell_nothing_of_keys_are_no_word_G3(void **state)
{
	static const struct {
		int status;
		const char *body;
		bool blind;
	} rows[] = {
		{429, "{\"error\":{\"code\":\"Throttled\",\"message\":\"m\"}}",          true },
		{503, "{\"error\":{\"code\":\"ServiceUnavailable\",\"message\":\"m\"}}", true },
		{403, "{\"error\":{\"code\":\"Forbidden\",\"message\":\"m\"}}",          true },
		{500, "oops",							    true },
		{200, "{\"value\":\"AAEC\"}",                                            true },
		{200, "{}",							      true },
		{400, "{\"error\":{\"code\":\"BadParameter\",\"message\":\"m\"}}",       false},
		{403,
                 "{\"error\":{\"code\":\"Forbidden\",\"message\":\"m\",\"details\":[{"
			"\"kid\":"
			"\"" DEP_FIXTURE_WEST
			"\",\"outcome\":\"denied\",\"code\":\"KeyDisabled\"}]}}",        false},
		{403,
                 "{\"error\":{\"code\":\"Forbidden\",\"message\":\"m\",\"details\":[{"
			"\"kid\":"
			"\"" DEP_FIXTURE_WEST "\",\"outcome\":\"denied\",\"code\":\"KeyDisabled\"},"
			"{\"kid\":\"" DEP_FIXTURE_WEST
			"\",\"outcome\":\"denied\",\"code\":\"KeyDisabled\"}]}}",        false},
		{503,
                 "{\"error\":{\"code\":\"ServiceUnavailable\",\"message\":\"m\",\"details\":"
			"["
			"{\"kid\":\"" DEP_FIXTURE_WEST
			"\",\"outcome\":\"unavailable\",\"code\":\"Timeout\"},"
			"{\"kid\":\"" DEP_FIXTURE_WEST
			"\",\"outcome\":\"denied\",\"code\":\"KeyDisabled\"},"
			"{\"kid\":\"" DEP_FIXTURE_EAST
			"\",\"outcome\":\"denied\",\"code\":\"KeyDisabled\"}]}}",        false},
	};
	struct dep_fixture *f = *state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		unsigned blind = dep_fixture_audited(f, "; blind");
		f->script.status = rows[i].status;
		f->script.body = rows[i].body;
		dep_fixture_open(f, DB_DEP_M365, DEP_USER);
		if (f->key == NULL || dep_fixture_audited(f, "; blind") != blind + rows[i].blind)
			fail_msg("%s: %s", rows[i].body, f->key == NULL ? "refused" : "given");
		(void)dep_opener_flush(f->opener);
	}
}

static void
availability_key_that_fails_is_told(void **state)
{
	struct dep_fixture *f = *state;
	set_keys(f, DEP_FIXTURE_UNAVAILABLE, DEP_FIXTURE_UNAVAILABLE);
	f->availability_fails = true;
	dep_fixture_open(f, DB_DEP_M365, DEP_USER);
	assert_int_equal(f->code, ERR_AVAILABILITY_KEY_UNUSABLE);
	assert_int_equal(dep_fixture_audited(f, "Fallback"), 0);
}

/* ---- records and keys that are not what was signed ---- */

static void
key_that_is_not_the_generations_is_refused_G27(void **state)
{
	struct dep_fixture *f = *state;
	f->script.other_key = true;
	dep_fixture_open(f, DB_DEP_MAILBOX, DEP_USER);
	assert_int_equal(f->code, ERR_CATALOG_INTEGRITY);
	set_keys(f, DEP_FIXTURE_UNAVAILABLE, DEP_FIXTURE_UNAVAILABLE);
	dep_fixture_open(f, DB_DEP_MAILBOX, DEP_USER);
	assert_int_equal(f->code, ERR_CATALOG_INTEGRITY);
	assert_null(dep_opener_peek(f->opener, f->generation[DB_DEP_MAILBOX]));
}

static void
planted_generation_is_refused_before_anybody_is_asked_G27(void **state)
{
	struct dep_fixture *f = *state;
	struct err err = {0};
	CLEAN(arena)
	struct arena *arena = arena_new();
	struct keytree_generation identity = {.organization = "contoso",
		.policy = {DB_DEP_MAILBOX},
		.generation = {0xbb},
		.number = 2};
	struct db_dep_generation planted = dep_fixture_generation(f, arena, &identity);
	struct db_dep_policy policy;
	static const uint8_t forged[64] = {1};
	planted.policy = f->policy[DB_DEP_MAILBOX];
	planted.signature = (struct bytes){forged, sizeof(forged)};
	assert_true(db_dep_generation_insert(f->db, &planted, &err));
	assert_true(db_dep_policy_get(f->db, planted.policy, arena, &policy, &err));
	f->generation[DB_DEP_MAILBOX] = policy.current;

	dep_fixture_open(f, DB_DEP_MAILBOX, DEP_SYSTEM);

	assert_int_equal(f->code, ERR_CATALOG_INTEGRITY);
	assert_int_equal(f->owners_asked, 0);
	assert_int_equal(f->availability_used, 0);
}

/* The key that comes out of it is known, but its owners' silence about it is no word: a flipped bit gives nobody the availability key. */
static void
damaged_envelope_opens_by_customer_keys_only_G28(void **state)
{
	struct dep_fixture *f = *state;
	struct err err = {0};
	CLEAN(arena)
	struct arena *arena = arena_new();
	struct keytree_generation identity = {.organization = "contoso",
		.policy = {DB_DEP_MAILBOX},
		.generation = {0xbb},
		.number = 2};
	struct db_dep_generation damaged = dep_fixture_generation(f, arena, &identity);
	struct db_dep_policy policy;
	damaged.policy = f->policy[DB_DEP_MAILBOX];
	damaged.envelope = arena_printf(arena, "%s ", damaged.envelope);
	assert_true(db_dep_generation_insert(f->db, &damaged, &err));
	assert_true(db_dep_policy_get(f->db, damaged.policy, arena, &policy, &err));
	f->generation[DB_DEP_MAILBOX] = policy.current;

	dep_fixture_open(f, DB_DEP_MAILBOX, DEP_USER);
	assert_int_equal(f->code, ERR_NONE);
	dep_fixture_drop(f);
	dep_fixture_restart(f);
	set_keys(f, DEP_FIXTURE_UNAVAILABLE, DEP_FIXTURE_UNAVAILABLE);
	dep_fixture_open(f, DB_DEP_MAILBOX, DEP_USER);
	assert_int_equal(f->code, ERR_CATALOG_INTEGRITY);
	f->script.silent = true;
	dep_fixture_open(f, DB_DEP_MAILBOX, DEP_SYSTEM);
	assert_int_equal(f->code, ERR_CATALOG_INTEGRITY);
	assert_int_equal(f->availability_used, 0);
}

/* ---- one opening for many ---- */

static void
many_who_wait_are_one_opening(void **state)
{
	struct dep_fixture *f = *state;
	f->script.delay_ms = 20;
	for (int i = 0; i < 10; i++)
		(void)dep_fixture_start(f, DB_DEP_M365, i % 2 == 0 ? DEP_USER : DEP_SYSTEM);
	uint64_t leaves = dep_fixture_start(f, DB_DEP_M365, DEP_USER);
	dep_opener_cancel(f->opener, leaves);
	dep_fixture_wait(f, 10);
	dep_fixture_settle(f);
	assert_int_equal(f->told, 10);
	assert_int_equal(f->owners_asked, 1);
	assert_non_null(f->key);
	dep_fixture_open(f, DB_DEP_M365, DEP_USER); /* from memory */
	assert_int_equal(f->owners_asked, 1);
	assert_int_equal(f->code, ERR_NONE);
}

struct both {
	struct dep_fixture *f;
	enum err_code user, system;
	unsigned told;
};

static void
user_told(void *ctx, struct dep_key *key, const struct err *err)
{
	struct both *both = ctx;
	both->told++;
	both->user = key != NULL ? ERR_NONE : err->code;
}

static void
system_told(void *ctx, struct dep_key *key, const struct err *err)
{
	struct both *both = ctx;
	both->told++;
	both->system = key != NULL ? ERR_NONE : err->code;
}

static void
denied_opening_serves_the_system_alone_G1(void **state)
{
	struct dep_fixture *f = *state;
	struct both both = {.f = f, .system = ERR_INTERNAL};
	static const struct dep_opening_for user = {.action = DEP_USER};
	static const struct dep_opening_for system = {.action = DEP_SYSTEM};
	set_keys(f, DEP_FIXTURE_DENIED, DEP_FIXTURE_DENIED);
	int64_t generation = f->generation[DB_DEP_MAILBOX];
	assert_true(dep_opener_start(f->opener, generation, &user, user_told, &both) != 0);
	assert_true(dep_opener_start(f->opener, generation, &system, system_told, &both) != 0);

	dep_fixture_settle(f);

	assert_int_equal(both.told, 2);
	assert_int_equal(both.user, ERR_ACCESS_DENIED);
	assert_int_equal(both.system, ERR_NONE);
	assert_int_equal(f->availability_used, 1);
	assert_int_equal(dep_fixture_audited(f, "generation.denied"), 1);
	assert_int_equal(dep_fixture_audited(f, "Fallback to Availability Key"), 1);
	assert_int_equal(dep_opener_stats(f->opener).cached, 0); /* threats G6 */
}

static void
shutdown_tells_who_waits(void **state)
{
	struct dep_fixture *f = *state;
	(void)dep_fixture_start(f, DB_DEP_M365, DEP_USER);
	loop_turn(f->loop, 0);
	ops_cancel_all(f->ops);
	assert_int_equal(f->told, 1);
	assert_int_equal(f->code, ERR_SHUTTING_DOWN);
}

/* ---- time ---- */

static void
revocation_takes_effect_within_the_time_of_memory_G5(void **state)
{
	struct dep_fixture *f = *state;
	struct err err = {0};
	dep_fixture_open(f, DB_DEP_M365, DEP_USER);
	set_keys(f, DEP_FIXTURE_DENIED, DEP_FIXTURE_DENIED);
	int64_t passed = 0;
	while (passed < DEP_OPENING_TTL_MS && dep_key_use(f->key, &err) != NULL) {
		dep_fixture_pass(f, MINUTE_MS);
		dep_fixture_settle(f);
		passed += MINUTE_MS;
	}
	assert_true(passed <= DEP_OPENING_TTL_MS * 2 / 3 + MINUTE_MS); /* proved before its end */
	assert_null(dep_key_use(f->key, &err));
	assert_int_equal(err.code, ERR_ACCESS_DENIED); /* threats G24: what was open says so */
	assert_int_equal(dep_opener_stats(f->opener).cached, 0);
	assert_int_equal(f->availability_used, 0);
	dep_fixture_open(f, DB_DEP_M365, DEP_USER);
	assert_int_equal(f->code, ERR_ACCESS_DENIED);
	set_keys(f, DEP_FIXTURE_WORKS, DEP_FIXTURE_WORKS); /* given back */
	dep_fixture_open(f, DB_DEP_M365, DEP_USER);
	assert_int_equal(f->code, ERR_NONE);
}

static void
proved_key_stays_and_its_handles_too(void **state)
{
	struct dep_fixture *f = *state;
	struct err err = {0};
	dep_fixture_open(f, DB_DEP_M365, DEP_USER);
	for (int i = 0; i < 60; i++) {
		dep_fixture_pass(f, MINUTE_MS);
		dep_fixture_settle(f);
	}
	assert_non_null(dep_key_use(f->key, &err));
	struct dep_opener_stats stats = dep_opener_stats(f->opener);
	assert_true(stats.proofs >= 5 && stats.proofs <= 8);
	assert_int_equal(stats.proofs_failed, 0);
}

static void
outage_shorter_than_the_time_of_memory_is_invisible(void **state)
{
	struct dep_fixture *f = *state;
	struct err err = {0};
	dep_fixture_open(f, DB_DEP_M365, DEP_USER);
	set_keys(f, DEP_FIXTURE_UNAVAILABLE, DEP_FIXTURE_UNAVAILABLE);
	for (int i = 0; i < 13; i++) {
		dep_fixture_pass(f, MINUTE_MS);
		dep_fixture_settle(f);
	}
	assert_non_null(dep_key_use(f->key, &err));
	assert_true(dep_opener_stats(f->opener).proofs_failed > 0);
	assert_int_equal(f->availability_used, 0); /* nobody asked for it */
	dep_fixture_pass(f, 2 * MINUTE_MS);
	dep_fixture_settle(f);
	assert_null(dep_key_use(f->key, &err));
	assert_int_equal(err.code, ERR_UNAVAILABLE);
	assert_int_equal(dep_opener_stats(f->opener).cached, 0);
}

static void
key_of_a_geo_is_kept_for_a_day_and_proved_two_hours_before_its_end_G5(void **state)
{
	struct dep_fixture *f = *state;
	struct err err = {0};
	dep_fixture_open(f, DB_DEP_GEO, DEP_USER);
	set_keys(f, DEP_FIXTURE_DENIED, DEP_FIXTURE_DENIED);
	dep_fixture_pass(f, DEP_OPENING_GEO_TTL_MS - 3 * HOUR_MS);
	dep_fixture_settle(f);
	assert_non_null(dep_key_use(f->key, &err));
	assert_int_equal(dep_opener_stats(f->opener).proofs, 0);
	dep_fixture_pass(f, HOUR_MS);
	dep_fixture_settle(f);
	assert_int_equal(dep_opener_stats(f->opener).proofs, 1);
	assert_null(dep_key_use(f->key, &err));
	assert_int_equal(err.code, ERR_ACCESS_DENIED);
}

static void
key_of_a_fallback_is_denied_as_soon_as_its_owners_say_so_G6(void **state)
{
	struct dep_fixture *f = *state;
	struct err err = {0};
	set_keys(f, DEP_FIXTURE_DENIED, DEP_FIXTURE_UNAVAILABLE);
	dep_fixture_open(f, DB_DEP_MAILBOX, DEP_USER);
	assert_non_null(dep_key_use(f->key, &err));
	set_keys(f, DEP_FIXTURE_DENIED, DEP_FIXTURE_DENIED);
	dep_fixture_pass(f, MINUTE_MS + 1000);
	dep_fixture_settle(f);
	assert_null(dep_key_use(f->key, &err));
	assert_int_equal(err.code, ERR_ACCESS_DENIED);
}

static void
flush_wipes_all_of_it_G6(void **state)
{
	struct dep_fixture *f = *state;
	struct err err = {0};
	dep_fixture_open(f, DB_DEP_M365, DEP_USER);
	assert_int_equal(dep_opener_flush(f->opener), 1);
	assert_null(dep_key_use(f->key, &err));
	assert_int_equal(err.code, ERR_UNAVAILABLE);
	dep_fixture_open(f, DB_DEP_M365, DEP_USER);
	assert_int_equal(f->owners_asked, 2);
}

static void
made_key_is_in_memory_from_its_birth(void **state)
{
	struct dep_fixture *f = *state;
	struct keytree_generation identity = {.organization = "contoso", .number = 1};
	dep_opener_add(f->opener, f->generation[DB_DEP_M365], DB_DEP_M365, &identity,
		secret_from(secret_peek(f->dep_key), KEYTREE_KEY_LEN));
	dep_fixture_open(f, DB_DEP_M365, DEP_USER);
	assert_int_equal(f->code, ERR_NONE);
	assert_int_equal(f->owners_asked, 0);
}

/* ---- blind ---- */

/* Minutes in which a user action was served, asked for every ten, with a restart of depd every hour. */
static int64_t
served_minutes(struct dep_fixture *f, int64_t minutes)
{
	int64_t served = 0;
	for (int64_t i = 0; i < minutes; i += 10) {
		if (i % 60 == 0)
			dep_fixture_restart(f);
		dep_fixture_open(f, DB_DEP_M365, DEP_USER);
		served += f->key != NULL ? 10 : 0;
		dep_fixture_drop(f);
		dep_fixture_pass(f, 10 * MINUTE_MS);
		dep_fixture_settle(f);
	}
	return served;
}

static void
silence_does_not_outvote_a_revocation_G2(void **state)
{
	struct dep_fixture *f = *state;
	f->script.silent = true;

	int64_t served = served_minutes(f, 8 * 60);

	assert_true(served <= BLIND_FALLBACK_MS / MINUTE_MS);
	assert_true(served >= BLIND_FALLBACK_MS / MINUTE_MS - 20); /* and not much less */
	assert_int_equal(f->code, ERR_UNAVAILABLE);
	assert_true(dep_fixture_audited(f, "; blind") > 4); /* at least one for each start */
	struct dep_opener_stats stats = dep_opener_stats(f->opener);
	assert_true(stats.blind.silent);
	assert_int_equal(stats.blind.used_ms, stats.blind.allowed_ms);
}

static void
blind_time_is_extended_by_persons_only_G2(void **state)
{
	struct dep_fixture *f = *state;
	struct err err = {0};
	f->script.silent = true;
	dep_fixture_open(f, DB_DEP_M365, DEP_USER);
	dep_fixture_pass(f, 5 * HOUR_MS);
	dep_fixture_settle(f);
	dep_fixture_open(f, DB_DEP_M365, DEP_USER);
	assert_int_equal(f->code, ERR_UNAVAILABLE);

	assert_true(dep_opener_extend_blind(f->opener, HOUR_MS, &err));
	dep_fixture_open(f, DB_DEP_M365, DEP_USER);
	assert_int_equal(f->code, ERR_NONE);
	dep_fixture_pass(f, HOUR_MS);
	dep_fixture_open(f, DB_DEP_M365, DEP_USER);
	assert_int_equal(f->code, ERR_UNAVAILABLE);
}

/* Users are refused, what the system does goes on, and what was opened for it is nobody's else. */
static void
system_goes_on_when_blind_time_is_over(void **state)
{
	struct dep_fixture *f = *state;
	f->script.silent = true;
	dep_fixture_open(f, DB_DEP_M365, DEP_USER);
	dep_fixture_pass(f, 5 * HOUR_MS);
	dep_fixture_settle(f);

	dep_fixture_open(f, DB_DEP_M365, DEP_SYSTEM);
	assert_int_equal(f->code, ERR_NONE);
	dep_fixture_open(f, DB_DEP_M365, DEP_USER);
	assert_int_equal(f->code, ERR_UNAVAILABLE);
	assert_null(f->key);
	assert_true(dep_fixture_audited(f, "system action; unreachable , unreachable ; blind") > 0);
}

static void
key_opened_blind_ends_with_the_blind_time_G2(void **state)
{
	struct dep_fixture *f = *state;
	struct err err = {0};
	f->script.silent = true;
	dep_fixture_open(f, DB_DEP_M365, DEP_USER);
	dep_fixture_pass(f, BLIND_FALLBACK_MS - 5 * MINUTE_MS);
	dep_fixture_settle(f);
	dep_fixture_open(f, DB_DEP_M365, DEP_USER);
	assert_non_null(dep_key_use(f->key, &err));
	dep_fixture_pass(f, 5 * MINUTE_MS);
	assert_null(dep_key_use(f->key, &err));
}

static void
blind_time_comes_back_when_owners_are_heard_long_enough(void **state)
{
	struct dep_fixture *f = *state;
	f->script.silent = true;
	dep_fixture_open(f, DB_DEP_M365, DEP_USER);
	dep_fixture_pass(f, 2 * HOUR_MS);
	dep_fixture_settle(f);
	f->script.silent = false;
	dep_fixture_open(f, DB_DEP_M365, DEP_USER);
	int64_t used = dep_opener_stats(f->opener).blind.used_ms;
	assert_true(used >= 2 * HOUR_MS && used <= 2 * HOUR_MS + BLIND_SLICE_MS);
	for (int i = 0; i < 23; i++) { /* every ten minutes a proof is heard */
		dep_fixture_pass(f, 10 * MINUTE_MS);
		dep_fixture_settle(f);
	}
	assert_int_equal(dep_opener_stats(f->opener).blind.used_ms, used);
	for (int i = 0; i < 3; i++) {
		dep_fixture_pass(f, 10 * MINUTE_MS);
		dep_fixture_settle(f);
	}
	assert_int_equal(dep_opener_stats(f->opener).blind.used_ms, 0);
}

/* ---- outages ---- */

/* An owner who pulls his HSM looks like an outage: no restart begins it again, his word ends it. */
static void
outage_is_bounded_by_its_policy_G2(void **state)
{
	struct dep_fixture *f = *state;
	struct err err = {0};
	const struct db_dep_policy_change limit = {
		.has_outage_fallback = true, .outage_fallback_s = 2 * HOUR_MS / 1000};
	assert_true(db_dep_policy_update(f->db, f->policy[DB_DEP_M365], &limit, 1000, &err));
	set_keys(f, DEP_FIXTURE_UNAVAILABLE, DEP_FIXTURE_DENIED);
	dep_fixture_open(f, DB_DEP_M365, DEP_USER);
	assert_int_equal(f->code, ERR_NONE);
	dep_fixture_pass(f, 110 * MINUTE_MS);
	dep_fixture_restart(f);
	dep_fixture_open(f, DB_DEP_M365, DEP_USER); /* kept no longer than there is time */
	assert_int_equal(f->code, ERR_NONE);
	dep_fixture_pass(f, 10 * MINUTE_MS);
	dep_fixture_open(f, DB_DEP_M365, DEP_USER);
	assert_int_equal(f->code, ERR_UNAVAILABLE);
	dep_fixture_open(f, DB_DEP_M365, DEP_SYSTEM);
	assert_int_equal(f->code, ERR_NONE);
	dep_fixture_restart(f);
	dep_fixture_open(f, DB_DEP_M365, DEP_USER);
	assert_int_equal(f->code, ERR_UNAVAILABLE);
	dep_fixture_open(f, DB_DEP_MAILBOX, DEP_USER); /* another policy, another rule */
	assert_int_equal(f->code, ERR_NONE);

	set_keys(f, DEP_FIXTURE_WORKS, DEP_FIXTURE_DENIED);
	dep_fixture_open(f, DB_DEP_M365, DEP_USER);
	assert_int_equal(f->code, ERR_NONE);
	(void)dep_opener_flush(f->opener);
	set_keys(f, DEP_FIXTURE_UNAVAILABLE, DEP_FIXTURE_UNAVAILABLE);
	dep_fixture_open(f, DB_DEP_M365, DEP_USER);
	assert_int_equal(f->code, ERR_NONE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, dep_fixture_setup, dep_fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_cell_of_the_table_is_as_it_says_G1),
		TEST(geo_falls_back_for_the_recovery_of_lost_keys_alone_G20_G21),
		TEST(who_waits_beside_the_recovery_of_a_geo_gets_nothing_of_it_G21),
		TEST(owners_are_asked_as_the_application_of_the_policy),
		TEST(fallback_record_names_all_of_it_G22),
		TEST(answers_that_tell_nothing_of_keys_are_no_word_G3),
		TEST(availability_key_that_fails_is_told),
		TEST(key_that_is_not_the_generations_is_refused_G27),
		TEST(planted_generation_is_refused_before_anybody_is_asked_G27),
		TEST(damaged_envelope_opens_by_customer_keys_only_G28),
		TEST(many_who_wait_are_one_opening),
		TEST(denied_opening_serves_the_system_alone_G1),
		TEST(shutdown_tells_who_waits),
		TEST(revocation_takes_effect_within_the_time_of_memory_G5),
		TEST(proved_key_stays_and_its_handles_too),
		TEST(outage_shorter_than_the_time_of_memory_is_invisible),
		TEST(key_of_a_geo_is_kept_for_a_day_and_proved_two_hours_before_its_end_G5),
		TEST(key_of_a_fallback_is_denied_as_soon_as_its_owners_say_so_G6),
		TEST(flush_wipes_all_of_it_G6),
		TEST(made_key_is_in_memory_from_its_birth),
		TEST(silence_does_not_outvote_a_revocation_G2),
		TEST(blind_time_is_extended_by_persons_only_G2),
		TEST(system_goes_on_when_blind_time_is_over),
		TEST(outage_is_bounded_by_its_policy_G2),
		TEST(key_opened_blind_ends_with_the_blind_time_G2),
		TEST(blind_time_comes_back_when_owners_are_heard_long_enough),
	};
	return cmocka_run_group_tests_name("dep_opening", tests, NULL, NULL);
}
