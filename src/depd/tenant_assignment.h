/* The tenant's assignment as it is shown. */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "depd/dep_call.h"

/* Into call->body: policy, state, how far each workload is. ERR_UNAVAILABLE: the organization is not set up yet. */
bool tenant_assignment_view(struct dep_call *call) MUST_USE;
