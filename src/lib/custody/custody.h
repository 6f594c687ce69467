/*
 * libcustody: keys in the vaults of a local custodyd, from C. The manual is libcustody(3).
 *
 * Threads   One client may be used by any number of threads at once; it keeps a connection for each call
 *           in flight. All other objects belong to one thread at a time. Calls block, at most for the
 *           client's time-out and its retries.
 * Errors    A fallible call returns bool and takes `struct custody_error *error` last (never NULL), which
 *           it fills on failure and leaves alone on success. Outputs (`ret_...`) are written on success only.
 * Retries   A call is repeated only where nothing was done: the connection was refused, or the daemon said
 *           so (an answer with Retry-After to an operation that changes nothing). A change whose fate is
 *           unknown is never repeated: name "OutcomeUnknown", look before doing it again.
 * Secrets   Plaintext that the library returns is in a struct custody_secret, to be released by
 *           custody_secret_free(), which wipes it. What the caller passes stays the caller's, to wipe too.
 * Memory    When memory runs out the call fails with the name "NoMemory"; the library does not abort or exit.
 * Process   No signal handlers, no global state, no threads of its own, no environment but CUSTODY_SOCKET and
 *           CUSTODY_SERVER_UID (both ignored in set-uid programs); descriptors are close-on-exec.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CUSTODY_API      __attribute__((visibility("default"), warn_unused_result))
#define CUSTODY_API_VOID __attribute__((visibility("default")))

#define CUSTODY_SOCKET_DEFAULT     "/run/custody/custodyd.sock"
#define CUSTODY_DEP_SOCKET_DEFAULT "/run/custody-dep/depd.sock"
#define CUSTODY_KEY_ID_SIZE        448 /* https:// + host + /keys/ + name + / + version, and a NUL */
#define CUSTODY_CONTEXT_MAX        1024    /* octets of context of sealed content */
#define CUSTODY_ANSWER_MAX         1048576 /* octets of one answer; longer ones are an error */
#define CUSTODY_WRAPPED_SIZE       513     /* text of a wrapped data key, and a NUL */
#define CUSTODY_ATTEMPTS_MAX       8       /* keys of one envelope */

/* ---- errors ---- */

/* What to do about it depends on this alone. */
enum custody_class {
	CUSTODY_CLASS_BAD = 1,     /* the input cannot be right: correct it */
	CUSTODY_CLASS_DENIED,      /* the owner of the key or vault says no */
	CUSTODY_CLASS_UNAVAILABLE, /* a device, disk, time-out or the daemon: later, or another key */
	CUSTODY_CLASS_INTEGRITY, /* the daemon's records contradict each other: ask its operator */
};

/* How one key of an envelope fared. */
struct custody_attempt {
	char key_id[CUSTODY_KEY_ID_SIZE];
	char token[33];   /* "" if the caller may not know it */
	char outcome[16]; /* "opened", "bad", "denied", "unavailable", "integrity" */
	char name[48];    /* error name; "" when opened */
};

struct custody_error {
	enum custody_class error_class;
	int status;           /* HTTP status of the answer; 0: there was none */
	bool retryable;       /* the same call may succeed later without anybody acting */
	char name[48];        /* stable, as in custody-errors(7): "KeyDisabled" */
	char message[320];    /* a sentence for a person; printable, never a secret */
	char request_id[40];  /* finds the request in the daemon's log and audit; "" if unknown */
	size_t attempt_count; /* of an envelope that no key opened: each key's reason, else 0 */
	struct custody_attempt attempts[CUSTODY_ATTEMPTS_MAX];
};

/* "bad", "denied", "unavailable", "integrity". */
CUSTODY_API const char *custody_class_name(enum custody_class error_class);

/* ---- memory ---- */

struct custody_bytes { /* borrowed; data may be NULL if len is 0 */
	const uint8_t *data;
	size_t len;
};

struct custody_secret {
	uint8_t *data;
	size_t len;
};

/* Wipes, frees, sets to {NULL, 0}; NULL is allowed. */
CUSTODY_API_VOID void custody_secret_free(struct custody_secret *secret);
/* Wipes and frees text that this library returned; NULL is allowed. */
CUSTODY_API_VOID void custody_text_free(char *text);

/* ---- client ---- */

struct custody_client;

/* Called before the calling thread sleeps: `why` is a sentence, `wait_ms` how long until the next try. */
typedef void custody_waiting(void *data, const char *why, uint32_t wait_ms);

/* Called with each warning that came with an answer: a sentence, such as that a key of an envelope may also sign. */
typedef void custody_warning(void *data, const char *text);

struct custody_options {
	size_t size;              /* sizeof(struct custody_options) */
	const char *socket_path;  /* NULL: $CUSTODY_SOCKET, else CUSTODY_SOCKET_DEFAULT */
	const char *application;  /* GUID of the application to act as; NULL: the user himself */
	uint32_t timeout_ms;      /* of one attempt; 0: 150,000 */
	uint32_t retries;         /* repetitions where nothing was done; at most 10 count */
	int64_t server_uid;       /* see below; -1: $CUSTODY_SERVER_UID, else none */
	custody_waiting *waiting; /* NULL: wait silently */
	void *waiting_data;
	custody_warning *warning; /* NULL: warnings are dropped */
	void *warning_data;
};

/* The defaults: struct custody_options options = CUSTODY_OPTIONS_INIT; */
#define CUSTODY_OPTIONS_INIT                                                                       \
	{                                                                                          \
		sizeof(struct custody_options), NULL, NULL, 0, 3, -1, NULL, NULL, NULL, NULL       \
	}

/*
 * `options` NULL takes the defaults. Connects to nothing yet. Before a connection is used, the uid of the
 * daemon behind it must be 0, the caller's effective uid, or `server_uid` (at the default socket also that
 * of the system user "custody"); the socket's directory must belong to one of these and be writable by
 * nobody else. Otherwise: ConnectionFailed, and nothing is sent.
 */
CUSTODY_API bool custody_client_new(const struct custody_options *options,
	struct custody_client **ret_client, struct custody_error *error);
/* No call may be in flight. NULL is allowed. */
CUSTODY_API_VOID void custody_client_free(struct custody_client *client);

/*
 * The generic call: any route of the daemon.
 *   method  "GET", "PUT", "POST", "PATCH", "DELETE"
 *   vault   name or host of a vault: the route is one of the Key Vault dialect (api-version is added);
 *           NULL: one of the daemon's own routes
 *   path    begins with '/', percent-encoded, may have a query
 *   body    JSON text or NULL
 *   ret_answer  JSON text, "" if the answer has no body; custody_text_free(). NULL: not wanted
 * An answer of 400 or more is an error.
 */
CUSTODY_API bool custody_request(struct custody_client *client, const char *method,
	const char *vault, const char *path, const char *body, char **ret_answer,
	struct custody_error *error);

/*
 * Gives a token that waits for it its PIN, a line of 1 to 255 octets, over a connection of its own to the
 * token's worker. For administrators. PinRefused: it is not tried again by itself.
 */
CUSTODY_API bool custody_token_login(struct custody_client *client, const char *token,
	struct custody_bytes pin, struct custody_error *error);

/* ---- keys ---- */

enum custody_operation { /* bits of operations */
	CUSTODY_OP_ENCRYPT = 1,
	CUSTODY_OP_DECRYPT = 2,
	CUSTODY_OP_SIGN = 4,
	CUSTODY_OP_VERIFY = 8,
	CUSTODY_OP_WRAP = 16,
	CUSTODY_OP_UNWRAP = 32,
};

/* Made by the library only: later versions may add members at the end. */
struct custody_key {
	char id[CUSTODY_KEY_ID_SIZE]; /* with version, but for the items of lists of keys */
	char vault[25];
	char name[128];
	char version[33]; /* "" in items of lists of keys */
	char type[8]; /* "RSA", "RSA-HSM", "EC", "EC-HSM", "oct", "oct-HSM"; "" in items of lists */
	char curve[8];       /* "P-256" ...; "" if not EC */
	uint32_t size_bits;  /* of an RSA modulus; 0 if not RSA */
	uint32_t operations; /* enum custody_operation; 0 in items of lists */
	bool enabled;
	int64_t created; /* all times: Unix seconds; 0: not set */
	int64_t updated;
	int64_t not_before;
	int64_t expires;
	int64_t deleted;         /* of deleted keys */
	int64_t scheduled_purge; /* of deleted keys */
	char recovery_level[48];
};

CUSTODY_API_VOID void custody_key_free(struct custody_key *key);

struct custody_key_new {
	size_t size;         /* sizeof(struct custody_key_new) */
	const char *type;    /* NULL: "RSA" */
	uint32_t size_bits;  /* 0: 3072 for RSA, 256 for oct */
	const char *curve;   /* NULL: "P-256" for EC */
	uint32_t operations; /* 0: all that the type can do */
	bool disabled;
	int64_t not_before; /* 0: none */
	int64_t expires;    /* 0: none */
};

struct custody_key_change {
	size_t size;         /* sizeof(struct custody_key_change) */
	int enabled;         /* 1, 0; -1: unchanged */
	uint32_t operations; /* 0: unchanged */
	int64_t not_before;  /* 0: unchanged */
	int64_t expires;     /* 0: unchanged */
};

/* A key, or a new version of it, under `name`. `what` NULL: RSA-3072. */
CUSTODY_API bool custody_key_create(struct custody_client *client, const char *vault,
	const char *name, const struct custody_key_new *what, struct custody_key **ret_key,
	struct custody_error *error);
/* `version` NULL: the newest. */
CUSTODY_API bool custody_key_get(struct custody_client *client, const char *vault, const char *name,
	const char *version, struct custody_key **ret_key, struct custody_error *error);
CUSTODY_API bool custody_key_update(struct custody_client *client, const char *vault,
	const char *name, const char *version, const struct custody_key_change *change,
	struct custody_key **ret_key, struct custody_error *error);
/* All versions, recoverable until the scheduled purge. ret_key may be NULL in these four. */
CUSTODY_API bool custody_key_delete(struct custody_client *client, const char *vault,
	const char *name, struct custody_key **ret_key, struct custody_error *error);
CUSTODY_API bool custody_key_get_deleted(struct custody_client *client, const char *vault,
	const char *name, struct custody_key **ret_key, struct custody_error *error);
CUSTODY_API bool custody_key_recover(struct custody_client *client, const char *vault,
	const char *name, struct custody_key **ret_key, struct custody_error *error);
/* Destroys a deleted key for good. */
CUSTODY_API bool custody_key_purge(struct custody_client *client, const char *vault,
	const char *name, struct custody_error *error);

enum custody_list_kind {
	CUSTODY_LIST_KEYS,
	CUSTODY_LIST_VERSIONS, /* of the key `name` */
	CUSTODY_LIST_DELETED,
};

struct custody_key_list;

/* `name` is for CUSTODY_LIST_VERSIONS only, else NULL. The list borrows the client. */
CUSTODY_API bool custody_key_list_new(struct custody_client *client, enum custody_list_kind kind,
	const char *vault, const char *name, struct custody_key_list **ret_list,
	struct custody_error *error);
/* The next key, borrowed until the next call on the list; NULL after the last. */
CUSTODY_API bool custody_key_list_next(struct custody_key_list *list,
	const struct custody_key **ret_key, struct custody_error *error);
CUSTODY_API_VOID void custody_key_list_free(struct custody_key_list *list);

/* ---- operations with one key ----
 * `key_id` is a full key id, https://<vault host>/keys/<name>[/<version>]. Whoever keeps the result keeps
 * the result's key_id with it: it names the version. */

struct custody_result {                   /* made by the library only */
	char key_id[CUSTODY_KEY_ID_SIZE]; /* the version that was used */
	struct custody_secret value;
	struct custody_secret iv;  /* AES-GCM: 12 octets; else empty */
	struct custody_secret tag; /* AES-GCM: 16 octets; else empty */
};

CUSTODY_API_VOID void custody_result_free(struct custody_result *result);

/* "RSA-OAEP-256", "RSA-OAEP", "A128KW", "A192KW", "A256KW". */
CUSTODY_API bool custody_wrap(struct custody_client *client, const char *key_id,
	const char *algorithm, struct custody_bytes key, struct custody_result **ret_result,
	struct custody_error *error);
CUSTODY_API bool custody_unwrap(struct custody_client *client, const char *key_id,
	const char *algorithm, struct custody_bytes wrapped, struct custody_secret *ret_key,
	struct custody_error *error);
/* "RSA-OAEP-256", "RSA-OAEP", "A128GCM", "A192GCM", "A256GCM"; `aad` for GCM only. */
CUSTODY_API bool custody_encrypt(struct custody_client *client, const char *key_id,
	const char *algorithm, struct custody_bytes plaintext, struct custody_bytes aad,
	struct custody_result **ret_result, struct custody_error *error);
CUSTODY_API bool custody_decrypt(struct custody_client *client, const char *key_id,
	const char *algorithm, struct custody_bytes ciphertext, struct custody_bytes iv,
	struct custody_bytes tag, struct custody_bytes aad, struct custody_secret *ret_plaintext,
	struct custody_error *error);
/* "RS256" ... "PS512", "ES256", "ES384", "ES512", "ES256K"; `digest` by the hash that the name says. */
CUSTODY_API bool custody_sign(struct custody_client *client, const char *key_id,
	const char *algorithm, struct custody_bytes digest, struct custody_result **ret_result,
	struct custody_error *error);
/* A wrong signature is *ret_valid false, not an error. */
CUSTODY_API bool custody_verify(struct custody_client *client, const char *key_id,
	const char *algorithm, struct custody_bytes digest, struct custody_bytes signature,
	bool *ret_valid, struct custody_error *error);

/* ---- dual operations: two keys in two vaults on two tokens ----
 * An envelope is JSON text (RFC 7516 general serialization), opened by either key. `context` is bound into
 * it: who opens it states the same octets; an empty context is a context. */

/* 1 to 4,096 octets. The envelope: custody_text_free(). */
CUSTODY_API bool custody_dual_wrap(struct custody_client *client, const char *const key_ids[2],
	struct custody_bytes context, struct custody_bytes plaintext, char **ret_envelope,
	struct custody_error *error);
/* A new random key of `length` octets (16 to 64) and its envelope. */
CUSTODY_API bool custody_dual_generate(struct custody_client *client, const char *const key_ids[2],
	struct custody_bytes context, size_t length, struct custody_secret *ret_key,
	char **ret_envelope, struct custody_error *error);

struct custody_opened {                   /* the caller's */
	char key_id[CUSTODY_KEY_ID_SIZE]; /* the key that opened it */
	bool degraded; /* one of the two keys did not open it: repair it (rewrap) */
};

/* ret_opened may be NULL. */
CUSTODY_API bool custody_dual_unwrap(struct custody_client *client, const char *envelope,
	struct custody_bytes context, struct custody_secret *ret_plaintext,
	struct custody_opened *ret_opened, struct custody_error *error);
/* A new envelope of the same plaintext and context; `key_ids` NULL: the newest versions of the same keys. */
CUSTODY_API bool custody_dual_rewrap(struct custody_client *client, const char *envelope,
	struct custody_bytes context, const char *const key_ids[2], char **ret_envelope,
	struct custody_error *error);

struct custody_check {       /* made by the library only */
	unsigned redundancy; /* keys that open it: 2 is well */
	size_t attempt_count;
	struct custody_attempt attempts[CUSTODY_ATTEMPTS_MAX];
};

CUSTODY_API_VOID void custody_check_free(struct custody_check *check);
/* Opens the envelope by each key alone and tells how it went; the plaintext stays in the daemon. */
CUSTODY_API bool custody_dual_check(struct custody_client *client, const char *envelope,
	struct custody_bytes context, struct custody_check **ret_check,
	struct custody_error *error);

/* ---- data keys of a scope: over the socket of depd ----
 * For workloads whose data a data encryption policy covers. The client's socket_path is that of depd, such as
 * CUSTODY_DEP_SOCKET_DEFAULT. A data key encrypts one thing and is forgotten; its wrapped form is kept with that. It says which
 * scope it is of, and opens whatever policy or generation the scope is moved to. */

struct custody_scope {    /* borrowed */
	const char *kind; /* "mailbox", "workload", "cloudpc" */
	const char *id;
};

/* A new data key of 32 octets, plain and wrapped: custody_secret_free(), custody_text_free(). */
CUSTODY_API bool custody_data_key_generate(struct custody_client *client,
	const struct custody_scope *scope, struct custody_secret *ret_key, char **ret_wrapped,
	struct custody_error *error);
/* `scope` NULL: the one that it says it is of. BadCiphertext: it is not a data key of that scope. */
CUSTODY_API bool custody_data_key_unwrap(struct custody_client *client,
	const struct custody_scope *scope, const char *wrapped, struct custody_secret *ret_key,
	struct custody_error *error);

#define CUSTODY_DATA_KEYS_MAX 1000 /* in one call */

struct custody_data_key {               /* made by the library only */
	struct custody_secret key;      /* empty if it did not open */
	const char *wrapped;            /* of a generated one; else NULL */
	enum custody_class error_class; /* why it did not open; 0 if it did */
	char name[48];                  /* as in custody-errors(7); "" if it opened */
	char message[320];
};
struct custody_data_keys;

/* Many in one call, 1 to CUSTODY_DATA_KEYS_MAX: all of them or none. custody_data_keys_free(). */
CUSTODY_API bool custody_data_keys_generate(struct custody_client *client,
	const struct custody_scope *scope, size_t count, struct custody_data_keys **ret_keys,
	struct custody_error *error);
/*
 * As many as were given, in their order; each says for itself whether it opened. An error of the call is one of all: the scope is not
 * there, or its owners deny it. `scope` NULL: the one that the first one says.
 */
CUSTODY_API bool custody_data_keys_unwrap(struct custody_client *client,
	const struct custody_scope *scope, const char *const *wrapped, size_t count,
	struct custody_data_keys **ret_keys, struct custody_error *error);
/* Borrowed; NULL beyond the last one. */
CUSTODY_API const struct custody_data_key *custody_data_keys_get(
	const struct custody_data_keys *keys, size_t index);
/* Wipes all. NULL is allowed. */
CUSTODY_API_VOID void custody_data_keys_free(struct custody_data_keys *keys);

/* ---- purges ---- */

/*
 * Verifies a certificate of a purge (depctl(1)) without any daemon: that the key signed it; with `authorities`, PEM text of the
 * authorities of approvers, also that each approval in it is one of its document by a person whom they vouched for when he approved.
 * `public_key` is PEM text that was had from the organization before. ret_statement: what it states, JSON text, custody_text_free().
 * SignatureRefused, ApprovalRefused. Blocks only to compute.
 */
CUSTODY_API bool custody_purge_certificate_verify(const char *certificate, const char *public_key,
	const char *authorities, char **ret_statement, struct custody_error *error);

/* ---- sealed content: custody-sealed(5) ----
 * Any size in constant memory. Opening proves that nothing was changed, cut off or exchanged since it was
 * sealed, but not by whom it was sealed. */

/* `total` 0: not known. false stops the call: Interrupted. Called from the calling thread, every few MiB and at the end. */
typedef bool custody_progress(void *data, uint64_t done, uint64_t total);

struct custody_sealing {
	size_t size;            /* sizeof(struct custody_sealing) */
	const char *key_ids[2]; /* for sealing; versionless ids are resolved and pinned */
	struct custody_bytes
		context; /* the same for sealing and opening; at most CUSTODY_CONTEXT_MAX */
	custody_progress *progress; /* NULL: none */
	void *progress_data;
	uint64_t *
		skipped; /* NULL, or set by custody_seal_tree(): devices, sockets, FIFOs left out */
};

enum custody_sealed_kind {
	CUSTODY_SEALED_STREAM = 1,
	CUSTODY_SEALED_TREE = 2,
};

/*
 * Seals all that can be read from `in` to `out`; both stay open. After an error `out` is not to be used. A regular
 * file that is changed meanwhile is an error, as what was read may never have been in it.
 */
CUSTODY_API bool custody_seal_fd(struct custody_client *client,
	const struct custody_sealing *sealing, int in, int out, struct custody_error *error);
/* Seals the directory `path` with all in it (files, directories, symbolic links; modes and times). */
CUSTODY_API bool custody_seal_tree(struct custody_client *client,
	const struct custody_sealing *sealing, const char *path, int out,
	struct custody_error *error);
struct custody_opening;

/*
 * Reads the header of sealed content from `in`, which may be a pipe and must outlive the opening, and has
 * the daemon open its key. Of `sealing` the context and the progress count. The opening borrows the client.
 */
CUSTODY_API bool custody_open_begin(struct custody_client *client,
	const struct custody_sealing *sealing, int in, struct custody_opening **ret_opening,
	struct custody_error *error);
CUSTODY_API enum custody_sealed_kind custody_opening_kind(const struct custody_opening *opening);
/* Which key opened it; borrowed. */
CUSTODY_API const struct custody_opened *custody_opening_info(
	const struct custody_opening *opening);
/*
 * One of these two, once. To a descriptor: each segment is written after it was verified; after an error,
 * what was written is genuine but incomplete, and to be discarded. A tree comes out as a tar stream.
 */
CUSTODY_API bool custody_open_fd(
	struct custody_opening *opening, int out, struct custody_error *error);
/* As the new directory `target`, which appears whole at the end or not at all. */
CUSTODY_API bool custody_open_tree(
	struct custody_opening *opening, const char *target, struct custody_error *error);
/*
 * The same under a scope, with a client of depd. Of `sealing` (NULL: nothing special) the progress and `skipped` count; there is
 * no context. custody_scope_open_begin() finds the scope in the header; custody_open_fd() and _tree() go on from there.
 */
CUSTODY_API bool custody_scope_seal_fd(struct custody_client *client,
	const struct custody_scope *scope, const struct custody_sealing *sealing, int in, int out,
	struct custody_error *error);
CUSTODY_API bool custody_scope_seal_tree(struct custody_client *client,
	const struct custody_scope *scope, const struct custody_sealing *sealing, const char *path,
	int out, struct custody_error *error);
CUSTODY_API bool custody_scope_open_begin(struct custody_client *client,
	const struct custody_sealing *sealing, int in, struct custody_opening **ret_opening,
	struct custody_error *error);
/* Borrowed; NULL: it is sealed under two keys. */
CUSTODY_API const struct custody_scope *custody_opening_scope(
	const struct custody_opening *opening);

/*
 * For whoever seals or opens many things: with data keys that custody_data_keys_generate() and _unwrap() gave, no call to the daemon
 * for each. A generated key seals one thing.
 */
CUSTODY_API bool custody_data_key_seal_fd(const struct custody_data_key *key,
	const struct custody_sealing *sealing, int in, int out, struct custody_error *error);
/* Reads the header only; the key is to follow. */
CUSTODY_API bool custody_data_key_open_begin(const struct custody_sealing *sealing, int in,
	struct custody_opening **ret_opening, struct custody_error *error);
/* What is to be unwrapped; borrowed from the opening. */
CUSTODY_API const char *custody_opening_wrapped(const struct custody_opening *opening);
/* Copies the key, once; one that did not open fails with its own error. A key of other content: custody_open_fd() fails. */
CUSTODY_API bool custody_opening_give_key(struct custody_opening *opening,
	const struct custody_data_key *key, struct custody_error *error);
/* Wipes the key. NULL is allowed. */
CUSTODY_API_VOID void custody_open_end(struct custody_opening *opening);

#ifdef __cplusplus
}
#endif
