/* What depd tells of itself (doc/api.md). An encoder only; all text is borrowed. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* What policies are assigned to, and how far its scopes are. */
struct api_dep_slot {
	const char *name;   /* "workload/teams" */
	const char *policy; /* its name */
	int64_t assigned;   /* Unix seconds; 0: null */
	int64_t encrypted;  /* scopes under the current generation of that policy */
	int64_t pending;    /* encrypted, but under another one */
	int64_t clear;      /* marked for move */
	int64_t remembered; /* assigned, not registered yet */
	int64_t erased;     /* purged */
};

/* How many of its keys open a policy. */
struct api_dep_redundancy {
	const char *id;     /* GUID */
	const char *kind;   /* "mailbox" */
	const char *policy; /* its name */
	int redundancy;     /* customer keys that open every generation in use */
	bool availability;  /* whether the availability key does, too */
	bool has_availability;
	int64_t checked; /* the longest ago of its generations */
};

struct api_dep_status {
	const char *version;
	const char *organization;
	int64_t uptime_s;
	bool read_only;
	int64_t in_flight, requests, refused, connections;
	const struct api_dep_slot *slots;
	size_t slot_count;
	const struct api_dep_redundancy *redundancy; /* the worst first */
	size_t redundancy_count;
	struct { /* opening of DEP keys; counters since the start */
		int64_t cached, opened, fallbacks, denied, failed;
		int64_t strained;   /* generations whose owners did not say yes when last asked */
		int64_t strained_s; /* how long the longest of them */
		int64_t blind_used_s, blind_allowed_s; /* without the owners' daemon */
	} opening;
	struct {
		bool working;
		int64_t moved;    /* scopes, since the start */
		const char *wait; /* why what is left cannot be done now; NULL: null */
	} rewrapping;
	int64_t audit_records;
	const char *audit_head; /* hex */
	const char *last_error; /* NULL: null */
};
void api_dep_status_format(const struct api_dep_status *status, struct buf *out);
/* Whose data it is: {"name","created","signingKey":{"kid","fingerprint":hex,"pem"}} */
struct api_dep_organization {
	const char *name;
	int64_t created;
	const char *signing_kid;
	const char *signing_pem;  /* SubjectPublicKeyInfo */
	struct bytes fingerprint; /* SHA-256 of that */
};
void api_dep_organization_format(const struct api_dep_organization *organization, struct buf *out);
/* How many opened keys were wiped. */
void api_dep_flushed_format(size_t count, struct buf *out);
