/* POST /policies/{policy}/validate: the rules of its keys again, as they are now, and a trial with a random value. Changes nothing. */
#include "crypto/random.h"
#include "depd/dep_operations.h"
#include "depd/policy_call.h"

#define TRIAL_OCTETS 32 /* as a DEP key has */

static const char trial_context[] = "custody-dep validate";

static enum op_result
step_find(struct op *op)
{
	struct policy_call *policy = (struct policy_call *)op;
	if (!policy_call_find(policy, true))
		return dep_call_fail(&policy->call);
	for (size_t i = 0; i < POLICY_KEYS; i++)
		policy_key_init(&policy->keys[i], policy->policy.uri[i]);
	return OP_NEXT;
}

/* Keys that break a rule are not tried: what is not known of one that works is not guessed from one that does not. */
static enum op_result
step_try(struct op *op)
{
	struct policy_call *policy = (struct policy_call *)op;
	struct dep_call *call = &policy->call;
	struct err ignored = {0}; /* the table tells it */
	CLEAN(secret)
	struct secret *value = random_secret(TRIAL_OCTETS);
	if (value == NULL) {
		(void)err_set(&call->err, ERR_NO_MEMORY, NULL);
		return dep_call_fail(call);
	}
	if (!policy_check_first(policy->keys, POLICY_BEFORE_TRIAL, &ignored) ||
		!policy_trial_start(&policy->trial, call->depd, op->id, policy->policy.kind,
			policy->keys, bytes_of_text(trial_context), value))
		return OP_NEXT;
	return OP_WAIT;
}

static const char *
result_word(enum policy_check_result result)
{
	switch (result) {
	case POLICY_CHECK_PASSED:
		return "passed";
	case POLICY_CHECK_FAILED:
		return "failed";
	case POLICY_CHECK_UNKNOWN:
		break;
	}
	return "not checked";
}

/* What failed as a whole is the failure of both. */
static void
note_whole(struct policy_call *policy)
{
	for (size_t i = 0; i < POLICY_KEYS && policy->trial.err.code != ERR_NONE; i++) {
		policy->keys[i].tried = true;
		policy->keys[i].trial = policy->trial.err;
	}
}

static enum op_result
step_answer(struct op *op)
{
	struct policy_call *policy = (struct policy_call *)op;
	struct dep_call *call = &policy->call;
	struct policy_check checks[POLICY_CHECKS_MAX];
	struct api_dep_check views[POLICY_CHECKS_MAX];
	char guid[ID_UUID_TEXT];
	size_t count;
	note_whole(policy);
	bool valid = policy_check(policy->keys, checks, &count);
	for (size_t i = 0; i < count; i++) {
		bool failed = checks[i].result == POLICY_CHECK_FAILED;
		views[i] = (struct api_dep_check){
			.rule = checks[i].rule,
			.key = checks[i].key >= 0 ? policy->keys[checks[i].key].uri : NULL,
			.result = result_word(checks[i].result),
			.code = failed ? err_name(checks[i].err.code) : NULL,
			.message = failed ? checks[i].err.message : NULL,
		};
	}
	id_uuid_format(policy->policy.guid, guid);
	api_dep_validation_format(guid, valid, views, count, &call->body);
	call->audit_detail = valid ? "valid" : "not valid";
	return dep_call_finish(call, 200);
}

static const struct op_step steps[] = {
	{"admit",  dep_call_admit   },
	{"find",   step_find        },
	{"probe",  policy_call_probe},
	{"try",    step_try         },
	{"answer", step_answer      },
};

const struct dep_call_type policy_validate_type = {
	.op = DEP_CALL_OP_TYPE("policy.validate", steps),
	.size = sizeof(struct policy_call),
	.clear = policy_call_clear,
};
