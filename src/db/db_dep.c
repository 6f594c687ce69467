/* What makes a catalog depd's, and its two single rows. Invariant: the tables are the only place where its SQL stands. */
#include "db_dep.h"

#include <assert.h>
#include <string.h>

#include "dep_stmt.h"

#define APPLICATION_ID 1128547664 /* "CDEP" */
#define CHECK_MAX                                                                                  \
	(INT64_C(64) << 20) /* a million scopes are some 300 MB, and are not to be read at start */

static const char *const migrations[] = {
#define MIGRATION(version, text) [(version)-1] = (text),
#include "dep_schema.tbl"
};
static_assert(ARRAY_LEN(migrations) == DB_DEP_SCHEMA, "DB_DEP_SCHEMA is the last migration");

static const char *const statements[] = {
#define STMT(symbol, text) text,
#include "dep_stmt.tbl"
};

const struct db_kind dep_catalog = {
	.program = "depd",
	.application_id = APPLICATION_ID,
	.migrations = migrations,
	.schema = DB_DEP_SCHEMA,
	.statements = statements,
	.statement_count = ARRAY_LEN(statements),
	.check_max = CHECK_MAX,
};

bool
db_dep_organization_get(struct db *db, struct arena *arena,
	struct db_dep_organization *ret_organization, bool *ret_found, struct err *err)
{
	CLEAN(db_stmt)
	sqlite3_stmt *statement = db_stmt(db, STMT_ORGANIZATION_GET);
	struct db_row row = {.statement = statement, .arena = arena};
	bool found;
	if (!db_step(db, statement, &found, err))
		return false;
	if (!found) {
		*ret_found = false;
		return true;
	}
	struct db_dep_organization organization = {0};
	db_row_text(&row, organization.name, sizeof(organization.name));
	organization.signing_kid = db_row_string(&row, DB_DEP_KID_MAX);
	organization.signing_spki = db_row_bytes(&row, DB_SPKI_MAX);
	organization.created = db_row_int(&row, 0, INT64_MAX);
	if (!db_row_check(&row, "organization", err))
		return false;
	*ret_organization = organization;
	*ret_found = true;
	return true;
}

static bool
insert_slot(struct db *db, const char *name, int64_t policy, int64_t now_s, struct err *err)
{
	sqlite3_stmt *insert = db_stmt(db, STMT_SLOT_INSERT);
	db_bind_text(insert, 1, name);
	db_bind_int(insert, 2, policy);
	db_bind_int(insert, 3, now_s);
	return db_run_one(db, insert, err);
}

bool
db_dep_organization_insert(struct db *db, const struct db_dep_organization *organization,
	int64_t service_policy, const char *const *slots, size_t slot_count, struct err *err)
{
	if (!db_begin(db, err))
		return false;
	sqlite3_stmt *insert = db_stmt(db, STMT_ORGANIZATION_INSERT);
	db_bind_text(insert, 1, organization->name);
	db_bind_text(insert, 2, organization->signing_kid);
	db_bind_blob(insert, 3, organization->signing_spki.data, organization->signing_spki.len);
	db_bind_int(insert, 4, organization->created);
	if (!db_run_one(db, insert, err))
		return db_rollback(db);
	for (size_t i = 0; i < slot_count; i++) {
		if (!insert_slot(db, slots[i], service_policy, organization->created, err))
			return db_rollback(db);
	}
	return db_commit(db, err);
}

bool
db_dep_blind_get(struct db *db, struct db_dep_blind *ret_blind, struct err *err)
{
	CLEAN(db_stmt)
	sqlite3_stmt *statement = db_stmt(db, STMT_BLIND_GET);
	struct db_row row = {.statement = statement};
	bool found;
	if (!db_step(db, statement, &found, err))
		return false;
	if (!found)
		return err_set(err, ERR_CATALOG_INTEGRITY, NULL);
	struct db_dep_blind blind;
	blind.used_ms = db_row_int(&row, 0, INT64_MAX);
	blind.allowed_ms = db_row_int(&row, 0, INT64_MAX);
	if (!db_row_check(&row, "blind", err))
		return false;
	*ret_blind = blind;
	return true;
}

bool
db_dep_blind_set(struct db *db, const struct db_dep_blind *blind, struct err *err)
{
	if (!db_begin(db, err))
		return false;
	sqlite3_stmt *update = db_stmt(db, STMT_BLIND_SET);
	db_bind_int(update, 1, blind->used_ms);
	db_bind_int(update, 2, blind->allowed_ms);
	if (!db_run_one(db, update, err))
		return db_rollback(db);
	return db_commit(db, err);
}

bool
db_dep_proposal_get(struct db *db, struct arena *arena, struct db_dep_proposal *ret_proposal,
	bool *ret_found, struct err *err)
{
	CLEAN(db_stmt)
	sqlite3_stmt *statement = db_stmt(db, STMT_PROPOSAL_GET);
	struct db_row row = {.statement = statement, .arena = arena};
	if (!db_step(db, statement, ret_found, err))
		return false;
	if (!*ret_found)
		return true;
	struct db_dep_proposal proposal;
	proposal.uid = db_row_int(&row, 0, UINT32_MAX);
	proposal.hours = db_row_int(&row, 1, INT64_MAX);
	proposal.reason = db_row_string(&row, DB_DEP_REASON_MAX);
	proposal.until = db_row_int(&row, 0, INT64_MAX);
	if (!db_row_check(&row, "proposal", err))
		return false;
	*ret_proposal = proposal;
	return true;
}

bool
db_dep_proposal_set(struct db *db, const struct db_dep_proposal *proposal, struct err *err)
{
	if (!db_begin(db, err))
		return false;
	sqlite3_stmt *set = db_stmt(db, STMT_PROPOSAL_SET);
	db_bind_int(set, 1, proposal->uid);
	db_bind_int(set, 2, proposal->hours);
	db_bind_text(set, 3, proposal->reason);
	db_bind_int(set, 4, proposal->until);
	if (!db_run_one(db, set, err))
		return db_rollback(db);
	return db_commit(db, err);
}

bool
db_dep_proposal_end(struct db *db, struct err *err)
{
	if (!db_begin(db, err))
		return false;
	if (!db_run_one(db, db_stmt(db, STMT_PROPOSAL_END), err))
		return db_rollback(db);
	return db_commit(db, err);
}
