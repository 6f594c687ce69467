/*
 * Users of the tests' own, in place of the system's: link with --wrap=getpwnam_r,--wrap=getpwuid_r. Groups are the
 * system's. At first alice is 1000, bob is 1001, nobody is the overflow uid.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

void users_fixture_reset(void);
/* Gives a name to a number; NULL removes the number. */
void users_fixture_set(uid_t uid, const char *name);
void users_fixture_fail(bool failing); /* the name service does not answer */
