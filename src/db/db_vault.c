/* Rows of vaults and policies. */
#include "db_vault.h"

#include <assert.h>
#include <string.h>

#include "custody_stmt.h"
#include "db_row.h"

void
db_row_vault(struct db_row *row, struct db_vault *vault)
{
	memset(vault, 0, sizeof *vault);
	vault->id = db_row_int(row, 1, INT64_MAX);
	db_row_text(row, vault->name, sizeof vault->name);
	db_row_text(row, vault->token, sizeof vault->token);
	vault->retention_days = (int)db_row_int(row, DB_RETENTION_MIN, DB_RETENTION_MAX);
	vault->purge_protection = db_row_bool(row);
	vault->backup = (enum db_backup)db_row_int(row, DB_BACKUP_NEVER, DB_BACKUP_TRUSTED);
	vault->created = db_row_int(row, 0, INT64_MAX);
	vault->updated = db_row_int(row, 0, INT64_MAX);
	vault->tags = db_row_string(row, DB_TAGS_MAX);
	vault->live_keys = db_row_int(row, 0, INT64_MAX);
	vault->deleted_keys = db_row_int(row, 0, INT64_MAX);
	row->bad = row->bad || !id_vault_name_valid(vault->name);
}

static bool
read_one(struct db *db, sqlite3_stmt *statement, struct arena *arena, struct db_vault *ret_vault,
	bool *ret_found, struct err *err)
{
	struct db_row row = {.statement = statement, .arena = arena};
	if (!db_step(db, statement, ret_found, err))
		return false;
	if (!*ret_found)
		return true;
	struct db_vault vault;
	db_row_vault(&row, &vault);
	if (!db_row_check(&row, "vault", err))
		return false;
	*ret_vault = vault;
	return true;
}

bool
db_vault_find(struct db *db, const char *name, struct arena *arena, struct db_vault *ret_vault,
	struct err *err)
{
	CLEAN(db_stmt)
	sqlite3_stmt *statement = db_stmt(db, STMT_VAULT_FIND);
	db_bind_text(statement, 1, name);
	bool found;
	if (!read_one(db, statement, arena, ret_vault, &found, err))
		return false;
	return found || err_set(err, ERR_VAULT_NOT_FOUND, NULL);
}

bool
db_vault_get(
	struct db *db, int64_t id, struct arena *arena, struct db_vault *ret_vault, struct err *err)
{
	CLEAN(db_stmt)
	sqlite3_stmt *statement = db_stmt(db, STMT_VAULT_GET);
	db_bind_int(statement, 1, id);
	bool found;
	if (!read_one(db, statement, arena, ret_vault, &found, err))
		return false;
	return found || err_set(err, ERR_VAULT_NOT_FOUND, NULL);
}

bool
db_vault_list(struct db *db, const char *after, size_t limit, struct arena *arena,
	struct db_vault **ret_vaults, size_t *ret_count, struct err *err)
{
	assert(limit > 0 && limit <= DB_PAGE_MAX);
	CLEAN(db_stmt)
	sqlite3_stmt *statement = db_stmt(db, STMT_VAULT_LIST);
	db_bind_text(statement, 1, after);
	db_bind_int(statement, 2, (int64_t)limit);
	struct db_vault *vaults = arena_array(arena, limit, sizeof *vaults);
	size_t count = 0;
	for (bool found = true; count < limit; count++) {
		if (!read_one(db, statement, arena, &vaults[count], &found, err))
			return false;
		if (!found)
			break;
	}
	*ret_vaults = vaults;
	*ret_count = count;
	return true;
}

bool
db_vault_insert(struct db *db, const struct db_vault *vault, int64_t *ret_id, struct err *err)
{
	CLEAN(arena)
	struct arena *arena = arena_new();
	struct db_vault other;
	if (db_vault_find(db, vault->name, arena, &other, err))
		return err_set(err, ERR_CONFLICT, "A vault of this name exists already.");
	if (err->code != ERR_VAULT_NOT_FOUND)
		return false;
	err_clear(err);

	if (!db_begin(db, err))
		return false;
	sqlite3_stmt *insert = db_stmt(db, STMT_VAULT_INSERT);
	db_bind_text(insert, 1, vault->name);
	db_bind_text(insert, 2, vault->token);
	db_bind_int(insert, 3, vault->retention_days);
	db_bind_int(insert, 4, vault->purge_protection);
	db_bind_int(insert, 5, vault->backup);
	db_bind_int(insert, 6, vault->created);
	db_bind_int(insert, 7, vault->updated);
	db_bind_text(insert, 8, vault->tags);
	if (!db_run_one(db, insert, err))
		return db_rollback(db);
	int64_t id = sqlite3_last_insert_rowid(db->handle);
	if (!db_commit(db, err))
		return false;
	*ret_id = id;
	return true;
}

static bool
in_use(struct db *db, int64_t vault, bool *ret_used, struct err *err)
{
	sqlite3_stmt *statement = db_stmt(db, STMT_VAULT_IN_USE);
	db_bind_int(statement, 1, vault);
	int64_t used;
	if (!db_number(db, statement, &used, err))
		return false;
	*ret_used = used != 0;
	return true;
}

static bool
write_change(struct db *db, int64_t vault, const struct db_vault_change *change, struct err *err)
{
	bool used = false;
	if (change->retention_days != 0 && !in_use(db, vault, &used, err))
		return false;
	if (used)
		return err_set(err, ERR_CONFLICT,
			"The retention of a vault is fixed once it holds keys, live or deleted.");
	sqlite3_stmt *update = db_stmt(db, STMT_VAULT_UPDATE);
	db_bind_int(update, 1, vault);
	if (change->retention_days != 0)
		db_bind_int(update, 2, change->retention_days);
	db_bind_int(update, 3, change->protect);
	db_bind_text(update, 4, change->tags);
	db_bind_int(update, 5, change->updated);
	if (!db_run(db, update, err))
		return false;
	return db_changes(db) == 1 || err_set(err, ERR_VAULT_NOT_FOUND, NULL);
}

bool
db_vault_update(struct db *db, int64_t vault, const struct db_vault_change *change, struct err *err)
{
	if (!db_begin(db, err))
		return false;
	if (!write_change(db, vault, change, err))
		return db_rollback(db);
	return db_commit(db, err);
}

static bool
remove_vault(struct db *db, int64_t vault, struct err *err)
{
	bool used;
	if (!in_use(db, vault, &used, err))
		return false;
	if (used)
		return err_set(err, ERR_NOT_EMPTY, NULL);
	sqlite3_stmt *delete = db_stmt(db, STMT_VAULT_DELETE);
	db_bind_int(delete, 1, vault);
	if (!db_run(db, delete, err))
		return false;
	return db_changes(db) == 1 || err_set(err, ERR_VAULT_NOT_FOUND, NULL);
}

bool
db_vault_delete(struct db *db, int64_t vault, struct err *err)
{
	if (!db_begin(db, err))
		return false;
	if (!remove_vault(db, vault, err))
		return db_rollback(db);
	return db_commit(db, err);
}

/* The vault's row tells when its policies changed; a vault that is not there is found here. */
static bool
touch(struct db *db, int64_t vault, int64_t updated, struct err *err)
{
	sqlite3_stmt *update = db_stmt(db, STMT_VAULT_TOUCH);
	db_bind_int(update, 1, vault);
	db_bind_int(update, 2, updated);
	if (!db_run(db, update, err))
		return false;
	return db_changes(db) == 1 || err_set(err, ERR_VAULT_NOT_FOUND, NULL);
}

static bool
write_policy(struct db *db, const struct db_policy *policy, int64_t updated, struct err *err)
{
	if (!touch(db, policy->vault, updated, err))
		return false;
	sqlite3_stmt *set = db_stmt(db, STMT_POLICY_SET);
	db_bind_int(set, 1, policy->vault);
	db_bind_int(set, 2, policy->kind);
	db_bind_int(set, 3, policy->number);
	db_bind_text(set, 4, policy->name);
	db_bind_int(set, 5, policy->permissions);
	sqlite3_stmt *count = db_stmt(db, STMT_POLICY_COUNT);
	db_bind_int(count, 1, policy->vault);
	int64_t policies;
	if (!db_run_one(db, set, err) || !db_number(db, count, &policies, err))
		return false;
	return policies <= DB_POLICIES_MAX ||
	       err_set(err, ERR_BAD_PARAMETER, "A vault has at most %d access policies.",
		       DB_POLICIES_MAX);
}

bool
db_policy_set(struct db *db, const struct db_policy *policy, int64_t updated, struct err *err)
{
	if (!db_begin(db, err))
		return false;
	if (!write_policy(db, policy, updated, err))
		return db_rollback(db);
	return db_commit(db, err);
}

static bool
remove_policy(struct db *db, const struct db_policy *policy, int64_t updated, struct err *err)
{
	if (!touch(db, policy->vault, updated, err))
		return false;
	sqlite3_stmt *delete = db_stmt(db, STMT_POLICY_DELETE);
	db_bind_int(delete, 1, policy->vault);
	db_bind_int(delete, 2, policy->kind);
	db_bind_int(delete, 3, policy->number);
	db_bind_text(delete, 4, policy->name);
	if (!db_run(db, delete, err))
		return false;
	return db_changes(db) == 1 ||
	       err_set(err, ERR_NOT_FOUND, "The vault has no access policy for this principal.");
}

bool
db_policy_delete(struct db *db, const struct db_policy *policy, int64_t updated, struct err *err)
{
	if (!db_begin(db, err))
		return false;
	if (!remove_policy(db, policy, updated, err))
		return db_rollback(db);
	return db_commit(db, err);
}

bool
db_policy_list(struct db *db, int64_t vault, struct arena *arena, struct db_policy **ret_policies,
	size_t *ret_count, struct err *err)
{
	CLEAN(db_stmt)
	sqlite3_stmt *statement = db_stmt(db, vault == 0 ? STMT_POLICY_LIST_ALL : STMT_POLICY_LIST);
	if (vault != 0)
		db_bind_int(statement, 1, vault);
	struct db_policy *policies = NULL;
	size_t count = 0, capacity = 0;
	for (bool more = true;;) {
		if (!db_step(db, statement, &more, err))
			return false;
		if (!more)
			break;
		policies = db_grow(arena, policies, count, &capacity, sizeof *policies);
		struct db_policy *policy = &policies[count++];
		struct db_row row = {.statement = statement, .arena = arena};
		policy->vault = db_row_int(&row, 1, INT64_MAX);
		policy->kind = (enum db_principal_kind)db_row_int(
			&row, DB_PRINCIPAL_USER, DB_PRINCIPAL_APPLICATION);
		policy->number = db_row_int(&row, -1, UINT32_MAX);
		db_row_text(&row, policy->name, sizeof policy->name);
		policy->permissions = (uint32_t)db_row_int(&row, 1, UINT32_MAX);
		if (!db_row_check(&row, "policy", err))
			return false;
	}
	*ret_policies = policies;
	*ret_count = count;
	return true;
}
