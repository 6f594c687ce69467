/* Kinds of scopes by their words: in paths, in the configuration, in names of slots ("workload/teams"). */
#pragma once

#include <stdbool.h>

#include "base/attr.h"

enum keytree_scope_kind { /* numbers are in wrapped keys: never renumbered */
	KEYTREE_MAILBOX = 1,
	KEYTREE_WORKLOAD = 2, /* teams, exchange, mip-edm, mip-labels, windows365 */
	KEYTREE_CLOUD_PC = 3,
	KEYTREE_SITE = 4,
};

/* "mailbox"; NULL: it has no word, and no scopes. */
const char *scope_kind_word(enum keytree_scope_kind kind);
/* false: there is no such kind. */
bool scope_kind_find(const char *word, enum keytree_scope_kind *ret_kind) MUST_USE;
