/* The end of rollbacks and recoveries: when no scope's key is under the policy any more. */
#pragma once

#include "depd/depd.h"

/* Ends those that are over, each with its audit record. When the rewrapper has nothing to do; also what a crash left. */
void leaving_settle(struct depd *depd);
