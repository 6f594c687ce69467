/* Internal to generation_check.c (what is found) and generation_repair.c (what is done about it): one check of one generation. */
#pragma once

#include "base/arena.h"
#include "depd/custody_port.h"
#include "depd/depd.h"
#include "depd/generation_make.h"
#include "depd/organization.h"
#include "depd/policy_probe.h"

#define GENERATION_CHECK_CODE 48 /* octets of an error's name */

struct generation_check {
	struct op op; /* first */
	struct depd *depd;
	int64_t generation;
	uint64_t *number; /* the caller's; NULL: he does not want to know any more */
	struct arena *arena;
	struct db_dep_generation row;
	struct db_dep_policy policy;
	struct db_dep_organization organization;
	struct keytree_generation identity;

	struct policy_key keys[POLICY_KEYS];
	enum dep_reason reason[POLICY_KEYS];
	char code[POLICY_KEYS][GENERATION_CHECK_CODE];
	int opened;   /* customer keys that open it */
	bool damaged; /* its envelope is to be made anew */
	bool tried;   /* the availability key was */
	bool falls;   /* and opened it */
	bool rewrap;  /* the availability wrap is to be made anew */
	bool lost;    /* under another availability key */
	char availability_code[GENERATION_CHECK_CODE];

	struct policy_trial trial;
	const char
		*wanted_kid; /* the availability key that is tried for a repair; NULL: a new one */
	struct secret *key;
	uint64_t call, making;
	struct generation_made *made;
	struct err err;
};

static inline struct generation_check *
generation_check_of(struct op *op)
{
	return (struct generation_check *)op;
}

void generation_check_resume(struct generation_check *check);
/* The context of its envelope; initializes `context`. */
void generation_check_context(const struct generation_check *check, struct buf *context);
/* Whether it is the DEP key that was signed for, whoever opened it. */
bool generation_check_key(struct generation_check *check, const struct secret *key);
/* "policy GUID generation GUID"; in check->arena. */
const char *generation_check_name(struct generation_check *check);
/* A record of the audit, on disk; that it cannot be written is noted. */
void generation_check_record(
	struct generation_check *check, const char *operation, const char *detail);
/* Ends it with what was found. */
enum op_result generation_check_store(struct generation_check *check);
/* The same after a repair that failed, for check->err: it is tried again. */
enum op_result generation_check_fail(struct generation_check *check);

op_step_fn generation_repair_owners, generation_repair_make, generation_repair_made;
