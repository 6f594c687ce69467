/*
 * What the worker gives up: privileges before the vendor's module is loaded, other programs after it was started. All
 * of it is for the whole process and for ever.
 */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"

/*
 * Becomes `user` with his groups if that is not "" (root only; naming the present user is fine), drops every
 * capability, forbids gaining privileges, keeps dumps off and dies with the parent. ERR_CONFIG.
 */
bool sandbox_drop_privileges(const char *user, struct err *err) MUST_USE;

/* Makes fork and exec fail by EPERM, in all threads (threat A26). New threads are allowed. ERR_INTERNAL. */
bool sandbox_forbid_programs(struct err *err) MUST_USE;
