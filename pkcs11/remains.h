/* What a module that died inside C_GenerateKey(Pair) leaves: objects without a name, an id or a value (threats B28, B36). */
#pragma once

#include "session_priv.h"

/*
 * Destroys them. A key object counts as remains only if its id and label are empty and it shows that it has no
 * value: no key of anybody can be lost. What the token does not let go stays. Walks all objects: for the undoing of a
 * creation only. Errors: the token cannot be searched.
 */
bool remains_remove(struct session *session, struct err *err) MUST_USE;

/* The object is a key and shows that it has no value. false when that cannot be known. */
bool remains_has_no_value(struct session *session, unsigned long object);
