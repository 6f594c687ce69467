/* What a tenant's policy covers: a slot for each kind of data, all of them assigned together. */
#pragma once

#define TENANT_SLOTS 7

struct tenant_slot {
	const char *name;     /* as in the catalog: "workload/teams" */
	const char *workload; /* as shown: "teams" */
	const char *
		covers; /* "all data"; "new data": from the time of assignment on (dep-semantics §3) */
};

extern const struct tenant_slot tenant_slots[TENANT_SLOTS];
