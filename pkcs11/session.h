/*
 * One session with the token, used by one thread at a time, with its own cache of key handles: no locks. Handles,
 * sessions and logins are perishable; session_run() repairs what can be repaired, once, and says when it cannot.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/secret.h"
#include "pkcs11/module.h"

struct session;

/*
 * Opens a read-write session (read-only on a write-protected token). `module` is borrowed. *ret_full, if not
 * NULL, tells whether the token has no more sessions to give (threat B15).
 */
struct session *session_open(struct module *module, bool *ret_full, struct err *err) MUST_USE;
void session_free(struct session *session);

/*
 * Logs the whole process in; call once, before there are other sessions. `pin` NULL: the token's own keypad.
 * The token's flags are read first: ERR_PIN_LOCKED without an attempt if it is locked or would be by one more
 * failure (threat B12). ERR_PIN_REFUSED: it was tried and is wrong; do not try the same again.
 */
bool session_login(struct session *session, const struct secret *pin, struct err *err) MUST_USE;

/* Login, token or module were lost: end the process, its replacement starts afresh (threats B6, B8, B13). */
bool session_lost(const struct session *session);

/* Session objects made and destroyed so far: modules leak by them. */
uint64_t session_objects(const struct session *session);

DEFINE_CLEAN(session, struct session)
