/* Rows of generations as checks see them. Invariant: what a generation is wrapped in changes only together with its signature. */
#include "db_dep_check.h"

#include <assert.h>

#include "dep_stmt.h"

bool
db_dep_check_next(struct db *db, int64_t now_s, int64_t *ret_id, struct err *err)
{
	CLEAN(db_stmt)
	sqlite3_stmt *statement = db_stmt(db, STMT_GENERATION_DUE);
	struct db_row row = {.statement = statement};
	bool found;
	int64_t id;
	db_bind_int(statement, 1, now_s);
	if (!db_step(db, statement, &found, err))
		return false;
	if (!found) {
		*ret_id = 0;
		return true;
	}
	id = db_row_int(&row, 1, INT64_MAX);
	if (!db_row_check(&row, "generation", err))
		return false;
	*ret_id = id;
	return true;
}

bool
db_dep_check_all(struct db *db, int64_t now_s, struct err *err)
{
	if (!db_begin(db, err))
		return false;
	sqlite3_stmt *update = db_stmt(db, STMT_GENERATION_DUE_ALL);
	db_bind_int(update, 1, now_s);
	if (!db_run(db, update, err))
		return db_rollback(db);
	return db_commit(db, err);
}

bool
db_dep_check_store(struct db *db, const struct db_dep_generation *generation, struct err *err)
{
	if (!db_begin(db, err))
		return false;
	sqlite3_stmt *update = db_stmt(db, STMT_GENERATION_CHECKED);
	db_bind_int(update, 1, generation->id);
	db_bind_int(update, 2, generation->redundancy);
	db_bind_int(update, 3, generation->availability);
	db_bind_int(update, 4, generation->checked);
	db_bind_int(update, 5, generation->due);
	if (!db_run_one(db, update, err))
		return db_rollback(db);
	return db_commit(db, err);
}

bool
db_dep_check_postpone(struct db *db, int64_t id, int64_t due_s, struct err *err)
{
	if (!db_begin(db, err))
		return false;
	sqlite3_stmt *update = db_stmt(db, STMT_GENERATION_POSTPONE);
	db_bind_int(update, 1, id);
	db_bind_int(update, 2, due_s);
	if (!db_run_one(db, update, err))
		return db_rollback(db);
	return db_commit(db, err);
}

static bool
repair(struct db *db, const struct db_dep_generation *repaired, struct bytes signature,
	struct err *err)
{
	sqlite3_stmt *update = db_stmt(db, STMT_GENERATION_REPAIR);
	db_bind_int(update, 1, repaired->id);
	db_bind_blob(update, 2, signature.data, signature.len);
	db_bind_text(update, 3, repaired->envelope);
	db_bind_blob(update, 4, repaired->envelope_digest, sizeof(repaired->envelope_digest));
	db_bind_text(update, 5, repaired->availability_kid);
	dep_bind_bytes(update, 6, repaired->availability_wrap);
	db_bind_blob(update, 7, repaired->wrap_digest, sizeof(repaired->wrap_digest));
	db_bind_blob(update, 8, repaired->signature.data, repaired->signature.len);
	if (!db_run_one(db, update, err))
		return false;
	sqlite3_stmt *policy = db_stmt(db, STMT_DEP_POLICY_AVAILABILITY);
	db_bind_int(policy, 1, repaired->policy);
	db_bind_text(policy, 2, repaired->availability_kid);
	return db_run_one(db, policy, err);
}

bool
db_dep_check_repair(struct db *db, const struct db_dep_generation *repaired, struct bytes signature,
	struct err *err)
{
	if (!db_begin(db, err))
		return false;
	if (!repair(db, repaired, signature, err))
		return db_rollback(db);
	return db_commit(db, err);
}

static void
read_redundancy(struct db_row *row, struct db_dep_redundancy *policy)
{
	db_row_fixed(row, policy->guid, sizeof(policy->guid));
	policy->kind = (enum db_dep_policy_kind)db_row_int(row, DB_DEP_M365, DB_DEP_SERVICE);
	db_row_text(row, policy->name, sizeof(policy->name));
	policy->redundancy = (int)db_row_int(row, 0, 2);
	policy->availability = db_row_bool(row);
	policy->checked = db_row_int(row, 0, INT64_MAX);
}

bool
db_dep_redundancy_list(struct db *db, size_t limit, struct arena *arena,
	struct db_dep_redundancy **ret_policies, size_t *ret_count, struct err *err)
{
	assert(limit > 0 && limit <= DB_PAGE_MAX);
	CLEAN(db_stmt)
	sqlite3_stmt *statement = db_stmt(db, STMT_DEP_POLICY_REDUNDANCY);
	struct db_dep_redundancy *policies = arena_array(arena, limit, sizeof(*policies));
	size_t count = 0;
	db_bind_int(statement, 1, (int64_t)limit);
	for (bool found = true; count < limit; count++) {
		struct db_row row = {.statement = statement, .arena = arena};
		if (!db_step(db, statement, &found, err))
			return false;
		if (!found)
			break;
		read_redundancy(&row, &policies[count]);
		if (!db_row_check(&row, "policy", err))
			return false;
	}
	*ret_policies = policies;
	*ret_count = count;
	return true;
}
