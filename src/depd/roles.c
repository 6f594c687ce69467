/* Roles by configuration. Invariant: nobody has a role that was not given to him by name. */
#include "roles.h"

#include <assert.h>
#include <string.h>

static const char *const words[ROLE_INDEX_COUNT] = {
#define ROLE(symbol, word, help) [ROLE_INDEX_##symbol] = (word),
#include "role.tbl"
};

const char *
roles_word(enum role_index index)
{
	assert(index < ROLE_INDEX_COUNT);
	return words[index];
}

bool
roles_find(const char *word, enum role_index *ret_index)
{
	for (unsigned i = 0; i < ROLE_INDEX_COUNT; i++) {
		if (strcmp(words[i], word) == 0) {
			*ret_index = (enum role_index)i;
			return true;
		}
	}
	return false;
}

void
roles_clear(struct roles *roles)
{
	for (size_t i = 0; i < ROLE_INDEX_COUNT; i++)
		principals_clear(&roles->people[i]);
	for (size_t i = 0; i < ROLE_KINDS; i++) {
		principals_clear(&roles->workloads[i]);
		principals_clear(&roles->systems[i]);
	}
}

bool
roles_refresh(struct roles *roles)
{
	bool changed = false;
	for (size_t i = 0; i < ROLE_INDEX_COUNT; i++)
		changed |= principals_refresh(&roles->people[i]);
	for (size_t i = 0; i < ROLE_KINDS; i++) {
		changed |= principals_refresh(&roles->workloads[i]);
		changed |= principals_refresh(&roles->systems[i]);
	}
	return changed;
}

uint32_t
roles_serves(const struct roles *roles, const struct caller *caller, enum keytree_scope_kind kind)
{
	assert((size_t)kind < ROLE_KINDS);
	uint32_t bits = 0;
	if (principals_has(&roles->workloads[kind], caller))
		bits |= ROLE_WORKLOAD;
	if (principals_has(&roles->systems[kind], caller))
		bits |= ROLE_SYSTEM_WORKLOAD;
	return bits;
}

uint32_t
roles_of(const struct roles *roles, const struct caller *caller)
{
	uint32_t bits = 0;
	for (unsigned i = 0; i < ROLE_INDEX_COUNT; i++)
		if (principals_has(&roles->people[i], caller))
			bits |= UINT32_C(1) << i;
	for (unsigned i = 0; i < ROLE_KINDS; i++)
		bits |= roles_serves(roles, caller, (enum keytree_scope_kind)i);
	return bits;
}
