/*
 * The birth of a generation, step by step:
 *
 *   trial      the DEP key is wrapped by both customer keys, and opened by each alone
 *   create     the policy's availability key is made in the service's custody, if there is none yet
 *   wrap       the DEP key is wrapped under it
 *   unwrap     and opened again: a fallback that was never tried is none
 *   sign       the record of all that is signed
 *   made       whoever asked gets it
 *
 * The service-managed policy has no availability key: its two keys are the service's own.
 */
#include "generation_make.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/id.h"
#include "crypto/random.h"
#include "depd/custody_port.h"
#include "depd/generation_record.h"
#include "depd/policy_probe.h"
#include "depd/redundancy.h"

#define CONTEXT_MAX 1024

struct generation_make {
	struct op op; /* first */
	struct depd *depd;
	struct generation_wanted wanted;
	generation_make_fn *fn; /* NULL: nobody wants it any more */
	void *ctx;
	uint64_t *number; /* the caller's */
	struct generation_made *made;
	struct policy_trial trial;
	uint64_t call; /* to the service's custody, under way */
	struct err err;
};

static struct generation_make *
make_of(struct op *op)
{
	return (struct generation_make *)op;
}

void
generation_made_free(struct generation_made *made)
{
	if (made == NULL)
		return;
	secret_free(made->key);
	arena_free(made->arena);
	free(made);
}

void
generation_availability_name(
	const uint8_t policy[static DB_DEP_GUID], char name[static GENERATION_AVAILABILITY_NAME])
{
	char guid[ID_UUID_TEXT];
	id_uuid_format(policy, guid);
	(void)snprintf(name, GENERATION_AVAILABILITY_NAME, "ak-%s", guid);
}

const char *
generation_availability_host(const struct depd *depd, struct arena *arena)
{
	const struct dep_options_daemon *options = &depd->options->daemon;
	return arena_printf(
		arena, "%s.%s", options->availability_vault, options->service_dns_suffix);
}

/* ---- ends ---- */

static enum op_result
end(struct generation_make *make)
{
	struct generation_made *made = NULL;
	if (make->err.code == ERR_NONE) {
		made = make->made;
		make->made = NULL;
	}
	if (make->fn == NULL) {
		generation_made_free(made);
		return OP_DONE;
	}
	*make->number = 0;
	make->fn(make->ctx, made, &make->err);
	return OP_DONE;
}

static enum op_result
cancel(struct op *op, enum op_cancel why)
{
	struct generation_make *make = make_of(op);
	(void)err_set(
		&make->err, why == OP_CANCEL_SHUTDOWN ? ERR_SHUTTING_DOWN : ERR_TIMEOUT, NULL);
	return end(make);
}

static void
destroy(struct op *op)
{
	struct generation_make *make = make_of(op);
	custody_port_cancel(make->depd->custody, make->call);
	policy_trial_clear(&make->trial);
	generation_made_free(make->made);
	free(make);
}

/* A failure of the service's own custody, in make->err, is no fault of the customer's keys. */
static enum op_result
fail_service(struct generation_make *make)
{
	const struct err why = make->err;
	(void)err_set(&make->err, ERR_AVAILABILITY_KEY_UNUSABLE,
		"The availability key cannot be made or used in the service's custody: %.200s",
		why.message);
	(void)err_origin(&make->err, "%s: %.80s", err_name(why.code), why.origin);
	return end(make);
}

/* ---- steps ---- */

static void
new_guid(uint8_t guid[static DB_DEP_GUID])
{
	char text[ID_UUID_TEXT];
	random_uuid(text);
	bool parsed = id_uuid_parse(text, guid);
	assert(parsed);
	(void)parsed;
}

static bool
prepare(struct generation_make *make)
{
	struct generation_made *made = make->made;
	struct db_dep_generation *row = &made->row;
	const struct generation_wanted *wanted = &make->wanted;
	*row = (struct db_dep_generation){
		.number = wanted->number,
		.kid = {arena_strdup(made->arena, wanted->keys[0].kid),
			arena_strdup(made->arena, wanted->keys[1].kid)},
		.availability_kid = "",
		.created = calendar_now_s(make->depd->calendar),
		.redundancy = POLICY_KEYS,
		.availability = true,
	};
	row->due = redundancy_due_s(row->created);
	new_guid(row->guid);
	if (wanted->again != NULL) {
		memcpy(row->guid, wanted->again->guid, sizeof(row->guid));
		row->created = wanted->again->created;
		row->envelope = arena_strdup(made->arena, wanted->again->envelope);
	}
	made->identity = (struct keytree_generation){
		.organization = arena_strdup(made->arena, make->depd->options->daemon.organization),
		.number = (uint64_t)wanted->number,
	};
	memcpy(made->identity.policy, wanted->policy, DB_DEP_GUID);
	memcpy(made->identity.generation, row->guid, DB_DEP_GUID);
	made->key = wanted->again != NULL
			    ? secret_from(secret_peek(wanted->key), secret_len(wanted->key))
			    : random_secret(KEYTREE_KEY_LEN);
	if (made->key == NULL)
		return err_set(&make->err, ERR_NO_MEMORY, NULL);
	return keytree_check_value(made->key, &made->identity, row->check, &make->err);
}

static op_step_fn step_sign;

static enum op_result
step_trial(struct op *op)
{
	struct generation_make *make = make_of(op);
	CLEAN(buf)
	struct buf context;
	buf_init(&context, CONTEXT_MAX);
	*make->number = op->id;
	if (!prepare(make))
		return end(make);
	if (make->wanted.keep_envelope)
		return OP_NEXT;
	keytree_envelope_context(&make->made->identity, &context);
	if (policy_trial_start(&make->trial, make->depd, op->id, make->wanted.kind,
		    make->wanted.keys, buf_bytes(&context), make->made->key))
		return OP_WAIT;
	make->err = make->trial.err;
	return end(make);
}

static void
on_created(void *ctx, struct custody_answer *answer)
{
	struct generation_make *make = ctx;
	make->call = 0;
	make->err = answer->err;
	if (answer->err.code == ERR_NONE)
		make->made->row.availability_kid = arena_strdup(make->made->arena, answer->key.kid);
	(void)op_resume(make->depd->ops, make->op.id);
}

static enum op_result
step_create(struct op *op)
{
	struct generation_make *make = make_of(op);
	struct generation_made *made = make->made;
	char name[GENERATION_AVAILABILITY_NAME];
	if (make->trial.err.code != ERR_NONE) {
		make->err = make->trial.err;
		return end(make);
	}
	if (!make->wanted.keep_envelope) {
		if (!policy_check_first(make->wanted.keys, POLICY_AFTER_TRIAL, &make->err))
			return end(make);
		made->row.envelope = arena_strdup(made->arena, make->trial.envelope);
	}
	if (make->wanted.kind == DB_DEP_SERVICE) {
		op_next_is(op, step_sign);
		return OP_NEXT;
	}
	if (make->wanted.availability_kid != NULL) {
		made->row.availability_kid =
			arena_strdup(made->arena, make->wanted.availability_kid);
		return OP_NEXT;
	}
	bool geo = make->wanted.kind == DB_DEP_GEO;
	generation_availability_name(make->wanted.policy, name);
	make->call = custody_port_key_create(make->depd->custody,
		generation_availability_host(make->depd, made->arena),
		geo ? GENERATION_GEO_AVAILABILITY : name, geo ? KTY_RSA : KTY_OCT, on_created, make,
		&make->err);
	return make->call != 0 ? OP_WAIT : fail_service(make);
}

static void
on_wrapped(void *ctx, struct custody_answer *answer)
{
	struct generation_make *make = ctx;
	make->call = 0;
	make->err = answer->err;
	if (answer->err.code == ERR_NONE)
		make->made->row.availability_wrap =
			arena_bytes(make->made->arena, answer->value.data, answer->value.len);
	(void)op_resume(make->depd->ops, make->op.id);
}

static enum op_result
step_wrap(struct op *op)
{
	struct generation_make *make = make_of(op);
	if (make->err.code != ERR_NONE)
		return fail_service(make);
	make->call = custody_port_wrap(make->depd->custody, make->wanted.kind,
		make->made->row.availability_kid, make->made->key, on_wrapped, make, &make->err);
	return make->call != 0 ? OP_WAIT : fail_service(make);
}

static void
on_unwrapped(void *ctx, struct custody_answer *answer)
{
	struct generation_make *make = ctx;
	make->call = 0;
	make->err = answer->err;
	if (answer->err.code == ERR_NONE && !secret_equal(answer->secret, make->made->key))
		(void)err_set(&make->err, ERR_WRAPPED_KEY_INTEGRITY,
			"it opens another key than it wrapped");
	(void)op_resume(make->depd->ops, make->op.id);
}

static enum op_result
step_unwrap(struct op *op)
{
	struct generation_make *make = make_of(op);
	if (make->err.code != ERR_NONE)
		return fail_service(make);
	make->call = custody_port_unwrap(make->depd->custody, make->wanted.kind,
		make->made->row.availability_kid, make->made->row.availability_wrap, on_unwrapped,
		make, &make->err);
	return make->call != 0 ? OP_WAIT : fail_service(make);
}

static void
on_signed(void *ctx, struct custody_answer *answer)
{
	struct generation_make *make = ctx;
	make->call = 0;
	make->err = answer->err;
	if (answer->err.code == ERR_NONE)
		make->made->row.signature =
			arena_bytes(make->made->arena, answer->value.data, answer->value.len);
	(void)op_resume(make->depd->ops, make->op.id);
}

static enum op_result
step_sign(struct op *op)
{
	struct generation_make *make = make_of(op);
	uint8_t digest[HASH_SHA256_LEN];
	if (make->err.code != ERR_NONE)
		return fail_service(make);
	generation_record_seal(&make->made->row);
	generation_record_digest(make->depd->options->daemon.organization, make->wanted.policy,
		&make->made->row, digest);
	make->call = custody_port_sign(
		make->depd->custody, make->wanted.signing_kid, digest, on_signed, make, &make->err);
	return make->call != 0 ? OP_WAIT : fail_service(make);
}

static enum op_result
step_made(struct op *op)
{
	struct generation_make *make = make_of(op);
	return make->err.code == ERR_NONE ? end(make) : fail_service(make);
}

static const struct op_step steps[] = {
	{"trial",  step_trial },
	{"create", step_create},
	{"wrap",   step_wrap  },
	{"unwrap", step_unwrap},
	{"sign",   step_sign  },
	{"made",   step_made  },
};

static const struct op_type make_type = {
	.name = "generation.make",
	.steps = steps,
	.step_count = ARRAY_LEN(steps),
	.cancel = cancel,
	.destroy = destroy,
	.background = true,
};

void
generation_make_start(struct depd *depd, const struct generation_wanted *wanted,
	int64_t deadline_ms, uint64_t *number, generation_make_fn *fn, void *ctx)
{
	struct generation_make *make = calloc(1, sizeof(*make));
	struct generation_made *made = calloc(1, sizeof(*made));
	if (make == NULL || made == NULL)
		abort();
	made->arena = arena_new();
	*make = (struct generation_make){.depd = depd,
		.wanted = *wanted,
		.fn = fn,
		.ctx = ctx,
		.number = number,
		.made = made};
	op_start(depd->ops, &make_type, &make->op, deadline_ms);
}

void
generation_make_cancel(struct depd *depd, uint64_t number)
{
	struct op *op = number != 0 ? op_find(depd->ops, number) : NULL;
	if (op == NULL)
		return;
	make_of(op)->fn = NULL;
	(void)op_cancel(depd->ops, number, OP_CANCEL_CLIENT);
}
