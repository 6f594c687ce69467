/*
 * The birth of a key version, for whoever asks for one: a request to create, a rotation.
 *
 * The intent with the version's id is in the catalog before the token is touched; the version's row and the end of the
 * intent are one transaction after the token made, read back, tried and attested the key. Whatever ends in between, the
 * reconciler destroys what the token may have under that id: nobody was told of success.
 */
#pragma once

#include "api/key.h"
#include "api/key_import.h"
#include "base/period.h"
#include "custodyd/task.h"
#include "db/db_intent.h"

struct key_birth { /* zeroed but for what is wanted */
	struct api_key_create wanted;
	const struct api_key_material
		*material; /* imported; borrowed; NULL: the token generates it */
	const char *vault; /* name; borrowed, as the next two */
	const char *token;
	const char *name; /* of the key */
	bool extractable; /* under a trusted key, for backups */

	bool ends;           /* its end is a period after its birth, whatever is wanted */
	struct period lives; /* then */

	uint8_t id[ID_VERSION_BYTES];
	int64_t intent;
	bool owned; /* the intent is ours to end */
	struct db_version version;
};

/*
 * Wanted is the next version of a key: type, size, curve, operations and tags of this one, borrowed; enabled. `expiry`: a period
 * or "", how long it lives. ERR_KEY_INTEGRITY: the row is no key's.
 */
bool key_birth_repeat(struct key_birth *birth, const struct db_version *version, const char *expiry,
	struct err *err) MUST_USE;
/* Writes the intent. `detail`: of the intent, such as a request id. A token that takes no work is noticed before. */
bool key_birth_intend(struct task *task, struct key_birth *birth, int64_t vault, const char *detail,
	struct err *err) MUST_USE;
/* Asks the token: true, and the answer comes to the task's `deliver`, in slot 0. The task's own deadline is taken away. */
bool key_birth_ask(struct task *task, struct key_birth *birth, struct err *err) MUST_USE;
/* Takes over the answer to it; texts live in `arena`. */
void key_birth_take(struct task *task, struct key_birth *birth,
	const struct wire_generate_answer *answer, struct arena *arena);
/* The row, and the end of the intent. */
bool key_birth_commit(struct task *task, struct key_birth *birth, struct db_key_item *ret_item,
	struct err *err) MUST_USE;
/* At the end of the task, whatever became of it: what the token may have of a birth that was not committed is removed. */
void key_birth_end(struct task *task, struct key_birth *birth);
