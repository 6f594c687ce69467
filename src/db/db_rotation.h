/* Rotation policies of keys: when a new version is made, when one expires, when that is told. Standard errors: db.h. */
#pragma once

#include "base/period.h"
#include "db_key.h"

struct db_rotation {                     /* periods as ISO 8601 has them, "" for none */
	char expiry[PERIOD_TEXT];        /* of a version that a rotation makes, from its birth */
	char rotate_after[PERIOD_TEXT];  /* the birth of the newest version */
	char rotate_before[PERIOD_TEXT]; /* its end */
	char notify_before[PERIOD_TEXT];
	int64_t created, updated;
	uint8_t notified[ID_VERSION_BYTES]; /* the version whose end was told; zeros: none */
};

struct db_rotation_item {
	struct db_key_item key; /* live */
	struct db_rotation rotation;
};

/* By the key's row; *ret_found false: it has no policy. */
bool db_rotation_find(struct db *db, int64_t key, struct db_rotation *ret_rotation, bool *ret_found,
	struct err *err) MUST_USE;
/* Sets or replaces it at the time `updated`; `created` stays, nothing counts as told. */
bool db_rotation_set(
	struct db *db, int64_t key, const struct db_rotation *rotation, struct err *err) MUST_USE;
/* Live keys with a policy after a row (0: from the start), at most `limit`. */
bool db_rotation_list(struct db *db, int64_t after, size_t limit, struct arena *arena,
	struct db_rotation_item **ret_items, size_t *ret_count, struct err *err) MUST_USE;
bool db_rotation_told(struct db *db, int64_t key, const uint8_t version[static ID_VERSION_BYTES],
	struct err *err) MUST_USE;
