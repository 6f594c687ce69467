/*
 * Rows of scopes and of the slots that they are assigned by. A scope's key is under one generation; work is left where
 * that is not the current generation of its slot's policy. Standard errors: db.h.
 */
#pragma once

#include "db_dep.h"

#define DB_DEP_SCOPE_SIZE 257 /* octets of a scope's name and NUL */
#define DB_DEP_SLOT_SIZE  64
#define DB_DEP_WRAPPED    72

enum db_dep_scope_state {
	DB_DEP_REMEMBERED = 1, /* assigned before it was registered */
	DB_DEP_CLEAR = 2,      /* its data is in clear: marked for move */
	DB_DEP_ENCRYPTED = 3,
	DB_DEP_ERASED = 4, /* purged with its policy: to be deleted for good, its key is gone */
};

struct db_dep_scope {
	int64_t id;
	int kind; /* enum keytree_scope_kind */
	char name[DB_DEP_SCOPE_SIZE];
	int type; /* of a mailbox; the daemon's */
	int64_t slot;
	enum db_dep_scope_state state;
	int64_t generation; /* 0: it has no key. One in clear has a key while its data is being moved */
	uint8_t key_id[DB_DEP_GUID];
	uint8_t wrapped[DB_DEP_WRAPPED];
	int64_t assigned, changed;
	int64_t policy, current; /* of its slot; ignored when inserting */
};

struct db_dep_slot {
	int64_t id;
	char name[DB_DEP_SLOT_SIZE];
	int64_t policy, current;
	int64_t assigned;
};

/* Name of the slot of mailboxes that have a mailbox policy of their own. */
void db_dep_slot_of_policy(
	const uint8_t guid[static DB_DEP_GUID], char name[static DB_DEP_SLOT_SIZE]);
/* Name of the slot of the sites of a geo, which differs from no other by case. `geo`: at most 32 characters (asserted). */
void db_dep_slot_of_geo(const char *geo, char name[static DB_DEP_SLOT_SIZE]);
/* Makes those that are not there; the service-managed policy covers them. */
bool db_dep_slot_ensure(struct db *db, const char *const *names, size_t count, int64_t now_s,
	struct err *err) MUST_USE;
/* ERR_SCOPE_NOT_FOUND for a slot that no organization or policy has. */
bool db_dep_slot_find(
	struct db *db, const char *name, struct db_dep_slot *ret_slot, struct err *err) MUST_USE;
bool db_dep_slot_list(struct db *db, struct arena *arena, struct db_dep_slot **ret_slots,
	size_t *ret_count, struct err *err) MUST_USE;
/*
 * All `names` get `policy`, in one transaction, however many scopes that concerns. A rollback that is under way ends: the
 * tenant has a policy again.
 */
bool db_dep_slot_assign(struct db *db, const char *const *names, size_t count, int64_t policy,
	int64_t now_s, struct err *err) MUST_USE;

struct db_dep_count {
	enum db_dep_scope_state state;
	int64_t generation; /* 0: none */
	int64_t count;
};
/* How many scopes of a slot are in each state and generation; a handful of rows, never a walk over the scopes. */
bool db_dep_slot_counts(struct db *db, int64_t slot, struct arena *arena,
	struct db_dep_count **ret_counts, size_t *ret_count, struct err *err) MUST_USE;

/* ERR_SCOPE_NOT_FOUND. */
bool db_dep_scope_find(struct db *db, int kind, const char *name, struct db_dep_scope *ret_scope,
	struct err *err) MUST_USE;
/* Next scopes of a kind by folded name after `after`, at most `limit` <= DB_PAGE_MAX. */
bool db_dep_scope_list(struct db *db, int kind, const char *after, size_t limit,
	struct arena *arena, struct db_dep_scope **ret_scopes, size_t *ret_count,
	struct err *err) MUST_USE;

/*
 * One transaction for all of them. A new name is inserted (clear or encrypted, as given, with the slot given); one that was
 * remembered takes state, key and type and keeps its slot, unless its generation is not of the remembered slot's policy, which
 * does not matter: rewrapping follows. ret_added: how many were not registered before; others are left as they are.
 */
bool db_dep_scope_register(struct db *db, const struct db_dep_scope *scopes, size_t count,
	size_t *ret_added, struct err *err) MUST_USE;
/* Puts scopes into a slot, one transaction; a name not registered yet is remembered. */
bool db_dep_scope_assign(struct db *db, int kind, const char *const *names, size_t count,
	int64_t slot, int64_t now_s, struct err *err) MUST_USE;
/* A clear scope is about to be moved: it takes the key given, unless it has one; it stays clear. ret_scope: as it is then. */
bool db_dep_scope_begin_move(struct db *db, const struct db_dep_scope *scope, int64_t now_s,
	struct db_dep_scope *ret_scope, struct err *err) MUST_USE;
/* A clear scope was moved: it is encrypted now, with the key that it has, else the one given. ERR_CONFLICT: it was already. */
bool db_dep_scope_encrypt(
	struct db *db, const struct db_dep_scope *scope, int64_t now_s, struct err *err) MUST_USE;

struct db_dep_rewrap {
	int64_t scope;
	int64_t from, to; /* generations */
	uint8_t wrapped[DB_DEP_WRAPPED];
};
/* One transaction; a scope that is not under `from` any more is left alone. ret_moved: how many were moved. */
bool db_dep_scope_rewrap(struct db *db, const struct db_dep_rewrap *items, size_t count,
	int64_t now_s, size_t *ret_moved, struct err *err) MUST_USE;
/* Scopes of a slot whose key is under `generation`, in any order, at most `limit` <= DB_PAGE_MAX; by index. */
bool db_dep_scope_under(struct db *db, int64_t slot, int64_t generation, size_t limit,
	struct arena *arena, struct db_dep_scope **ret_scopes, size_t *ret_count,
	struct err *err) MUST_USE;
