/* JSON Web Keys as our answers show them (RFC 7517): public members only; an oct key shows none. */
#pragma once

#include "crypto/pubkey.h"
#include "jose/alg.h"
#include "json/json_writer.h"

struct jwk {
	const char *kid; /* full key version id */
	enum kty kty;
	unsigned ops;                /* set of enum alg_op */
	const struct pubkey *pubkey; /* NULL for oct */
};

/*
 * Writes the object {"kid","kty","key_ops"} with "n","e" (no leading zero octet, RFC 7518 §6.3.1) or
 * "crv","x","y" (fixed width, §6.2.1). Operations stand in the order of enum alg_op.
 */
void jwk_write(struct json_writer *writer, const char *name, const struct jwk *jwk);
