/*
 * What a token can do, found by asking it and by trying on session objects that are destroyed at once; never by
 * its vendor's name. Done once after each login.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "pkcs11/attr.h"
#include "pkcs11/mech.h"

struct session;

#define PROBE_KINDS_MAX 24

struct probe_kind {
	enum key_kty kty;
	unsigned bits;
	enum curve curve;
};

struct probe {
	enum mech_service service[MECH_COUNT];
	uint32_t tried;   /* hardening and required attributes whose effect was tried: ATTR_BIT() */
	uint32_t reduced; /* those of them that the token does not honour */
	uint32_t unknown; /* hardening attributes that it does not even take in a template */
	uint32_t accepted;                        /* accept-reduced of the configuration */
	struct probe_kind kinds[PROBE_KINDS_MAX]; /* what can be generated */
	unsigned kind_count;
};

/*
 * Fills the probe of the session's module. `accepted`: hardening attributes that may be missing; ERR_TOKEN_REDUCED
 * names the first missing one that is not among them, or a required one. A trial that the token refuses is a
 * capability it lacks, no error; errors are those of a token that went away.
 */
bool probe_run(struct session *session, uint32_t accepted, struct err *err) MUST_USE;

/* Of the module of a session; borrowed, constant after probe_run(). */
const struct probe *probe_get(const struct session *session);
/* Whether a key of this type and size or curve can be generated. */
bool probe_has_kind(const struct probe *probe, enum key_kty kty, unsigned bits, enum curve curve);
