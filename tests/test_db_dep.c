/* depd's catalog: policies with their generations, scopes by slot, what is left to do and how it is counted. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "db/db_custody.h"
#include "db/db_dep_check.h"
#include "db/db_dep_erase.h"
#include "db/db_dep_leaving.h"
#include "db/db_dep_policy.h"
#include "db/db_dep_scope.h"

#define MAILBOX 1 /* a kind of scope */
#define MANY    300

struct fixture {
	char directory[64];
	char path[80];
	struct db *db;
	struct arena *arena;
	struct err err;
	int64_t service;
};

static const char *const slots[] = {"workload/teams", "workload/exchange", "mailbox/default"};

#define assert_fails(call, wanted)                                                                 \
	do {                                                                                       \
		err_clear(&f->err);                                                                \
		assert_false(call);                                                                \
		assert_string_equal(err_name(f->err.code), err_name(wanted));                      \
	} while (0)

#define assert_done(call)                                                                          \
	do {                                                                                       \
		if (!(call))                                                                       \
			fail_msg("%s (%s)", f->err.message, f->err.origin);                        \
	} while (0)

static struct db_dep_generation
make_generation(int64_t policy, int64_t number, uint8_t seed)
{
	static const uint8_t signature[64] = {1};
	return (struct db_dep_generation){
		.policy = policy,
		.number = number,
		.guid = {0x80,      seed,        (uint8_t)number},
		.kid = {"https://a/keys/k/1",         "https://b/keys/k/1"},
		.envelope = "{}",
		.availability_kid = "https://s/keys/ak/1",
		.availability_wrap = {signature,         40           },
		.check = {seed        },
		.signature = {signature, sizeof(signature)     },
		.created = 1000 + number,
		.redundancy = 2
        };
}

static bool
update_policy(
	struct fixture *f, int64_t id, const char *description, enum db_dep_policy_state state)
{
	const struct db_dep_policy_change change = {.description = description, .state = state};
	return db_dep_policy_update(f->db, id, &change, 5, &f->err);
}

static int64_t
make_policy(struct fixture *f, enum db_dep_policy_kind kind, const char *name, uint8_t seed)
{
	struct db_dep_policy policy = {
		.guid = {seed               },
		.kind = kind,
		.description = "for tests",
		.state = DB_DEP_ENABLED,
		.outage_fallback_s = DB_DEP_OUTAGE_UNLIMITED,
		.uri = { "https://a/keys/k", "https://b/keys/k"},
		.availability_kid = "https://s/keys/ak/1",
		.created = 1000
        };
	struct db_dep_generation generation = make_generation(0, 1, seed);
	int64_t id = 0;
	(void)snprintf(policy.name, sizeof(policy.name), "%s", name);
	assert_done(db_dep_policy_insert(f->db, &policy, &generation, &id, &f->err));
	return id;
}

static void
open_catalog(struct fixture *f)
{
	struct db_settings settings = {.kind = &dep_catalog, .path = f->path};
	f->db = db_open(&settings, &f->err);
	if (f->db == NULL)
		fail_msg("%s (%s)", f->err.message, f->err.origin);
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	assert_non_null(f);
	(void)snprintf(f->directory, sizeof(f->directory), "/tmp/test-db-dep.XXXXXX");
	assert_non_null(mkdtemp(f->directory));
	(void)snprintf(f->path, sizeof(f->path), "%s/dep.db", f->directory);
	f->arena = arena_new();
	open_catalog(f);
	f->service = make_policy(f, DB_DEP_SERVICE, "service-managed", 1);
	static const uint8_t spki[] = {1, 2, 3};
	struct db_dep_organization contoso = {
		.name = "contoso",
		.signing_kid = "https://s/keys/sign/1",
		.signing_spki = {spki, sizeof(spki)},
		.created = 1000
        };
	assert_done(db_dep_organization_insert(
		f->db, &contoso, f->service, slots, ARRAY_LEN(slots), &f->err));
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	db_close(f->db);
	arena_free(f->arena);
	DIR *directory = opendir(f->directory);
	assert_non_null(directory);
	for (struct dirent *entry; (entry = readdir(directory)) != NULL;)
		if (entry->d_name[0] != '.')
			(void)unlinkat(dirfd(directory), entry->d_name, 0);
	(void)closedir(directory);
	int removed = rmdir(f->directory);
	free(f);
	return removed;
}

static struct db_dep_slot
slot_named(struct fixture *f, const char *name)
{
	struct db_dep_slot slot;
	assert_done(db_dep_slot_find(f->db, name, &slot, &f->err));
	return slot;
}

static struct db_dep_scope
scope_named(struct fixture *f, const char *name)
{
	struct db_dep_scope scope;
	assert_done(db_dep_scope_find(f->db, MAILBOX, name, &scope, &f->err));
	return scope;
}

/* An encrypted mailbox under the current generation of its slot. */
static struct db_dep_scope
make_scope(struct fixture *f, const char *name, const char *slot_name)
{
	struct db_dep_slot slot = slot_named(f, slot_name);
	struct db_dep_scope scope = {.kind = MAILBOX,
		.type = 1,
		.slot = slot.id,
		.state = DB_DEP_ENCRYPTED,
		.generation = slot.current,
		.key_id = {7},
		.wrapped = {8},
		.changed = 2000};
	(void)snprintf(scope.name, sizeof(scope.name), "%s", name);
	return scope;
}

static void
register_many(struct fixture *f, const char *slot_name, size_t count)
{
	struct db_dep_scope *scopes = calloc(count, sizeof(*scopes));
	size_t added;
	assert_non_null(scopes);
	for (size_t i = 0; i < count; i++) {
		char name[32];
		(void)snprintf(name, sizeof(name), "user%05zu", i);
		scopes[i] = make_scope(f, name, slot_name);
	}
	assert_done(db_dep_scope_register(f->db, scopes, count, &added, &f->err));
	assert_int_equal(added, count);
	free(scopes);
}

static int64_t
counted(struct fixture *f, const char *slot_name, enum db_dep_scope_state state, int64_t generation)
{
	struct db_dep_count *counts;
	size_t count;
	assert_done(db_dep_slot_counts(
		f->db, slot_named(f, slot_name).id, f->arena, &counts, &count, &f->err));
	for (size_t i = 0; i < count; i++) {
		if (counts[i].state == state && counts[i].generation == generation)
			return counts[i].count;
	}
	return 0;
}

static void
organization_is_set_up_once_and_kept(void **state)
{
	struct fixture *f = *state;
	struct db_dep_organization organization;
	bool found;
	db_close(f->db);
	open_catalog(f);

	assert_done(db_dep_organization_get(f->db, f->arena, &organization, &found, &f->err));

	assert_true(found);
	assert_string_equal(organization.name, "contoso");
	assert_int_equal(organization.signing_spki.len, 3);
	assert_fails(
		db_dep_organization_insert(f->db, &organization, f->service, slots, 0, &f->err),
		ERR_CATALOG_INTEGRITY);
	assert_int_equal(slot_named(f, "workload/teams").policy, f->service);
	struct db_dep_slot none;
	assert_fails(db_dep_slot_find(f->db, "workload/none", &none, &f->err), ERR_SCOPE_NOT_FOUND);
}

static void
blind_time_is_kept(void **state)
{
	struct fixture *f = *state;
	struct db_dep_blind blind = {.used_ms = 5, .allowed_ms = 7}, again;
	assert_done(db_dep_blind_set(f->db, &blind, &f->err));
	db_close(f->db);
	open_catalog(f);

	assert_done(db_dep_blind_get(f->db, &again, &f->err));

	assert_int_equal(again.used_ms, 5);
	assert_int_equal(again.allowed_ms, 7);
}

/* One at a time: the last one's. */
static void
proposal_is_kept_and_used_up_G2(void **state)
{
	struct fixture *f = *state;
	struct db_dep_proposal first = {.uid = 1, .hours = 4, .reason = "r", .until = 100};
	struct db_dep_proposal second = {.uid = 2, .hours = 5, .reason = "s", .until = 200}, kept;
	bool found = true;
	assert_done(db_dep_proposal_get(f->db, f->arena, &kept, &found, &f->err));
	assert_false(found);
	assert_fails(db_dep_proposal_end(f->db, &f->err), ERR_CATALOG_INTEGRITY);

	assert_done(db_dep_proposal_set(f->db, &first, &f->err));
	assert_done(db_dep_proposal_set(f->db, &second, &f->err));

	assert_done(db_dep_proposal_get(f->db, f->arena, &kept, &found, &f->err));
	assert_true(found);
	assert_int_equal(kept.uid, 2);
	assert_int_equal(kept.hours, 5);
	assert_string_equal(kept.reason, "s");
	assert_int_equal(kept.until, 200);
	assert_done(db_dep_proposal_end(f->db, &f->err));
	assert_done(db_dep_proposal_get(f->db, f->arena, &kept, &found, &f->err));
	assert_false(found);
}

static void
policy_is_found_by_name_and_any_guid(void **state)
{
	struct fixture *f = *state;
	int64_t id = make_policy(f, DB_DEP_MAILBOX, "Contoso-Global", 9);
	struct db_dep_generation second = make_generation(id, 2, 9);
	struct db_dep_policy policy;
	assert_done(db_dep_generation_insert(f->db, &second, &f->err));

	assert_done(db_dep_policy_find(
		f->db, DB_DEP_MAILBOX, "cONTOSO-gLOBAL", f->arena, &policy, &f->err));
	assert_string_equal(policy.name, "Contoso-Global");
	struct db_dep_policy same;
	assert_done(db_dep_policy_find_guid(f->db, policy.guid, f->arena, &same, &f->err));
	assert_int_equal(same.id, id);
	assert_done(db_dep_policy_find_guid(
		f->db, make_generation(id, 1, 9).guid, f->arena, &same, &f->err));
	assert_int_equal(same.id, id);
	struct db_dep_generation current;
	assert_done(db_dep_generation_get(f->db, policy.current, f->arena, &current, &f->err));
	assert_int_equal(current.number, 2);
	assert_fails(
		db_dep_policy_find(f->db, DB_DEP_M365, "Contoso-Global", f->arena, &same, &f->err),
		ERR_POLICY_NOT_FOUND);
	static const uint8_t unknown[DB_DEP_GUID] = {0xff};
	assert_fails(db_dep_policy_find_guid(f->db, unknown, f->arena, &same, &f->err),
		ERR_POLICY_NOT_FOUND);
}

/* Only what something needs is due: the current generation, and older ones as long as a scope is under them. */
static void
generation_is_due_while_it_is_needed_G28(void **state)
{
	struct fixture *f = *state;
	struct db_dep_redundancy *worst;
	int64_t first, due;
	size_t count;
	assert_done(db_dep_check_next(f->db, 5000, &due, &f->err)); /* the service-managed one */
	assert_done(db_dep_check_postpone(f->db, due, 100000, &f->err));
	int64_t id = make_policy(f, DB_DEP_MAILBOX, "p", 9);
	struct db_dep_generation second = make_generation(id, 2, 9);
	assert_done(db_dep_check_next(f->db, 5000, &first, &f->err));
	assert_true(first > 0);
	assert_done(db_dep_generation_insert(f->db, &second, &f->err));
	assert_done(db_dep_check_next(f->db, 5000, &due, &f->err));
	assert_true(due > first);

	struct db_dep_generation found = {
		.id = due, .redundancy = 1, .availability = true, .checked = 5000, .due = 6000};
	assert_done(db_dep_check_store(f->db, &found, &f->err));
	assert_done(db_dep_check_next(f->db, 5999, &due, &f->err));
	assert_int_equal(due, 0);
	assert_done(db_dep_redundancy_list(f->db, 10, f->arena, &worst, &count, &f->err));
	assert_int_equal(worst[0].redundancy, 1);
	assert_int_equal(worst[0].checked, 5000);
	assert_string_equal(worst[0].name, "p");
	assert_done(db_dep_check_next(f->db, 6000, &due, &f->err));
	assert_int_equal(due, found.id);
	assert_done(db_dep_check_postpone(f->db, due, 9000, &f->err));
	assert_done(db_dep_check_next(f->db, 8999, &due, &f->err));
	assert_int_equal(due, 0);
	assert_done(db_dep_check_all(f->db, 7000, &f->err));
	assert_done(db_dep_check_next(f->db, 6999, &due, &f->err));
	assert_int_equal(due, 0);
	assert_done(db_dep_check_next(f->db, 7000, &due, &f->err));
	assert_true(due > 0);
}

/* A repair takes the place of none but the row that was looked at, and is signed anew. */
static void
repair_needs_the_signature_that_it_replaces_G28(void **state)
{
	static const uint8_t newer[64] = {2}, stale[64] = {3};
	struct fixture *f = *state;
	int64_t id = make_policy(f, DB_DEP_MAILBOX, "p", 9);
	struct db_dep_policy policy;
	struct db_dep_generation row, now;
	assert_done(db_dep_policy_get(f->db, id, f->arena, &policy, &f->err));
	assert_done(db_dep_generation_get(f->db, policy.current, f->arena, &row, &f->err));
	struct bytes before = row.signature;
	row.envelope = "{\"again\":1}";
	row.availability_kid = "https://s/keys/ak/2";
	assert_false(db_dep_check_repair(f->db, &row, before, &f->err)); /* not signed anew */
	err_clear(&f->err);
	row.signature = (struct bytes){newer, sizeof(newer)};
	assert_fails(
		db_dep_check_repair(f->db, &row, (struct bytes){stale, sizeof(stale)}, &f->err),
		ERR_CATALOG_INTEGRITY);
	assert_done(db_dep_generation_get(f->db, row.id, f->arena, &now, &f->err));
	assert_string_equal(now.envelope, "{}");

	assert_done(db_dep_check_repair(f->db, &row, before, &f->err));
	assert_done(db_dep_generation_get(f->db, row.id, f->arena, &now, &f->err));
	assert_string_equal(now.envelope, row.envelope);
	assert_done(db_dep_policy_get(f->db, id, f->arena, &policy, &f->err));
	assert_string_equal(policy.availability_kid, "https://s/keys/ak/2");
}

static void
policy_name_is_taken_within_its_kind_only(void **state)
{
	struct fixture *f = *state;
	(void)make_policy(f, DB_DEP_MAILBOX, "one", 2);
	(void)make_policy(f, DB_DEP_M365, "one", 3);
	struct db_dep_policy policy = {
		.guid = {4   },
		.kind = DB_DEP_M365,
		.name = "ONE",
		.description = "",
		.state = DB_DEP_ENABLED,
		.outage_fallback_s = DB_DEP_OUTAGE_UNLIMITED,
		.uri = { "a", "b"},
		.availability_kid = "c"
        };
	struct db_dep_generation generation = make_generation(0, 1, 4);
	int64_t id = -5;
	assert_fails(
		db_dep_policy_insert(f->db, &policy, &generation, &id, &f->err), ERR_POLICY_EXISTS);
	assert_int_equal(id, -5);
}

/* An outage begins once, and how long users go on in one is kept. */
static void
outage_is_kept_G2(void **state)
{
	struct fixture *f = *state;
	int64_t id = make_policy(f, DB_DEP_MAILBOX, "p", 9);
	struct db_dep_policy policy;
	const struct db_dep_policy_change hour = {
		.has_outage_fallback = true, .outage_fallback_s = 3600};
	assert_done(db_dep_policy_get(f->db, id, f->arena, &policy, &f->err));
	assert_int_equal(policy.outage_fallback_s, DB_DEP_OUTAGE_UNLIMITED);
	assert_int_equal(policy.outage_since, 0);

	assert_done(db_dep_policy_update(f->db, id, &hour, 7, &f->err));
	assert_done(db_dep_policy_outage(f->db, id, 77, &f->err));
	assert_done(update_policy(f, id, "words", (enum db_dep_policy_state)0));

	assert_done(db_dep_policy_get(f->db, id, f->arena, &policy, &f->err));
	assert_int_equal(policy.outage_fallback_s, 3600);
	assert_int_equal(policy.outage_since, 77);
}

static void
generation_that_skips_or_repeats_is_refused(void **state)
{
	struct fixture *f = *state;
	int64_t id = make_policy(f, DB_DEP_M365, "one", 2);
	struct db_dep_generation again = make_generation(id, 1, 77);
	assert_fails(db_dep_generation_insert(f->db, &again, &f->err), ERR_CATALOG_INTEGRITY);
	struct db_dep_policy policy;
	assert_done(db_dep_policy_get(f->db, id, f->arena, &policy, &f->err));
	struct db_dep_generation *all;
	size_t count;
	assert_done(db_dep_generation_list(f->db, id, f->arena, &all, &count, &f->err));
	assert_int_equal(count, 1);
	assert_int_equal(all[0].id, policy.current);
}

static void
intent_ends_with_the_policy(void **state)
{
	struct fixture *f = *state;
	static const uint8_t left[DB_DEP_GUID] = {0xee};
	struct db_dep_policy policy = {.guid = {5}};
	uint8_t(*guids)[DB_DEP_GUID];
	size_t count;
	assert_done(db_dep_intent_begin(f->db, left, 1, &f->err));
	assert_done(db_dep_intent_begin(f->db, policy.guid, 1, &f->err));
	(void)make_policy(f, DB_DEP_MAILBOX, "one", 5);

	assert_done(db_dep_intent_list(f->db, f->arena, &guids, &count, &f->err));

	assert_int_equal(count, 1);
	assert_memory_equal(guids[0], left, sizeof(left));
	assert_done(db_dep_intent_end(f->db, left, &f->err));
	assert_done(db_dep_intent_list(f->db, f->arena, &guids, &count, &f->err));
	assert_int_equal(count, 0);
}

static void
policy_in_use_is_not_disabled(void **state)
{
	struct fixture *f = *state;
	int64_t tenant = make_policy(f, DB_DEP_M365, "tenant", 2);
	int64_t own = make_policy(f, DB_DEP_MAILBOX, "own", 3);
	int64_t enabled;
	const char *const names[] = {"alice"};
	char slot[DB_DEP_SLOT_SIZE];
	static const uint8_t guid[DB_DEP_GUID] = {3};
	db_dep_slot_of_policy(guid, slot);

	assert_done(update_policy(f, own, NULL, DB_DEP_DISABLED));
	assert_done(update_policy(f, own, "words", DB_DEP_ENABLED));
	assert_done(db_dep_slot_assign(f->db, slots, 1, tenant, 6, &f->err));
	assert_fails(update_policy(f, tenant, NULL, DB_DEP_DISABLED), ERR_POLICY_ASSIGNED);
	assert_done(
		db_dep_scope_assign(f->db, MAILBOX, names, 1, slot_named(f, slot).id, 8, &f->err));
	assert_fails(update_policy(f, own, NULL, DB_DEP_DISABLED), ERR_POLICY_ASSIGNED);
	assert_done(db_dep_policy_count_enabled(f->db, DB_DEP_MAILBOX, &enabled, &f->err));
	assert_int_equal(enabled, 1);
	struct db_dep_policy policy;
	assert_done(db_dep_policy_get(f->db, own, f->arena, &policy, &f->err));
	assert_string_equal(policy.description, "words");
}

static void
assigning_a_tenant_moves_all_scopes_by_one_row(void **state)
{
	struct fixture *f = *state;
	register_many(f, "mailbox/default", MANY);
	int64_t tenant = make_policy(f, DB_DEP_M365, "tenant", 2);
	struct db_dep_slot before = slot_named(f, "mailbox/default");
	struct db_dep_scope *pending;
	size_t count;
	assert_done(db_dep_scope_under(
		f->db, before.id, before.current + 1, 10, f->arena, &pending, &count, &f->err));
	assert_int_equal(count, 0);

	assert_done(db_dep_slot_assign(f->db, slots, ARRAY_LEN(slots), tenant, 3000, &f->err));

	struct db_dep_slot slot = slot_named(f, "mailbox/default");
	assert_int_equal(slot.policy, tenant);
	assert_done(db_dep_scope_under(
		f->db, slot.id, before.current, 10, f->arena, &pending, &count, &f->err));
	assert_int_equal(count, 10);
	assert_int_equal(pending[0].current, slot.current);
	assert_int_equal(counted(f, "mailbox/default", DB_DEP_ENCRYPTED, before.current), MANY);
}

/* Percentage and rows change in one transaction (threats G25); a row is moved once (G8). */
static void
rewrapping_moves_each_scope_once_and_counts(void **state)
{
	struct fixture *f = *state;
	register_many(f, "mailbox/default", MANY);
	int64_t tenant = make_policy(f, DB_DEP_M365, "tenant", 2);
	int64_t from = slot_named(f, "mailbox/default").current;
	assert_done(db_dep_slot_assign(f->db, slots, ARRAY_LEN(slots), tenant, 3000, &f->err));
	struct db_dep_slot slot = slot_named(f, "mailbox/default");
	struct db_dep_scope *pending;
	size_t count, moved, total = 0;
	for (;;) {
		assert_done(db_dep_scope_under(
			f->db, slot.id, from, 64, f->arena, &pending, &count, &f->err));
		if (count == 0)
			break;
		struct db_dep_rewrap items[64];
		for (size_t i = 0; i < count; i++)
			items[i] = (struct db_dep_rewrap){.scope = pending[i].id,
				.from = pending[i].generation,
				.to = slot.current,
				.wrapped = {9}};
		assert_done(db_dep_scope_rewrap(f->db, items, count, 4000, &moved, &f->err));
		assert_int_equal(moved, count);
		assert_done(db_dep_scope_rewrap(f->db, items, count, 4000, &moved, &f->err));
		assert_int_equal(moved, 0);
		total += count;
		assert_int_equal(
			counted(f, "mailbox/default", DB_DEP_ENCRYPTED, slot.current), total);
		assert_int_equal(
			counted(f, "mailbox/default", DB_DEP_ENCRYPTED, from), MANY - total);
	}
	assert_int_equal(total, MANY);
	struct db_dep_scope scope = scope_named(f, "user00007");
	assert_int_equal(scope.wrapped[0], 9);
	assert_int_equal(scope.key_id[0], 7); /* the key stays, its wrap moves */
	int64_t under;
	assert_done(db_dep_generation_scopes(f->db, slot.current, &under, &f->err));
	assert_int_equal(under, MANY);
}

static void
remembered_mailbox_is_born_in_its_slot(void **state)
{
	struct fixture *f = *state;
	int64_t own = make_policy(f, DB_DEP_MAILBOX, "own", 3);
	static const uint8_t guid[DB_DEP_GUID] = {3};
	const char *const names[] = {"alice", "bob"};
	char name[DB_DEP_SLOT_SIZE];
	size_t added;
	db_dep_slot_of_policy(guid, name);
	struct db_dep_slot slot = slot_named(f, name);
	assert_int_equal(slot.policy, own);
	assert_done(db_dep_scope_assign(f->db, MAILBOX, names, 2, slot.id, 5, &f->err));
	assert_int_equal(scope_named(f, "ALICE").state, DB_DEP_REMEMBERED);

	struct db_dep_scope scopes[] = {
		make_scope(f, "alice", name), make_scope(f, "bob", "mailbox/default")};
	scopes[1].state = DB_DEP_CLEAR;
	assert_done(db_dep_scope_register(f->db, scopes, 2, &added, &f->err));

	assert_int_equal(added, 2);
	struct db_dep_scope alice = scope_named(f, "alice"), bob = scope_named(f, "bob");
	assert_int_equal(alice.state, DB_DEP_ENCRYPTED);
	assert_int_equal(alice.slot, slot.id);
	assert_int_equal(alice.policy, own);
	assert_int_equal(bob.state, DB_DEP_CLEAR);
	assert_int_equal(bob.slot, slot.id); /* what was assigned before counts */
	assert_done(db_dep_scope_register(f->db, scopes, 2, &added, &f->err));
	assert_int_equal(added, 0);
	assert_int_equal(counted(f, name, DB_DEP_CLEAR, 0), 1);
	assert_int_equal(counted(f, name, DB_DEP_REMEMBERED, 0), 0);
}

static void
clear_scope_is_encrypted_once(void **state)
{
	struct fixture *f = *state;
	struct db_dep_scope scope = make_scope(f, "alice", "mailbox/default");
	size_t added;
	scope.state = DB_DEP_CLEAR;
	assert_done(db_dep_scope_register(f->db, &scope, 1, &added, &f->err));
	scope.state = DB_DEP_ENCRYPTED;

	assert_done(db_dep_scope_encrypt(f->db, &scope, 9, &f->err));

	assert_int_equal(scope_named(f, "alice").state, DB_DEP_ENCRYPTED);
	assert_fails(db_dep_scope_encrypt(f->db, &scope, 9, &f->err), ERR_CONFLICT);
	scope.name[0] = 'x';
	assert_fails(db_dep_scope_encrypt(f->db, &scope, 9, &f->err), ERR_SCOPE_NOT_FOUND);
}

/* IsEncrypted never too early: a key is there to move with, the state changes when that is reported. */
static void
clear_scope_is_moved_with_its_first_key(void **state)
{
	struct fixture *f = *state;
	struct db_dep_scope scope = make_scope(f, "alice", "mailbox/default"), first, second;
	size_t added;
	scope.state = DB_DEP_CLEAR;
	assert_done(db_dep_scope_register(f->db, &scope, 1, &added, &f->err));
	struct db_dep_scope known = scope_named(f, "alice");
	assert_int_equal(known.generation, 0);
	scope.id = known.id;
	scope.key_id[0] = 1;
	assert_done(db_dep_scope_begin_move(f->db, &scope, 8, &first, &f->err));
	assert_int_equal(first.state, DB_DEP_CLEAR);
	assert_int_equal(first.key_id[0], 1);
	assert_int_equal(counted(f, "mailbox/default", DB_DEP_CLEAR, first.generation), 1);

	scope.key_id[0] = 2;
	assert_done(db_dep_scope_begin_move(f->db, &scope, 8, &second, &f->err));
	assert_int_equal(second.key_id[0], 1);
	assert_done(db_dep_scope_encrypt(f->db, &scope, 9, &f->err));

	known = scope_named(f, "alice");
	assert_int_equal(known.state, DB_DEP_ENCRYPTED);
	assert_int_equal(known.key_id[0], 1);
	assert_fails(db_dep_scope_encrypt(f->db, &scope, 9, &f->err), ERR_CONFLICT);
}

/* A roll reaches what is being moved. */
static void
clear_scope_with_a_key_is_rewrapped(void **state)
{
	struct fixture *f = *state;
	struct db_dep_scope scope = make_scope(f, "alice", "mailbox/default"), moving, *pending;
	size_t added, count;
	scope.state = DB_DEP_CLEAR;
	assert_done(db_dep_scope_register(f->db, &scope, 1, &added, &f->err));
	scope.id = scope_named(f, "alice").id;
	assert_done(db_dep_scope_begin_move(f->db, &scope, 8, &moving, &f->err));
	assert_done(db_dep_scope_under(
		f->db, moving.slot, moving.generation, 10, f->arena, &pending, &count, &f->err));
	assert_int_equal(count, 1);
	int64_t under;
	assert_done(db_dep_generation_scopes(f->db, moving.generation, &under, &f->err));
	assert_int_equal(under, 1);
}

static void
scopes_are_listed_in_pages(void **state)
{
	struct fixture *f = *state;
	struct db_dep_scope *page;
	size_t count, total = 0;
	char after[DB_DEP_SCOPE_SIZE] = "";
	register_many(f, "mailbox/default", MANY);
	do {
		assert_done(db_dep_scope_list(
			f->db, MAILBOX, after, 70, f->arena, &page, &count, &f->err));
		for (size_t i = 0; i < count; i++) {
			assert_true(strcmp(page[i].name, after) > 0);
			(void)snprintf(after, sizeof(after), "%s", page[i].name);
		}
		total += count;
	} while (count > 0);
	assert_int_equal(total, MANY);
}

static void
catalog_of_the_other_daemon_is_refused(void **state)
{
	struct fixture *f = *state;
	struct db_settings settings = {.kind = &custody_catalog, .path = f->path};
	db_close(f->db);

	f->db = db_open(&settings, &f->err);

	assert_null(f->db);
	assert_int_equal(f->err.code, ERR_CONFIG);
	open_catalog(f);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static void
rollback_is_over_when_nothing_is_left(void **state)
{
	struct fixture *f = *state;
	int64_t tenant = make_policy(f, DB_DEP_M365, "tenant", 2);
	assert_done(db_dep_slot_assign(f->db, slots, ARRAY_LEN(slots), tenant, 10, &f->err));
	register_many(f, "mailbox/default", 3);
	int64_t from = slot_named(f, "mailbox/default").current;
	struct db_dep_leaving rollback = {.kind = DB_DEP_ROLLBACK,
		.policy = tenant,
		.reason = "why",
		.fqdn = "contoso.com",
		.contact = "anna",
		.incident = "1",
		.started = 20};
	struct db_dep_leaving *open;
	struct db_dep_scope *pending;
	size_t count, moved;

	assert_done(db_dep_rollback_begin(
		f->db, &rollback, slots, ARRAY_LEN(slots), f->service, &f->err));

	struct db_dep_slot slot = slot_named(f, "mailbox/default");
	assert_int_equal(slot.policy, f->service);
	assert_done(db_dep_leaving_list(f->db, f->arena, &open, &count, &f->err));
	assert_int_equal(count, 1);
	assert_int_equal(open[0].left, 3);
	assert_string_equal(open[0].fqdn, "contoso.com");
	assert_fails(update_policy(f, tenant, NULL, DB_DEP_DISABLED), ERR_POLICY_ASSIGNED);
	assert_done(
		db_dep_scope_under(f->db, slot.id, from, 10, f->arena, &pending, &count, &f->err));
	for (size_t i = 0; i < count; i++) {
		struct db_dep_rewrap item = {
			.scope = pending[i].id, .from = from, .to = slot.current, .wrapped = {9}};
		assert_done(db_dep_scope_rewrap(f->db, &item, 1, 22, &moved, &f->err));
	}
	assert_done(db_dep_leaving_list(f->db, f->arena, &open, &count, &f->err));
	assert_int_equal(open[0].left, 0);
	assert_done(db_dep_leaving_end(f->db, open[0].id, 23, &f->err));
	assert_done(db_dep_leaving_list(f->db, f->arena, &open, &count, &f->err));
	assert_int_equal(count, 0);
	assert_done(update_policy(f, tenant, NULL, DB_DEP_DISABLED));
}

/* One that is under way is not begun again, nothing of it changes; a tenant that gets a policy again ends it. */
static void
rollback_ends_when_a_policy_is_assigned(void **state)
{
	struct fixture *f = *state;
	int64_t tenant = make_policy(f, DB_DEP_M365, "tenant", 2);
	struct db_dep_leaving rollback = {.kind = DB_DEP_ROLLBACK,
		.policy = tenant,
		.reason = "why",
		.fqdn = "contoso.com",
		.contact = "anna",
		.incident = "1",
		.started = 20};
	struct db_dep_leaving *open;
	size_t count;
	assert_done(db_dep_rollback_begin(
		f->db, &rollback, slots, ARRAY_LEN(slots), f->service, &f->err));

	assert_fails(db_dep_rollback_begin(f->db, &rollback, slots, 1, tenant, &f->err),
		ERR_CATALOG_INTEGRITY);
	assert_int_equal(slot_named(f, "workload/teams").policy, f->service);
	assert_done(db_dep_slot_assign(f->db, slots, ARRAY_LEN(slots), tenant, 30, &f->err));

	assert_done(db_dep_leaving_list(f->db, f->arena, &open, &count, &f->err));
	assert_int_equal(count, 0);
}

static void
recovery_counts_for_its_policy_until_it_ends(void **state)
{
	struct fixture *f = *state;
	int64_t lost = make_policy(f, DB_DEP_MAILBOX, "lost", 2);
	int64_t other = make_policy(f, DB_DEP_MAILBOX, "other", 3);
	struct db_dep_policy rows[2];
	struct db_dep_leaving recovery = {.kind = DB_DEP_RECOVERY,
		.policy = lost,
		.reason = "burnt",
		.fqdn = "",
		.contact = "",
		.incident = "",
		.started = 20};
	struct db_dep_leaving *open;
	size_t count;
	bool recovers;
	assert_done(db_dep_policy_get(f->db, lost, f->arena, &rows[0], &f->err));
	assert_done(db_dep_policy_get(f->db, other, f->arena, &rows[1], &f->err));

	assert_done(db_dep_recovery_begin(f->db, &recovery, &f->err));
	assert_done(db_dep_recovery_begin(f->db, &recovery, &f->err)); /* with another reason */

	assert_done(db_dep_recovers(f->db, rows[0].current, &recovers, &f->err));
	assert_true(recovers);
	assert_done(db_dep_recovers(f->db, rows[1].current, &recovers, &f->err));
	assert_false(recovers);
	assert_done(db_dep_leaving_list(f->db, f->arena, &open, &count, &f->err));
	assert_int_equal(count, 1);
	assert_done(db_dep_leaving_end(f->db, open[0].id, 30, &f->err));
	assert_done(db_dep_recovers(f->db, rows[0].current, &recovers, &f->err));
	assert_false(recovers);
}

/* A geo keeps its policy: what is recovered is what is older than the generation under new keys. */
static void
recovery_of_a_geo_is_of_older_generations(void **state)
{
	struct fixture *f = *state;
	static const char *const names[] = {"geo/nam"};
	static const char *const uri[2] = {"https://a/keys/new/1", "https://b/keys/new/2"};
	struct db_dep_leaving recovery = {.kind = DB_DEP_RECOVERY,
		.reason = "burnt",
		.fqdn = "",
		.contact = "",
		.incident = "",
		.started = 20};
	struct db_dep_policy before, after;
	struct db_dep_leaving *open;
	size_t count;
	bool recovers;
	assert_done(db_dep_slot_ensure(f->db, names, 1, 10, &f->err));
	recovery.policy = make_policy(f, DB_DEP_GEO, "NAM", 2);
	register_many(f, "geo/nam", 3);
	assert_done(db_dep_policy_get(f->db, recovery.policy, f->arena, &before, &f->err));
	struct db_dep_generation next = make_generation(recovery.policy, 2, 3);
	struct db_dep_generation skipped = make_generation(recovery.policy, 1, 4);

	assert_fails(db_dep_geo_recovery_begin(f->db, &recovery, &skipped, uri, &f->err),
		ERR_CATALOG_INTEGRITY);
	assert_done(db_dep_leaving_list(f->db, f->arena, &open, &count, &f->err));
	assert_int_equal(count, 0);
	assert_done(db_dep_geo_recovery_begin(f->db, &recovery, &next, uri, &f->err));

	assert_done(db_dep_policy_get(f->db, recovery.policy, f->arena, &after, &f->err));
	assert_string_equal(after.uri[0], uri[0]);
	assert_string_equal(after.uri[1], uri[1]);
	assert_done(db_dep_leaving_list(f->db, f->arena, &open, &count, &f->err));
	assert_int_equal(count, 1);
	assert_int_equal(open[0].generation, after.current);
	assert_int_equal(open[0].left, 3);
	assert_done(db_dep_recovers(f->db, before.current, &recovers, &f->err));
	assert_true(recovers);
	assert_done(db_dep_recovers(f->db, after.current, &recovers, &f->err));
	assert_false(recovers);
}

/* ---- purges ---- */

#define PURGED_KID "https://s/keys/ak/1"

static int64_t
make_purge(struct fixture *f, const char **ret_slot)
{
	static char slot[DB_DEP_SLOT_SIZE];
	static const uint8_t octets[] = {1};
	const struct bytes some = {octets, sizeof(octets)};
	struct db_dep_policy row;
	int64_t policy = make_policy(f, DB_DEP_MAILBOX, "USA", 9);
	assert_done(db_dep_policy_get(f->db, policy, f->arena, &row, &f->err));
	db_dep_slot_of_policy(row.guid, slot);
	const struct db_dep_purge purge = {.policy = policy,
		.before = DB_DEP_ENABLED,
		.document = "{}",
		.mailboxes = MANY,
		.needed = 1,
		.requested = 10};
	const struct db_dep_approval approval = {
		.approver = "vera", .certificate = some, .signature = some, .approved = 20};
	register_many(f, slot, MANY);
	assert_done(db_dep_purge_begin(f->db, &purge, &f->err));
	assert_fails(db_dep_erase_begin(f->db, policy, 30, &f->err), ERR_CATALOG_INTEGRITY);
	assert_done(db_dep_purge_approve(f->db, policy, &approval, 100, &f->err));
	*ret_slot = slot;
	return policy;
}

static int64_t
purge_due(struct fixture *f, int64_t after, int64_t now_s)
{
	int64_t policy = -1;
	assert_done(db_dep_erase_next(f->db, after, now_s, &policy, &f->err));
	return policy;
}

static void
purge_is_carried_out_in_order_only_G13(void **state)
{
	struct fixture *f = *state;
	const struct db_dep_certificate first = {DB_DEP_CERTIFICATE_DESTROYED, 50, "a.b.c"};
	const struct db_dep_certificate second = {DB_DEP_CERTIFICATE_IRRECOVERABLE, 60, "d.e.f"};
	const struct db_dep_purge_key known = {.kid = PURGED_KID, .token = "sw"};
	const char *slot;
	int64_t count, last, policy = make_purge(f, &slot);
	struct db_dep_generation *generations;
	struct db_dep_purge_key *keys;
	size_t key_count, generation_count;

	assert_int_equal(purge_due(f, 0, 99), 0);
	assert_int_equal(purge_due(f, 0, 100), policy);
	assert_int_equal(purge_due(f, policy, 100), 0);
	assert_fails(db_dep_erase_end(f->db, policy, &f->err), ERR_CATALOG_INTEGRITY);
	assert_false(db_dep_erase_scopes(f->db, policy, 0, MANY, 40, &f->err)); /* not before */

	assert_done(db_dep_erase_begin(f->db, policy, 40, &f->err));
	assert_int_equal(purge_due(f, 0, 0), policy); /* its time has come for ever */
	assert_done(db_dep_erase_last(f->db, &last, &f->err));
	assert_done(db_dep_erase_scopes(f->db, policy, 0, last - 1, 40, &f->err));
	assert_done(db_dep_erase_count(f->db, policy, &count, &f->err));
	assert_int_equal(count, MANY - 1);
	assert_done(db_dep_erase_scopes(f->db, policy, last - 1, last, 40, &f->err));
	assert_int_equal(counted(f, slot, DB_DEP_ERASED, 0), MANY);
	assert_false(db_dep_erase_certify(f->db, policy, &first, &f->err));
	assert_done(db_dep_erase_end(f->db, policy, &f->err));
	assert_done(db_dep_generation_list(
		f->db, policy, f->arena, &generations, &generation_count, &f->err));
	assert_string_equal(generations[0].envelope, "");
	assert_int_equal(generations[0].availability_wrap.len, 0);
	assert_done(db_scrub(f->db, &f->err));

	assert_done(db_dep_erase_keys(f->db, policy, f->arena, &keys, &key_count, &f->err));
	assert_int_equal(key_count, 1);
	assert_false(keys[0].known);
	assert_done(db_dep_erase_key_known(f->db, policy, &known, &f->err));
	assert_false(db_dep_erase_certify(f->db, policy, &first, &f->err)); /* G15 */
	assert_done(db_dep_erase_key_destroyed(f->db, policy, PURGED_KID, 45, &f->err));
	assert_false(db_dep_erase_key_destroyed(f->db, policy, PURGED_KID, 46, &f->err));
	assert_done(db_dep_erase_keys(f->db, policy, f->arena, &keys, &key_count, &f->err));
	assert_int_equal(keys[0].destroyed, 45);
	assert_false(db_dep_erase_certify(f->db, policy, &second, &f->err));
	assert_done(db_dep_erase_destroyed(f->db, policy, &f->err));
	assert_done(db_dep_erase_certify(f->db, policy, &first, &f->err));
	assert_int_equal(purge_due(f, 0, 1000), 0);
	assert_false(db_dep_erase_certify(f->db, policy, &first, &f->err));
	assert_done(db_dep_erase_certify(f->db, policy, &second, &f->err));
}

static void
certificate_before_its_key_is_gone_is_refused_G15(void **state)
{
	struct fixture *f = *state;
	const struct db_dep_certificate first = {DB_DEP_CERTIFICATE_DESTROYED, 50, "a.b.c"};
	const struct db_dep_purge_key known = {.kid = PURGED_KID, .token = "sw"};
	const char *slot;
	int64_t policy = make_purge(f, &slot);
	assert_done(db_dep_erase_begin(f->db, policy, 40, &f->err));
	assert_done(db_dep_erase_end(f->db, policy, &f->err));
	assert_done(db_dep_erase_key_known(f->db, policy, &known, &f->err));
	assert_done(db_dep_erase_destroyed(f->db, policy, &f->err));
	assert_false(db_dep_erase_certify(f->db, policy, &first, &f->err));
	assert_done(db_dep_erase_key_destroyed(f->db, policy, PURGED_KID, 45, &f->err));
	assert_done(db_dep_erase_certify(f->db, policy, &first, &f->err));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(organization_is_set_up_once_and_kept),
		TEST(blind_time_is_kept),
		TEST(proposal_is_kept_and_used_up_G2),
		TEST(policy_is_found_by_name_and_any_guid),
		TEST(generation_is_due_while_it_is_needed_G28),
		TEST(repair_needs_the_signature_that_it_replaces_G28),
		TEST(policy_name_is_taken_within_its_kind_only),
		TEST(outage_is_kept_G2),
		TEST(generation_that_skips_or_repeats_is_refused),
		TEST(intent_ends_with_the_policy),
		TEST(policy_in_use_is_not_disabled),
		TEST(rollback_is_over_when_nothing_is_left),
		TEST(rollback_ends_when_a_policy_is_assigned),
		TEST(recovery_counts_for_its_policy_until_it_ends),
		TEST(recovery_of_a_geo_is_of_older_generations),
		TEST(assigning_a_tenant_moves_all_scopes_by_one_row),
		TEST(rewrapping_moves_each_scope_once_and_counts),
		TEST(remembered_mailbox_is_born_in_its_slot),
		TEST(clear_scope_is_encrypted_once),
		TEST(clear_scope_is_moved_with_its_first_key),
		TEST(clear_scope_with_a_key_is_rewrapped),
		TEST(scopes_are_listed_in_pages),
		TEST(catalog_of_the_other_daemon_is_refused),
		TEST(purge_is_carried_out_in_order_only_G13),
		TEST(certificate_before_its_key_is_gone_is_refused_G15),
	};
	return cmocka_run_group_tests_name("db_dep", tests, NULL, NULL);
}
