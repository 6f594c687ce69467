/* Kinds of scopes by their words: in paths, in the configuration, in names of slots ("workload/teams"). */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "depd/keytree.h"

const char *scope_kind_word(enum keytree_scope_kind kind); /* "mailbox" */
/* false: there is no such kind. */
bool scope_kind_find(const char *word, enum keytree_scope_kind *ret_kind) MUST_USE;
