/*
 * Key versions as operations use them: read from the catalog, checked, parsed once, kept while in use and
 * then in a bounded cache. The only reader of version rows on a request path.
 *
 * A version is *proved* when its row carries a signature of its token's identity key (threats A11) and that
 * token proved the identity since this daemon started. An unproved version protects nothing.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/id.h"
#include "crypto/pubkey.h"
#include "custodyd/latency.h"
#include "db/db_key.h"
#include "jose/alg.h"
#include "jose/envelope.h"

struct keystore;

/* Immutable but for `proved`; counted. Strings and octets live as long as the reference. */
struct key_version {
	unsigned refs;
	struct arena *arena; /* owns what `vault`, `key` and `version` point to */
	struct db_vault vault;
	struct db_key key;
	struct db_version version;
	enum alg_key type;
	enum curve curve;
	enum latency_kind cost;
	struct pubkey *pubkey; /* NULL for oct */
	char kid[ENVELOPE_KID_MAX + 1];
	bool proved;
};

/* `dns_suffix` is copied. `capacity`: versions kept beyond those in use. */
struct keystore *keystore_new(struct db *db, const char *dns_suffix, size_t capacity);
void keystore_free(struct keystore *store);

/*
 * A version of a live key, the newest for `version` "" (a text of 32 hex digits else). A new reference.
 * ERR_KEY_NOT_FOUND, ERR_KEY_DELETED, ERR_KEY_PURGED, ERR_KEY_MISSING, ERR_KEY_INTEGRITY (state of the row,
 * or a public key that does not match its fingerprint), and those of the catalog.
 */
struct key_version *keystore_get(struct keystore *store, const struct db_vault *vault,
	const char *name, const char *version, struct err *err) MUST_USE;
/* The same from rows that were just read or written; not cached. */
struct key_version *keystore_wrap(struct keystore *store, const struct db_vault *vault,
	const struct db_key *key, const struct db_version *version, struct err *err) MUST_USE;
/* The same, looked up afresh and whatever the state of its row, for showing and not for using it. */
struct key_version *keystore_look(struct keystore *store, const struct db_vault *vault,
	const char *name, const char *version, struct err *err) MUST_USE;
struct key_version *key_version_ref(struct key_version *key);
struct key_version *key_version_unref(struct key_version *key); /* returns NULL; accepts NULL */

/* Forgets every version of a key: after each change of it. */
void keystore_forget(struct keystore *store, int64_t vault, const char *name);
/* Forgets everything: after a reload, a reopened catalog, a changed identity. */
void keystore_forget_all(struct keystore *store);

/* A token proved this identity (SPKI, DER): versions signed by it count as proved from now on. */
bool keystore_set_identity(
	struct keystore *store, const char *token, struct bytes spki, struct err *err) MUST_USE;

/*
 * Before a version protects anything. True if proved. ERR_UNAVAILABLE: its token has not proved itself since
 * start; ERR_KEY_INTEGRITY: the row is not what the token signed (the caller marks the version).
 */
bool keystore_prove(struct keystore *store, struct key_version *key, struct err *err) MUST_USE;

/*
 * Whether answers may call it HSM-generated (threats A22): its token says LOCAL, ALWAYS_SENSITIVE and NEVER_EXTRACTABLE, this
 * catalog ordered it, it is no import, and the token signed the row that says so. Not before the token has proved itself.
 */
bool keystore_hsm_generated(struct keystore *store, struct key_version *key);

/* https://<vault>.<dns_suffix> in lower case, for identifiers. `text` holds 256 octets. */
void keystore_vault_url(const struct keystore *store, const char *vault, char text[static 256]);

/*
 * The label of a key's objects, "vault/key" in lower case: part of what the token attests, so the spelling in which
 * somebody first wrote the name must not matter.
 */
#define KEYSTORE_LABEL (ID_VAULT_NAME_MAX + ID_KEY_NAME_MAX + 2)
void keystore_label(const char *vault, const char *name, char label[static KEYSTORE_LABEL]);

static inline void
key_version_clean(struct key_version **key)
{
	*key = key_version_unref(*key);
}
