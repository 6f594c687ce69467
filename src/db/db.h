/*
 * A catalog: one SQLite file that holds everything but key material. Opening, locking, checking,
 * transactions, time marks. What is in it is a matter of its kind: rows are in db_vault.h, db_key.h and their like.
 *
 * One thread. Calls block for a few microseconds when reading and for one disk sync when writing.
 * Every change of the catalog is one function and one transaction; each raises the generation by one.
 *
 * Errors of every function here and in the row headers:
 *   ERR_STORAGE_FULL       no room (nothing was changed; works again when there is room)
 *   ERR_STORAGE            I/O failed, or the catalog is read-only after a failed sync (see db_read_only)
 *   ERR_CATALOG_ROLLED_BACK  of changes only: see db_hold()
 *   ERR_CATALOG_INTEGRITY  damaged file, or rows that contradict each other
 *   ERR_OUTCOME_UNKNOWN    the commit itself failed: the change may or may not be there after a restart
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"

struct db;

#define DB_HASH_BYTES   32
#define DB_SECRET_BYTES 32
#define DB_SPKI_MAX     1024 /* RSA-4096 needs 550 */
#define DB_BLOB_MAX     8192
#define DB_TAGS_MAX     16384 /* 15 tags of 256 + 256 characters, escaped */
#define DB_PAGE_MAX     256   /* rows a list function returns at most */

struct db_kind; /* whose catalog it is: custody_catalog in db_custody.h */

struct db_settings {
	const struct db_kind *kind;
	const char *path; /* absolute; created (0600) if missing, with its reserve beside it */
	bool allow_network_filesystem; /* threats D21 */
	int64_t reserve_bytes; /* size of <path>.reserve, given up by db_release_reserve(); 0: none */
};

/*
 * Opens, locks for life, checks (modes and owner, kind of file system, quick_check, schema version) and
 * migrates. ERR_CONFIG: wrong mode, owner, link count, network file system, or a newer schema, named;
 * ERR_CATALOG_LOCKED: another daemon has it. Blocking.
 */
struct db *db_open(const struct db_settings *settings, struct err *err) MUST_USE;
void db_close(struct db *db);

/* What was erased is in the write-ahead log neither when true is returned: it is written back and emptied. Blocking. */
bool db_scrub(struct db *db, struct err *err) MUST_USE;

/*
 * True after a failed sync (threats D3): every change is refused with ERR_STORAGE until db_reopen(), which
 * closes, checks and opens the file again under the same lock. On failure the catalog stays closed to
 * everything but db_reopen() and db_close().
 */
bool db_read_only(const struct db *db);
bool db_reopen(struct db *db, struct err *err) MUST_USE;
/* Turns the latch on from outside: the audit failed a sync. */
void db_latch(struct db *db);
/*
 * The catalog is an old copy (threats D8): every change is refused with ERR_CATALOG_ROLLED_BACK until db_accept(), also after
 * a db_reopen().
 */
void db_hold(struct db *db);
bool db_held(const struct db *db);
/*
 * A person takes the old copy as the catalog: one change, numbered above `generation`, which also gives up what would destroy
 * by what the copy says (kind->accept; `now_s` is bound). Then changes are made again; on failure it stays held.
 */
bool db_accept(struct db *db, uint64_t generation, int64_t now_s, struct err *err) MUST_USE;

/* Gives the reserve file's room back, so that a full disk can be repaired; makes it again when there is room for it and more. */
bool db_release_reserve(struct db *db); /* false: it was given already, or there never was one */
bool db_restore_reserve(struct db *db, struct err *err) MUST_USE;
bool db_reserve_given(
	const struct db *db); /* also true when the disk was full already at db_open() */

/* PRAGMA quick_check again: ERR_CATALOG_INTEGRITY names the first finding. Blocking, milliseconds a megabyte. */
bool db_check(struct db *db, struct err *err) MUST_USE;

/* Number of changes committed since birth; never decreases in a catalog that was not rolled back. */
uint64_t db_generation(const struct db *db);

/*
 * The audit's head as of the last change (threats D8, D16): what db_set_audit_head() was last told is
 * stored by the next change, in its transaction. All zero at birth.
 */
struct db_audit_head {
	uint64_t records;
	uint64_t offset; /* octets of the audit file up to and with that record */
	uint8_t hash[DB_HASH_BYTES];
};
void db_set_audit_head(struct db *db, const struct db_audit_head *head);
struct db_audit_head db_audit_head(const struct db *db); /* as stored */
/* Stores it in a change of its own, if it is not what is stored: at the end of a run. */
bool db_store_audit_head(struct db *db, struct err *err) MUST_USE;

/* Made at birth, 16 random octets as hex; names this catalog on its tokens. Borrowed for the life of db. */
const char *db_instance(const struct db *db);
/* HMAC key of paging tokens, made at birth. Borrowed. */
const uint8_t *db_paging_key(const struct db *db);
/* Key of digests of refused PINs, made at birth (threats B11). Borrowed. */
const uint8_t *db_pin_key(const struct db *db);

/* Highest trusted wall time, Unix seconds (threats D14, D15); never lowered: a lower value is ignored. */
int64_t db_time_mark(const struct db *db);
bool db_set_time_mark(struct db *db, int64_t wall_s, struct err *err) MUST_USE;

static inline void
db_clean(struct db **db)
{
	db_close(*db);
	*db = NULL;
}
