/*
 * GCM use counters. Invariant: gcm_count in the catalog is never below the number of encryptions made. A block's rest is
 * lost when its slot goes to another key or the process ends, which only makes the limit come earlier.
 */
#include "db_gcm.h"

#include <stdlib.h>
#include <string.h>

#include "custody_stmt.h"
#include "db_gcm_table.h"

#define SLOTS 1024 /* power of two; 32 KiB */

struct slot {
	uint8_t id[ID_VERSION_BYTES];
	int64_t used; /* next number to give out */
	int64_t end;  /* first number not reserved */
};

struct db_gcm {
	struct slot slots[SLOTS];
};

struct db_gcm *
db_gcm_new(void)
{
	struct db_gcm *gcm = calloc(1, sizeof *gcm);
	if (gcm == NULL)
		abort();
	return gcm;
}

void
db_gcm_free(struct db_gcm *gcm)
{
	free(gcm);
}

void
db_gcm_forget(struct db_gcm *gcm)
{
	memset(gcm, 0, sizeof *gcm);
}

static bool
reserve(struct db *db, const uint8_t *id, struct slot *slot, struct err *err)
{
	CLEAN(arena)
	struct arena *arena = arena_new();
	struct db_key key;
	struct db_version version;
	if (!db_version_find_by_id(db, id, arena, &key, &version, err))
		return false;
	if (version.gcm_count >= DB_GCM_LIMIT)
		return err_set(err, ERR_KEY_EXHAUSTED, NULL);
	int64_t end = version.gcm_count + DB_GCM_BLOCK;
	if (end > DB_GCM_LIMIT)
		end = DB_GCM_LIMIT;

	if (!db_begin(db, err))
		return false;
	sqlite3_stmt *update = db_stmt(db, STMT_VERSION_COUNT_GCM);
	db_bind_blob(update, 1, id, ID_VERSION_BYTES);
	db_bind_int(update, 2, end);
	if (!db_run_one(db, update, err))
		return db_rollback(db);
	if (!db_commit(db, err))
		return false;
	memcpy(slot->id, id, ID_VERSION_BYTES);
	slot->used = version.gcm_count;
	slot->end = end;
	return true;
}

bool
db_gcm_use(
	struct db *db, const uint8_t id[static ID_VERSION_BYTES], bool *ret_warn, struct err *err)
{
	/* ids are random: two octets spread as well as a hash */
	size_t place = ((size_t)id[0] << 8 | id[1]) % SLOTS;
	struct slot *slot = &db->gcm->slots[place];
	bool ours = memcmp(slot->id, id, ID_VERSION_BYTES) == 0;
	if ((!ours || slot->used >= slot->end) && !reserve(db, id, slot, err))
		return false;
	slot->used++;
	*ret_warn = slot->used >= DB_GCM_WARN;
	return true;
}
