/*
 * The rules that the two keys of a policy keep (dep-semantics §2), judged from what custody said of them. Nothing is asked
 * here: policy_probe.h does that.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/id.h"
#include "db/db_dep.h"
#include "db/db_vault.h"
#include "depd/custody_port.h"
#include "jose/alg.h"

#define POLICY_KEYS 2

/* What is known of one key. */
struct policy_key {
	char uri[DB_DEP_KID_MAX]; /* as named, its host in lower case */
	struct kid id;            /* of it; vault "": it is no key URI */

	const char *application; /* GUID of the one that asks, static; NULL: nobody asked yet */
	bool vault_asked;        /* custody answered, one way or the other */
	struct err vault_err;    /* ERR_NONE: these two are known */
	char token[DB_TOKEN_NAME];
	unsigned granted; /* enum custody_permission */

	bool asked;
	struct err err;                 /* ERR_NONE: what follows is known */
	char kid[ENVELOPE_KID_MAX + 1]; /* with the version: the newest one if none was named */
	enum kty kty;
	unsigned bits; /* RSA */
	bool enabled;
	int64_t expires; /* Unix seconds, -1: never */
	char recovery_level[48];

	bool tried;       /* to wrap and unwrap with it alone */
	struct err trial; /* ERR_NONE: it did */
};

enum policy_check_result {
	POLICY_CHECK_PASSED = 1,
	POLICY_CHECK_FAILED,
	POLICY_CHECK_UNKNOWN, /* an earlier failure leaves it open */
};

struct policy_check {
	const char *rule; /* "exists", "type", … static */
	int key;          /* index, or -1 for both */
	enum policy_check_result result;
	struct err err; /* of a failure; its message names the key */
};

#define POLICY_CHECKS_MAX 24

/* Takes `uri` apart. It need not be one: policy_check() says so. */
void policy_key_init(struct policy_key *key, const char *uri);

/* All rules, in order. True if none failed and none is unknown. */
bool policy_check(const struct policy_key keys[static POLICY_KEYS],
	struct policy_check checks[static POLICY_CHECKS_MAX], size_t *ret_count);

/* Which rules are looked at: those that go by what is known of the keys, or those of the trial that follows. */
enum policy_phase {
	POLICY_BEFORE_TRIAL = 1,
	POLICY_AFTER_TRIAL,
};
/* The first of them that is broken, as ERR_<rule>; ERR_UNAVAILABLE: none, but custody did not say enough. */
bool policy_check_first(const struct policy_key keys[static POLICY_KEYS], enum policy_phase phase,
	struct err *err) MUST_USE;
