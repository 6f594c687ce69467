/* Internal to pkcs11/: the inside of a session and how calls fail. */
#pragma once

#include "ckr.h"
#include "module_priv.h"
#include "session.h"

#define SESSION_BUCKETS  1024
#define SESSION_KEYS_MAX 2048 /* cached keys; about 4 KB each with their public halves */

struct hsmkey;

struct session {
	struct module *module;
	struct _CK_FUNCTION_LIST *ck; /* module's, one step nearer */
	unsigned long handle;
	enum ckr_repair repair; /* of the last failed call */
	enum ckr_data data;     /* of the last failed call */
	bool lost;
	uint64_t objects;
	struct hsmkey *buckets[SESSION_BUCKETS]; /* see hsmkey.c */
	size_t key_count;
};

/* A call returned `rv`, not CKR_OK: sets *err by ckr.tbl and notes what can be repaired. Returns false. */
bool session_fail(struct session *session, const char *function, unsigned long rv, struct err *err);
/* A call returned success with something impossible (a length above the buffer; threat A23). Returns false. */
bool session_impossible(struct session *session, const char *function, struct err *err);
/* Another session in place of the present one, whose operations and session objects end. Cached keys stay. */
bool session_reopen(struct session *session, struct err *err) MUST_USE;

/* False, and the session lost, if the token is not logged in any more (threat B8). */
bool session_check_login(struct session *session, struct err *err) MUST_USE;

typedef bool session_op(struct session *session, void *args, struct err *err);

/*
 * Runs an operation that changes nothing on the token; if it fails by something perishable (stale handle, lost
 * session), repairs that and runs it once more (threats B7, B10, B21).
 */
bool session_run(struct session *session, session_op *op, void *args, struct err *err) MUST_USE;
