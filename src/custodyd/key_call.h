/* What the operations with keys share: finding a version by the request's path, its state, its bundle. */
#pragma once

#include "api/key.h"
#include "custodyd/call.h"
#include "custodyd/keystore.h"

/*
 * The version that the path names (names[0] key, names[1] version or ""): a new reference, and the audit's names are
 * set. Errors as keystore_get(), in the dialect's words.
 */
struct key_version *key_find(struct call *call) MUST_USE;
/* The same for another pair of the path's names, and whatever the state of the version, to show it (keystore_look). */
struct key_version *key_look(struct call *call, const char *name, const char *version) MUST_USE;

/* Whether the path's key name is one; ERR_BAD_PARAMETER in the dialect's words. Names the key for the audit. */
bool key_name_check(struct call *call) MUST_USE;

/*
 * Whether the version may do this operation now (akv-contract §9): ERR_KEY_DISABLED, ERR_KEY_NOT_YET_VALID,
 * ERR_KEY_EXPIRED (protecting operations only), ERR_KEY_OPERATION_FORBIDDEN. `now_s`: trusted time.
 */
bool key_check_state(
	const struct key_version *key, enum alg_op op, int64_t now_s, struct err *err) MUST_USE;

/* Fills the view of a KeyBundle, of a DeletedKeyBundle if the key is not live; text is `key`'s or in the arena. */
void key_view(const struct call *call, struct key_version *key, struct api_key_view *ret_view);
/* Writes the bundle of rows just read or changed as the answer, and names the version for the audit. */
bool key_answer(
	struct call *call, const struct db_key *key, const struct db_version *version) MUST_USE;
/* The live key that the path names, with its newest version; call->err in the dialect's words otherwise. */
bool key_find_live(struct call *call, struct db_key_item *ret_item) MUST_USE;
/* The deleted or purging key that the path names; call->err in the dialect's words otherwise. */
bool key_find_deleted(struct call *call, struct db_key_item *ret_item) MUST_USE;
