/*
 * A catalog that is an old copy (threats D8, D9): the daemon serves what the copy cannot have wrong and changes nothing until
 * the right catalog is put back, which needs a restart, or an administrator accepts this one.
 *
 * What the copy cannot have wrong: the audit tells which vaults and keys were changed after it was made. Requests that name
 * those are refused, whatever the change was: a permission may have been taken away, a key disabled, deleted or purged. If
 * the audit cannot tell, or the copy was found out in another way, all that name a vault are refused. Administrators see the vaults as the copy
 * has them. A restart finds the same again. Nothing here blocks but rollback_begin() and rollback_accept().
 */
#pragma once

#include "custodyd/custodyd.h"

/* While the catalog is opened: it is older than the audit, whose head of then is `remembered`. Reads the audit. */
bool rollback_begin(struct custodyd *daemon, const struct audit_head *remembered,
	const struct err *why, struct err *err) MUST_USE;
/*
 * Found out in another way, also while running, as by a token's counter: from now on every request that names a vault is refused,
 * until rollback_accept(). `why` (class integrity) says what contradicts what. May be called again: the first `why` is shown.
 */
void rollback_found(struct custodyd *daemon, const struct err *why);
void rollback_free(struct rollback *rollback); /* accepts NULL */

/* NULL: the catalog is no old copy; else why it is taken for one. Borrowed until it is accepted. */
const char *rollback_why(const struct custodyd *daemon);
/*
 * ERR_CATALOG_ROLLED_BACK for what may be wrong in the copy. `vault` and `key` as the request names them, known or not;
 * `key` NULL: all keys of the vault; "": none of them, the vault itself.
 */
bool rollback_check(const struct custodyd *daemon, const char *vault, const char *key,
	struct err *err) MUST_USE;

/* What is missing in the copy, for doctor: false after the last. `key` "" for the vault itself. Borrowed likewise. */
bool rollback_missed(
	const struct custodyd *daemon, size_t index, const char **ret_vault, const char **ret_key);
/* Whether it may be more than rollback_missed() tells. */
bool rollback_all(const struct custodyd *daemon);
/* From which change to which, for the record of who accepts it. In `arena`. */
const char *rollback_detail(const struct custodyd *daemon, struct arena *arena);

/* The copy is the catalog from now on; see db_accept(). On failure nothing changed. */
bool rollback_accept(struct custodyd *daemon, struct err *err) MUST_USE;
