/*
 * Carries out purges that were approved, when their time has come, one after the other; what was under way when depd ended goes on at
 * the next start.
 */
#pragma once

#include "base/attr.h"

struct depd;
struct purger;

/* `depd` is borrowed: its loop, db, calendar, custody, audit and opener are used. */
struct purger *purger_new(struct depd *depd) MUST_USE;
/* Before custody, db and loop; operations have ended. NULL is fine. */
void purger_free(struct purger *purger);
