/* Rows of approvers and purges. Invariant: a policy is DB_DEP_PURGING or DB_DEP_PURGED exactly while there is a purge of it. */
#include "db_dep_purge.h"

#include "db_dep_row.h"
#include "db_dep_scope.h"
#include "dep_stmt.h"

/* ---- approvers ---- */

bool
db_dep_approver_list(struct db *db, struct arena *arena, struct db_dep_approver **ret_approvers,
	size_t *ret_count, struct err *err)
{
	CLEAN(db_stmt)
	sqlite3_stmt *statement = db_stmt(db, STMT_APPROVER_LIST);
	struct db_dep_approver *approvers = NULL;
	size_t count = 0, capacity = 0;
	for (bool found = true;; count++) {
		struct db_row row = {.statement = statement, .arena = arena};
		approvers = db_grow(arena, approvers, count, &capacity, sizeof(*approvers));
		if (!db_step(db, statement, &found, err))
			return false;
		if (!found)
			break;
		approvers[count].id = db_row_int(&row, 1, INT64_MAX);
		db_row_text(&row, approvers[count].name, sizeof(approvers[count].name));
		approvers[count].certificate = db_row_bytes(&row, DB_DEP_CERTIFICATE_MAX);
		approvers[count].added = db_row_int(&row, 0, INT64_MAX);
		if (!db_row_check(&row, "approver", err))
			return false;
	}
	*ret_approvers = approvers;
	*ret_count = count;
	return true;
}

static bool
insert_approver(struct db *db, const char *name, struct bytes certificate, int64_t now_s,
	bool replace, struct err *err)
{
	if (replace) {
		sqlite3_stmt *remove = db_stmt(db, STMT_APPROVER_REMOVE);
		db_bind_text(remove, 1, name);
		if (!db_run_one(db, remove, err))
			return false;
	}
	sqlite3_stmt *insert = db_stmt(db, STMT_APPROVER_INSERT);
	db_bind_text(insert, 1, name);
	db_bind_blob(insert, 2, certificate.data, certificate.len);
	db_bind_int(insert, 3, now_s);
	return db_run_one(db, insert, err);
}

bool
db_dep_approver_insert(struct db *db, const char *name, struct bytes certificate, int64_t now_s,
	bool replace, struct err *err)
{
	if (!db_begin(db, err))
		return false;
	if (!insert_approver(db, name, certificate, now_s, replace, err))
		return db_rollback(db);
	return db_commit(db, err);
}

/* ---- purges ---- */

bool
db_dep_row_state(struct db *db, int64_t policy, enum db_dep_policy_state state, int64_t now_s,
	struct err *err)
{
	sqlite3_stmt *update = db_stmt(db, STMT_DEP_POLICY_STATE);
	db_bind_int(update, 1, policy);
	db_bind_int(update, 2, state);
	db_bind_int(update, 3, now_s);
	return db_run_one(db, update, err);
}

static bool
insert_purge(struct db *db, const struct db_dep_purge *purge, struct err *err)
{
	sqlite3_stmt *insert = db_stmt(db, STMT_PURGE_INSERT);
	db_bind_int(insert, 1, purge->policy);
	db_bind_int(insert, 2, purge->before);
	db_bind_text(insert, 3, purge->document);
	db_bind_int(insert, 4, purge->mailboxes);
	db_bind_blob(insert, 5, purge->names, sizeof(purge->names));
	db_bind_int(insert, 6, purge->last_approver);
	db_bind_int(insert, 7, purge->needed);
	db_bind_int(insert, 8, purge->requested);
	return db_run_one(db, insert, err);
}

bool
db_dep_purge_begin(struct db *db, const struct db_dep_purge *purge, struct err *err)
{
	if (!db_begin(db, err))
		return false;
	if (!insert_purge(db, purge, err) ||
		!db_dep_row_state(db, purge->policy, DB_DEP_PURGING, purge->requested, err))
		return db_rollback(db);
	return db_commit(db, err);
}

static void
read_purge(struct db_row *row, struct db_dep_purge *purge)
{
	*purge = (struct db_dep_purge){.policy = db_row_int(row, 1, INT64_MAX)};
	purge->phase = (enum db_dep_purge_phase)db_row_int(
		row, DB_DEP_PURGE_REQUESTED, DB_DEP_PURGE_IRRECOVERABLE);
	purge->before = (enum db_dep_policy_state)db_row_int(row, DB_DEP_ENABLED, DB_DEP_DISABLED);
	purge->document = db_row_string(row, DB_DEP_DOCUMENT_MAX);
	purge->mailboxes = db_row_int(row, 0, INT64_MAX);
	db_row_fixed(row, purge->names, sizeof(purge->names));
	purge->last_approver = db_row_int(row, 0, INT64_MAX);
	purge->needed = db_row_int(row, 1, DB_DEP_APPROVERS_MAX);
	purge->requested = db_row_int(row, 0, INT64_MAX);
	purge->approved = db_row_int(row, 0, INT64_MAX);
	purge->due = db_row_int(row, 0, INT64_MAX);
}

bool
db_dep_purge_get(struct db *db, int64_t policy, struct arena *arena, struct db_dep_purge *ret_purge,
	bool *ret_found, struct err *err)
{
	CLEAN(db_stmt)
	sqlite3_stmt *statement = db_stmt(db, STMT_PURGE_GET);
	struct db_row row = {.statement = statement, .arena = arena};
	struct db_dep_purge purge;
	bool found;
	db_bind_int(statement, 1, policy);
	if (!db_step(db, statement, &found, err))
		return false;
	if (found) {
		read_purge(&row, &purge);
		if (!db_row_check(&row, "purge", err))
			return false;
		*ret_purge = purge;
	}
	*ret_found = found;
	return true;
}

bool
db_dep_purge_cancel(struct db *db, const struct db_dep_purge *purge, int64_t now_s, struct err *err)
{
	if (!db_begin(db, err))
		return false;
	sqlite3_stmt *cancel = db_stmt(db, STMT_PURGE_CANCEL);
	db_bind_int(cancel, 1, purge->policy);
	if (!db_run_one(db, cancel, err) ||
		!db_dep_row_state(db, purge->policy, purge->before, now_s, err))
		return db_rollback(db);
	return db_commit(db, err);
}

/* ---- approvals ---- */

static bool
insert_approval(struct db *db, int64_t policy, const struct db_dep_approval *approval,
	int64_t due_s, struct err *err)
{
	sqlite3_stmt *insert = db_stmt(db, STMT_APPROVAL_INSERT);
	db_bind_int(insert, 1, policy);
	db_bind_text(insert, 2, approval->approver);
	db_bind_blob(insert, 3, approval->certificate.data, approval->certificate.len);
	db_bind_blob(insert, 4, approval->signature.data, approval->signature.len);
	db_bind_int(insert, 5, approval->approved);
	if (!db_run_one(db, insert, err))
		return false;
	if (due_s == 0)
		return true;
	sqlite3_stmt *approve = db_stmt(db, STMT_PURGE_APPROVE);
	db_bind_int(approve, 1, policy);
	db_bind_int(approve, 2, approval->approved);
	db_bind_int(approve, 3, due_s);
	return db_run_one(db, approve, err);
}

bool
db_dep_purge_approve(struct db *db, int64_t policy, const struct db_dep_approval *approval,
	int64_t due_s, struct err *err)
{
	if (!db_begin(db, err))
		return false;
	if (!insert_approval(db, policy, approval, due_s, err))
		return db_rollback(db);
	return db_commit(db, err);
}

bool
db_dep_purge_approvals(struct db *db, int64_t policy, struct arena *arena,
	struct db_dep_approval **ret_approvals, size_t *ret_count, struct err *err)
{
	CLEAN(db_stmt)
	sqlite3_stmt *statement = db_stmt(db, STMT_APPROVAL_LIST);
	struct db_dep_approval *approvals = NULL;
	size_t count = 0, capacity = 0;
	db_bind_int(statement, 1, policy);
	for (bool found = true;; count++) {
		struct db_row row = {.statement = statement, .arena = arena};
		approvals = db_grow(arena, approvals, count, &capacity, sizeof(*approvals));
		if (!db_step(db, statement, &found, err))
			return false;
		if (!found)
			break;
		approvals[count].approver = db_row_string(&row, DB_DEP_NAME_SIZE);
		approvals[count].certificate = db_row_bytes(&row, DB_DEP_CERTIFICATE_MAX);
		approvals[count].signature = db_row_bytes(&row, DB_DEP_SIGNATURE_MAX);
		approvals[count].approved = db_row_int(&row, 0, INT64_MAX);
		if (!db_row_check(&row, "purge_approval", err))
			return false;
	}
	*ret_approvals = approvals;
	*ret_count = count;
	return true;
}

/* ---- what is to be purged ---- */

bool
db_dep_purge_names(
	struct db *db, int64_t slot, db_dep_purge_name_fn *fn, void *ctx, struct err *err)
{
	CLEAN(db_stmt)
	sqlite3_stmt *statement = db_stmt(db, STMT_PURGE_NAMES);
	db_bind_int(statement, 1, slot);
	for (bool found = true;;) {
		struct db_row row = {.statement = statement};
		char name[DB_DEP_SCOPE_SIZE];
		if (!db_step(db, statement, &found, err))
			return false;
		if (!found)
			return true;
		db_row_text(&row, name, sizeof(name));
		if (!db_row_check(&row, "scope", err))
			return false;
		fn(ctx, name);
	}
}

bool
db_dep_purge_strays(
	struct db *db, int64_t policy, int64_t slot, int64_t *ret_count, struct err *err)
{
	sqlite3_stmt *statement = db_stmt(db, STMT_PURGE_STRAYS);
	db_bind_int(statement, 1, policy);
	db_bind_int(statement, 2, slot);
	return db_number(db, statement, ret_count, err);
}
