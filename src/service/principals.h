/* A list of principals from a configuration: who has a role. The number and the name of each must go on belonging together. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/err.h"
#include "service/principal.h"

#define PRINCIPALS_MAX 256

struct principals_entry {
	struct principal principal;
	enum principal_state state;
};

struct principals { /* zeroed: nobody */
	struct principals_entry *entries;
	size_t count;
	uid_t overflow_uid;
	gid_t overflow_gid;
};

/*
 * "user:alice group:staff …", blanks between; "" is nobody. ERR_CONFIG: not all of them exist, an application among them, or
 * too many; *ret_list is untouched. Blocking.
 */
bool principals_parse(const char *text, struct principals *ret_list, struct err *err) MUST_USE;
void principals_clear(struct principals *list);

/* Checks all names again and logs those that changed; true if any did. Blocking as long as the system's name service takes. */
bool principals_refresh(struct principals *list);
/* As a user, never as an application; an entry whose number has another name now is nobody. */
bool principals_has(const struct principals *list, const struct caller *caller);

/* Asks again for one entry, for lists that are kept elsewhere: true if *state changed, which is logged. */
bool principals_refresh_one(const struct principal *principal, enum principal_state *state);
