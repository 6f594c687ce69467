/*
 * A check, step by step:
 *
 *   load       the generation is read, and who made it is verified
 *   judge      its customer keys were asked, each alone
 *   prove      if none opens a damaged envelope: whether its owners let both be used at all
 *   fall       the availability key is tried
 *   fallen     and judged
 *   owners     the DEP key, if it is needed for a repair and not there yet
 *   repair     what was damaged is made anew, and signed
 *   store      what was found
 *
 * Invariant: the availability key is tried only after a customer key worked; two that are denied are no reason to touch it (threats G1).
 */
#include "generation_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "crypto/random.h"
#include "db/db_dep_check.h"
#include "depd/generation_check_priv.h"
#include "depd/generation_record.h"
#include "depd/redundancy.h"
#include "service/serve.h"

#define RETRY_S 900 /* after a check that found less than it should, or nothing */

/* ---- ends ---- */

static enum op_result
end(struct generation_check *check)
{
	if (check->number != NULL)
		*check->number = 0;
	return OP_DONE;
}

/* Nothing is known of it now. */
static enum op_result
postpone(struct generation_check *check)
{
	struct depd *depd = check->depd;
	int64_t due_s = calendar_now_s(depd->calendar) + RETRY_S;
	depd_note(depd, "generation.not-checked", &check->err, check->policy.name);
	err_clear(&check->err);
	if (!db_dep_check_postpone(depd->db, check->generation, due_s, &check->err))
		depd_note(depd, "generation.not-checked", &check->err, check->policy.name);
	return end(check);
}

void
generation_check_record(struct generation_check *check, const char *operation, const char *detail)
{
	struct depd *depd = check->depd;
	struct err err = {.code = ERR_NONE};
	const struct audit_record entry = {
		.by_daemon = true,
		.operation = operation,
		.subject = check->policy.name,
		.detail = detail,
		.catalog = db_generation(depd->db),
	};
	if (audit_append(depd->audit, &entry, true, &err))
		serve_tell_head(depd->audit, depd->db);
	else
		depd_note(depd, "audit.failed", &err, check->policy.name);
}

const char *
generation_check_name(struct generation_check *check)
{
	char policy[ID_UUID_TEXT], generation[ID_UUID_TEXT];
	id_uuid_format(check->policy.guid, policy);
	id_uuid_format(check->row.guid, generation);
	return arena_printf(check->arena, "policy %s generation %s", policy, generation);
}

/* The alarm: an error when it got worse or better, a warning as long as it stays so. */
static void
alarm_redundancy(struct generation_check *check, int before, bool fell_before)
{
	const struct log_field fields[] = {
		LOG_TEXT("policy", check->policy.name),
		LOG_INT("keys", check->row.redundancy),
		LOG_TEXT("first", check->code[0]),
		LOG_TEXT("second", check->code[1]),
	};
	if (check->row.redundancy < POLICY_KEYS)
		log_write(check->row.redundancy != before ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING,
			"generation.weak", fields, ARRAY_LEN(fields));
	else if (before < POLICY_KEYS)
		log_write(LOG_LEVEL_INFO, "generation.redundant", fields, ARRAY_LEN(fields));
	if (check->tried && !check->row.availability)
		log_write(fell_before ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING,
			"availability-key.unusable",
			(const struct log_field[]){LOG_TEXT("policy", check->policy.name),
				LOG_TEXT("key", check->row.availability_kid),
				LOG_TEXT("error", check->availability_code)},
			3);
}

enum op_result
generation_check_store(struct generation_check *check)
{
	struct depd *depd = check->depd;
	struct db_dep_generation *row = &check->row;
	int before = row->redundancy;
	bool fell_before = row->availability;
	row->redundancy = check->opened;
	if (check->tried)
		row->availability = check->falls;
	row->checked = calendar_now_s(depd->calendar);
	bool well = row->redundancy == POLICY_KEYS && row->availability;
	row->due = well ? redundancy_due_s(row->checked) : row->checked + RETRY_S;
	generation_check_record(check, "generation.checked",
		arena_printf(check->arena,
			"%s; redundancy %d; %s %s, %s %s; availability key %s %s",
			generation_check_name(check), row->redundancy,
			dep_reason_name(check->reason[0]), check->code[0],
			dep_reason_name(check->reason[1]), check->code[1],
			check->tried ? (check->falls ? "opened" : "not opened") : "not tried",
			check->availability_code));
	alarm_redundancy(check, before, fell_before);
	if (!db_dep_check_store(depd->db, row, &check->err))
		depd_note(depd, "generation.not-checked", &check->err, check->policy.name);
	return end(check);
}

/* A repair that failed: what was found stands, and it is tried again. */
enum op_result
generation_check_fail(struct generation_check *check)
{
	depd_note(check->depd, "generation.not-repaired", &check->err, check->policy.name);
	err_clear(&check->err);
	return generation_check_store(check);
}

static enum op_result
cancel(struct op *op, enum op_cancel why)
{
	(void)why; /* it has no deadline: what it waits for has */
	return end(generation_check_of(op));
}

static void
destroy(struct op *op)
{
	struct generation_check *check = generation_check_of(op);
	custody_port_cancel(check->depd->custody, check->call);
	policy_trial_clear(&check->trial);
	generation_make_cancel(check->depd, check->making);
	generation_made_free(check->made);
	secret_free(check->key);
	arena_free(check->arena);
	free(check);
}

void
generation_check_resume(struct generation_check *check)
{
	(void)op_resume(check->depd->ops, check->op.id);
}

/* ---- the customer keys ---- */

static bool
load_rows(struct generation_check *check)
{
	struct db *db = check->depd->db;
	if (!db_dep_generation_get(db, check->generation, check->arena, &check->row, &check->err) ||
		!db_dep_policy_get(
			db, check->row.policy, check->arena, &check->policy, &check->err) ||
		!organization_get(check->depd, check->arena, &check->organization, &check->err))
		return false;
	check->identity = (struct keytree_generation){
		.organization = check->organization.name,
		.number = (uint64_t)check->row.number,
	};
	memcpy(check->identity.policy, check->policy.guid, KEYTREE_GUID_LEN);
	memcpy(check->identity.generation, check->row.guid, KEYTREE_GUID_LEN);
	for (size_t i = 0; i < POLICY_KEYS; i++) {
		policy_key_init(&check->keys[i], check->row.kid[i]);
		(void)snprintf(
			check->keys[i].kid, sizeof(check->keys[i].kid), "%s", check->row.kid[i]);
	}
	return true;
}

static bool
verify(struct generation_check *check)
{
	CLEAN(pubkey)
	struct pubkey *signer = pubkey_from_spki(check->organization.signing_spki, &check->err);
	return signer != NULL && generation_record_verify(check->organization.name,
					 check->policy.guid, &check->row, signer, &check->err);
}

static void
on_checked(void *ctx, struct custody_answer *answer)
{
	struct generation_check *check = ctx;
	check->call = 0;
	if (answer->attempt_count == 0) {
		check->err = answer->err;
		if (check->err.code == ERR_NONE)
			(void)err_set(&check->err, ERR_CLIENT_ANSWER, NULL);
	}
	for (size_t k = 0; k < POLICY_KEYS; k++)
		for (size_t i = 0; i < answer->attempt_count; i++) {
			const struct custody_attempt *attempt = &answer->attempts[i];
			if (strcmp(attempt->kid, check->row.kid[k]) != 0)
				continue;
			check->reason[k] = attempt->reason;
			(void)snprintf(check->code[k], GENERATION_CHECK_CODE, "%s", attempt->code);
		}
	generation_check_resume(check);
}

void
generation_check_context(const struct generation_check *check, struct buf *context)
{
	buf_init(context, ENVELOPE_CONTEXT_MAX);
	keytree_envelope_context(&check->identity, context);
}

static enum op_result
step_load(struct op *op)
{
	struct generation_check *check = generation_check_of(op);
	CLEAN(buf)
	struct buf context = {0};
	*check->number = op->id;
	if (!load_rows(check))
		return postpone(check);
	if (!verify(check))
		return generation_check_fail(check); /* a forgery, or worse: nothing opens it */
	check->damaged = !generation_record_has_envelope(&check->row);
	generation_check_context(check, &context);
	check->call =
		custody_port_dual_check(check->depd->custody, custody_port_as(check->policy.kind),
			check->row.envelope, buf_bytes(&context), on_checked, check, &check->err);
	if (check->call != 0)
		return OP_WAIT;
	if (!check->damaged)
		return postpone(check);
	err_clear(&check->err); /* it is no envelope any more */
	return OP_NEXT;
}

static op_step_fn step_fall;

static enum op_result
step_judge(struct op *op)
{
	struct generation_check *check = generation_check_of(op);
	CLEAN(buf)
	struct buf context = {0};
	if (check->err.code != ERR_NONE && !check->damaged)
		return postpone(check);
	err_clear(&check->err);
	for (size_t k = 0; k < POLICY_KEYS; k++) {
		check->opened += check->reason[k] == DEP_OPENED;
		check->damaged =
			check->damaged || strcmp(check->code[k], err_name(ERR_BAD_CIPHERTEXT)) == 0;
	}
	if (check->opened == 0 && (!check->damaged || check->policy.kind == DB_DEP_SERVICE))
		return generation_check_store(check);
	if (check->opened > 0) {
		op_next_is(op, step_fall);
		return OP_NEXT;
	}
	CLEAN(secret)
	struct secret *value = random_secret(KEYTREE_KEY_LEN);
	generation_check_context(check, &context);
	if (value == NULL)
		return postpone(check);
	if (policy_trial_start(&check->trial, check->depd, op->id, check->policy.kind, check->keys,
		    buf_bytes(&context), value))
		return OP_WAIT;
	check->err = check->trial.err;
	return generation_check_fail(check);
}

static enum op_result
step_prove(struct op *op)
{
	struct generation_check *check = generation_check_of(op);
	check->err = check->trial.err;
	if (check->err.code != ERR_NONE ||
		!policy_check_first(check->keys, POLICY_AFTER_TRIAL, &check->err))
		return generation_check_fail(check);
	policy_trial_clear(&check->trial);
	return OP_NEXT;
}

/* ---- the availability key ---- */

/* The key that was signed for, whoever opened it. */
bool
generation_check_key(struct generation_check *check, const struct secret *key)
{
	uint8_t value[KEYTREE_CHECK_LEN];
	return secret_len(key) == KEYTREE_KEY_LEN &&
	       keytree_check_value(key, &check->identity, value, &check->err) &&
	       secret_equal_bytes(value, check->row.check, sizeof(value));
}

static void
on_fallen(void *ctx, struct custody_answer *answer)
{
	static const enum err_code losses[] = {ERR_KEY_MISSING, ERR_KEY_INTEGRITY,
		ERR_KEY_NOT_FOUND, ERR_KEY_PURGED, ERR_BAD_CIPHERTEXT, ERR_WRAPPED_KEY_INTEGRITY};
	struct generation_check *check = ctx;
	check->call = 0;
	check->tried = true;
	check->falls = answer->secret != NULL && generation_check_key(check, answer->secret);
	enum err_code code = answer->err.code;
	if (code == ERR_NONE && !check->falls)
		code = ERR_WRAPPED_KEY_INTEGRITY;
	if (check->falls) {
		check->key = answer->secret;
		answer->secret = NULL;
	} else {
		(void)snprintf(
			check->availability_code, GENERATION_CHECK_CODE, "%s", err_name(code));
	}
	bool whole = generation_record_has_wrap(&check->row);
	for (size_t i = 0; i < ARRAY_LEN(losses); i++)
		check->lost = check->lost || (whole && code == losses[i]);
	check->rewrap = !whole || check->lost;
	err_clear(&check->err);
	generation_check_resume(check);
}

static enum op_result
step_fall(struct op *op)
{
	struct generation_check *check = generation_check_of(op);
	if (check->policy.kind == DB_DEP_SERVICE) {
		op_next_is(op, generation_repair_owners);
		return OP_NEXT;
	}
	check->call = custody_port_unwrap(check->depd->custody, check->policy.kind,
		check->row.availability_kid, check->row.availability_wrap, on_fallen, check,
		&check->err);
	return check->call != 0 ? OP_WAIT : generation_check_fail(check);
}

static enum op_result
step_fallen(struct op *op)
{
	struct generation_check *check = generation_check_of(op);
	(void)op;
	return check->damaged || check->rewrap ? OP_NEXT : generation_check_store(check);
}

/* ---- the operation ---- */

static const struct op_step steps[] = {
	{"load",     step_load               },
	{"judge",    step_judge              },
	{"prove",    step_prove              },
	{"fall",     step_fall               },
	{"fallen",   step_fallen             },
	{"owners",   generation_repair_owners},
	{"repair",   generation_repair_make  },
	{"repaired", generation_repair_made  },
};

static const struct op_type check_type = {
	.name = "generation.check",
	.steps = steps,
	.step_count = ARRAY_LEN(steps),
	.cancel = cancel,
	.destroy = destroy,
	.background = true,
};

void
generation_check_start(struct depd *depd, int64_t generation, uint64_t *number)
{
	struct generation_check *check = calloc(1, sizeof(*check));
	if (check == NULL)
		abort();
	check->depd = depd;
	check->generation = generation;
	check->number = number;
	check->arena = arena_new();
	op_start(depd->ops, &check_type, &check->op, 0);
}

void
generation_check_cancel(struct depd *depd, uint64_t number)
{
	struct op *op = number != 0 ? op_find(depd->ops, number) : NULL;
	if (op == NULL)
		return;
	generation_check_of(op)->number = NULL;
	(void)op_cancel(depd->ops, number, OP_CANCEL_CLIENT);
}
