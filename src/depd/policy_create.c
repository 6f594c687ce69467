/*
 * POST /policies: a policy is made if all of its rules hold (dep-semantics §2), or nothing is.
 *
 * Nothing is written before custody said that both keys are good. Then an intent with the policy's GUID is in the catalog before
 * its availability key is made under that name; policy, first generation and the end of the intent are one transaction. Whatever
 * ends in between, the key is removed again: at once, or at the next start.
 */
#include <string.h>

#include "crypto/random.h"
#include "depd/dep_operations.h"
#include "depd/organization.h"
#include "depd/policy_call.h"
#include "depd/policy_undo.h"

struct policy_create {
	struct policy_call policy; /* first */
	struct api_dep_create wanted;
	bool intended; /* and not ended */
};

static struct policy_create *
create_of(struct op *op)
{
	return (struct policy_create *)op;
}

/* At most so many active mailbox policies (seed). */
static bool
check_room(struct policy_call *policy)
{
	struct dep_call *call = &policy->call;
	int64_t count;
	if (policy->policy.kind != DB_DEP_MAILBOX)
		return true;
	if (!db_dep_policy_count_enabled(call->depd->db, DB_DEP_MAILBOX, &count, &call->err))
		return false;
	return count < POLICY_MAILBOX_MAX || err_set(&call->err, ERR_TOO_MANY_POLICIES, NULL);
}

static bool
check_name(struct policy_call *policy)
{
	struct dep_call *call = &policy->call;
	struct db_dep_policy other;
	struct err err = {0};
	if (db_dep_policy_find(call->depd->db, policy->policy.kind, policy->policy.name,
		    call->arena, &other, &err))
		return err_set(&call->err, ERR_POLICY_EXISTS,
			"A policy of the name %s exists already.", other.name);
	if (err.code == ERR_POLICY_NOT_FOUND)
		return true;
	call->err = err;
	return false;
}

static bool
decode(struct policy_create *create)
{
	struct policy_call *policy = &create->policy;
	struct dep_call *call = &policy->call;
	const struct api_dep_create *wanted = &create->wanted;
	char guid[ID_UUID_TEXT];
	if (!http_request_check_json(call->http, &call->err) ||
		!api_dep_create_decode(
			http_request_body(call->http), call->arena, &create->wanted, &call->err))
		return false;
	call->audit_subject = wanted->name;
	policy->policy = (struct db_dep_policy){
		.kind = (enum db_dep_policy_kind)wanted->kind,
		.description = wanted->description,
		.state = DB_DEP_ENABLED,
		.outage_fallback_s = wanted->outage_fallback_s,
	};
	strncpy(policy->policy.name, wanted->name, sizeof(policy->policy.name) - 1);
	random_uuid(guid);
	for (size_t i = 0; i < POLICY_KEYS; i++) {
		policy_key_init(&policy->keys[i], wanted->keys[i]);
		policy->policy.uri[i] = policy->keys[i].uri;
	}
	return id_uuid_parse(guid, policy->policy.guid) &&
	       policy_call_may_change(policy, policy->policy.kind) &&
	       organization_get(call->depd, call->arena, &policy->organization, &call->err) &&
	       check_name(policy) && check_room(policy);
}

static enum op_result
step_decode(struct op *op)
{
	struct policy_create *create = create_of(op);
	return decode(create) ? OP_NEXT : dep_call_fail(&create->policy.call);
}

static enum op_result
step_judge(struct op *op)
{
	struct policy_create *create = create_of(op);
	struct policy_call *policy = &create->policy;
	struct dep_call *call = &policy->call;
	if (!policy_check_first(policy->keys, POLICY_BEFORE_TRIAL, &call->err) ||
		!db_dep_intent_begin(call->depd->db, policy->policy.guid,
			calendar_now_s(call->depd->calendar), &call->err))
		return dep_call_fail(call);
	create->intended = true;
	call->finishing = true;
	return policy_call_make(policy, 1, NULL);
}

static void
note_audit(struct policy_call *policy)
{
	policy->call.audit_detail =
		arena_printf(policy->call.arena, "%s %s %s", policy->made->row.kid[0],
			policy->made->row.kid[1], policy->made->row.availability_kid);
}

static enum op_result
step_commit(struct op *op)
{
	struct policy_create *create = create_of(op);
	struct policy_call *policy = &create->policy;
	struct dep_call *call = &policy->call;
	int64_t id;
	if (policy->made == NULL)
		return dep_call_fail(call);
	const struct db_dep_generation *row = &policy->made->row;
	policy->policy.availability_kid = row->availability_kid;
	policy->policy.created = row->created;
	note_audit(policy);
	if (!check_room(policy) ||
		!db_dep_policy_insert(call->depd->db, &policy->policy, row, &id, &call->err))
		return dep_call_fail(call);
	create->intended = false;
	if (!policy_call_answer(policy, id))
		return dep_call_fail(call);
	policy_call_made(policy);
	return dep_call_finish(call, 201);
}

/* What was begun and did not become a policy is removed; if the commit's outcome is not known, the next start looks. */
static void
clear(struct dep_call *call)
{
	struct policy_create *create = (struct policy_create *)call;
	if (create->intended && call->err.code != ERR_OUTCOME_UNKNOWN)
		policy_undo_start(call->depd, create->policy.policy.guid);
	policy_call_clear(call);
}

static const struct op_step steps[] = {
	{"admit",  dep_call_admit   },
	{"decode", step_decode      },
	{"probe",  policy_call_probe},
	{"judge",  step_judge       },
	{"commit", step_commit      },
};

const struct dep_call_type policy_create_type = {
	.op = DEP_CALL_OP_TYPE("policy.create", steps),
	.size = sizeof(struct policy_create),
	.clear = clear,
};
