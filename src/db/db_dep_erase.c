/* Invariant: what is erased is overwritten (secure_delete), and a phase goes up in the transaction that ends its work. */
#include "db_dep_erase.h"

#include "db_dep_row.h"
#include "dep_stmt.h"

/* ERR_CATALOG_INTEGRITY: it is not at the phase before. */
static bool
reach(struct db *db, int64_t policy, enum db_dep_purge_phase phase, struct err *err)
{
	sqlite3_stmt *update = db_stmt(db, STMT_PURGE_PHASE);
	db_bind_int(update, 1, policy);
	db_bind_int(update, 2, phase);
	return db_run_one(db, update, err);
}

bool
db_dep_erase_next(struct db *db, int64_t after, int64_t now_s, int64_t *ret_policy, struct err *err)
{
	CLEAN(db_stmt)
	sqlite3_stmt *statement = db_stmt(db, STMT_PURGE_DUE);
	struct db_row row = {.statement = statement};
	bool found;
	db_bind_int(statement, 1, after);
	db_bind_int(statement, 2, now_s);
	if (!db_step(db, statement, &found, err))
		return false;
	*ret_policy = found ? db_row_int(&row, 1, INT64_MAX) : 0;
	return db_row_check(&row, "purge", err);
}

bool
db_dep_erase_begin(struct db *db, int64_t policy, int64_t now_s, struct err *err)
{
	if (!db_begin(db, err))
		return false;
	if (!reach(db, policy, DB_DEP_PURGE_ERASING, err) ||
		!db_dep_row_state(db, policy, DB_DEP_PURGED, now_s, err))
		return db_rollback(db);
	return db_commit(db, err);
}

/* ---- scopes ---- */

bool
db_dep_erase_scopes(
	struct db *db, int64_t policy, int64_t after, int64_t upto, int64_t now_s, struct err *err)
{
	if (!db_begin(db, err))
		return false;
	sqlite3_stmt *erase = db_stmt(db, STMT_PURGE_ERASE);
	db_bind_int(erase, 1, policy);
	db_bind_int(erase, 2, now_s);
	db_bind_int(erase, 3, after);
	db_bind_int(erase, 4, upto);
	if (!db_run(db, erase, err))
		return db_rollback(db);
	return db_commit(db, err);
}

bool
db_dep_erase_last(struct db *db, int64_t *ret_id, struct err *err)
{
	return db_number(db, db_stmt(db, STMT_SCOPE_LAST), ret_id, err);
}

bool
db_dep_erase_count(struct db *db, int64_t policy, int64_t *ret_count, struct err *err)
{
	sqlite3_stmt *statement = db_stmt(db, STMT_PURGE_ERASED);
	db_bind_int(statement, 1, policy);
	return db_number(db, statement, ret_count, err);
}

bool
db_dep_erase_end(struct db *db, int64_t policy, struct err *err)
{
	if (!db_begin(db, err))
		return false;
	sqlite3_stmt *erase = db_stmt(db, STMT_PURGE_ERASE_GENERATIONS);
	db_bind_int(erase, 1, policy);
	if (!reach(db, policy, DB_DEP_PURGE_ERASED, err) || !db_run(db, erase, err))
		return db_rollback(db);
	return db_commit(db, err);
}

/* ---- availability keys ---- */

/* Of an outer join: all of the second table's columns, or none. */
static void
read_key(struct db_row *row, struct db_dep_purge_key *key)
{
	*key = (struct db_dep_purge_key){.kid = db_row_string(row, DB_DEP_KID_MAX)};
	key->known = sqlite3_column_type(row->statement, row->column) != SQLITE_NULL;
	if (!key->known)
		return;
	key->token = db_row_string(row, DB_DEP_NAME_SIZE);
	key->hardware = db_row_bool(row);
	key->never_extractable = db_row_bool(row);
	key->destroyed = sqlite3_column_type(row->statement, row->column) == SQLITE_NULL
				 ? 0
				 : db_row_int(row, 1, INT64_MAX);
}

bool
db_dep_erase_keys(struct db *db, int64_t policy, struct arena *arena,
	struct db_dep_purge_key **ret_keys, size_t *ret_count, struct err *err)
{
	CLEAN(db_stmt)
	sqlite3_stmt *statement = db_stmt(db, STMT_PURGE_KIDS);
	struct db_dep_purge_key *keys = NULL;
	size_t count = 0, capacity = 0;
	db_bind_int(statement, 1, policy);
	for (bool found = true;; count++) {
		struct db_row row = {.statement = statement, .arena = arena};
		keys = db_grow(arena, keys, count, &capacity, sizeof(*keys));
		if (!db_step(db, statement, &found, err))
			return false;
		if (!found)
			break;
		read_key(&row, &keys[count]);
		if (!db_row_check(&row, "purge_key", err))
			return false;
	}
	*ret_keys = keys;
	*ret_count = count;
	return true;
}

bool
db_dep_erase_key_known(
	struct db *db, int64_t policy, const struct db_dep_purge_key *key, struct err *err)
{
	if (!db_begin(db, err))
		return false;
	sqlite3_stmt *insert = db_stmt(db, STMT_PURGE_KEY_INSERT);
	db_bind_int(insert, 1, policy);
	db_bind_text(insert, 2, key->kid);
	db_bind_text(insert, 3, key->token);
	db_bind_int(insert, 4, key->hardware);
	db_bind_int(insert, 5, key->never_extractable);
	if (!db_run_one(db, insert, err))
		return db_rollback(db);
	return db_commit(db, err);
}

bool
db_dep_erase_key_destroyed(
	struct db *db, int64_t policy, const char *kid, int64_t now_s, struct err *err)
{
	if (!db_begin(db, err))
		return false;
	sqlite3_stmt *update = db_stmt(db, STMT_PURGE_KEY_DESTROYED);
	db_bind_int(update, 1, policy);
	db_bind_text(update, 2, kid);
	db_bind_int(update, 3, now_s);
	if (!db_run_one(db, update, err))
		return db_rollback(db);
	return db_commit(db, err);
}

bool
db_dep_erase_destroyed(struct db *db, int64_t policy, struct err *err)
{
	if (!db_begin(db, err))
		return false;
	if (!reach(db, policy, DB_DEP_PURGE_DESTROYED, err))
		return db_rollback(db);
	return db_commit(db, err);
}

/* ---- certificates ---- */

static bool
insert_certificate(struct db *db, int64_t policy, const struct db_dep_certificate *certificate,
	struct err *err)
{
	sqlite3_stmt *insert = db_stmt(db, STMT_CERTIFICATE_INSERT);
	db_bind_int(insert, 1, policy);
	db_bind_int(insert, 2, certificate->number);
	db_bind_int(insert, 3, certificate->issued);
	db_bind_text(insert, 4, certificate->certificate);
	return db_run_one(db, insert, err);
}

bool
db_dep_erase_certify(struct db *db, int64_t policy, const struct db_dep_certificate *certificate,
	struct err *err)
{
	enum db_dep_purge_phase phase = certificate->number == DB_DEP_CERTIFICATE_DESTROYED
						? DB_DEP_PURGE_CERTIFIED
						: DB_DEP_PURGE_IRRECOVERABLE;
	if (!db_begin(db, err))
		return false;
	if (!insert_certificate(db, policy, certificate, err) || !reach(db, policy, phase, err))
		return db_rollback(db);
	return db_commit(db, err);
}

bool
db_dep_erase_certificates(struct db *db, int64_t policy, struct arena *arena,
	struct db_dep_certificate **ret_certificates, size_t *ret_count, struct err *err)
{
	CLEAN(db_stmt)
	sqlite3_stmt *statement = db_stmt(db, STMT_CERTIFICATE_LIST);
	struct db_dep_certificate *certificates = NULL;
	size_t count = 0, capacity = 0;
	db_bind_int(statement, 1, policy);
	for (bool found = true;; count++) {
		struct db_row row = {.statement = statement, .arena = arena};
		certificates =
			db_grow(arena, certificates, count, &capacity, sizeof(*certificates));
		if (!db_step(db, statement, &found, err))
			return false;
		if (!found)
			break;
		certificates[count].number = (enum db_dep_certificate_number)db_row_int(
			&row, DB_DEP_CERTIFICATE_DESTROYED, DB_DEP_CERTIFICATE_IRRECOVERABLE);
		certificates[count].issued = db_row_int(&row, 1, INT64_MAX);
		certificates[count].certificate = db_row_string(&row, DB_DEP_CERTIFICATE_TEXT_MAX);
		if (!db_row_check(&row, "purge_certificate", err))
			return false;
	}
	*ret_certificates = certificates;
	*ret_count = count;
	return true;
}
