/*
 * Keys under keys, as octets that cannot change later: a DEP key wraps scope keys, a scope key wraps data keys, each with
 * XAES-256-GCM and associated data that say what the key is and where it belongs. A wrapped key that is moved to
 * another row, scope, generation or organization does not open (threats G16, G17).
 *
 * Associated data and contexts are one encoding: "custody-dep" 00, format 01, kind, then the fields in the order of the
 * struct, each its length (two octets, big-endian) and its octets; numbers are eight octets, big-endian, GUIDs sixteen.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/dep_token.h"
#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/secret.h"
#include "crypto/xaes.h"

#define KEYTREE_KEY_LEN      32
#define KEYTREE_GUID_LEN     DEP_TOKEN_GUID_LEN
#define KEYTREE_WRAPPED_LEN  (XAES_NONCE_LEN + KEYTREE_KEY_LEN + XAES_TAG_LEN)
#define KEYTREE_SCOPE_ID_MAX DEP_TOKEN_SCOPE_MAX
#define KEYTREE_ORG_MAX      128 /* octets of the organization's name */
#define KEYTREE_CHECK_LEN    32

/* A generation of a policy's DEP key. */
struct keytree_generation {
	const char *organization;
	uint8_t policy[KEYTREE_GUID_LEN];
	uint8_t generation[KEYTREE_GUID_LEN];
	uint64_t number; /* 1 for the first of its policy */
};

struct keytree_scope {
	const char *organization;
	enum keytree_scope_kind kind;
	const char *id;                   /* 1 to KEYTREE_SCOPE_ID_MAX octets */
	uint8_t key_id[KEYTREE_GUID_LEN]; /* random, made with the scope's key */
};

/* A context for one key of the tree, to wrap with and to open with. */
struct xaes *keytree_open_key(const struct secret *key, struct err *err) MUST_USE;

/* The context of the dual envelope that holds a DEP key: appended to `context`. */
void keytree_envelope_context(const struct keytree_generation *generation, struct buf *context);
/* Tells one DEP key from another without telling anything of it: HKDF-SHA-512, compared in constant time. */
bool keytree_check_value(const struct secret *dep_key, const struct keytree_generation *generation,
	uint8_t check[static KEYTREE_CHECK_LEN], struct err *err) MUST_USE;

/* nonce ‖ ciphertext ‖ tag of a scope's key under the DEP key of a generation. */
bool keytree_wrap_scope(struct xaes *dep_key, const struct keytree_generation *generation,
	const struct keytree_scope *scope, const struct secret *scope_key,
	uint8_t wrapped[static KEYTREE_WRAPPED_LEN], struct err *err) MUST_USE;
/* A new secret, or NULL: ERR_WRAPPED_KEY_INTEGRITY if it does not open, for our catalog said that it would. */
struct secret *keytree_unwrap_scope(struct xaes *dep_key,
	const struct keytree_generation *generation, const struct keytree_scope *scope,
	const uint8_t wrapped[static KEYTREE_WRAPPED_LEN], struct err *err) MUST_USE;

/* Fills token->wrapped; its other members are given. `organization` as in the scope. */
bool keytree_wrap_data(struct xaes *scope_key, const char *organization, struct dep_token *token,
	const uint8_t data_key[static KEYTREE_KEY_LEN], struct err *err) MUST_USE;
/* ERR_BAD_CIPHERTEXT, one answer for all that does not open; `data_key` is then wiped. */
bool keytree_unwrap_data(struct xaes *scope_key, const char *organization,
	const struct dep_token *token, uint8_t data_key[static KEYTREE_KEY_LEN],
	struct err *err) MUST_USE;
