/* Every operation that a route can start; see dep_route.tbl for which path starts which. */
#pragma once

#include "depd/dep_call.h"

extern const struct dep_call_type dep_health_type; /* dep_health.c */
