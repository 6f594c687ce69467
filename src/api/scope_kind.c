#include "scope_kind.h"

#include <string.h>

static const char *const words[] = {
	[KEYTREE_MAILBOX] = "mailbox",
	[KEYTREE_WORKLOAD] = "workload",
	[KEYTREE_CLOUD_PC] = "cloudpc",
	[KEYTREE_SITE] = "site",
};

const char *
scope_kind_word(enum keytree_scope_kind kind)
{
	return (size_t)kind < ARRAY_LEN(words) ? words[kind] : NULL;
}

bool
scope_kind_find(const char *word, enum keytree_scope_kind *ret_kind)
{
	for (size_t i = KEYTREE_MAILBOX; i < ARRAY_LEN(words); i++) {
		if (strcmp(words[i], word) == 0) {
			*ret_kind = (enum keytree_scope_kind)i;
			return true;
		}
	}
	return false;
}
