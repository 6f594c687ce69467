/*
 * Data encryption policies and the tenant's assignment on depd's routes (doc/api.md): requests as structs, answers from
 * structs. Unknown members are refused; a body that breaks a rule is ERR_BAD_PARAMETER, the message names the
 * member. Encoders as in key.h.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"

#define API_DEP_KEYS            2
#define API_DEP_POLICY_NAME_MAX 64
#define API_DEP_DESCRIPTION_MAX 256 /* characters */
#define API_DEP_UNLIMITED       (-1)
#define API_DEP_OUTAGE_MAX      (INT64_C(366) * 86400) /* seconds */

enum api_dep_kind { /* numbers are the catalog's */
	API_DEP_M365 = 1,
	API_DEP_MAILBOX = 2,
	API_DEP_GEO = 3,     /* in answers only */
	API_DEP_SERVICE = 4, /* in answers only */
};
/* "m365", "mailbox", "geo", "service". */
const char *api_dep_kind_name(enum api_dep_kind kind);
/* 0: no kind that a customer's policy can be of. */
enum api_dep_kind api_dep_kind_find(const char *name);

/* 1 to 64 printable characters without blank and '/', not "." or "..", not a UUID, which names policies in another way. */
bool api_dep_name_valid(const char *name);

struct api_dep_create {
	enum api_dep_kind kind;
	const char *name;
	const char *description; /* "" if not given */
	const char *keys[API_DEP_KEYS];
	int64_t outage_fallback_s; /* API_DEP_UNLIMITED if not given */
};
/* ERR_TWO_KEYS_REQUIRED: not two of them. That the URIs are some is checked by policy_check(). */
bool api_dep_create_decode(struct bytes body, struct arena *arena,
	struct api_dep_create *ret_create, struct err *err) MUST_USE;

struct api_dep_change {
	const char *description; /* NULL: unchanged */
	bool has_enabled, enabled;
	bool has_outage_fallback;
	int64_t outage_fallback_s;
};
/* At least one member. */
bool api_dep_change_decode(struct bytes body, struct arena *arena,
	struct api_dep_change *ret_change, struct err *err) MUST_USE;

/* Name or GUID of the policy that a tenant gets. */
bool api_dep_assign_decode(
	struct bytes body, struct arena *arena, const char **ret_policy, struct err *err) MUST_USE;

struct api_dep_generation {
	const char *id; /* GUID */
	int64_t number;
	const char *keys[API_DEP_KEYS]; /* full key version ids */
	const char *availability_key;   /* NULL: none */
	int64_t created;
	int redundancy;    /* customer keys that opened it when it was last checked */
	bool availability; /* whether the availability key did */
	int64_t checked;
	int64_t scopes; /* whose keys are under it */
};

struct api_dep_policy {
	const char *id; /* GUID */
	enum api_dep_kind kind;
	const char *name, *description;
	const char *state; /* "enabled", "disabled", "purging", "purged" */
	bool assigned;     /* it covers something, or would */
	const char *uris[API_DEP_KEYS];
	int64_t created, updated;
	int64_t outage_fallback_s; /* how long users go on while both keys are unavailable */
	int64_t outage_since;      /* 0: they are not, as far as it is known */
	const struct api_dep_generation
		*generations; /* oldest first; the last one is the current one */
	size_t generation_count;
};
void api_dep_policy_format(const struct api_dep_policy *policy, struct buf *out);
/* {"value":[Policy …],"next":name|null} */
void api_dep_policy_list_format(
	const struct api_dep_policy *policies, size_t count, const char *next, struct buf *out);
/* {"refreshed":bool,"message":text,"policy":Policy} */
void api_dep_refresh_format(
	bool refreshed, const char *message, const struct api_dep_policy *policy, struct buf *out);

/* One rule for one key (or for both): how it went. */
struct api_dep_check {
	const char *rule;    /* "exists", "type", … */
	const char *key;     /* as named; NULL: both */
	const char *result;  /* "passed", "failed", "not checked" */
	const char *code;    /* name of the error; NULL */
	const char *message; /* NULL */
};
/* {"valid":bool,"checks":[…]}, and "policy" with its id. */
void api_dep_validation_format(const char *policy, bool valid, const struct api_dep_check *checks,
	size_t count, struct buf *out);

struct api_dep_workload {
	const char *name;   /* "teams" */
	const char *policy; /* name of the one that covers it */
	const char *covers; /* "all data", "new data" */
	int64_t scopes, done;
};
enum api_dep_assignment_state {
	API_DEP_UNASSIGNED = 1, /* the service-managed policy covers the tenant */
	API_DEP_ASSIGNED,
	API_DEP_ROLLING_BACK, /* the same as unassigned, and something is under the policy of before yet */
};
struct api_dep_assignment {
	enum api_dep_assignment_state state;
	const char *rolling_back,
		*incident;         /* of a rollback: name of the policy, the ticket's incident */
	int64_t percent;           /* of a rollback: rounded down */
	const char *policy, *name; /* GUID and name */
	enum api_dep_kind kind;
	int64_t assigned;
	const struct api_dep_workload *workloads;
	size_t workload_count;
};
void api_dep_assignment_format(const struct api_dep_assignment *assignment, struct buf *out);
