/*
 * Rows of keys and of their versions, and what may happen to them: create, delete, recover, purge.
 * Key names compare without regard to case. Standard errors: db.h.
 *
 *   live --db_key_delete--> deleted --db_key_purge_begin--> purging --db_key_purge_commit--> gone, tombstones
 *     ^---db_key_recover------'
 */
#pragma once

#include "base/id.h"
#include "db.h"
#include "db_vault.h"

enum db_key_state {
	DB_KEY_LIVE = 1,
	DB_KEY_DELETED,
	DB_KEY_PURGING, /* a purge intent exists */
};

struct db_key {
	int64_t id;
	int64_t vault;
	char name[ID_KEY_NAME_MAX + 1]; /* spelling of creation */
	enum db_key_state state;
	int64_t created;
	int64_t deleted_at;      /* Unix seconds; 0 unless deleted or purging */
	int64_t scheduled_purge; /* likewise */
	int64_t versions;        /* counted by the find functions and lists */
};

enum db_version_state {
	DB_VERSION_OK = 1,
	DB_VERSION_MISSING,   /* not on its token: ERR_KEY_MISSING */
	DB_VERSION_INTEGRITY, /* not what the catalog says: ERR_KEY_INTEGRITY */
};

/* What the token said at birth (threats A22). */
enum db_provenance {
	DB_PROVENANCE_LOCAL = 1,
	DB_PROVENANCE_ALWAYS_SENSITIVE = 2,
	DB_PROVENANCE_NEVER_EXTRACTABLE = 4,
	DB_PROVENANCE_OURS = 8,      /* this catalog ordered the generation */
	DB_PROVENANCE_IMPORTED = 16, /* for ever */
	DB_PROVENANCE_MIXED = 32,    /* opens data and signs, or the like (threats A1) */
};

#define DB_NO_TIME (-1) /* nbf, exp: not set */

struct db_version {
	uint8_t id[ID_VERSION_BYTES];
	int64_t key;
	int64_t sequence;  /* 1, 2, … within the key; the highest is the newest */
	char kty[8];       /* "RSA", "RSA-HSM", "EC", "EC-HSM", "oct", "oct-HSM" */
	char curve[8];     /* "P-256", "P-384", "P-521", "P-256K"; "" unless EC */
	int bits;          /* modulus or AES key; 0 for EC */
	uint32_t ops_born; /* key operations fixed at birth; the bits are the caller's (src/api) */
	uint32_t ops;      /* a subset of ops_born, enforced */
	bool enabled;
	int64_t nbf, exp; /* Unix seconds or DB_NO_TIME */
	int64_t created, updated;
	const char *tags;  /* JSON object as text, "{}" for none */
	struct bytes spki; /* DER; empty for oct */
	uint8_t fingerprint
		[DB_HASH_BYTES];  /* SHA-256 of spki, or check value of an oct key (threats A10) */
	struct bytes attestation; /* proof by the token over this row (threats A11); may be empty */
	uint32_t provenance;      /* enum db_provenance */
	enum db_version_state state;
	int64_t gcm_count; /* wraps reserved so far (db_gcm.h) */
};

/* A key with its newest version. */
struct db_key_item {
	struct db_key key;
	struct db_version newest;
};

/*
 * Finding. Errors: ERR_KEY_NOT_FOUND; ERR_KEY_DELETED for a key that is deleted or purging (db_key_find, db_version_find;
 * the same HTTP answer as not found, another class). Strings and bytes live in `arena`.
 */
bool db_key_find(struct db *db, int64_t vault, const char *name, struct arena *arena,
	struct db_key_item *ret_item, struct err *err) MUST_USE;
/* A deleted or purging key; ERR_KEY_NOT_FOUND otherwise. */
bool db_key_find_deleted(struct db *db, int64_t vault, const char *name, struct arena *arena,
	struct db_key_item *ret_item, struct err *err) MUST_USE;
/*
 * One version of a live key, or the newest (`version` NULL). ERR_KEY_NOT_FOUND, ERR_KEY_DELETED, and
 * ERR_KEY_PURGED for the id of a purged version, whatever has the name now.
 */
bool db_version_find(struct db *db, int64_t vault, const char *name, const uint8_t *version,
	struct arena *arena, struct db_key *ret_key, struct db_version *ret_version,
	struct err *err) MUST_USE;
/* By id alone, in any state of the key: for reconciling and doctor. ERR_KEY_NOT_FOUND, ERR_KEY_PURGED. */
bool db_version_find_by_id(struct db *db, const uint8_t id[static ID_VERSION_BYTES],
	struct arena *arena, struct db_key *ret_key, struct db_version *ret_version,
	struct err *err) MUST_USE;
/* What is left of a purged version, for ever. */
struct db_tombstone {
	char vault[ID_VAULT_NAME_MAX + 1], key[ID_KEY_NAME_MAX + 1];
	int64_t purged; /* Unix seconds */
};
bool db_tombstone_find(struct db *db, const uint8_t id[static ID_VERSION_BYTES],
	struct db_tombstone *ret_tombstone, bool *ret_found, struct err *err) MUST_USE;

/*
 * Lists: at most `limit` (1 to DB_PAGE_MAX) after a position; ret_more says whether others follow. Keys are ordered by folded
 * name, `after` "" from the start; versions by sequence, `after` 0 from the start.
 */
bool db_key_list(struct db *db, int64_t vault, const char *after, size_t limit, struct arena *arena,
	struct db_key_item **ret_items, size_t *ret_count, bool *ret_more,
	struct err *err) MUST_USE;
/* Deleted and purging keys. */
bool db_key_list_deleted(struct db *db, int64_t vault, const char *after, size_t limit,
	struct arena *arena, struct db_key_item **ret_items, size_t *ret_count, bool *ret_more,
	struct err *err) MUST_USE;
/* Versions of a live key; ERR_KEY_NOT_FOUND, ERR_KEY_DELETED. ret_key: its row. */
bool db_version_list(struct db *db, int64_t vault, const char *name, int64_t after, size_t limit,
	struct arena *arena, struct db_key *ret_key, struct db_version **ret_versions,
	size_t *ret_count, bool *ret_more, struct err *err) MUST_USE;
/* Versions of all keys on a token after an id (NULL: from the start), in any state, for checking it against the token. */
bool db_version_list_token(struct db *db, const char *token, const uint8_t *after, size_t limit,
	struct arena *arena, struct db_version **ret_versions, size_t *ret_count,
	struct err *err) MUST_USE;
/* Deleted keys whose scheduled purge is at or before `now_s`, earliest first. */
bool db_key_list_due(struct db *db, int64_t now_s, size_t limit, struct arena *arena,
	struct db_key **ret_keys, size_t *ret_count, struct err *err) MUST_USE;

/* Changes. `now_s` is the trusted time (calendar.h). */

struct db_version_change {
	bool has_enabled, enabled;
	bool has_nbf, has_exp; /* times to set; DB_NO_TIME removes */
	int64_t nbf, exp;
	bool has_ops;
	uint32_t ops;     /* outside ops_born: ERR_BAD_PARAMETER */
	const char *tags; /* NULL: unchanged */
	int64_t updated;
};
/* ERR_KEY_NOT_FOUND. nbf > exp: ERR_BAD_PARAMETER. */
bool db_version_update(struct db *db, const uint8_t id[static ID_VERSION_BYTES],
	const struct db_version_change *change, struct err *err) MUST_USE;
bool db_version_set_state(struct db *db, const uint8_t id[static ID_VERSION_BYTES],
	enum db_version_state state, struct err *err) MUST_USE;
bool db_version_set_attestation(struct db *db, const uint8_t id[static ID_VERSION_BYTES],
	struct bytes attestation, struct err *err) MUST_USE;

/* Soft delete: deleted_at = now_s, scheduled_purge = now_s + the vault's retention. ERR_KEY_NOT_FOUND, ERR_KEY_DELETED. */
bool db_key_delete(struct db *db, int64_t key, int64_t now_s, struct db_key *ret_key,
	struct err *err) MUST_USE;
/* ERR_KEY_NOT_FOUND unless deleted; ERR_BEING_DELETED when purging. */
bool db_key_recover(struct db *db, int64_t key, struct err *err) MUST_USE;
