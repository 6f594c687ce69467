/* Rows of vaults and of their access policies. Names compare without regard to case. Standard errors: db.h. */
#pragma once

#include "base/id.h"
#include "db.h"
#include "db_token.h"

#define DB_RETENTION_MIN 7 /* days; akv-contract §10 */
#define DB_RETENTION_MAX 90

enum db_backup {
	DB_BACKUP_NEVER,   /* keys are not extractable at all */
	DB_BACKUP_TRUSTED, /* under a trusted key only */
};

struct db_vault {
	int64_t id;
	char name[ID_VAULT_NAME_MAX + 1]; /* spelling of creation */
	char token[DB_TOKEN_NAME];
	int retention_days;
	bool purge_protection; /* once on, never off */
	enum db_backup backup;
	int64_t created, updated;        /* Unix seconds */
	const char *tags;                /* JSON object as text, "{}" for none */
	int64_t live_keys, deleted_keys; /* kept by the catalog; ignored when inserting */
};

/* `vault` without id and counts. ERR_CONFLICT: the name is taken. */
bool db_vault_insert(
	struct db *db, const struct db_vault *vault, int64_t *ret_id, struct err *err) MUST_USE;
/* ERR_VAULT_NOT_FOUND. tags live in `arena`. */
bool db_vault_find(struct db *db, const char *name, struct arena *arena, struct db_vault *ret_vault,
	struct err *err) MUST_USE;
/* Next vaults by folded name after `after` ("": from the start), at most `limit` <= DB_PAGE_MAX. */
bool db_vault_list(struct db *db, const char *after, size_t limit, struct arena *arena,
	struct db_vault **ret_vaults, size_t *ret_count, struct err *err) MUST_USE;

struct db_vault_change {
	int retention_days; /* 0: unchanged. ERR_CONFLICT once the vault has or had a key, live or deleted */
	bool protect;     /* true: purge protection on */
	const char *tags; /* NULL: unchanged */
	int64_t updated;
};
bool db_vault_update(struct db *db, int64_t vault, const struct db_vault_change *change,
	struct err *err) MUST_USE;
/* With its policies. ERR_NOT_EMPTY while it holds keys, live or deleted, or an intent; ERR_VAULT_NOT_FOUND. */
bool db_vault_delete(struct db *db, int64_t vault, struct err *err) MUST_USE;

enum db_principal_kind {
	DB_PRINCIPAL_USER = 1,
	DB_PRINCIPAL_GROUP,
	DB_PRINCIPAL_APPLICATION,
};
#define DB_PRINCIPAL_NAME 257

struct db_policy {
	int64_t vault;
	enum db_principal_kind kind;
	int64_t number; /* uid or gid; -1 for an application */
	char name
		[DB_PRINCIPAL_NAME]; /* user or group name at that time ("" if the number had none), or GUID */
	uint32_t permissions; /* bits as in custodyd/perm.tbl */
};

/* Inserts or replaces what the vault grants to (kind, number, name). `updated` goes to the vault's row. */
bool db_policy_set(
	struct db *db, const struct db_policy *policy, int64_t updated, struct err *err) MUST_USE;
/* ERR_NOT_FOUND: the vault has none for it. */
bool db_policy_delete(
	struct db *db, const struct db_policy *policy, int64_t updated, struct err *err) MUST_USE;
/* All policies of a vault (they are few: DB_POLICIES_MAX a vault), or of all vaults when vault is 0. */
#define DB_POLICIES_MAX 1024
bool db_policy_list(struct db *db, int64_t vault, struct arena *arena,
	struct db_policy **ret_policies, size_t *ret_count, struct err *err) MUST_USE;
