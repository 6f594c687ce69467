/*
 * What the daemon tells of itself (doc/api.md): health, status, tokens, findings. Encoders as in key.h, and the one body
 * that is sent about them.
 * All text is borrowed; NULL is written as null where said, and is our bug elsewhere (written as null, too).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/vault.h"
#include "base/buf.h"
#include "base/err.h"

/* {"status":"ok"}, or "degraded" with the reasons if there are any. */
void api_health_format(const char *const *reasons, size_t count, struct buf *out);

/* The body of an enrolment, which may be missing. ERR_BAD_PARAMETER as in vault.h. */
struct api_token_enroll {
	bool take_over; /* also a token that is another catalog's */
};
bool api_token_enroll_decode(struct bytes body, struct arena *arena,
	struct api_token_enroll *ret_enroll, struct err *err) MUST_USE;

struct api_token_algorithm {
	const char *alg;
	const char *operations; /* words apart by one blank */
	const char *how;
};

struct api_token_attribute {
	const char *name;
	bool required; /* "required", else "hardening" */
	bool honoured;
};

struct api_token {
	const char *name;
	const char *region;
	const char *state;
	const char *detail;
	const char *label, *serial, *manufacturer, *model, *firmware;
	bool enrolled;
	const char *identity; /* hex SHA-256; NULL or "": null */
	struct {
		const char *state;      /* "none", "ours", "other", "unsupported"; NULL: null */
		const char *owner;      /* hex; NULL or "": null */
		int64_t counter;        /* negative: null */
		const char *counter_in; /* "device", "host file"; NULL: null */
	} lease;
	struct {
		int64_t pid; /* 0: null */
		int64_t restarts;
		int64_t started_at; /* Unix seconds; 0: null */
		const char *step;
	} worker;
	int64_t sessions, in_flight, queued;
	const char *breaker; /* "closed", "open", "half-open" */
	bool flapping;
	int64_t objects_ours, objects_foreign;
	int64_t decrypt_us; /* 0 (unknown): null */
	const char *const *reduced;
	size_t reduced_count;
	const struct err *last_error; /* NULL or ERR_NONE: null; its origin stays here */
	int64_t last_error_at;        /* Unix seconds */
	/* Only where one token is shown. */
	const struct api_token_algorithm *algorithms;
	size_t algorithm_count;
	const struct api_token_attribute *attributes;
	size_t attribute_count;
};

/* Token with algorithms and attributes. */
void api_token_format(const struct api_token *token, struct buf *out);
/* {"value":[Token …]} without them. */
void api_token_list_format(const struct api_token *tokens, size_t count, struct buf *out);

struct api_status_vault {
	struct api_vault vault; /* policies are not read */
	int64_t keys, deleted_keys;
};

struct api_status {
	const char *version;
	int64_t uptime_s;
	bool read_only;
	const char *rolled_back; /* why the catalog is taken for an old copy; NULL: null */
	int64_t in_flight, requests, refused;
	int64_t connections;
	const struct api_token *tokens;
	size_t token_count;
	const struct api_status_vault *vaults;
	size_t vault_count;
	int64_t audit_records;
	const char *audit_head; /* hex */
	int64_t intents;
	const char *last_error; /* NULL: null */
};
void api_status_format(const struct api_status *status, struct buf *out);

struct api_finding {
	const char *kind;
	const char *subject;
	const char *message;
};
/* {"findings":[…]} */
void api_doctor_format(const struct api_finding *findings, size_t count, struct buf *out);
