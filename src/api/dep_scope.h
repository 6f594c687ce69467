/*
 * Scopes of the DEP layer on depd's routes (doc/api.md): requests as structs, answers from structs. Unknown members are refused.
 * A body that breaks a rule is ERR_BAD_PARAMETER, the message names the member. Encoders as in key.h.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "json/json_writer.h"

#define API_DEP_SCOPE_ID_MAX 256  /* octets, as in wrapped data keys */
#define API_DEP_NAME_MAX     64   /* of a policy, or its GUID */
#define API_DEP_LINE_MAX     4096 /* octets of one line of a registration */
#define API_DEP_PAGE_MAX     256
#define API_DEP_PAGE_DEFAULT 100

/* Numbers are in the catalog: never renumbered. 0: the scope is no mailbox. */
enum api_dep_mailbox_type {
	API_DEP_USER_MAILBOX = 1,
	API_DEP_MAIL_USER = 2,
	API_DEP_GROUP_MAILBOX = 3,
	API_DEP_PUBLIC_FOLDER = 4,
	API_DEP_SHARED_MAILBOX = 5,
};
/* "UserMailbox"; NULL for a number that is none. */
const char *api_dep_mailbox_type_name(int type);

/* What may be the name of a scope: 1 to 256 printable ASCII characters without blank and '/', neither "." nor "..", so that a path can name it. */
bool api_dep_scope_id_valid(const char *id);

/* One line of a registration. */
struct api_dep_scope_line {
	const char *id;
	int type;        /* enum api_dep_mailbox_type; 0: not given */
	bool clear;      /* "unencrypted": its data is in clear */
	const char *geo; /* of a site; NULL: not given */
};
/*
 * Takes the next line off `io_rest`, which is newline-delimited JSON; empty lines are passed over. false: there is none left.
 * *io_number counts lines.
 */
bool api_dep_line_next(struct bytes *io_rest, size_t *io_number, struct bytes *ret_line);
bool api_dep_scope_line_decode(struct bytes line, struct arena *arena,
	struct api_dep_scope_line *ret_line, struct err *err) MUST_USE;
/* {"registered":…,"known":…} */
void api_dep_registered_format(size_t registered, size_t known, struct buf *out);

/* Which policy is to cover a mailbox. */
struct api_dep_scope_assign {
	const char *policy; /* name or GUID; NULL: none of its own */
};
bool api_dep_scope_assign_decode(struct bytes body, struct arena *arena,
	struct api_dep_scope_assign *ret_assign, struct err *err) MUST_USE;

/* One scope as answers show it. All text is borrowed. */
struct api_dep_scope {
	const char *kind; /* "mailbox", "workload", "cloudpc", "site" */
	const char *id;
	int type;
	const char *state;      /* "remembered", "unencrypted", "pending", "encrypted" */
	const char *generation; /* GUID of the one that its key is under now; NULL: it has no key */
	bool encrypted;         /* and that is the covering policy's current one */
	const char *policy;     /* name of the one that covers it */
	const char *policy_id;
	const char *policy_kind;
	int64_t assigned, changed; /* Unix seconds */
};
void api_dep_scope_format(const struct api_dep_scope *scope, struct buf *out);

/* A page {"value":[scope …],"next":name or null}: begin, each scope, end. */
struct api_dep_scope_page {
	struct json_writer writer;
};
void api_dep_scope_page_begin(struct api_dep_scope_page *page, struct buf *out);
void api_dep_scope_page_item(struct api_dep_scope_page *page, const struct api_dep_scope *scope);
void api_dep_scope_page_end(struct api_dep_scope_page *page, const char *next);

/* `top` of a list: 1 to API_DEP_PAGE_MAX; NULL (absent) is the default. */
bool api_dep_page_size(const char *text, size_t *ret_size, struct err *err) MUST_USE;
/* "7d", "12h", "30m", "90s": seconds, at most ten years. */
bool api_dep_span(const char *text, int64_t *ret_seconds, struct err *err) MUST_USE;
