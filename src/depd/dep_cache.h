/*
 * DEP keys that are open, in locked memory, and the handles by which they are used. A key is wiped when its time is over, when the
 * owners deny it or on flush, whoever still holds a handle: the handle then gives nothing any more (threats G5, G6, G24).
 * One thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/secret.h"
#include "crypto/xaes.h"
#include "depd/keytree.h"

/* ---- a key in use ---- */

struct dep_key; /* counted */

struct dep_key *dep_key_ref(struct dep_key *key);
struct dep_key *dep_key_unref(struct dep_key *key);    /* NULL is fine; returns NULL */
int64_t dep_key_generation(const struct dep_key *key); /* id of its row */
/* Its identity, as keys under it are bound to; borrowed like the handle. */
const struct keytree_generation *dep_key_identity(const struct dep_key *key);
/*
 * To wrap and unwrap with, borrowed until the loop turns: ask again after every wait, and just before an answer is sent. NULL:
 * ERR_ACCESS_DENIED, the owners denied it since; ERR_UNAVAILABLE, its time is over or it was flushed: open it again.
 */
struct xaes *dep_key_use(struct dep_key *key, struct err *err) MUST_USE;
