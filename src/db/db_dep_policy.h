/* Rows of policies and their generations. Names compare without regard to case. Standard errors: db.h. */
#pragma once

#include "db_dep.h"

enum db_dep_policy_kind {
	DB_DEP_M365 = 1,
	DB_DEP_MAILBOX = 2,
	DB_DEP_GEO = 3,
	DB_DEP_SERVICE = 4, /* service-managed: covers what no customer policy does */
};

enum db_dep_policy_state {
	DB_DEP_ENABLED = 1,
	DB_DEP_DISABLED = 2,
	DB_DEP_PURGING = 3, /* a purge was requested: nothing under it is opened */
	DB_DEP_PURGED = 4,  /* its row tells that it was there; nothing of its keys is left */
};

#define DB_DEP_NAME_SIZE       65   /* 64 characters of ASCII and NUL */
#define DB_DEP_DESCRIPTION_MAX 1024 /* octets; 256 characters */
#define DB_DEP_ENVELOPE_MAX    65536
#define DB_DEP_WRAP_MAX        1024

struct db_dep_policy {
	int64_t id;
	uint8_t guid[DB_DEP_GUID];
	enum db_dep_policy_kind kind;
	char name[DB_DEP_NAME_SIZE];
	const char *description;
	enum db_dep_policy_state state;
	const char *uri[2]; /* as given */
	const char *availability_kid;
	int64_t current; /* id of the newest generation */
	int64_t created, updated;
	int64_t outage_fallback_s; /* how long users go on while both keys are unavailable */
	int64_t outage_since;      /* since when they are, Unix seconds; 0: they are not */
};
#define DB_DEP_OUTAGE_UNLIMITED (-1)

struct db_dep_generation {
	int64_t id, policy;
	int64_t number; /* 1, 2, … within its policy */
	uint8_t guid[DB_DEP_GUID];
	const char *kid[2];
	const char *envelope;
	const char *availability_kid;
	struct bytes availability_wrap;
	uint8_t check[32];
	struct bytes signature;
	int64_t created;
	uint8_t envelope_digest[DB_DEP_DIGEST]; /* as signed; generation_record.h */
	uint8_t wrap_digest[DB_DEP_DIGEST];
	int redundancy;    /* by how many customer keys it was opened when last checked */
	bool availability; /* whether the availability key opened it too */
	int64_t checked;
	int64_t due; /* when it is to be checked again */
};

/* What is to be undone if it does not become a policy: recorded before anything is made in the service's custody. */
bool db_dep_intent_begin(struct db *db, const uint8_t guid[static DB_DEP_GUID], int64_t now_s,
	struct err *err) MUST_USE;
bool db_dep_intent_end(
	struct db *db, const uint8_t guid[static DB_DEP_GUID], struct err *err) MUST_USE;
/* GUIDs of what was begun and not ended: at start, for undoing. */
bool db_dep_intent_list(struct db *db, struct arena *arena, uint8_t (**ret_guids)[DB_DEP_GUID],
	size_t *ret_count, struct err *err) MUST_USE;

/*
 * A policy with its first generation, in one transaction that ends its intent; a mailbox policy gets its slot, the slot of a
 * geo gets its policy. `policy`
 * without id and current; `generation` without id and policy. ERR_POLICY_EXISTS: the name is taken.
 */
bool db_dep_policy_insert(struct db *db, const struct db_dep_policy *policy,
	const struct db_dep_generation *generation, int64_t *ret_id, struct err *err) MUST_USE;
/* The next generation of a policy becomes its current one. `generation` without id; its number is the last one's plus 1. */
bool db_dep_generation_insert(
	struct db *db, const struct db_dep_generation *generation, struct err *err) MUST_USE;

/* The same, and the policy's keys are called `uri` from now on. */
bool db_dep_generation_roll(struct db *db, const struct db_dep_generation *generation,
	const char *const uri[2], struct err *err) MUST_USE;

/* ERR_POLICY_NOT_FOUND. Strings live in `arena`. */
bool db_dep_policy_get(struct db *db, int64_t id, struct arena *arena,
	struct db_dep_policy *ret_policy, struct err *err) MUST_USE;
bool db_dep_policy_find(struct db *db, enum db_dep_policy_kind kind, const char *name,
	struct arena *arena, struct db_dep_policy *ret_policy, struct err *err) MUST_USE;
/* By its own GUID or that of any of its generations. */
bool db_dep_policy_find_guid(struct db *db, const uint8_t guid[static DB_DEP_GUID],
	struct arena *arena, struct db_dep_policy *ret_policy, struct err *err) MUST_USE;
/* Next policies of a kind by folded name after `after` ("": from the start), at most `limit` <= DB_PAGE_MAX. */
bool db_dep_policy_list(struct db *db, enum db_dep_policy_kind kind, const char *after,
	size_t limit, struct arena *arena, struct db_dep_policy **ret_policies, size_t *ret_count,
	struct err *err) MUST_USE;
struct db_dep_policy_change {
	const char *description;        /* NULL: unchanged */
	enum db_dep_policy_state state; /* 0: unchanged */
	bool has_outage_fallback;       /* false: unchanged */
	int64_t outage_fallback_s;
};
/* ERR_POLICY_ASSIGNED: disabling what is assigned or covers a scope. */
bool db_dep_policy_update(struct db *db, int64_t id, const struct db_dep_policy_change *change,
	int64_t now_s, struct err *err) MUST_USE;
/* When its keys were found unavailable; 0: they are not any more. */
bool db_dep_policy_outage(struct db *db, int64_t id, int64_t since_s, struct err *err) MUST_USE;
/* Whether anything is, or would be, encrypted under it. */
bool db_dep_policy_in_use(struct db *db, int64_t id, bool *ret_used, struct err *err) MUST_USE;
bool db_dep_policy_count_enabled(
	struct db *db, enum db_dep_policy_kind kind, int64_t *ret_count, struct err *err) MUST_USE;

/* ERR_CATALOG_INTEGRITY: there is none. */
bool db_dep_generation_get(struct db *db, int64_t id, struct arena *arena,
	struct db_dep_generation *ret_generation, struct err *err) MUST_USE;
/* All of a policy, oldest first. */
bool db_dep_generation_list(struct db *db, int64_t policy, struct arena *arena,
	struct db_dep_generation **ret_generations, size_t *ret_count, struct err *err) MUST_USE;
/* How many scopes' keys are under it. */
bool db_dep_generation_scopes(
	struct db *db, int64_t id, int64_t *ret_count, struct err *err) MUST_USE;
