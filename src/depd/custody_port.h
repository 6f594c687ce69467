/*
 * What depd asks of a custodyd, typed: of the owners' instance as one of the applications that they give permissions to, of the
 * service's own instance as itself. Nothing blocks and nothing is repeated; each call is answered once, from the loop, never
 * from within the call. Secrets go straight into a struct secret; the texts of requests and answers are wiped.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/id.h"
#include "base/secret.h"
#include "client/async.h"
#include "crypto/pubkey.h"
#include "db/db_dep_policy.h"
#include "jose/alg.h"
#include "jose/envelope.h"

/* The applications that key owners give permissions to (the same everywhere: public documentation of the service). */
#define CUSTODY_APP_EXCHANGE   "00000002-0000-0ff1-ce00-000000000000" /* mailbox policies */
#define CUSTODY_APP_SHAREPOINT "00000003-0000-0ff1-ce00-000000000000" /* policies of geos */
#define CUSTODY_APP_M365       "c066d759-24ae-40e7-a56f-027002b5d3e4" /* multi-workload policies */

enum custody_side {
	CUSTODY_OWNERS = 1,
	CUSTODY_SERVICE,
};

/* Who is asked, and as whom. */
struct custody_as {
	enum custody_side side;
	const char *application; /* GUID, static; NULL: as the connection is configured */
};

extern const struct custody_as custody_service; /* availability keys, signing */
/* Whom the root keys of a policy are asked of. */
struct custody_as custody_port_as(enum db_dep_policy_kind kind);

/* What became of one key of an envelope. */
enum dep_reason {
	DEP_NOT_TOLD, /* it was not asked, because the other one opened */
	DEP_OPENED,
	DEP_DENIED,      /* the owner's "no", as the catalog of his custodyd knows it */
	DEP_UNAVAILABLE, /* everything else, what we do not understand too (threats G3) */
};
const char *dep_reason_name(enum dep_reason reason); /* "denied"; static */

struct custody_attempt {
	char kid[ENVELOPE_KID_MAX + 1];
	enum dep_reason reason;
	char code[48]; /* the error's name, for audit and log; "" if opened */
	bool strange;  /* neither opened, denied nor a plain outage: somebody must look at it */
};

/* A key version. */
struct custody_key {
	char kid[ENVELOPE_KID_MAX + 1];
	enum kty kty;
	unsigned bits; /* RSA: of the modulus; oct: 0, it is not shown; EC: of the field */
	unsigned ops;  /* set of enum alg_op */
	bool enabled;
	int64_t expires; /* Unix seconds, -1: never */
	char recovery_level[48];
	int recoverable_days;
	struct pubkey *pubkey; /* NULL for oct; may be taken by setting it to NULL */
};

enum custody_permission { /* bits; what a policy's application needs on the vaults of its keys */
	CUSTODY_MAY_GET = 1,
	CUSTODY_MAY_WRAP = 2,
	CUSTODY_MAY_UNWRAP = 4,
};

struct custody_vault {
	char name[ID_VAULT_NAME_MAX + 1];
	char uri[300];
	char token[33];
	char region[65]; /* "": unknown */
	int retention_days;
	bool purge_protection;
	unsigned granted; /* to the application that asked; enum custody_permission */
};

/* Where a key version is, as far as its custodyd says. */
struct custody_place {
	bool purged; /* it says that it was, and when; nothing else then */
	int64_t purged_s;
	char token[33];
	bool hardware, never_extractable;
};

/* Which members count is said at each call; on failure only the first three and, where said, the attempts. */
struct custody_answer {
	struct err err;   /* ERR_NONE: done. Else the error that was answered, or ERR_CLIENT_… */
	bool unreachable; /* nobody said anything: no connection, no answer, or one that is not a custodyd's word on these keys */
	char request_id[CLIENT_ID_SIZE];
	struct custody_key key;
	struct custody_vault vault;
	struct custody_place place;
	const char *envelope;                  /* JSON text */
	const char *kids[ENVELOPE_LISTED_MIN]; /* the versions that it was made for */
	struct secret *secret;                 /* may be taken by setting it to NULL */
	struct bytes value;
	struct custody_attempt attempts[ENVELOPE_RECIPIENTS_MAX];
	size_t attempt_count;
};

/* What was said of one key; two words on one key are none (threats G3). DEP_NOT_TOLD: nothing was. */
struct custody_attempt custody_answer_attempt(const struct custody_answer *answer, const char *kid);

/* Everything is borrowed until it returns, but for what may be taken. It may begin and cancel calls. */
typedef void custody_port_fn(void *ctx, struct custody_answer *answer);

struct custody_port;

/* Answers of both must be allowed CUSTODY_PORT_ANSWER_MAX octets. Borrowed while the port lives. */
#define CUSTODY_PORT_ANSWER_MAX 131072
struct custody_port *custody_port_new(struct async *owners, struct async *service) MUST_USE;
/* Calls under way are cancelled. Before the two asyncs are freed. */
void custody_port_free(struct custody_port *port);
/* Its callback does not come any more. 0 and numbers that ended are ignored. */
void custody_port_cancel(struct custody_port *port, uint64_t number);

/*
 * Each returns the call's number, never 0; 0: ERR_BAD_PARAMETER (what should be a key id or an envelope is none),
 * ERR_URI_TOO_LONG or ERR_NO_MEMORY, and no callback comes. All arguments are copied.
 */

/* What a custodyd says of its own health and its tokens': value, the octets of its answer. ERR_UNAVAILABLE: not all is well. */
uint64_t custody_port_health(struct custody_port *port, enum custody_side side, custody_port_fn *fn,
	void *ctx, struct err *err) MUST_USE;

/* GET of a key, `uri` with or without version: key. ERR_KEY_NOT_FOUND, ERR_FORBIDDEN … */
uint64_t custody_port_key_get(struct custody_port *port, struct custody_as as, const char *uri,
	custody_port_fn *fn, void *ctx, struct err *err) MUST_USE;
/* Where the version `kid` is, or that it was purged: place. ERR_KEY_NOT_FOUND: nothing is known of it, which is no proof. */
uint64_t custody_port_place(struct custody_port *port, struct custody_as as, const char *kid,
	custody_port_fn *fn, void *ctx, struct err *err) MUST_USE;
/* What a holder of any permission on it may know of a vault: vault. */
uint64_t custody_port_vault_get(struct custody_port *port, struct custody_as as, const char *vault,
	custody_port_fn *fn, void *ctx, struct err *err) MUST_USE;

/* A dual envelope of `value` under two keys, with or without versions: envelope, kids. */
uint64_t custody_port_dual_wrap(struct custody_port *port, struct custody_as as,
	const char *const uris[static 2], struct bytes context, const struct secret *value,
	custody_port_fn *fn, void *ctx, struct err *err) MUST_USE;
/*
 * Opens one: secret and attempts (of those that were asked). When it does not open: attempts of every recipient, unless
 * `unreachable`. `envelope` is JSON text.
 */
uint64_t custody_port_dual_unwrap(struct custody_port *port, struct custody_as as,
	const char *envelope, struct bytes context, custody_port_fn *fn, void *ctx,
	struct err *err) MUST_USE;
/* Each key alone: attempts of every recipient, in the envelope's order. No plaintext. */
uint64_t custody_port_dual_check(struct custody_port *port, struct custody_as as,
	const char *envelope, struct bytes context, custody_port_fn *fn, void *ctx,
	struct err *err) MUST_USE;

/*
 * A new key `name` in a vault of the service's custody, the host as in its keys' ids: key. oct (256 bits, to wrap and unwrap) or
 * EC (P-256, to sign and verify) or RSA (2048 bits, to wrap and unwrap), nothing else (asserted). ERR_CONFLICT…: as custodyd answers.
 */
uint64_t custody_port_key_create(struct custody_port *port, const char *host, const char *name,
	enum kty kty, custody_port_fn *fn, void *ctx, struct err *err) MUST_USE;
/*
 * Deletes a key of the service's custody, and purges one that is deleted. ERR_KEY_NOT_FOUND: there is none;
 * ERR_PURGE_PROTECTED: it goes at its date only.
 */
uint64_t custody_port_key_delete(struct custody_port *port, const char *host, const char *name,
	custody_port_fn *fn, void *ctx, struct err *err) MUST_USE;
uint64_t custody_port_key_purge(struct custody_port *port, const char *host, const char *name,
	custody_port_fn *fn, void *ctx, struct err *err) MUST_USE;
/* Under a version of an availability key of policies of this kind: value. By A256KW; those of geos by RSA-OAEP-256. */
uint64_t custody_port_wrap(struct custody_port *port, enum db_dep_policy_kind kind, const char *kid,
	const struct secret *value, custody_port_fn *fn, void *ctx, struct err *err) MUST_USE;
/* And back: secret. */
uint64_t custody_port_unwrap(struct custody_port *port, enum db_dep_policy_kind kind,
	const char *kid, struct bytes wrapped, custody_port_fn *fn, void *ctx,
	struct err *err) MUST_USE;
/* ES256 of a SHA-256 digest: value is r ‖ s. */
uint64_t custody_port_sign(struct custody_port *port, const char *kid,
	const uint8_t digest[static 32], custody_port_fn *fn, void *ctx, struct err *err) MUST_USE;

DEFINE_CLEAN(custody_port, struct custody_port)
