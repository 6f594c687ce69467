/*
 * Who may do what in the DEP layer: roles of people, and which users are workloads of which kind of scope. Whether an
 * action is the system's is decided here and by nothing in a request (threats G18).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "depd/keytree.h"
#include "service/principals.h"

enum role_index {
#define ROLE(symbol, word, help) ROLE_INDEX_##symbol,
#include "role.tbl"
	ROLE_INDEX_COUNT
};

enum role { /* bits */
#define ROLE(symbol, word, help) ROLE_##symbol = 1 << ROLE_INDEX_##symbol,
#include "role.tbl"
	ROLE_WORKLOAD = 1 << ROLE_INDEX_COUNT,              /* of any kind: [workload KIND] */
	ROLE_SYSTEM_WORKLOAD = 1 << (ROLE_INDEX_COUNT + 1), /* acts for the system too */
};

#define ROLES_ANYBODY UINT32_MAX

#define ROLE_KINDS (KEYTREE_SITE + 1) /* kinds of scopes are numbers from 1 */

struct roles { /* of a configuration */
	struct principals people[ROLE_INDEX_COUNT];
	struct principals workloads[ROLE_KINDS]; /* by enum keytree_scope_kind */
	struct principals systems[ROLE_KINDS];
};

const char *roles_word(enum role_index index); /* "global-admin" */
bool roles_find(const char *word, enum role_index *ret_index) MUST_USE;

void roles_clear(struct roles *roles);
bool roles_refresh(struct roles *roles); /* see principals_refresh() */

/* All bits of `caller`. Whose workload he is, is asked by roles_serves(). */
uint32_t roles_of(const struct roles *roles, const struct caller *caller);
/* ROLE_WORKLOAD, ROLE_SYSTEM_WORKLOAD, both or none: for scopes of this kind. */
uint32_t roles_serves(
	const struct roles *roles, const struct caller *caller, enum keytree_scope_kind kind);
