/*
 * Whose a token is: a private data object on it that names the catalog which owns it and counts that catalog's
 * checkpoints (threats D9, D12). It is replaced, never changed: the new one is made before the old one goes, and of
 * several the one of the highest term counts, so that whoever is killed in between leaves something that can be read.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "pkcs11/session.h"

#define LEASE_OWNER_LEN 16
#define LEASE_LABEL     "custody-lease"

enum lease_state {
	LEASE_NONE = 1,    /* nobody's */
	LEASE_OURS,        /* the asking owner's */
	LEASE_OTHER,       /* another's, or it cannot be told whose */
	LEASE_UNSUPPORTED, /* the token keeps no such object */
};

struct lease {
	enum lease_state state;
	uint8_t owner[LEASE_OWNER_LEN];  /* zeros: nobody's, or it cannot be told */
	uint8_t former[LEASE_OWNER_LEN]; /* from whom the owner took it; zeros: from nobody */
	uint64_t term;                   /* 1 for the first owner; grows with each that takes it */
	uint64_t counter;                /* never decreases, whoever owns the token */
};

bool lease_read(struct session *session, const uint8_t owner[static LEASE_OWNER_LEN],
	struct lease *ret_lease, struct err *err) MUST_USE;

/*
 * Makes `owner` the owner of a token that is nobody's or, with `take_over`, another's. LEASE_OURS afterwards, or
 * LEASE_UNSUPPORTED for a token that is nobody's. ERR_TOKEN_LEASED: it is another's, or was taken at the same time.
 * Asked again it does no harm. One at a time for the whole process, as lease_raise().
 */
bool lease_take(struct session *session, const uint8_t owner[static LEASE_OWNER_LEN],
	bool take_over, struct lease *ret_lease, struct err *err) MUST_USE;

/* Raises the counter of an own lease to `counter`; a lower one is left. Makes a lease that is gone. ERR_TOKEN_LEASED if it is another's. */
bool lease_raise(struct session *session, const uint8_t owner[static LEASE_OWNER_LEN],
	uint64_t counter, struct lease *ret_lease, struct err *err) MUST_USE;

/* Whether a label is the lease's, which is no foreign object. */
bool lease_is(const char *label);
