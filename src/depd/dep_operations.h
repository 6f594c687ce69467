/* Every operation that a route can start; see dep_route.tbl for which path starts which. */
#pragma once

#include "depd/dep_call.h"

extern const struct dep_call_type datakey_generate_type; /* datakey.c */
extern const struct dep_call_type datakey_unwrap_type;
extern const struct dep_call_type dep_health_type;     /* dep_health.c */
extern const struct dep_call_type scope_assign_type;   /* scope_assign.c */
extern const struct dep_call_type scope_list_type;     /* scope_read.c */
extern const struct dep_call_type scope_moved_type;    /* scope_moved.c */
extern const struct dep_call_type scope_register_type; /* scope_register.c */
extern const struct dep_call_type scope_show_type;     /* scope_read.c */
