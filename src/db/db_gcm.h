/*
 * Counts encryptions under AES keys of the GCM family, so that random 96-bit nonces stay safe (threats E15;
 * SP 800-38D §8.3). Counted durably in blocks: a crash loses the rest of a block, never a use.
 */
#pragma once

#include "db_key.h"

#define DB_GCM_BLOCK 65536
#define DB_GCM_WARN  (INT64_C(1) << 31)
#define DB_GCM_LIMIT (INT64_C(1) << 32)

/*
 * Before each encryption, retries too. ret_warn: at or past DB_GCM_WARN. ERR_KEY_EXHAUSTED at DB_GCM_LIMIT,
 * ERR_KEY_NOT_FOUND. Writes to disk once in DB_GCM_BLOCK calls for a key.
 */
bool db_gcm_use(struct db *db, const uint8_t id[static ID_VERSION_BYTES], bool *ret_warn,
	struct err *err) MUST_USE;
