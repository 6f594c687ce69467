/* Rows of policies, generations and intents. Invariant: a policy that is seen has a current generation. */
#include "db_dep_policy.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "db_dep_row.h"
#include "db_dep_scope.h"
#include "dep_stmt.h"

static void
read_policy(struct db_row *row, struct db_dep_policy *policy)
{
	*policy = (struct db_dep_policy){.id = db_row_int(row, 1, INT64_MAX)};
	db_row_fixed(row, policy->guid, sizeof(policy->guid));
	policy->kind = (enum db_dep_policy_kind)db_row_int(row, DB_DEP_M365, DB_DEP_SERVICE);
	db_row_text(row, policy->name, sizeof(policy->name));
	policy->description = db_row_string(row, DB_DEP_DESCRIPTION_MAX);
	policy->state = (enum db_dep_policy_state)db_row_int(row, DB_DEP_ENABLED, DB_DEP_PURGED);
	policy->uri[0] = db_row_string(row, DB_DEP_KID_MAX);
	policy->uri[1] = db_row_string(row, DB_DEP_KID_MAX);
	policy->availability_kid = db_row_string(row, DB_DEP_KID_MAX);
	policy->current = db_row_int(row, 1, INT64_MAX);
	policy->created = db_row_int(row, 0, INT64_MAX);
	policy->updated = db_row_int(row, 0, INT64_MAX);
	policy->outage_fallback_s = db_row_int(row, DB_DEP_OUTAGE_UNLIMITED, INT64_MAX);
	policy->outage_since = db_row_int(row, 0, INT64_MAX);
}

static bool
next_policy(struct db *db, sqlite3_stmt *statement, struct arena *arena,
	struct db_dep_policy *ret_policy, bool *ret_found, struct err *err)
{
	struct db_row row = {.statement = statement, .arena = arena};
	if (!db_step(db, statement, ret_found, err))
		return false;
	if (!*ret_found)
		return true;
	struct db_dep_policy policy;
	read_policy(&row, &policy);
	if (!db_row_check(&row, "policy", err))
		return false;
	*ret_policy = policy;
	return true;
}

static bool
one_policy(struct db *db, sqlite3_stmt *statement, struct arena *arena,
	struct db_dep_policy *ret_policy, struct err *err)
{
	bool found;
	if (!next_policy(db, statement, arena, ret_policy, &found, err))
		return false;
	return found || err_set(err, ERR_POLICY_NOT_FOUND, NULL);
}

bool
db_dep_policy_get(struct db *db, int64_t id, struct arena *arena, struct db_dep_policy *ret_policy,
	struct err *err)
{
	CLEAN(db_stmt)
	sqlite3_stmt *statement = db_stmt(db, STMT_DEP_POLICY_GET);
	db_bind_int(statement, 1, id);
	return one_policy(db, statement, arena, ret_policy, err);
}

bool
db_dep_policy_find(struct db *db, enum db_dep_policy_kind kind, const char *name,
	struct arena *arena, struct db_dep_policy *ret_policy, struct err *err)
{
	CLEAN(db_stmt)
	sqlite3_stmt *statement = db_stmt(db, STMT_DEP_POLICY_BY_NAME);
	db_bind_int(statement, 1, kind);
	db_bind_text(statement, 2, name);
	return one_policy(db, statement, arena, ret_policy, err);
}

bool
db_dep_policy_find_guid(struct db *db, const uint8_t guid[static DB_DEP_GUID], struct arena *arena,
	struct db_dep_policy *ret_policy, struct err *err)
{
	CLEAN(db_stmt)
	sqlite3_stmt *statement = db_stmt(db, STMT_DEP_POLICY_BY_GUID);
	db_bind_blob(statement, 1, guid, DB_DEP_GUID);
	return one_policy(db, statement, arena, ret_policy, err);
}

bool
db_dep_policy_list(struct db *db, enum db_dep_policy_kind kind, const char *after, size_t limit,
	struct arena *arena, struct db_dep_policy **ret_policies, size_t *ret_count,
	struct err *err)
{
	assert(limit > 0 && limit <= DB_PAGE_MAX);
	CLEAN(db_stmt)
	sqlite3_stmt *statement = db_stmt(db, STMT_DEP_POLICY_LIST);
	db_bind_int(statement, 1, kind);
	db_bind_text(statement, 2, after);
	db_bind_int(statement, 3, (int64_t)limit);
	struct db_dep_policy *policies = arena_array(arena, limit, sizeof(*policies));
	size_t count = 0;
	for (bool found = true; count < limit; count++) {
		if (!next_policy(db, statement, arena, &policies[count], &found, err))
			return false;
		if (!found)
			break;
	}
	*ret_policies = policies;
	*ret_count = count;
	return true;
}

/* ---- generations ---- */

static void
read_generation(struct db_row *row, struct db_dep_generation *generation)
{
	*generation = (struct db_dep_generation){.id = db_row_int(row, 1, INT64_MAX)};
	generation->policy = db_row_int(row, 1, INT64_MAX);
	generation->number = db_row_int(row, 1, INT64_MAX);
	db_row_fixed(row, generation->guid, sizeof(generation->guid));
	generation->kid[0] = db_row_string(row, DB_DEP_KID_MAX);
	generation->kid[1] = db_row_string(row, DB_DEP_KID_MAX);
	generation->envelope = db_row_string(row, DB_DEP_ENVELOPE_MAX);
	generation->availability_kid = db_row_string(row, DB_DEP_KID_MAX);
	generation->availability_wrap = db_row_bytes(row, DB_DEP_WRAP_MAX);
	db_row_fixed(row, generation->check, sizeof(generation->check));
	generation->signature = db_row_bytes(row, DB_DEP_SIGNATURE);
	generation->created = db_row_int(row, 0, INT64_MAX);
	generation->redundancy = (int)db_row_int(row, 0, 2);
	generation->checked = db_row_int(row, 0, INT64_MAX);
	db_row_fixed(row, generation->envelope_digest, sizeof(generation->envelope_digest));
	db_row_fixed(row, generation->wrap_digest, sizeof(generation->wrap_digest));
	generation->availability = db_row_bool(row);
	generation->due = db_row_int(row, 0, INT64_MAX);
}

static bool
next_generation(struct db *db, sqlite3_stmt *statement, struct arena *arena,
	struct db_dep_generation *ret_generation, bool *ret_found, struct err *err)
{
	struct db_row row = {.statement = statement, .arena = arena};
	if (!db_step(db, statement, ret_found, err))
		return false;
	if (!*ret_found)
		return true;
	struct db_dep_generation generation;
	read_generation(&row, &generation);
	if (!db_row_check(&row, "generation", err))
		return false;
	*ret_generation = generation;
	return true;
}

bool
db_dep_generation_get(struct db *db, int64_t id, struct arena *arena,
	struct db_dep_generation *ret_generation, struct err *err)
{
	CLEAN(db_stmt)
	sqlite3_stmt *statement = db_stmt(db, STMT_GENERATION_GET);
	bool found;
	db_bind_int(statement, 1, id);
	if (!next_generation(db, statement, arena, ret_generation, &found, err))
		return false;
	return found || err_set(err, ERR_CATALOG_INTEGRITY, NULL);
}

bool
db_dep_generation_list(struct db *db, int64_t policy, struct arena *arena,
	struct db_dep_generation **ret_generations, size_t *ret_count, struct err *err)
{
	CLEAN(db_stmt)
	sqlite3_stmt *statement = db_stmt(db, STMT_GENERATION_LIST);
	struct db_dep_generation *generations = NULL;
	size_t count = 0, capacity = 0;
	db_bind_int(statement, 1, policy);
	for (bool found = true;; count++) {
		generations = db_grow(arena, generations, count, &capacity, sizeof(*generations));
		if (!next_generation(db, statement, arena, &generations[count], &found, err))
			return false;
		if (!found)
			break;
	}
	*ret_generations = generations;
	*ret_count = count;
	return true;
}

bool
db_dep_generation_scopes(struct db *db, int64_t id, int64_t *ret_count, struct err *err)
{
	sqlite3_stmt *statement = db_stmt(db, STMT_GENERATION_SCOPES);
	db_bind_int(statement, 1, id);
	return db_number(db, statement, ret_count, err);
}

/* Within a transaction: the row, and that it is the policy's current one now. */
static bool
insert_generation(
	struct db *db, int64_t policy, const struct db_dep_generation *generation, struct err *err)
{
	sqlite3_stmt *insert = db_stmt(db, STMT_GENERATION_INSERT);
	db_bind_int(insert, 1, policy);
	db_bind_int(insert, 2, generation->number);
	db_bind_blob(insert, 3, generation->guid, sizeof(generation->guid));
	db_bind_text(insert, 4, generation->kid[0]);
	db_bind_text(insert, 5, generation->kid[1]);
	db_bind_text(insert, 6, generation->envelope);
	db_bind_text(insert, 7, generation->availability_kid);
	dep_bind_bytes(insert, 8, generation->availability_wrap);
	db_bind_blob(insert, 9, generation->check, sizeof(generation->check));
	db_bind_blob(insert, 10, generation->signature.data, generation->signature.len);
	db_bind_int(insert, 11, generation->created);
	db_bind_int(insert, 12, generation->redundancy);
	db_bind_blob(insert, 13, generation->envelope_digest, sizeof(generation->envelope_digest));
	db_bind_blob(insert, 14, generation->wrap_digest, sizeof(generation->wrap_digest));
	db_bind_int(insert, 15, generation->availability);
	db_bind_int(insert, 16, generation->due);
	if (!db_run_one(db, insert, err))
		return false;
	sqlite3_stmt *current = db_stmt(db, STMT_DEP_POLICY_CURRENT);
	db_bind_int(current, 1, policy);
	db_bind_int(current, 2, sqlite3_last_insert_rowid(db->handle));
	db_bind_int(current, 3, generation->created);
	return db_run_one(db, current, err);
}

bool
db_dep_generation_insert(struct db *db, const struct db_dep_generation *generation, struct err *err)
{
	if (!db_begin(db, err))
		return false;
	if (!insert_generation(db, generation->policy, generation, err))
		return db_rollback(db);
	return db_commit(db, err);
}

bool
db_dep_row_roll(struct db *db, const struct db_dep_generation *generation, const char *const uri[2],
	int64_t *ret_id, struct err *err)
{
	sqlite3_stmt *update = db_stmt(db, STMT_DEP_POLICY_URIS);
	db_bind_int(update, 1, generation->policy);
	db_bind_text(update, 2, uri[0]);
	db_bind_text(update, 3, uri[1]);
	if (!insert_generation(db, generation->policy, generation, err))
		return false;
	*ret_id = sqlite3_last_insert_rowid(db->handle);
	return db_run_one(db, update, err);
}

bool
db_dep_generation_roll(struct db *db, const struct db_dep_generation *generation,
	const char *const uri[2], struct err *err)
{
	int64_t id;
	if (!db_begin(db, err))
		return false;
	if (!db_dep_row_roll(db, generation, uri, &id, err))
		return db_rollback(db);
	return db_commit(db, err);
}

/* ---- policies ---- */

static bool
insert_policy(struct db *db, const struct db_dep_policy *policy, int64_t *ret_id, struct err *err)
{
	sqlite3_stmt *insert = db_stmt(db, STMT_DEP_POLICY_INSERT);
	db_bind_blob(insert, 1, policy->guid, sizeof(policy->guid));
	db_bind_int(insert, 2, policy->kind);
	db_bind_text(insert, 3, policy->name);
	db_bind_text(insert, 4, policy->description);
	db_bind_int(insert, 5, policy->state);
	db_bind_text(insert, 6, policy->uri[0]);
	db_bind_text(insert, 7, policy->uri[1]);
	db_bind_text(insert, 8, policy->availability_kid);
	db_bind_int(insert, 9, policy->created);
	db_bind_int(insert, 10, policy->outage_fallback_s);
	if (!db_run_one(db, insert, err))
		return false;
	*ret_id = sqlite3_last_insert_rowid(db->handle);
	return true;
}

/* The sites of a geo are under its policy from now on. */
static bool
assign_geo(struct db *db, const struct db_dep_policy *policy, int64_t id, struct err *err)
{
	char name[DB_DEP_SLOT_SIZE];
	db_dep_slot_of_geo(policy->name, name);
	sqlite3_stmt *update = db_stmt(db, STMT_SLOT_ASSIGN);
	db_bind_text(update, 1, name);
	db_bind_int(update, 2, id);
	db_bind_int(update, 3, policy->created);
	return db_run_one(db, update, err);
}

/* The slot of the mailboxes that have this policy of their own. */
static bool
insert_slot(struct db *db, const struct db_dep_policy *policy, int64_t id, struct err *err)
{
	char name[DB_DEP_SLOT_SIZE];
	if (policy->kind == DB_DEP_GEO)
		return assign_geo(db, policy, id, err);
	if (policy->kind != DB_DEP_MAILBOX)
		return true;
	db_dep_slot_of_policy(policy->guid, name);
	sqlite3_stmt *insert = db_stmt(db, STMT_SLOT_INSERT);
	db_bind_text(insert, 1, name);
	db_bind_int(insert, 2, id);
	db_bind_int(insert, 3, policy->created);
	return db_run_one(db, insert, err);
}

static bool
end_intent(struct db *db, const uint8_t *guid, struct err *err)
{
	sqlite3_stmt *end = db_stmt(db, STMT_DEP_INTENT_END);
	db_bind_blob(end, 1, guid, DB_DEP_GUID);
	return db_run(db, end, err);
}

bool
db_dep_policy_insert(struct db *db, const struct db_dep_policy *policy,
	const struct db_dep_generation *generation, int64_t *ret_id, struct err *err)
{
	CLEAN(arena)
	struct arena *arena = arena_new();
	struct db_dep_policy other;
	int64_t id;
	if (db_dep_policy_find(db, policy->kind, policy->name, arena, &other, err))
		return err_set(err, ERR_POLICY_EXISTS, NULL);
	if (err->code != ERR_POLICY_NOT_FOUND)
		return false;
	err_clear(err);
	if (!db_begin(db, err))
		return false;
	if (!insert_policy(db, policy, &id, err) || !insert_generation(db, id, generation, err) ||
		!insert_slot(db, policy, id, err) || !end_intent(db, policy->guid, err))
		return db_rollback(db);
	if (!db_commit(db, err))
		return false;
	*ret_id = id;
	return true;
}

bool
db_dep_policy_in_use(struct db *db, int64_t id, bool *ret_used, struct err *err)
{
	int64_t used;
	sqlite3_stmt *statement = db_stmt(db, STMT_DEP_POLICY_IN_USE);
	db_bind_int(statement, 1, id);
	if (!db_number(db, statement, &used, err))
		return false;
	*ret_used = used != 0;
	return true;
}

bool
db_dep_policy_update(struct db *db, int64_t id, const struct db_dep_policy_change *change,
	int64_t now_s, struct err *err)
{
	bool used = false;
	if (change->state == DB_DEP_DISABLED && !db_dep_policy_in_use(db, id, &used, err))
		return false;
	if (used)
		return err_set(err, ERR_POLICY_ASSIGNED, NULL);
	if (!db_begin(db, err))
		return false;
	sqlite3_stmt *update = db_stmt(db, STMT_DEP_POLICY_UPDATE);
	db_bind_int(update, 1, id);
	db_bind_text(update, 2, change->description);
	if (change->state != 0)
		db_bind_int(update, 3, change->state);
	db_bind_int(update, 4, now_s);
	if (change->has_outage_fallback)
		db_bind_int(update, 5, change->outage_fallback_s);
	if (!db_run_one(db, update, err))
		return db_rollback(db);
	return db_commit(db, err);
}

bool
db_dep_policy_outage(struct db *db, int64_t id, int64_t since_s, struct err *err)
{
	if (!db_begin(db, err))
		return false;
	sqlite3_stmt *update = db_stmt(db, STMT_DEP_POLICY_OUTAGE);
	db_bind_int(update, 1, id);
	db_bind_int(update, 2, since_s);
	if (!db_run_one(db, update, err))
		return db_rollback(db);
	return db_commit(db, err);
}

bool
db_dep_policy_count_enabled(
	struct db *db, enum db_dep_policy_kind kind, int64_t *ret_count, struct err *err)
{
	sqlite3_stmt *statement = db_stmt(db, STMT_DEP_POLICY_ENABLED);
	db_bind_int(statement, 1, kind);
	return db_number(db, statement, ret_count, err);
}

/* ---- intents ---- */

bool
db_dep_intent_begin(
	struct db *db, const uint8_t guid[static DB_DEP_GUID], int64_t now_s, struct err *err)
{
	if (!db_begin(db, err))
		return false;
	sqlite3_stmt *insert = db_stmt(db, STMT_DEP_INTENT_INSERT);
	db_bind_blob(insert, 1, guid, DB_DEP_GUID);
	db_bind_int(insert, 2, now_s);
	if (!db_run_one(db, insert, err))
		return db_rollback(db);
	return db_commit(db, err);
}

bool
db_dep_intent_end(struct db *db, const uint8_t guid[static DB_DEP_GUID], struct err *err)
{
	if (!db_begin(db, err))
		return false;
	if (!end_intent(db, guid, err))
		return db_rollback(db);
	return db_commit(db, err);
}

bool
db_dep_intent_list(struct db *db, struct arena *arena, uint8_t (**ret_guids)[DB_DEP_GUID],
	size_t *ret_count, struct err *err)
{
	CLEAN(db_stmt)
	sqlite3_stmt *statement = db_stmt(db, STMT_DEP_INTENT_LIST);
	uint8_t(*guids)[DB_DEP_GUID] = NULL;
	size_t count = 0, capacity = 0;
	for (bool found = true;; count++) {
		struct db_row row = {.statement = statement};
		guids = db_grow(arena, guids, count, &capacity, sizeof(*guids));
		if (!db_step(db, statement, &found, err))
			return false;
		if (!found)
			break;
		db_row_fixed(&row, guids[count], DB_DEP_GUID);
		if (!db_row_check(&row, "intent", err))
			return false;
	}
	*ret_guids = guids;
	*ret_count = count;
	return true;
}
