/* Rows of policies being left. Invariant: of one policy at most one rollback and one recovery are under way. */
#include "db_dep_leaving.h"

#include "db_dep_row.h"
#include "dep_stmt.h"

static bool
insert(struct db *db, const struct db_dep_leaving *leaving, int64_t generation, struct err *err)
{
	sqlite3_stmt *statement = db_stmt(db, STMT_LEAVING_INSERT);
	db_bind_int(statement, 1, leaving->kind);
	db_bind_int(statement, 2, leaving->policy);
	db_bind_text(statement, 3, leaving->reason);
	db_bind_text(statement, 4, leaving->fqdn);
	db_bind_text(statement, 5, leaving->contact);
	db_bind_text(statement, 6, leaving->incident);
	db_bind_int(statement, 7, leaving->started);
	if (generation != 0)
		db_bind_int(statement, 8, generation);
	return db_run_one(db, statement, err);
}

static bool
end(struct db *db, int64_t id, int64_t now_s, struct err *err)
{
	sqlite3_stmt *statement = db_stmt(db, STMT_LEAVING_END);
	db_bind_int(statement, 1, id);
	db_bind_int(statement, 2, now_s);
	return db_run_one(db, statement, err);
}

bool
db_dep_rollback_begin(struct db *db, const struct db_dep_leaving *rollback,
	const char *const *names, size_t count, int64_t policy, struct err *err)
{
	if (!db_begin(db, err))
		return false;
	if (!db_dep_row_assign(db, names, count, policy, rollback->started, err) ||
		!insert(db, rollback, 0, err))
		return db_rollback(db);
	return db_commit(db, err);
}

/* Of a policy that is being recovered already, in place of that. */
static bool
insert_recovery(
	struct db *db, const struct db_dep_leaving *recovery, int64_t generation, struct err *err)
{
	sqlite3_stmt *statement = db_stmt(db, STMT_LEAVING_END_RECOVERY);
	db_bind_int(statement, 1, recovery->policy);
	db_bind_int(statement, 2, recovery->started);
	return db_run(db, statement, err) && insert(db, recovery, generation, err);
}

bool
db_dep_recovery_begin(struct db *db, const struct db_dep_leaving *recovery, struct err *err)
{
	if (!db_begin(db, err))
		return false;
	if (!insert_recovery(db, recovery, 0, err))
		return db_rollback(db);
	return db_commit(db, err);
}

bool
db_dep_geo_recovery_begin(struct db *db, const struct db_dep_leaving *recovery,
	const struct db_dep_generation *generation, const char *const uri[2], struct err *err)
{
	int64_t id;
	if (!db_begin(db, err))
		return false;
	if (!db_dep_row_roll(db, generation, uri, &id, err) ||
		!insert_recovery(db, recovery, id, err))
		return db_rollback(db);
	return db_commit(db, err);
}

static bool
next(struct db *db, sqlite3_stmt *statement, struct arena *arena,
	struct db_dep_leaving *ret_leaving, bool *ret_found, struct err *err)
{
	struct db_row row = {.statement = statement, .arena = arena};
	struct db_dep_leaving leaving;
	if (!db_step(db, statement, ret_found, err))
		return false;
	if (!*ret_found)
		return true;
	leaving.id = db_row_int(&row, 1, INT64_MAX);
	leaving.kind = (enum db_dep_leaving_kind)db_row_int(&row, DB_DEP_ROLLBACK, DB_DEP_RECOVERY);
	leaving.policy = db_row_int(&row, 1, INT64_MAX);
	leaving.reason = db_row_string(&row, DB_DEP_REASON_MAX);
	leaving.fqdn = db_row_string(&row, DB_DEP_FQDN_MAX);
	leaving.contact = db_row_string(&row, DB_DEP_CONTACT_MAX);
	leaving.incident = db_row_string(&row, DB_DEP_INCIDENT_MAX);
	leaving.started = db_row_int(&row, 0, INT64_MAX);
	leaving.left = db_row_int(&row, 0, INT64_MAX);
	leaving.generation = db_row_int(&row, 0, INT64_MAX);
	if (!db_row_check(&row, "leaving", err))
		return false;
	*ret_leaving = leaving;
	return true;
}

bool
db_dep_leaving_list(struct db *db, struct arena *arena, struct db_dep_leaving **ret_leavings,
	size_t *ret_count, struct err *err)
{
	CLEAN(db_stmt)
	sqlite3_stmt *statement = db_stmt(db, STMT_LEAVING_LIST);
	struct db_dep_leaving *leavings = NULL;
	size_t count = 0, capacity = 0;
	for (bool found = true;; count++) {
		leavings = db_grow(arena, leavings, count, &capacity, sizeof(*leavings));
		if (!next(db, statement, arena, &leavings[count], &found, err))
			return false;
		if (!found)
			break;
	}
	*ret_leavings = leavings;
	*ret_count = count;
	return true;
}

bool
db_dep_leaving_end(struct db *db, int64_t id, int64_t now_s, struct err *err)
{
	if (!db_begin(db, err))
		return false;
	if (!end(db, id, now_s, err))
		return db_rollback(db);
	return db_commit(db, err);
}

bool
db_dep_recovers(struct db *db, int64_t generation, bool *ret_recovers, struct err *err)
{
	int64_t recovers;
	sqlite3_stmt *statement = db_stmt(db, STMT_LEAVING_RECOVERS);
	db_bind_int(statement, 1, generation);
	if (!db_number(db, statement, &recovers, err))
		return false;
	*ret_recovers = recovers != 0;
	return true;
}
