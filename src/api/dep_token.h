/*
 * A wrapped data key as workloads keep it (doc/envelope.md): which scope's key opens it, and the wrap. depd makes and opens them
 * (depd/keytree.h); whoever keeps one can read from it whose it is, and nothing more.
 *
 * As octets, which cannot change later: 01, kind, length (two octets, big-endian) and octets of the scope's id, scope key id,
 * data key id, wrap.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "api/scope_kind.h"
#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"

#define DEP_TOKEN_GUID_LEN  16
#define DEP_TOKEN_SCOPE_MAX 256 /* octets of a scope's name */
#define DEP_TOKEN_WRAP_LEN  72  /* XAES-256-GCM of 32 octets: nonce, ciphertext, tag */
#define DEP_TOKEN_MAX       (2 + 2 + DEP_TOKEN_SCOPE_MAX + 2 * DEP_TOKEN_GUID_LEN + DEP_TOKEN_WRAP_LEN)

struct dep_token {
	enum keytree_scope_kind kind;
	char id[DEP_TOKEN_SCOPE_MAX + 1];
	uint8_t scope_key[DEP_TOKEN_GUID_LEN];
	uint8_t data_key[DEP_TOKEN_GUID_LEN];
	uint8_t wrapped[DEP_TOKEN_WRAP_LEN];
};

/* How many octets were written. The id has 1 to DEP_TOKEN_SCOPE_MAX (asserted). */
size_t dep_token_format(const struct dep_token *token, uint8_t octets[static DEP_TOKEN_MAX]);
/* Strict: ERR_BAD_CIPHERTEXT for anything that format does not write. */
bool dep_token_parse(struct bytes octets, struct dep_token *ret_token, struct err *err) MUST_USE;
